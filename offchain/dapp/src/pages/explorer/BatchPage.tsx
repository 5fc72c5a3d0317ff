// One batch and its results, held against the root that was committed on chain.
import { useMemo, useState } from "react";
import { link } from "../../app/router";
import { Async, Button, Card, Fact, Facts, Hex, Notice } from "../../components/basics";
import { Countdown } from "../../components/Countdown";
import {
  type BatchAnswer,
  computeBatchId,
  computeLeaf,
  computeRoot,
  isEqualHex,
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
  const data = useIndex<BatchAnswer>(`/batches/${id}`);
  return (
    <ExplorerFrame
      section="sessions"
      title={<span className="title-hex">Batch {id.slice(0, 10)}…</span>}
      lead="Results that the operator committed in one transaction, as leaves under one root."
    >
      <Async data={data} lines={6}>
        {(batch) => <Batch id={id} batch={batch} />}
      </Async>
    </ExplorerFrame>
  );
}

function Batch({ id, batch }: { id: string; batch: BatchAnswer }) {
  const nameOf = useVersionNames();
  const tree = useMemo(
    () => batch.leaves.map(({ job, outDigest }) => computeLeaf(job, outDigest)),
    [batch.leaves],
  );
  const isWhole =
    tree.length === batch.count &&
    isEqualHex(computeRoot(tree), batch.root) &&
    isEqualHex(computeBatchId(batch.session, batch.root), id as `0x${string}`);
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
          <Leaves batch={batch} tree={tree} canProve={isWhole} />
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
};

function Leaves({ batch, tree, canProve }: LeavesProps) {
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
      {leaf === undefined ? null : (
        <LeafDialog batch={batch} leaf={leaf} tree={tree} onClose={() => setShown(null)} />
      )}
    </>
  );
}
