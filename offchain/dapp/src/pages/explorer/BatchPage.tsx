// One batch: its results, and for each the proof that it lies under the committed root.
import { useMemo, useState } from "react";
import { link } from "../../app/router";
import { Async, Button, Card, Dialog, Fact, Facts, Hex, Notice } from "../../components/basics";
import { Countdown } from "../../components/Countdown";
import {
  type BatchAnswer,
  bytesToHex,
  computeBatchId,
  computeLeaf,
  computePath,
  computeRoot,
  isEqualHex,
  type LeafEntry,
} from "../../protocol";
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
import { BATCH_STATES, INCLUSION } from "./texts";

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
  const [shown, setShown] = useState<LeafEntry | null>(null);
  return (
    <>
      <table className="table" data-testid="leaves">
        <thead>
          <tr>
            <th scope="col">Place</th>
            <th scope="col">Job</th>
            <th scope="col">Answer's digest</th>
            <th scope="col">Challenged</th>
            <th scope="col">Inclusion</th>
          </tr>
        </thead>
        <tbody>
          {batch.leaves.map((leaf) => (
            <tr key={leaf.index}>
              <td data-label="Place">{leaf.index}</td>
              <td data-label="Job">
                {leaf.extracted ? (
                  <JobLink id={leaf.job} />
                ) : (
                  <Hex value={leaf.job} label="the job's id" />
                )}
              </td>
              <td data-label="Answer's digest">
                <Hex value={leaf.outDigest} label="the digest" />
              </td>
              <td data-label="Challenged">
                {leaf.extracted ? "it is a job of its own" : <span className="faint">no</span>}
              </td>
              <td data-label="Inclusion">
                <Button size="small" disabled={!canProve} onClick={() => setShown(leaf)}>
                  Show proof
                </Button>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {shown === null ? null : (
        <Inclusion leaf={shown} tree={tree} root={batch.root} onClose={() => setShown(null)} />
      )}
    </>
  );
}

type InclusionProps = {
  readonly leaf: LeafEntry;
  readonly tree: readonly Uint8Array[];
  readonly root: string;
  readonly onClose: () => void;
};

function Inclusion({ leaf, tree, root, onClose }: InclusionProps) {
  const own = tree[leaf.index];
  if (own === undefined) return null;
  return (
    <Dialog title={INCLUSION.title} onClose={onClose} testId="inclusion">
      <p className="soft">{INCLUSION.lead}</p>
      <Facts>
        <Fact name={`Leaf ${leaf.index}`}>
          <Hex value={bytesToHex(own)} label="the leaf" />
        </Fact>
        {computePath(tree, leaf.index).map((sibling, height) => (
          <Fact key={sibling + String(height)} name={describeSide(leaf.index, height)}>
            <Hex value={sibling} label={`sibling ${height + 1}`} />
          </Fact>
        ))}
        <Fact name="Root">
          <Hex value={root} label="the root" />
        </Fact>
      </Facts>
    </Dialog>
  );
}

function describeSide(index: number, height: number): string {
  const isRight = Math.floor(index / 2 ** height) % 2 === 1;
  return `Level ${height + 1}, ${isRight ? "to the left" : "to the right"}`;
}
