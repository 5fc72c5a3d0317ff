// Sessions and what was served under them.
import { link, type Route } from "../../app/router";
import { useServices } from "../../app/services";
import { Async, Card, Fact, Facts, Hex, Notice } from "../../components/basics";
import { Countdown } from "../../components/Countdown";
import {
  type BatchItem,
  computeSessionId,
  type Deployment,
  type Page,
  type SessionAnswer,
  type SessionItem,
} from "../../protocol";
import { BatchTable } from "./BatchTable";
import { Filters } from "./Filters";
import { formatCount, toQuery } from "./format";
import { useIndex, useVersionNames } from "./live";
import {
  AccountLink,
  Amount,
  AsOfLabel,
  ExplorerFrame,
  OperatorLink,
  PagedList,
  StatePill,
  VersionLink,
} from "./parts";
import { EMPTY, SESSION_STATES } from "./texts";

const LIMIT = 20;
const CHOICES = Object.entries(SESSION_STATES).map(([value, { name }]) => ({ value, label: name }));

export function SessionsPage({ route }: { route: Route }) {
  const filters = {
    state: route.query.get("state") ?? undefined,
    client: route.query.get("client") ?? undefined,
    operator: route.query.get("operator") ?? undefined,
  };
  const cursor = route.query.get("cursor") ?? "";
  const data = useIndex<Page<SessionItem>>(
    `/sessions${toQuery({ ...filters, cursor, limit: `${LIMIT}` })}`,
  );
  return (
    <ExplorerFrame section="sessions">
      <Card>
        <div className="stack">
          <Filters path="#/sessions" values={filters} states={CHOICES} />
          <PagedList
            data={data}
            empty={EMPTY.sessions}
            isFirst={cursor === ""}
            pageLink={(next) => `#/sessions${toQuery({ ...filters, cursor: next })}`}
          >
            {(items) => <SessionTable items={items} />}
          </PagedList>
        </div>
      </Card>
    </ExplorerFrame>
  );
}

function SessionTable({ items }: { items: readonly SessionItem[] }) {
  return (
    <table className="table" data-testid="sessions">
      <thead>
        <tr>
          <th scope="col">Session</th>
          <th scope="col">State</th>
          <th scope="col">Client</th>
          <th scope="col">Operator</th>
          <th scope="col" className="number">
            Results
          </th>
          <th scope="col" className="number">
            Fee of each
          </th>
          <th scope="col" className="number">
            Deposit left
          </th>
        </tr>
      </thead>
      <tbody>
        {items.map((session) => (
          <tr key={session.id}>
            <td data-label="Session">
              <Hex
                value={session.id}
                href={link("sessions", session.id)}
                label="the session's id"
              />
            </td>
            <td data-label="State">
              <StatePill state={session.state} words={SESSION_STATES} />
            </td>
            <td data-label="Client">
              <AccountLink address={session.client} />
            </td>
            <td data-label="Operator">
              <OperatorLink address={session.operator} />
            </td>
            <td data-label="Results" className="number">
              {formatCount(session.results)}
            </td>
            <td data-label="Fee of each" className="number">
              <Amount amount={session.fee} token={session.token} />
            </td>
            <td data-label="Deposit left" className="number">
              <Amount amount={session.deposit} token={session.token} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** One session: terms that hash to its id, and its batches. */
export function SessionPage({ id }: { id: string }) {
  const { deployment } = useServices();
  const data = useIndex<SessionAnswer>(`/sessions/${id}`);
  const batches = useIndex<Page<BatchItem>>(
    `/batches${toQuery({ session: id, limit: `${LIMIT}` })}`,
  );
  return (
    <ExplorerFrame
      section="sessions"
      title={<span className="title-hex">Session {id.slice(0, 10)}…</span>}
    >
      <Card title="Terms" testId="session">
        <Async data={data} lines={5}>
          {(session) =>
            isSession(id, session, deployment) ? (
              <SessionFacts session={session} />
            ) : (
              <Notice tone="bad" title="These are not the terms of this session">
                <p className="small">They do not hash to its id, so they are not shown.</p>
              </Notice>
            )
          }
        </Async>
      </Card>
      <Card title="Batches">
        <Async data={batches}>
          {({ items, asOf }) => (
            <div className="stack">
              {items.length === 0 ? (
                <p className="soft">No results were committed yet.</p>
              ) : (
                <BatchTable items={items} />
              )}
              <AsOfLabel asOf={asOf} />
            </div>
          )}
        </Async>
      </Card>
    </ExplorerFrame>
  );
}

function isSession(id: string, session: SessionAnswer, deployment: Deployment): boolean {
  const { chainId, contracts } = deployment;
  if (contracts.SessionMarket === undefined) return false;
  const terms = { ...session, fee: BigInt(session.fee), salt: BigInt(session.salt) };
  return computeSessionId(chainId, contracts.SessionMarket, terms) === id.toLowerCase();
}

function SessionFacts({ session }: { session: SessionAnswer }) {
  const nameOf = useVersionNames();
  const { open, served, expired } = session.requests;
  return (
    <Facts>
      <Fact name="State">
        <StatePill state={session.state} words={SESSION_STATES} />
      </Fact>
      <Fact name="Client">
        <AccountLink address={session.client} />
      </Fact>
      <Fact name="Signs the requests">
        <AccountLink address={session.signer} />
      </Fact>
      <Fact name="Operator">
        <OperatorLink address={session.operator} />
      </Fact>
      <Fact name="Model">
        <VersionLink id={session.version} name={nameOf(session.version)} />
      </Fact>
      <Fact name="Fee of each result">
        <Amount amount={session.fee} token={session.token} />
      </Fact>
      <Fact name="Deposit left">
        <Amount amount={session.deposit} token={session.token} />
      </Fact>
      <Fact name="Requests at this gateway">
        {open} open, {served} served, {expired} expired
      </Fact>
      {session.state === "closing" ? (
        <Fact name="Closes within">
          <Countdown deadline={session.closesAt} />
        </Fact>
      ) : null}
    </Facts>
  );
}
