// Operators: their stake, how they behaved, what they did.
import { link, type Route } from "../../app/router";
import { useHead } from "../../app/services";
import { Async, Card, Fact, Facts, Hex, Notice, Pill } from "../../components/basics";
import { Countdown } from "../../components/Countdown";
import {
  type Address,
  type BatchItem,
  type DisputeItem,
  ETH,
  isOver,
  type JobItem,
  type OperatorAnswer,
  type OperatorItem,
  type Page,
  type TokenSums,
} from "../../protocol";
import { BatchTable } from "./BatchTable";
import { DisputeTable } from "./DisputesPage";
import { countStates, countWords, formatCount, toQuery } from "./format";
import { JobTable } from "./JobsPage";
import { useIndex, useVersionNames } from "./live";
import {
  AccountLink,
  Amount,
  AsOfLabel,
  ExplorerFrame,
  OperatorLink,
  PagedList,
  VersionLink,
} from "./parts";
import { EMPTY } from "./texts";

const LIMIT = 20;
const RECENT = 5;

export function OperatorsPage({ route }: { route: Route }) {
  const cursor = route.query.get("cursor") ?? "";
  const data = useIndex<Page<OperatorItem>>(`/operators${toQuery({ cursor, limit: `${LIMIT}` })}`);
  return (
    <ExplorerFrame section="operators">
      <Card>
        <PagedList
          data={data}
          empty={EMPTY.operators}
          isFirst={cursor === ""}
          pageLink={(next) => `#/operators${toQuery({ cursor: next })}`}
        >
          {(items) => <OperatorTable items={items} />}
        </PagedList>
      </Card>
    </ExplorerFrame>
  );
}

