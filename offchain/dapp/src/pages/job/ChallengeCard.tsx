// Demanding a proof: what it costs, what it wins, what it loses, until when; one click.
import { useHead, useServices } from "../../app/services";
import { useData } from "../../app/useData";
import type { JobView } from "../../app/useJob";
import { ActionButton } from "../../components/ActionButton";
import { Card, Fact, Facts, Notice } from "../../components/basics";
import { Countdown } from "../../components/Countdown";
import {
  type Address,
  buildChallenge,
  computeBond,
  computeChallengeStakes,
  computeGasPrice,
  computeProveSeconds,
  type Dispute,
  ETH,
  formatAmount,
  formatSeconds,
  formatShort,
  isEqualHex,
  isOver,
  type Job,
  type Parameters,
  raiseBaseFee,
  type Version,
} from "../../protocol";
import { CHALLENGE } from "../../texts";
import { useWallet } from "../../wallet/WalletProvider";
import { readVerdict } from "./AnswerCard";
import type { Checking } from "./useCheck";

type ChallengeCardProps = {
  readonly view: JobView;
  readonly job: Job;
  readonly check: Checking;
};

export function ChallengeCard({ view, job, check }: ChallengeCardProps) {
  const { account } = useWallet();
  const { reading } = useHead();
  const { deployment, reader } = useServices();
  const { parameters } = deployment;
  // From the chain: whoever withholds the model's files must not take the challenge away with them.
  const version = useData(`version ${job.version}`, () => reader.getVersion(job.version));
  const time = reading?.time ?? view.time;
  if (version.status !== "ready" || version.value === null) return null;
  if (job.outDigest === null || view.funds === null) return null;
  const isOpen = job.state === "COMMITTED" && !isOver(time, job.deadline) && !job.proofRequired;
  const isJoinable =
    job.state === "DISPUTED" &&
    view.dispute !== null &&
    canJoin(view, job, view.dispute, account, parameters);
  if (!isOpen && !isJoinable) return null;
  return <Offer view={view} job={job} version={version.value} check={check} />;
}

/** Whether one more can share the dispute: in its first few blocks, or its client until the window closes. */
export function canJoin(
  { time }: Pick<JobView, "time">,
  job: Job,
  dispute: Dispute,
  account: Address | null,
  { shareBlocks, maxChallengers }: Parameters,
): boolean {
  if (dispute.state !== "OPEN" || dispute.bond === 0n || isOver(time, dispute.proveBy))
    return false;
  if (account !== null && dispute.challengers.some((known) => isEqualHex(known, account))) {
    return false;
  }
  const isClient = account !== null && isEqualHex(job.client, account);
  const isEarly = time.block.number < dispute.openedAtBlock + BigInt(shareBlocks);
  if (!isEarly && !(isClient && !isOver(time, job.deadline))) return false;
  // The client has a place of its own.
  const others = dispute.challengers.filter((known) => !isEqualHex(known, job.client));
  return isClient || others.length < maxChallengers;
}

type OfferProps = {
  readonly view: JobView;
  readonly job: Job;
  readonly version: Version;
  readonly check: Checking;
};

function Offer({ view, job, version, check }: OfferProps) {
  const { deployment, reader } = useServices();
  const { parameters, contracts } = deployment;
  const { dispute, funds } = view;
  const isJoining = dispute !== null;
  const operator = job.operator ?? ETH;
  const waiting = useData(`open ${operator}`, async () =>
    reader.getOpenChallenges(operator, await reader.getHead()),
  );
  const gasPrice = computeGasPrice(parameters, ETH, view.time.block.baseFee);
  const bond = isJoining ? dispute.bond : computeBond(parameters, version, gasPrice);
  const challengers = isJoining ? dispute.challengers.length + 1 : 1;
  const stakes = computeChallengeStakes(bond, funds?.lock ?? 0n, challengers);
  const ahead = waiting.status === "ready" ? waiting.value : 0;
  const { account } = useWallet();
  const isClient = account !== null && isEqualHex(account, job.client);
  const verdict = readVerdict(check);

  // What is sent beyond the bond is credited: a base fee that rises until then does not stop the challenge.
  const build = async () => {
    const head = await reader.getHead();
    const raised = computeGasPrice(parameters, ETH, raiseBaseFee(head));
    const sent = isJoining ? bond : computeBond(parameters, version, raised);
    return buildChallenge(contracts, view.id, job.outDigest ?? "0x", sent);
  };

  return (
    <Card title={isJoining ? "Join the challenge?" : CHALLENGE.title} testId="challenge-card">
      <div className="stack">
        <p className="soft">{CHALLENGE.lead}</p>
        <Facts>
          <Fact name="Bond you post">
            <span className="strong" data-testid="bond">
              {formatAmount(bond)}
            </span>
          </Fact>
          <Fact name={CHALLENGE.won} isLong>
            The bond comes back, with {formatShort(stakes.reward)} of its stake
            {isClient
              ? `; as the client you also get your fee and ${formatShort(stakes.clientCompensation)}.`
              : "."}
          </Fact>
          <Fact name={CHALLENGE.lost} isLong>
            The whole bond is lost: {formatShort(stakes.lostToProver)} pay the prover, the rest is
            burned.
          </Fact>
          <Fact name={CHALLENGE.deadline}>
            {isJoining ? (
              <Countdown deadline={dispute.proveBy} />
            ) : (
              formatSeconds(computeProveSeconds(parameters, version.proveSeconds, ahead))
            )}
          </Fact>
          <Fact name="You can decide within">
            <Countdown deadline={job.deadline} />
          </Fact>
        </Facts>
        {verdict === "agrees" ? (
          <Notice tone="warn" title="It would lose">
            <p className="small">{CHALLENGE.agreesWarning}</p>
          </Notice>
        ) : verdict === "differs" ? null : (
          <Notice tone="warn" title="Not checked">
            <p className="small">{CHALLENGE.uncheckedWarning}</p>
          </Notice>
        )}
        <ActionButton
          {...(verdict === "differs" ? { look: "danger" as const } : {})}
          size="wide"
          purpose="challenge"
          subject={view.id}
          build={build}
          testId="challenge"
        >
          {isJoining ? "Join with" : "Challenge with"} {formatShort(bond)}
        </ActionButton>
      </div>
    </Card>
  );
}
