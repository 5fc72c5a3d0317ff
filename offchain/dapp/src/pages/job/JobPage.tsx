// One job: its answer, its life, what protects it, and what the reader can do.
import { useEffect, useRef, useState } from "react";
import { link } from "../../app/router";
import { useServices } from "../../app/services";
import { useData } from "../../app/useData";
import { type JobView, useJob } from "../../app/useJob";
import { useTransactions } from "../../app/useTransactions";
import {
  Async,
  Card,
  Empty,
  Fact,
  Facts,
  Hex,
  Notice,
  PageHead,
  Pill,
} from "../../components/basics";
import { formatAmount, isTerminal, isWord, type Job, type JobId } from "../../protocol";
import { ASSURANCE, BATCH, STATES } from "../../texts";
import { Actions } from "./Actions";
import { AnswerCard } from "./AnswerCard";
import { type Known, loadKnown } from "./answer";
import { ChallengeCard } from "./ChallengeCard";
import { DisputeCard } from "./DisputeCard";
import { toneOf } from "./steps";
import { Timeline } from "./Timeline";
import { useCheck } from "./useCheck";

export function JobPage({ id }: { id: string }) {
  if (!isWord(id)) {
    return (
      <Empty title="This is no job's id">
        <p>An id is 0x and 64 hexadecimal digits.</p>
      </Empty>
    );
  }
  return <ChainJob key={id} id={id} />;
}

function ChainJob({ id }: { id: JobId }) {
  const data = useJob(id);
  return (
    <Async data={data} lines={8}>
      {(view) => (view.job === null ? <Unknown id={id} /> : <Shown view={view} job={view.job} />)}
    </Async>
  );
}

type BatchPlace = { readonly batch: string | null; readonly leaf: number | null };

/** A session's result: the chain holds only the root over its batch. */
function InBatch({ id, batch, leaf }: { id: JobId } & { batch: string; leaf: number | null }) {
  return (
    <>
      <PageHead title="One result of a batch">
        <p className="row tight">
          Job <Hex value={id} label="the job's id" />
        </p>
      </PageHead>
      <Card>
        <div className="stack">
          <p>{BATCH.text(leaf)}</p>
          <div>
            <a className="button button-primary" href={link("batches", batch)}>
              See the batch
            </a>
          </div>
        </div>
      </Card>
    </>
  );
}

/** Not on the chain: on its way there, in a batch, or nowhere. */
function Unknown({ id }: { id: JobId }) {
  const order = useTransactions().findLast(
    ({ purpose, subject }) => purpose === "createJob" && subject === id,
  );
  const { gateway } = useServices();
  const listed = useData(order === undefined ? `listed ${id}` : null, (signal) =>
    gateway.get<BatchPlace>(`/jobs/${id}`, signal),
  );
  if (order === undefined || order.status === "failed" || order.status === "lost") {
    if (listed.status === "ready" && listed.value.batch !== null) {
      return <InBatch id={id} batch={listed.value.batch} leaf={listed.value.leaf} />;
    }
    return (
      <Empty title="The chain knows no such job">
        <p>
          Its block may have been replaced, or the address is incomplete.{" "}
          <a href={link("my-jobs")}>My jobs</a>
        </p>
      </Empty>
    );
  }
  return (
    <>
      <PageHead title="Your order is on its way">
        <p>The transaction waits for a block. This page goes on by itself, also after a reload.</p>
      </PageHead>
      <Card>
        <div className="stack">
          <Facts>
            <Fact name="Transaction">
              <Hex value={order.hash} label="transaction hash" />
            </Fact>
            <Fact name="Job">
              <Hex value={id} label="the job's id" />
            </Fact>
          </Facts>
          <p className="row tight" role="status">
            <span className="spinner" aria-hidden="true" /> Waiting for a block…
          </p>
        </div>
      </Card>
    </>
  );
}

