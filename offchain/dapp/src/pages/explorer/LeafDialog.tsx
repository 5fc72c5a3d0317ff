// One result of a batch: recomputed here, proven to be in the batch, and challenged on its own.
import { loadModel } from "../../app/models";
import { link } from "../../app/router";
import { type Services, useHead, useServices } from "../../app/services";
import { useData } from "../../app/useData";
import { ActionButton } from "../../components/ActionButton";
import { Async, Dialog, Fact, Facts, Hex, Notice } from "../../components/basics";
import { Countdown } from "../../components/Countdown";
import {
  type BatchAnswer,
  buildLeafChallenge,
  bytesToHex,
  computeBond,
  computeChallengeStakes,
  computeGasPrice,
  computePath,
  decodeTensor,
  ETH,
  formatAmount,
  formatShort,
  isOver,
  type LeafEntry,
  raiseBaseFee,
  type Version,
} from "../../protocol";
import { type Check, checkAnswer } from "../job/answer";
import { LEAF } from "./texts";

type Props = {
  readonly batch: BatchAnswer;
  readonly leaf: LeafEntry;
  /** All leaves of the batch, which hash to its root. */
  readonly tree: readonly Uint8Array[];
  /** Locked behind each result. */
  readonly lockEach: bigint;
};

export function LeafDialog({ onClose, ...props }: Props & { readonly onClose: () => void }) {
  const { leaf, batch } = props;
  const services = useServices();
  const data = useData(`leaf ${leaf.job}`, (signal) => checkLeaf(services, batch, leaf, signal));
  // From the chain: whoever withholds the model's files must not take the challenge away with them.
  const version = useData(`version ${batch.version}`, () =>
    services.reader.getVersion(batch.version),
  );
  return (
    <Dialog title={`Result ${leaf.index} of the batch`} onClose={onClose} testId="leaf">
      <section className="stack tight">
        <h3>{LEAF.check}</h3>
        <Async data={data} lines={2}>
          {(check) => <Verdict check={check} />}
        </Async>
      </section>
      {leaf.extracted ? (
        <Notice tone="accent" title={LEAF.extracted} testId="leaf-extracted">
          <p className="small">
            <a href={link("jobs", leaf.job)}>Follow it</a>
          </p>
        </Notice>
      ) : null}
      {data.status === "loading" || version.status !== "ready" || version.value === null ? null : (
        <Challenge
          {...props}
          check={data.status === "ready" ? data.value : null}
          version={version.value}
        />
      )}
      <Inclusion {...props} />
    </Dialog>
  );
}

async function checkLeaf(
  services: Services,
  batch: BatchAnswer,
  leaf: LeafEntry,
  signal: AbortSignal,
): Promise<Check> {
  const model = await loadModel(services, batch.version);
  const { shape, bits } = model.input;
  const raw = await services.gateway.getContent(leaf.inDigest, shape, bits, signal);
  const input = raw === null ? null : { values: decodeTensor(raw, shape, bits), shape, bits };
  return checkAnswer(services, { model, input }, leaf.outDigest);
}

function Verdict({ check }: { check: Check }) {
  switch (check.kind) {
    case "agrees":
      return <Notice tone="good" title={LEAF.agrees} testId="leaf-agrees" />;
    case "differs":
      return <Notice tone="bad" title={LEAF.differs} testId="leaf-differs" />;
    case "no-input":
      return <Notice tone="warn" title={LEAF.noInput} />;
    case "unsupported":
      return <Notice tone="warn" title={check.why} />;
  }
}

type ChallengeProps = Props & {
  /** null where it could not be computed here. */
  readonly check: Check | null;
  readonly version: Version;
};

function Challenge({ batch, leaf, tree, lockEach, check, version }: ChallengeProps) {
  const { deployment, reader } = useServices();
  const { reading } = useHead();
  const { parameters, contracts } = deployment;
  const isOpen = batch.state === "committed" && !leaf.extracted;
  if (!isOpen || reading === null || isOver(reading.time, batch.challengeUntil)) return null;
  const gasPrice = computeGasPrice(parameters, ETH, reading.time.block.baseFee);
  const bond = computeBond(parameters, version, gasPrice);
  const stakes = computeChallengeStakes(bond, lockEach, 1);

  // What is sent beyond the bond is credited: a base fee that rises until then does not stop the challenge.
  const build = async () => {
    const raised = computeGasPrice(parameters, ETH, raiseBaseFee(await reader.getHead()));
    const path = computePath(tree, leaf.index);
    const sent = computeBond(parameters, version, raised);
    return buildLeafChallenge(contracts, batch.id, leaf, path, sent);
  };

  return (
    <section className="stack tight">
      <h3>{LEAF.challenge}</h3>
      <p className="soft small">{LEAF.challengeLead}</p>
      <Facts>
        <Fact name="Bond you post">{formatAmount(bond)}</Fact>
        <Fact name="If no proof comes">the bond comes back, with {formatShort(stakes.reward)}</Fact>
        <Fact name="If it proves">the whole bond is lost</Fact>
        <Fact name="You can decide within">
          <Countdown deadline={batch.challengeUntil} />
        </Fact>
      </Facts>
      {check?.kind === "agrees" ? <Notice tone="warn" title={LEAF.agreesWarning} /> : null}
      <ActionButton
        {...(check?.kind === "differs" ? { look: "danger" as const } : {})}
        size="wide"
        purpose="challenge"
        subject={leaf.job}
        build={build}
        testId="leaf-challenge"
      >
        Challenge with {formatShort(bond)}
      </ActionButton>
    </section>
  );
}

function Inclusion({ batch, leaf, tree }: Props) {
  const own = tree[leaf.index];
  if (own === undefined) return null;
  return (
    <section className="stack tight" data-testid="inclusion">
      <h3>{LEAF.proof}</h3>
      <p className="soft small">{LEAF.proofLead}</p>
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
          <Hex value={batch.root} label="the root" />
        </Fact>
      </Facts>
    </section>
  );
}

function describeSide(index: number, height: number): string {
  const isRight = Math.floor(index / 2 ** height) % 2 === 1;
  return `Level ${height + 1}, ${isRight ? "to the left" : "to the right"}`;
}
