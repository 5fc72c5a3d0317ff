// The reader's own jobs: listed by the gateway, each read from the chain before its state is shown.
import { useState } from "react";
import { loadModel } from "../app/models";
import { link } from "../app/router";
import { type Services, useHead, useHeadKey, useServices } from "../app/services";
import { useData } from "../app/useData";
import { useTransactions } from "../app/useTransactions";
import { WalletGate } from "../components/ActionButton";
import { Async, Button, Card, Empty, Hex, Notice, PageHead, Pill } from "../components/basics";
import { Countdown } from "../components/Countdown";
import {
  type Address,
  type AsOf,
  formatShort,
  isEqualHex,
  isTerminal,
  type Job,
  type JobId,
  type VersionId,
} from "../protocol";
import { STATES } from "../texts";
import { useWallet } from "../wallet/WalletProvider";
import { toneOf } from "./job/steps";

type Row = { readonly id: JobId; readonly createdAt: number };

type Jobs = {
  readonly asOf: AsOf;
  readonly rows: readonly {
    readonly row: Row;
    readonly job: Job | null;
    /** Of its model; null where its files are not to be had. */
    readonly title: string | null;
  }[];
  readonly hasMore: boolean;
};

const PAGE = 25;

export function MyJobsPage() {
  const { account } = useWallet();
  return (
    <>
      <PageHead title="My jobs">
        <p>Everything that the connected account has ordered, newest first.</p>
      </PageHead>
      {account === null ? (
        <Card>
          <Empty title="Connect your wallet to see your jobs">
            <WalletGate testId="my-jobs">{null}</WalletGate>
          </Empty>
        </Card>
      ) : (
        <Mine key={account} account={account} />
      )}
    </>
  );
}

function Mine({ account }: { account: Address }) {
  const services = useServices();
  const headKey = useHeadKey();
  const [limit, setLimit] = useState(PAGE);
  const data = useData(
    `mine ${account} ${limit}`,
    (signal) => loadJobs(services, account, limit, signal),
    undefined,
    headKey,
  );
  return (
    <Card>
      <Pending />
      <Async data={data} lines={5}>
        {(jobs) =>
          jobs.rows.length === 0 ? (
            <Empty title="You have not ordered anything yet">
              <p>
                <a className="button button-primary" href={link("submit")}>
                  Order your first inference
                </a>
              </p>
            </Empty>
          ) : (
            <div className="stack">
              <List jobs={jobs} />
              <AsOfNote asOf={jobs.asOf} />
              {jobs.hasMore ? (
                <div>
                  <Button onClick={() => setLimit(limit + PAGE)}>Show more</Button>
                </div>
              ) : null}
            </div>
          )
        }
      </Async>
    </Card>
  );
}

/** Orders that no block holds yet. */
function Pending() {
  const orders = useTransactions().filter(
    ({ purpose, status }) => purpose === "createJob" && status === "pending",
  );
  return orders.map((order) => (
    <Notice key={order.hash} tone="accent" title="An order is on its way">
      <p className="small">
        <a href={link("jobs", order.subject)}>Follow it</a>
      </p>
    </Notice>
  ));
}

function List({ jobs }: { jobs: Jobs }) {
  return (
    <table className="table" data-testid="my-jobs">
      <thead>
        <tr>
          <th scope="col">Job</th>
          <th scope="col">Model</th>
          <th scope="col">State</th>
          <th scope="col">Time left</th>
          <th scope="col">Ordered</th>
          <th scope="col" className="number">
            Fee
          </th>
        </tr>
      </thead>
      <tbody>
        {jobs.rows.map(({ row, job, title }) => (
          <tr key={row.id}>
            <td data-label="Job">
              <Hex value={row.id} href={link("jobs", row.id)} label="the job's id" />
            </td>
            <td data-label="Model">{title ?? <span className="faint">unknown</span>}</td>
            <td data-label="State">
              {job === null ? (
                <Pill>Not on the chain</Pill>
              ) : (
                <Pill tone={toneOf(job.state)}>{STATES[job.state].name}</Pill>
              )}
            </td>
            <td data-label="Time left">
              {job === null || isTerminal(job.state) ? (
                <span className="faint">–</span>
              ) : (
                <Countdown deadline={job.deadline} />
              )}
            </td>
            <td data-label="Ordered">
              <Ago seconds={row.createdAt} />
            </td>
            <td data-label="Fee" className="number">
              {job === null ? "–" : formatShort(job.fee)}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

const FORMAT = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });

function Ago({ seconds }: { seconds: number }) {
  const date = new Date(seconds * 1000);
  return <time dateTime={date.toISOString()}>{FORMAT.format(date)}</time>;
}

function AsOfNote({ asOf }: { asOf: AsOf }) {
  const { reading } = useHead();
  const behind = reading === null ? 0 : Number(reading.time.block.number) - asOf.block;
  return (
    <p className="small faint">
      List by the gateway's index as of block {asOf.block}
      {behind > 0 ? ` (${behind} behind the chain)` : ""}; states read from the chain.
    </p>
  );
}

async function loadJobs(
  services: Services,
  account: Address,
  limit: number,
  signal: AbortSignal,
): Promise<Jobs> {
  const { gateway, reader } = services;
  const page = await gateway.listJobs<Row & { client: Address }>(
    { client: account, limit },
    signal,
  );
  const head = await reader.getHead();
  const rows = await Promise.all(
    page.items.map(async (row) => {
      const job = await reader.getJob(row.id, head);
      return { row, job, title: job === null ? null : await findTitle(services, job.version) };
    }),
  );
  // What the index calls one's own and the chain somebody else's is not shown.
  const own = rows.filter(({ job }) => job === null || isEqualHex(job.client, account));
  return { asOf: page.asOf, rows: own, hasMore: page.next !== null };
}

async function findTitle(services: Services, version: VersionId): Promise<string | null> {
  const model = await loadModel(services, version).catch(() => null);
  return model?.face.title ?? null;
}