function Shown({ view, job }: { view: JobView; job: Job }) {
  const services = useServices();
  const known = useData(`known ${view.id} ${view.terms === null}`, (signal) =>
    loadKnown(services, view, signal),
  );
  const value: Known | null = known.status === "ready" ? known.value : null;
  const check = useCheck(value, job.outDigest);
  const title = value?.model.face.title ?? "Inference";
  return (
    <>
      <PageHead
        title={
          <span className="row tight">
            {title} <Pill tone={toneOf(job.state)}>{STATES[job.state].name}</Pill>
          </span>
        }
      >
        <p className="row tight">
          Job <Hex value={view.id} label="the job's id" />
        </p>
      </PageHead>
      <Announcer job={job} />
      {known.status === "error" ? (
        <Notice tone="warn" title="The model's files or the input could not be checked">
          <p className="small">{known.error.message}</p>
        </Notice>
      ) : null}
      <div className="job-grid">
        <AnswerCard view={view} job={job} known={value} check={check} />
        <div className="stack loose">
          <StateCard view={view} job={job} />
          <DisputeCard view={view} job={job} />
          <ChallengeCard view={view} job={job} check={check} />
        </div>
        <div className="stack loose">
          <Card title="What happens" testId="timeline">
            <Timeline view={view} />
          </Card>
          <Details view={view} job={job} />
        </div>
      </div>
    </>
  );
}

/** Says a change of state to those who do not see it. */
function Announcer({ job }: { job: Job }) {
  const first = useRef(job.state);
  const [said, setSaid] = useState("");
  useEffect(() => {
    if (job.state === first.current) return;
    first.current = job.state;
    const { name, text } = STATES[job.state];
    setSaid(`${name}. ${text}`);
  }, [job.state]);
  return (
    <p className="visually-hidden" role="status" data-testid="state" data-state={job.state}>
      {said}
    </p>
  );
}

function StateCard({ view, job }: { view: JobView; job: Job }) {
  const assurance = ASSURANCE[view.assurance];
  const isOver = view.assurance !== "NONE";
  return (
    <Card title={STATES[job.state].name} testId="state-card">
      <div className="stack">
        <p>{STATES[job.state].text}</p>
        {job.outDigest === null || job.state === "REJECTED" ? null : (
          <Notice tone={isOver ? "good" : "neutral"} title={assurance.name} testId="assurance">
            <p className="small">{assurance.text}</p>
          </Notice>
        )}
        <Actions view={view} job={job} />
        {isTerminal(job.state) ? (
          <div>
            <a className="button" href={link("submit")}>
              Order another
            </a>
          </div>
        ) : null}
      </div>
    </Card>
  );
}

function Details({ view, job }: { view: JobView; job: Job }) {
  return (
    <Card title="Details">
      <Facts>
        <Fact name="Ordered by">
          <Hex value={job.client} label="the client's address" />
        </Fact>
        <Fact name="Operator">
          {job.operator === null ? (
            <span className="faint">none yet</span>
          ) : (
            <Hex
              value={job.operator}
              href={link("operators", job.operator)}
              label="the operator's address"
            />
          )}
        </Fact>
        <Fact name="Fee">{formatAmount(job.fee)}</Fact>
        {view.funds === null || view.funds.lock === 0n ? null : (
          <Fact name="Stake behind it">{formatAmount(view.funds.lock)}</Fact>
        )}
        <Fact name="Model version">
          <Hex value={job.version} href={link("models", job.version)} label="the version's id" />
        </Fact>
        {view.terms === null ? null : (
          <Fact name="Input's hash">
            <Hex value={view.terms.inDigest} label="the input's hash" />
          </Fact>
        )}
        {job.outDigest === null ? null : (
          <Fact name="Answer's hash">
            <Hex value={job.outDigest} label="the answer's hash" />
          </Fact>
        )}
        {job.proofRequired ? <Fact name="Proof">required</Fact> : null}
      </Facts>
    </Card>
  );
}
