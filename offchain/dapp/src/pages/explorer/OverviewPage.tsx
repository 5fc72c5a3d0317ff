// Everything at a glance: counts, what is disputed now, the latest jobs.
import { link } from "../../app/router";
import { Async, Card, Notice } from "../../components/basics";
import type { DisputeItem, JobItem, Page, StatsAnswer } from "../../protocol";
import { DisputeTable } from "./DisputesPage";
import { countStates, countWords, formatCount, toQuery } from "./format";
import { JobTable } from "./JobsPage";
import { useIndex } from "./live";
import { AsOfLabel, ExplorerFrame, Stat } from "./parts";

const LATEST = 8;

export function OverviewPage() {
  const stats = useIndex<StatsAnswer>("/stats");
  const jobs = useIndex<Page<JobItem>>(`/jobs${toQuery({ limit: String(LATEST) })}`);
  const disputes = useIndex<Page<DisputeItem>>("/disputes?state=open&limit=5");
  return (
    <ExplorerFrame section="overview">
      <Async data={stats} lines={4}>
        {(value) => (
          <div className="stack">
            <Halted stats={value} />
            <Figures stats={value} />
            <AsOfLabel asOf={value.asOf} />
          </div>
        )}
      </Async>
      <Async data={disputes}>
        {({ items }) =>
          items.length === 0 ? null : (
            <Card title="Disputed now" aside={<a href={link("disputes")}>All disputes</a>}>
              <DisputeTable items={items} />
            </Card>
          )
        }
      </Async>
      <Card title="Latest jobs" aside={<a href={link("jobs")}>All jobs</a>}>
        <Async data={jobs} lines={6}>
          {({ items }) =>
            items.length === 0 ? (
              <p className="soft">
                Nobody has ordered anything yet. <a href={link("submit")}>Be the first.</a>
              </p>
            ) : (
              <JobTable items={items} />
            )
          }
        </Async>
      </Card>
    </ExplorerFrame>
  );
}

function Halted({ stats }: { stats: StatsAnswer }) {
  if (stats.isRefundMode) {
    return (
      <Notice tone="bad" title="The protocol is being wound down">
        <p className="small">Nothing new begins; everybody can take their own money back.</p>
      </Notice>
    );
  }
  if (!stats.isPaused) return null;
  return (
    <Notice tone="warn" title="The protocol is paused">
      <p className="small">Its guardian stopped the clock; every deadline waits with it.</p>
    </Notice>
  );
}

function Figures({ stats }: { stats: StatsAnswer }) {
  const { jobs, disputes, sessions } = stats;
  const running = countStates(jobs, "open", "assigned", "committed", "disputed");
  return (
    <div className="stats" data-testid="stats">
      <Stat
        name="Jobs"
        value={formatCount(countStates(jobs))}
        note={`${formatCount(running)} running`}
        href={link("jobs")}
      />
      <Stat
        name="Final or proven"
        value={formatCount(countStates(jobs, "final", "proven"))}
        note={`${formatCount(countStates(jobs, "proven"))} by proof`}
      />
      <Stat
        name="Disputes"
        value={formatCount(countStates(disputes))}
        note={countWords(countStates(jobs, "rejected"), "answer rejected", "answers rejected")}
        href={link("disputes")}
      />
      <Stat
        name="Results in batches"
        value={formatCount(stats.batchResults)}
        note={countWords(countStates(sessions, "open"), "session open", "sessions open")}
        href={link("sessions")}
      />
      <Stat name="Models" value={formatCount(stats.versions)} href={link("models")} />
      <Stat name="Operators" value={formatCount(stats.operators)} href={link("operators")} />
    </div>
  );
}
