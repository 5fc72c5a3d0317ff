// One account's part of the vault, and every movement of it.
import { link, type Route } from "../../app/router";
import { Async, Card, Empty, Fact, Facts, Hex } from "../../components/basics";
import {
  type AccountAnswer,
  type Address,
  ETH,
  type EventEntry,
  type TokenSums,
} from "../../protocol";
import { formatCount, toQuery } from "./format";
import { useIndex } from "./live";
import { AccountLink, Amount, AsOfLabel, ExplorerFrame, When } from "./parts";
import { MOVEMENTS, TOTALS } from "./texts";

const LIMIT = 20;

export function ExplorerAccountPage({ address, route }: { address: Address; route: Route }) {
  const cursor = route.query.get("cursor") ?? "";
  const path = `/accounts/${address}${toQuery({ cursor, limit: `${LIMIT}` })}`;
  const data = useIndex<AccountAnswer>(path);
  return (
    <ExplorerFrame
      section="overview"
      title={<span className="title-hex">Account {address.slice(0, 10)}…</span>}
      lead="What the vault holds for it, and how it came there."
    >
      <Async data={data} lines={6}>
        {(account) => (
          <>
            <div className="columns">
              <Movements account={account} address={address} isFirst={cursor === ""} />
              <div className="stack loose">
                <Standing account={account} />
                {account.tokens.map((sums) => (
                  <Ledger key={sums.token} sums={sums} />
                ))}
              </div>
            </div>
            <AsOfLabel asOf={account.asOf} />
          </>
        )}
      </Async>
    </ExplorerFrame>
  );
}

function Standing({ account }: { account: AccountAnswer }) {
  const { address } = account;
  return (
    <Card title="Who it is" testId="account">
      <Facts>
        <Fact name="Address">
          <Hex value={address} label="the address" />
        </Fact>
        <Fact name="Operator">
          {account.isOperator ? <a href={link("operators", address)}>yes</a> : "no"}
        </Fact>
        {account.serves === null ? null : (
          <Fact name="Works for">
            <AccountLink address={account.serves} />
          </Fact>
        )}
        <Fact name="Jobs ordered">
          <a href={`#/jobs${toQuery({ client: address })}`}>{formatCount(account.jobsOrdered)}</a>
        </Fact>
        <Fact name="Challenges">{formatCount(account.challenges)}</Fact>
      </Facts>
    </Card>
  );
}

function Ledger({ sums }: { sums: TokenSums }) {
  const totals = Object.entries(sums.totals).filter(([, amount]) => amount !== "0");
  return (
    <Card title={sums.token === ETH ? "In ETH" : "In the token"}>
      <Facts>
        <Fact name="Credit">
          <Amount amount={sums.credit} token={sums.token} />
        </Fact>
        <Fact name="Free stake">
          <Amount amount={sums.free} token={sums.token} />
        </Fact>
        <Fact name="Behind jobs">
          <Amount amount={sums.locked} token={sums.token} />
        </Fact>
        <Fact name="Unbonding">
          <Amount amount={sums.unbonding} token={sums.token} />
        </Fact>
        {totals.map(([name, amount]) => (
          <Fact key={name} name={TOTALS[name] ?? name}>
            <Amount amount={amount} token={sums.token} />
          </Fact>
        ))}
      </Facts>
    </Card>
  );
}

type MovementsProps = {
  readonly account: AccountAnswer;
  readonly address: Address;
  readonly isFirst: boolean;
};

function Movements({ account, address, isFirst }: MovementsProps) {
  const { events, next } = account;
  const page = (cursor: string) => `#/accounts/${address}${toQuery({ cursor })}`;
  return (
    <Card title="Movements" testId="movements">
      <div className="stack">
        {events.length === 0 ? <Empty title="Nothing has moved yet" /> : <Events all={events} />}
        <nav className="row" aria-label="Pages of movements">
          {isFirst ? null : (
            <a className="button button-small" href={page("")}>
              Newest
            </a>
          )}
          {next === null ? null : (
            <a className="button button-small" href={page(next)}>
              Older
            </a>
          )}
        </nav>
      </div>
    </Card>
  );
}

function Events({ all }: { all: readonly EventEntry[] }) {
  return (
    <table className="table">
      <thead>
        <tr>
          <th scope="col">What</th>
          <th scope="col">When</th>
          <th scope="col">About</th>
          <th scope="col" className="number">
            Amount
          </th>
        </tr>
      </thead>
      <tbody>
        {all.map((event) => (
          <tr key={`${event.block}-${event.log}`}>
            <td data-label="What">{MOVEMENTS[event.name] ?? splitWords(event.name)}</td>
            <td data-label="When">
              <When seconds={event.timestamp} />
            </td>
            <td data-label="About">
              <About event={event} />
            </td>
            <td data-label="Amount" className="number">
              <EventAmount event={event} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function About({ event }: { event: EventEntry }) {
  const { jobId } = event.arguments;
  if (typeof jobId !== "string") return <span className="faint">–</span>;
  return <Hex value={jobId} href={link("jobs", jobId)} label="the id" />;
}

function EventAmount({ event }: { event: EventEntry }) {
  const { amount, token } = event.arguments;
  if (typeof amount !== "string" || !/^\d+$/.test(amount)) return <span className="faint">–</span>;
  return <Amount amount={amount} token={typeof token === "string" ? token : ETH} />;
}

/** "CreditWithdrawn" as "Credit withdrawn". */
function splitWords(name: string): string {
  const words = name.replace(/([a-z])([A-Z])/g, "$1 $2").toLowerCase();
  return words.charAt(0).toUpperCase() + words.slice(1);
}
