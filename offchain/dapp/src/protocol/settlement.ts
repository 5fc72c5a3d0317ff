// Who gets what: contracts/libraries/Settlement.sol in numbers. Shares round down; the remainder is burned.

const PERCENT = 100n;
const BPS = 10_000n;
const SLASH_CLIENT = 40n;
const SLASH_CHALLENGERS = 35n;
const CURE_OPERATOR = 80n;
const CURE_CLIENT = 10n;
const CURE_CHALLENGERS = 5n;
const MISS_CLIENT = 50n;
const BOND_DEFENDER = 80n;

export type Exit =
  | "FINAL"
  | "PROVEN"
  | "REJECTED"
  | "EXPIRED"
  | "FAILED"
  | "CANCELLED"
  | "REFUSED"
  | "VOIDED";

/** What there is to settle at the end of a job. */
export interface Dues {
  readonly fee: bigint;
  /** What the client paid for a delivery, beside the fee. */
  readonly delivery: bigint;
  readonly lock: bigint;
  /** At most the lock. */
  readonly fine: bigint;
  readonly isDelivered: boolean;
  readonly hasKeeper: boolean;
  readonly royaltyBps: number;
  readonly protocolFeeBps: number;
  readonly keeperTipBps: number;
}

/** Where escrow and lock go; the fee parts add up to the escrow, the lock parts to the lock. */
export interface JobSplit {
  readonly feeToOperator: bigint;
  readonly feeToClient: bigint;
  readonly feeToModelOwner: bigint;
  readonly feeToKeeper: bigint;
  readonly feeToBurn: bigint;
  readonly lockToOperator: bigint;
  readonly lockToClient: bigint;
  readonly lockToKeeper: bigint;
  readonly lockToBurn: bigint;
  readonly lockHeld: bigint;
}

/** Where a slashed lock goes; the parts add up to it. */
export interface SlashSplit {
  readonly toOperator: bigint;
  readonly toClient: bigint;
  readonly toChallengers: bigint;
  readonly toBurn: bigint;
}

/** Where bonds go; the parts add up to all bonds of the job. */
export interface BondSplit {
  readonly toChallengers: bigint;
  readonly toDefender: bigint;
  readonly toBurn: bigint;
}

const NOTHING: JobSplit = {
  feeToOperator: 0n,
  feeToClient: 0n,
  feeToModelOwner: 0n,
  feeToKeeper: 0n,
  feeToBurn: 0n,
  lockToOperator: 0n,
  lockToClient: 0n,
  lockToKeeper: 0n,
  lockToBurn: 0n,
  lockHeld: 0n,
};

/** Splits escrow (fee and delivery) and lock of a job. */
export function computeJobSplit(exit: Exit, dues: Dues): JobSplit {
  if (exit === "FINAL" || exit === "PROVEN") {
    return { ...NOTHING, ...splitPaidFee(dues), lockToOperator: dues.lock };
  }
  const refund = { ...NOTHING, feeToClient: dues.fee + dues.delivery };
  if (exit === "REJECTED") return { ...refund, lockHeld: dues.lock };
  if (exit === "FAILED") return { ...refund, ...splitFine(dues) };
  const tip = exit === "EXPIRED" ? computeTip(dues) : 0n;
  return {
    ...refund,
    feeToClient: refund.feeToClient - tip,
    feeToKeeper: tip,
    lockToOperator: dues.lock,
  };
}

/** Splits a slashed lock, after the airgap or when a proof within it cured the default. */
export function computeSlashSplit(
  lock: bigint,
  isCured: boolean,
  hasChallengers: boolean,
): SlashSplit {
  const toOperator = isCured ? mulPercentDown(lock, CURE_OPERATOR) : 0n;
  const toClient = mulPercentDown(lock, isCured ? CURE_CLIENT : SLASH_CLIENT);
  const share = isCured ? CURE_CHALLENGERS : SLASH_CHALLENGERS;
  const toChallengers = hasChallengers ? mulPercentDown(lock, share) : 0n;
  return {
    toOperator,
    toClient,
    toChallengers,
    toBurn: lock - toOperator - toClient - toChallengers,
  };
}

/** Splits the bonds of a dispute: lost to the prover after a proof, returned otherwise. */
export function computeBondSplit(bonds: bigint, isProven: boolean): BondSplit {
  if (!isProven) return { toChallengers: bonds, toDefender: 0n, toBurn: 0n };
  const toDefender = mulPercentDown(bonds, BOND_DEFENDER);
  return { toChallengers: 0n, toDefender, toBurn: bonds - toDefender };
}

/** What a challenge puts at stake, for one of `challengers` who share equally. */
export interface ChallengeStakes {
  /** Posted now, returned unless the result is proven. */
  readonly bond: bigint;
  /** Lost if the result is proven: the whole bond; so much of it pays the prover, the rest is burned. */
  readonly lostToProver: bigint;
  readonly lostToBurn: bigint;
  /** Earned, beside the bond, if no proof comes: one part of the challengers' share of the lock. */
  readonly reward: bigint;
  /** What the job's client gets beside the refunded fee if no proof comes. */
  readonly clientCompensation: bigint;
  readonly burned: bigint;
  /** Earned if a proof comes late, within the airgap. */
  readonly rewardIfCured: bigint;
}

/** Stakes of a challenge: `challengers` counts everybody who shares, the one who asks included. */
export function computeChallengeStakes(
  bond: bigint,
  lock: bigint,
  challengers: number,
): ChallengeStakes {
  const sharers = BigInt(Math.max(1, challengers));
  const lost = computeBondSplit(bond, true);
  const slash = computeSlashSplit(lock, false, true);
  const cured = computeSlashSplit(lock, true, true);
  return {
    bond,
    lostToProver: lost.toDefender,
    lostToBurn: lost.toBurn,
    reward: slash.toChallengers / sharers,
    clientCompensation: slash.toClient,
    burned: slash.toBurn,
    rewardIfCured: cured.toChallengers / sharers,
  };
}

function splitPaidFee(dues: Dues) {
  const feeToModelOwner = mulBpsDown(dues.fee, dues.royaltyBps);
  const feeToBurn = mulBpsDown(dues.fee, dues.protocolFeeBps);
  const feeToKeeper = computeTip(dues);
  const own = dues.fee - feeToModelOwner - feeToBurn - feeToKeeper;
  return {
    feeToModelOwner,
    feeToBurn,
    feeToKeeper,
    feeToOperator: own + (dues.isDelivered ? dues.delivery : 0n),
    feeToClient: dues.isDelivered ? 0n : dues.delivery,
  };
}

function splitFine(dues: Dues) {
  const lockToClient = mulPercentDown(dues.fine, MISS_CLIENT);
  const rest = dues.fine - lockToClient;
  const tip = computeTip(dues);
  const lockToKeeper = tip < rest ? tip : rest;
  return {
    lockToClient,
    lockToKeeper,
    lockToBurn: rest - lockToKeeper,
    lockToOperator: dues.lock - dues.fine,
  };
}

function computeTip(dues: Dues): bigint {
  return dues.hasKeeper ? mulBpsDown(dues.fee, dues.keeperTipBps) : 0n;
}

function mulPercentDown(amount: bigint, percent: bigint): bigint {
  return (amount * percent) / PERCENT;
}

function mulBpsDown(amount: bigint, bps: number): bigint {
  return (amount * BigInt(bps)) / BPS;
}
