// Every job, newest first, narrowed by what the address says.
import type { Route } from "../../app/router";
import { Card } from "../../components/basics";
import { Countdown } from "../../components/Countdown";
import { isTerminal, JOB_STATES, type JobItem, type Page } from "../../protocol";
import { STATES } from "../../texts";
import { Filters, type FilterValues } from "./Filters";
import { toJobState, toQuery } from "./format";
import { useIndex, useVersionNames } from "./live";
import {
  Amount,
  Cell,
  ExplorerFrame,
  JobLink,
  JobPill,
  OperatorLink,
  PagedList,
  VersionLink,
  When,
} from "./parts";
import { EMPTY } from "./texts";

const LIMIT = 20;
const CHOICES = JOB_STATES.filter((state) => state !== "NONE").map((state) => ({
  value: state.toLowerCase(),
  label: STATES[state].name,
}));

export function JobsPage({ route }: { route: Route }) {
  const filters = readFilters(route.query);
  const cursor = route.query.get("cursor") ?? "";
  const data = useIndex<Page<JobItem>>(
    `/jobs${toQuery({ ...filters, cursor, limit: `${LIMIT}` })}`,
  );
  return (
    <ExplorerFrame section="jobs">
      <Card>
        <div className="stack">
          <Filters path="#/jobs" values={filters} states={CHOICES} />
          <PagedList
            data={data}
            empty={EMPTY.jobs}
            isFirst={cursor === ""}
            pageLink={(next) => `#/jobs${toQuery({ ...filters, cursor: next })}`}
          >
            {(items) => <JobTable items={items} />}
          </PagedList>
        </div>
      </Card>
    </ExplorerFrame>
  );
}

function readFilters(query: URLSearchParams): FilterValues {
  const read = (name: string) => query.get(name) ?? undefined;
  const values = {
    state: read("state"),
    client: read("client"),
    operator: read("operator"),
    version: read("version"),
  };
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}

export function JobTable({ items }: { items: readonly JobItem[] }) {
  const nameOf = useVersionNames();
  return (
    <table className="table" data-testid="jobs">
      <thead>
        <tr>
          <th scope="col">Job</th>
          <th scope="col">State</th>
          <th scope="col">Model</th>
          <th scope="col">Operator</th>
          <th scope="col">Time left</th>
          <th scope="col">Ordered</th>
          <th scope="col" className="number">
            Fee
          </th>
        </tr>
      </thead>
      <tbody>
        {items.map((job) => (
          <tr key={job.id}>
            <td data-label="Job">
              <JobLink id={job.id} />
            </td>
            <td data-label="State">
              <JobPill state={job.state} />
            </td>
            <td data-label="Model">
              <VersionLink id={job.version} name={nameOf(job.version)} />
            </td>
            <td data-label="Operator">
              <OperatorLink address={job.operator} />
            </td>
            <Cell label="Time left">
              {job.deadline === null || isTerminal(toJobState(job.state)) ? null : (
                <Countdown deadline={job.deadline} />
              )}
            </Cell>
            <td data-label="Ordered">
              <When seconds={job.createdAt} />
            </td>
            <td data-label="Fee" className="number">
              <Amount amount={job.fee} token={job.token} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
