// Disputes with their clocks, newest first.
import type { ReactNode } from "react";
import type { Route } from "../../app/router";
import { Card } from "../../components/basics";
import { Countdown } from "../../components/Countdown";
import type { DisputeItem, Page } from "../../protocol";
import { Filters } from "./Filters";
import { toQuery } from "./format";
import { useIndex } from "./live";
import {
  AccountLink,
  Amount,
  Cell,
  ExplorerFrame,
  JobLink,
  OperatorLink,
  PagedList,
  StatePill,
  When,
} from "./parts";
import { DISPUTE_STATES, EMPTY } from "./texts";

const LIMIT = 20;
const CHOICES = Object.entries(DISPUTE_STATES).map(([value, { name }]) => ({ value, label: name }));

export function DisputesPage({ route }: { route: Route }) {
  const filters = {
    state: route.query.get("state") ?? undefined,
    operator: route.query.get("operator") ?? undefined,
  };
  const cursor = route.query.get("cursor") ?? "";
  const data = useIndex<Page<DisputeItem>>(
    `/disputes${toQuery({ ...filters, cursor, limit: `${LIMIT}` })}`,
  );
  return (
    <ExplorerFrame section="disputes">
      <Card>
        <div className="stack">
          <Filters path="#/disputes" values={filters} states={CHOICES} />
          <PagedList
            data={data}
            empty={EMPTY.disputes}
            isFirst={cursor === ""}
            pageLink={(next) => `#/disputes${toQuery({ ...filters, cursor: next })}`}
          >
            {(items) => <DisputeTable items={items} />}
          </PagedList>
        </div>
      </Card>
    </ExplorerFrame>
  );
}

export function DisputeTable({ items }: { items: readonly DisputeItem[] }) {
  return (
    <table className="table" data-testid="disputes">
      <thead>
        <tr>
          <th scope="col">Job</th>
          <th scope="col">State</th>
          <th scope="col">Clock</th>
          <th scope="col">Challenged by</th>
          <th scope="col">Operator</th>
          <th scope="col">Opened</th>
          <th scope="col" className="number">
            Bond
          </th>
        </tr>
      </thead>
      <tbody>
        {items.map((dispute) => (
          <tr key={dispute.job}>
            <td data-label="Job">
              <JobLink id={dispute.job} />
            </td>
            <td data-label="State">
              <StatePill state={dispute.state} words={DISPUTE_STATES} />
            </td>
            <Cell label="Clock">{renderClock(dispute)}</Cell>
            <td data-label="Challenged by">
              <Challengers all={dispute.challengers} />
            </td>
            <td data-label="Operator">
              <OperatorLink address={dispute.operator} />
            </td>
            <td data-label="Opened">
              <When seconds={dispute.openedAt} />
            </td>
            <td data-label="Bond" className="number">
              {dispute.bond === "0" ? "–" : <Amount amount={dispute.bond} />}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Challengers({ all }: { all: readonly string[] }) {
  const [first, ...others] = all;
  if (first === undefined) return <span className="faint">the job requires a proof</span>;
  return (
    <span className="row tight">
      <AccountLink address={first} />
      {others.length === 0 ? null : <span className="small faint">and {others.length} more</span>}
    </span>
  );
}

/** What its present state waits for. */
function renderClock({ state, proveBy, airgapUntil }: DisputeItem): ReactNode {
  if (state === "open" && proveBy !== null) return <Countdown deadline={proveBy} />;
  const isHeld = state === "default" || state === "fraud_proven";
  return isHeld && airgapUntil !== null ? <Countdown deadline={airgapUntil} /> : null;
}