function OperatorTable({ items }: { items: readonly OperatorItem[] }) {
  return (
    <table className="table" data-testid="operators">
      <thead>
        <tr>
          <th scope="col">Operator</th>
          <th scope="col">Standing</th>
          <th scope="col" className="number">
            Free stake
          </th>
          <th scope="col" className="number">
            Behind jobs
          </th>
          <th scope="col" className="number">
            Served
          </th>
          <th scope="col" className="number">
            Slashed
          </th>
        </tr>
      </thead>
      <tbody>
        {items.map((operator) => (
          <tr key={operator.address}>
            <td data-label="Operator">
              <OperatorLink address={operator.address} />
            </td>
            <td data-label="Standing">
              <StandingPill operator={operator} />
            </td>
            <td data-label="Free stake" className="number">
              <Sum operator={operator} name="free" />
            </td>
            <td data-label="Behind jobs" className="number">
              <Sum operator={operator} name="locked" />
            </td>
            <td data-label="Served" className="number">
              {formatCount(operator.served)}
            </td>
            <td data-label="Slashed" className="number">
              <Sum operator={operator} name="slashed" />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** One of an operator's sums in each token it has any of. */
function Sum({ operator, name }: { operator: OperatorItem; name: "free" | "locked" | "slashed" }) {
  const held = operator.tokens.filter((sums) => sums[name] !== "0");
  if (held.length === 0) return <span className="faint">–</span>;
  return (
    <span className="stack tight">
      {held.map((sums) => (
        <Amount key={sums.token} amount={sums[name]} token={sums.token} />
      ))}
    </span>
  );
}

function StandingPill({ operator }: { operator: OperatorItem }) {
  const { reading } = useHead();
  if (operator.jailedUntil > 0) {
    const isOut = reading !== null && isOver(reading.time, operator.jailedUntil - 1);
    return <Pill tone={isOut ? "warn" : "bad"}>{isOut ? "May leave jail" : "Jailed"}</Pill>;
  }
  if (operator.worker === null) return <Pill>No worker</Pill>;
  const stake = operator.tokens.some(({ free }) => free !== "0");
  return stake ? <Pill tone="good">Ready</Pill> : <Pill>No free stake</Pill>;
}

export function OperatorPage({ address }: { address: Address }) {
  const data = useIndex<OperatorAnswer>(`/operators/${address}`);
  return (
    <ExplorerFrame
      section="operators"
      title={<span className="title-hex">Operator {address.slice(0, 10)}…</span>}
      lead="Its stake answers for its results."
    >
      <Async data={data} lines={6}>
        {(operator) => (
          <>
            {operator.jailedUntil > 0 ? <Jail until={operator.jailedUntil} /> : null}
            <div className="columns">
              <div className="stack loose">
                {operator.tokens.map((sums) => (
                  <Stake key={sums.token} sums={sums} />
                ))}
                {operator.tokens.length === 0 ? <Card title="Stake">None.</Card> : null}
              </div>
              <Behaviour operator={operator} />
            </div>
            <AsOfLabel asOf={operator.asOf} />
          </>
        )}
      </Async>
      <Recent address={address} />
    </ExplorerFrame>
  );
}

function Jail({ until }: { until: number }) {
  const { reading } = useHead();
  const isOut = reading !== null && isOver(reading.time, until - 1);
  return (
    <Notice tone="warn" title="In jail" testId="jailed">
      <p className="small">
        It takes no jobs. After a slash or too many misses an operator has to wait, and then has to
        ask to leave.{" "}
        {isOut ? (
          "It may leave now."
        ) : (
          <>
            It has to wait for <Countdown deadline={until - 1} />.
          </>
        )}
      </p>
    </Notice>
  );
}

function Stake({ sums }: { sums: TokenSums }) {
  const rows = [
    ["Free", sums.free],
    ["Behind jobs", sums.locked],
    ["Unbonding", sums.unbonding],
    ["Credit", sums.credit],
    ["Earned as fees", sums.earned],
    ["Slashed", sums.slashed],
    ["Fined", sums.fined],
  ] as const;
  return (
    <Card title={sums.token === ETH ? "Stake in ETH" : "Stake in the token"} testId="stake">
      <Facts>
        {rows.map(([name, amount]) => (
          <Fact key={name} name={name}>
            <Amount amount={amount} token={sums.token} />
          </Fact>
        ))}
      </Facts>
    </Card>
  );
}

function Behaviour({ operator }: { operator: OperatorAnswer }) {
  const { jobs, disputes } = operator;
  const nameOf = useVersionNames();
  const lost = countStates(disputes, "default", "fraud_proven", "distributed", "cured");
  return (
    <Card title="How it behaved" aside={<StandingPill operator={operator} />} testId="behaviour">
      <Facts>
        <Fact name="Address">
          <Hex value={operator.address} label="the address" />
        </Fact>
        <Fact name="Worker">
          <AccountLink address={operator.worker} />
        </Fact>
        <Fact name="Jobs taken">
          <a href={`#/jobs${toQuery({ operator: operator.address })}`}>
            {formatCount(countStates(jobs))}
          </a>
        </Fact>
        <Fact name="Final or proven">{formatCount(countStates(jobs, "final", "proven"))}</Fact>
        <Fact name="Failed to answer">{formatCount(countStates(jobs, "failed"))}</Fact>
        <Fact name="Answers proven in a dispute">
          {formatCount(countStates(disputes, "defender_proven"))}
        </Fact>
        <Fact name="Disputes lost">{formatCount(lost)}</Fact>
        <Fact name="Results in batches">{formatCount(operator.batchResults)}</Fact>
        <Fact name="Misses in the present window">{operator.misses}</Fact>
        {operator.versions.map(({ version, jobs: count }) => (
          <Fact key={version} name={<VersionLink id={version} name={nameOf(version)} />}>
            {countWords(count, "job", "jobs")}
          </Fact>
        ))}
        <Fact name="Account">
          <a href={link("accounts", operator.address)}>all its movements</a>
        </Fact>
      </Facts>
    </Card>
  );
}

function Recent({ address }: { address: Address }) {
  const query = toQuery({ operator: address, limit: String(RECENT) });
  const jobs = useIndex<Page<JobItem>>(`/jobs${query}`);
  const disputes = useIndex<Page<DisputeItem>>(`/disputes${query}`);
  const batches = useIndex<Page<BatchItem>>(`/batches${query}`);
  return (
    <>
      <Card title="Latest jobs">
        <Async data={jobs}>
          {({ items }) =>
            items.length === 0 ? <p className="soft">None yet.</p> : <JobTable items={items} />
          }
        </Async>
      </Card>
      <Card title="Latest disputes">
        <Async data={disputes}>
          {({ items }) =>
            items.length === 0 ? <p className="soft">None.</p> : <DisputeTable items={items} />
          }
        </Async>
      </Card>
      <Async data={batches}>
        {({ items }) =>
          items.length === 0 ? null : (
            <Card title="Latest batches">
              <BatchTable items={items} />
            </Card>
          )
        }
      </Async>
    </>
  );
}
