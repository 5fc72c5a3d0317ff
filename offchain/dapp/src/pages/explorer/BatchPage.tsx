// One batch and its results, held against the root that was committed on chain.
import { useMemo, useState } from "react";
import { link } from "../../app/router";
import { useHeadKey, useServices } from "../../app/services";
import { useData } from "../../app/useData";
import { Async, Button, Card, Fact, Facts, Hex, Notice } from "../../components/basics";
import { Countdown } from "../../components/Countdown";
import {
  type BatchAnswer,
  type ChainBatch,
  readBatch,
  verifyLeaves,
  type Hex as Word,
} from "../../protocol";
import { LeafDialog } from "./LeafDialog";
import { useIndex, useVersionNames } from "./live";
import {
  Amount,
  AsOfLabel,
  ExplorerFrame,
  JobLink,
  OperatorLink,
  StatePill,
  VersionLink,
  When,
} from "./parts";
import { BATCH_STATES } from "./texts";

export function BatchPage({ id }: { id: string }) {
  const { reader } = useServices();
  const data = useIndex<BatchAnswer>(`/batches/${id}`);
  const chain = useData(
    `batch ${id}`,
    () => readBatch(reader, id as Word),
    undefined,
    useHeadKey(),
  );
  return (
    <ExplorerFrame
      section="sessions"
      title={<span className="title-hex">Batch {id.slice(0, 10)}…</span>}
      lead="Results that the operator committed in one transaction, as leaves under one root."
    >
      <Async data={data} lines={6}>
        {(told) => (
          <Async data={chain} lines={6}>
            {(found) => <Batch id={id as Word} batch={merge(told, found)} chain={found} />}
          </Async>
        )}
      </Async>
    </ExplorerFrame>
  );
}

/** What the chain knows of a batch comes from there; the gateway adds the results and when they came. */
function merge(told: BatchAnswer, { session, terms, ...chain }: ChainBatch): BatchAnswer {
  const { state, count, challengeUntil, extractedBits } = chain;
  const isOut = (index: number) => ((extractedBits >> BigInt(index)) & 1n) === 1n;
  const leaves = told.leaves.map((leaf) => ({ ...leaf, extracted: isOut(leaf.index) }));
  const { version, operator } = terms;
  return { ...told, session, version, operator, state, count, challengeUntil, leaves };
}

type BatchProps = { readonly id: Word; readonly batch: BatchAnswer; readonly chain: ChainBatch };

function Batch({ id, batch, chain }: BatchProps) {
  const { reader } = useServices();
  const nameOf = useVersionNames();
  const tree = useMemo(() => {
    try {
      return verifyLeaves(reader, id, chain, batch.leaves);
    } catch {
      return null; // whatever is wrong with them: they are not this batch's results
    }
  }, [reader, id, chain, batch.leaves]);
  const isWhole = tree !== null;
  return (
    <>
      {isWhole ? (
        <Notice tone="good" title="The results hash to the batch's id" testId="batch-checked">
          <p className="small">
            Your browser built the tree over all {batch.count} and found the root that was committed
            on chain.
          </p>
        </Notice>
      ) : (
        <Notice tone="bad" title="These results do not hash to the batch's id" isAlert>
          <p className="small">The gateway left some out, or changed them.</p>
        </Notice>
      )}
      <Card title="The batch" testId="batch">
        <Facts>
          <Fact name="State">
            <StatePill state={batch.state} words={BATCH_STATES} />
          </Fact>
          {batch.state === "committed" ? (
            <Fact name="Open to objection for">
              <Countdown deadline={batch.challengeUntil} />
            </Fact>
          ) : null}
          <Fact name="Session">
            <Hex
              value={batch.session}
              href={link("sessions", batch.session)}
              label="the session's id"
            />
          </Fact>
          <Fact name="Operator">
            <OperatorLink address={batch.operator} />
          </Fact>
          <Fact name="Model">
            <VersionLink id={batch.version} name={nameOf(batch.version)} />
          </Fact>
          <Fact name="Root">
            <Hex value={batch.root} label="the root" />
          </Fact>
          <Fact name="Committed">
            <When seconds={batch.committedAt} />
          </Fact>
          {batch.funds === null || batch.state !== "committed" ? null : (
            <Fact name="Stake behind it">
              <Amount amount={batch.funds.lock} />
            </Fact>
          )}
        </Facts>
      </Card>
      <Card title="Results" aside={<span className="small soft">{batch.count} in all</span>}>
        <div className="stack">
          <Leaves batch={batch} tree={tree ?? []} canProve={isWhole} lockEach={chain.lockEach} />
          <AsOfLabel asOf={batch.asOf} />
        </div>
      </Card>
    </>
  );
}

type LeavesProps = {
  readonly batch: BatchAnswer;
  readonly tree: readonly Uint8Array[];
  readonly canProve: boolean;
  readonly lockEach: bigint;
};

function Leaves({ batch, tree, canProve, lockEach }: LeavesProps) {
  const [shown, setShown] = useState<number | null>(null);
  const leaf = batch.leaves.find(({ index }) => index === shown);
  return (
    <>
      <table className="table" data-testid="leaves">
        <thead>
          <tr>
            <th scope="col">Place</th>
            <th scope="col">Job</th>
            <th scope="col">Answer's digest</th>
            <th scope="col">Challenged</th>
            <th scope="col">Check</th>
          </tr>
        </thead>
        <tbody>
          {batch.leaves.map((result) => (
            <tr key={result.index}>
              <td data-label="Place">{result.index}</td>
              <td data-label="Job">
                {result.extracted ? (
                  <JobLink id={result.job} />
                ) : (
                  <Hex value={result.job} label="the job's id" />
                )}
              </td>
              <td data-label="Answer's digest">
                <Hex value={result.outDigest} label="the digest" />
              </td>
              <td data-label="Challenged">
                {result.extracted ? "it is a job of its own" : <span className="faint">no</span>}
              </td>
              <td data-label="Check">
                <Button
                  size="small"
                  disabled={!canProve}
                  onClick={() => setShown(result.index)}
                  aria-label={`Look at result ${result.index}`}
                >
                  Look
                </Button>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {leaf === undefined || !canProve ? null : (
        <LeafDialog
          batch={batch}
          leaf={leaf}
          tree={tree}
          lockEach={lockEach}
          onClose={() => setShown(null)}
        />
      )}
    </>
  );
}
