// A dispute while it runs and after: its clocks, who is in it, and the steps that are due.
import { useHead, useServices } from "../../app/services";
import type { JobView } from "../../app/useJob";
import { useMoney } from "../../app/useMoney";
import { ActionButton } from "../../components/ActionButton";
import { Card, Fact, Facts, Hex } from "../../components/basics";
import { Countdown, TimeBar } from "../../components/Countdown";
import {
  buildClaimDefault,
  buildDistributeSlash,
  buildVoidDispute,
  computeSlashSplit,
  type Dispute,
  formatAmount,
  formatShort,
  isEqualHex,
  isOver,
  type Job,
} from "../../protocol";
import { DISPUTE } from "../../texts";
import { useWallet } from "../../wallet/WalletProvider";
import { isHeld } from "./steps";

export function DisputeCard({ view, job }: { view: JobView; job: Job }) {
  const { dispute } = view;
  if (dispute === null) return null;
  return (
    <Card
      title={dispute.bond === 0n ? "The proof" : "The dispute"}
      testId="dispute"
      aside={<YourPart dispute={dispute} />}
    >
      <div className="stack">
        <Facts>
          {dispute.challengers.length === 0 ? (
            <Fact name="Asked for by">the job itself</Fact>
          ) : (
            <Fact name="Challenged by">
              <span className="stack tight">
                {dispute.challengers.map((challenger) => (
                  <Hex key={challenger} value={challenger} label="a challenger's address" />
                ))}
              </span>
            </Fact>
          )}
          {dispute.bond === 0n ? null : (
            <Fact name="Bond of each">{formatAmount(dispute.bond)}</Fact>
          )}
          <Clock dispute={dispute} job={job} />
        </Facts>
        <Outcome view={view} dispute={dispute} />
        <DueStep view={view} job={job} dispute={dispute} />
      </div>
    </Card>
  );
}

function YourPart({ dispute }: { dispute: Dispute }) {
  const { account } = useWallet();
  const isIn = dispute.challengers.some((known) => account !== null && isEqualHex(known, account));
  return isIn ? <span className="small soft">You are in it</span> : null;
}

function Clock({ dispute, job }: { dispute: Dispute; job: Job }) {
  if (dispute.state === "OPEN") {
    return (
      <Fact name="Proof due within">
        <Countdown deadline={dispute.proveBy} />
      </Fact>
    );
  }
  if (!isHeld(dispute.state)) return null;
  return (
    <Fact name="Stake held for">
      <Countdown deadline={job.deadline} />
    </Fact>
  );
}

/** What became of stake and bonds. */
function Outcome({ view, dispute }: { view: JobView; dispute: Dispute }) {
  // Once it is divided, only the events still say how much it was.
  const lock = useMoney(view)?.slashed ?? 0n;
  const { account } = useWallet();
  const isIn = dispute.challengers.some((known) => account !== null && isEqualHex(known, account));
  const count = BigInt(Math.max(1, dispute.challengers.length));
  const split = computeSlashSplit(lock, dispute.state === "CURED", dispute.challengers.length > 0);
  switch (dispute.state) {
    case "DEFENDER_PROVEN":
      return dispute.bond === 0n ? null : (
        <p className="soft" data-testid="outcome">
          The answer is proven.{" "}
          {isIn ? `Your bond of ${formatShort(dispute.bond)} is lost` : "The bond is lost"}: four
          fifths paid for the proof, the rest is burned.
        </p>
      );
    case "DEFAULT":
    case "FRAUD_PROVEN":
    case "DISTRIBUTED":
      return lock === 0n ? null : (
        <p className="soft" data-testid="outcome">
          Of the slashed {formatShort(lock)}, {formatShort(split.toClient)} are for the client,{" "}
          {formatShort(split.toChallengers / count)} for each challenger; the rest is burned.
        </p>
      );
    case "CURED":
      return (
        <p className="soft" data-testid="outcome">
          A late proof came: {formatShort(split.toOperator)} of the stake went back to the operator,{" "}
          {formatShort(split.toClient)} to the client.
        </p>
      );
    default:
      return null;
  }
}

function DueStep({ view, job, dispute }: { view: JobView; job: Job; dispute: Dispute }) {
  const { contracts, parameters } = useServices().deployment;
  const { reading } = useHead();
  const time = reading?.time ?? view.time;
  const isLocked = dispute.state === "OPEN" || isHeld(dispute.state);
  if (!isLocked) return null;
  if (time.isRefundMode) {
    return (
      <ActionButton
        look="primary"
        purpose="voidDispute"
        subject={view.id}
        build={() => buildVoidDispute(contracts, view.id)}
        testId="voidDispute"
      >
        Give everybody its own back
      </ActionButton>
    );
  }
  if (dispute.state === "OPEN") {
    return isOver(time, dispute.proveBy) ? (
      <>
        <p>{DISPUTE.overdue}</p>
        <ActionButton
          look="primary"
          purpose="claimDefault"
          subject={view.id}
          build={() => buildClaimDefault(contracts, view.id)}
          testId="claimDefault"
        >
          Claim the default
        </ActionButton>
      </>
    ) : (
      <>
        <TimeBar deadline={dispute.proveBy} length={parameters.proveSeconds} />
        <p className="soft">{DISPUTE.open}</p>
      </>
    );
  }
  return isOver(time, job.deadline) ? (
    <>
      <p>{DISPUTE.distributable}</p>
      <ActionButton
        look="primary"
        purpose="distributeSlash"
        subject={view.id}
        build={() => buildDistributeSlash(contracts, view.id)}
        testId="distributeSlash"
      >
        Divide the stake
      </ActionButton>
    </>
  ) : (
    <p className="soft">{DISPUTE.airgap}</p>
  );
}
