// What a contract, a wallet or a node answered, as a sentence a person can act on.
import { BaseError, ContractFunctionRevertedError, decodeErrorResult, type Hex } from "viem";
import { errorsAbi } from "./abi";
import { ETHER, formatAmount } from "./money";
import { DISPUTE_STATES, JOB_STATES } from "./types";

/** A failure in words: what happened, and what to do about it if anything can be done. */
export interface Failure {
  /** The custom error's name, or what kind of failure it is: "UserRejected", "InsufficientFunds", ... */
  readonly name: string;
  readonly sentence: string;
}

type Args = readonly unknown[];

const MAX_CAUSES = 16;
const USER_REJECTED = 4001; // EIP-1193

/** Returns null for what is neither a contract's, nor a wallet's, nor a node's answer. */
export function describeFailure(cause: unknown): Failure | null {
  const revert = findRevert(cause);
  if (revert !== null) return { name: revert.name, sentence: describeRevert(revert) };
  for (const error of listCauses(cause)) {
    const { code, name } = error as { code?: unknown; name?: unknown };
    if (code === USER_REJECTED || name === "UserRejectedRequestError") {
      return { name: "UserRejected", sentence: "You declined in the wallet; nothing was sent." };
    }
    if (name === "InsufficientFundsError" || /insufficient funds/i.test(error.message)) {
      return {
        name: "InsufficientFunds",
        sentence: "The account does not hold enough ETH for this amount and its gas.",
      };
    }
    if (name === "HttpRequestError" || name === "TimeoutError") {
      return { name: "NodeUnreachable", sentence: "The chain's node does not answer." };
    }
  }
  return null;
}

interface Revert {
  readonly name: string;
  readonly args: Args;
}

function findRevert(cause: unknown): Revert | null {
  if (cause instanceof BaseError) {
    const found = cause.walk((error) => error instanceof ContractFunctionRevertedError);
    if (found instanceof ContractFunctionRevertedError) {
      if (found.data?.errorName !== undefined) {
        return { name: found.data.errorName, args: (found.data.args ?? []) as Args };
      }
      if (found.raw !== undefined) return decodeRevert(found.raw);
    }
  }
  for (const error of listCauses(cause)) {
    const raw = findData(error);
    const decoded = raw === null ? null : decodeRevert(raw);
    if (decoded !== null) return decoded;
  }
  return null;
}

/** Decode a revert's data by the errors of all contracts; null if it is none of theirs. */
export function decodeRevert(raw: Hex): Revert | null {
  try {
    const { errorName, args } = decodeErrorResult({ abi: errorsAbi, data: raw });
    return { name: errorName, args: (args ?? []) as Args };
  } catch {
    return null;
  }
}

function* listCauses(cause: unknown): Generator<Error> {
  let error = cause;
  for (let k = 0; k < MAX_CAUSES && error instanceof Error; k++) {
    yield error;
    error = error.cause as unknown;
  }
}

/** Wallets put a revert's data into `data`, `data.data` or `data.originalError.data`. */
function findData(error: Error): Hex | null {
  const data = (error as { data?: unknown }).data;
  const nested = data as { data?: unknown; originalError?: { data?: unknown } } | undefined;
  for (const found of [data, nested?.data, nested?.originalError?.data]) {
    if (typeof found === "string" && /^0x[0-9a-fA-F]{8,}$/.test(found)) return found as Hex;
  }
  return null;
}

function describeRevert({ name, args }: Revert): string {
  const sentence = SENTENCES[name];
  return sentence === undefined ? `The contract refused: ${name}.` : sentence(args);
}

const wei = (amount: unknown) => formatAmount(amount as bigint, ETHER);
const jobState = (index: unknown) => JOB_STATES[Number(index)]?.toLowerCase() ?? "unknown";
const disputeState = (index: unknown) =>
  (DISPUTE_STATES[Number(index)] ?? "unknown").toLowerCase().replace("_", " ");
const late = (deadline: unknown, time: unknown) => Number(time) - Number(deadline);

/** Arguments are those of the errors in contracts/interfaces, in their order. */
const SENTENCES: Readonly<Record<string, (args: Args) => string>> = {
  // The clock
  ProtocolPaused: () => "The protocol is paused by its guardian; every deadline waits with it.",
  InRefundMode: () =>
    "The protocol is being wound down: nothing new begins, and everybody can take their own money back.",
  NotInRefundMode: () => "This is only possible while the protocol is being wound down.",
  // The market
  UnknownJob: () =>
    "There is no such job. If it was just ordered, its block may have been replaced.",
  JobExists: () =>
    "You have ordered exactly this already. Order again to draw another number for it.",
  WrongJobState: ([, state, required]) =>
    `The job is ${jobState(state)}, this step needs it to be ${jobState(required)}. Somebody was faster, or the time is over.`,
  DeadlinePassed: ([, deadline, time]) =>
    `Too late by ${late(deadline, time)} s: the last second for this step has passed.`,
  DeadlineNotReached: ([, deadline, time]) =>
    `Too early: the awaited step may still come for ${Number(deadline) - Number(time) + 1} s.`,
  UnknownModelVersion: () => "This model version is not registered.",
  UnsupportedVerifyMask: () => "This way of checking does not exist here.",
  UnsupportedPrivacyMask: () => "Private jobs do not exist here: input and output are public.",
  UnsupportedFeeToken: () => "The fee cannot be paid in this token here.",
  ZeroFee: () => "A job needs a fee above zero.",
  WrongFee: ([sent, fee]) => `${wei(sent)} came along, ${wei(fee)} is asked for.`,
  FeeBelowProof: ([fee, required]) =>
    `A required proof costs ${wei(required)} now; the fee of ${wei(fee)} does not pay for it.`,
  ZeroDigest: () => "An input's digest cannot be zero.",
  NotClient: () => "Only the account that ordered the job can do this.",
  NotOperator: () => "Only the worker of the job's operator can do this.",
  UnexpectedResult: () =>
    "The committed result is not the one you looked at; nothing was sent. Load the page again.",
  ProofRequired: () => "This job is never final without a proof.",
  ProofNotRequired: () => "This job does not require a proof: challenging it needs a bond.",
  RefusalTooLate: () => "It is too late to refuse the input.",
  DeliveryAlreadyRequested: () => "The output has been asked for already.",
  NoDeliveryDue: () => "No output is asked for, or it was delivered.",
  DeliveryDue: () =>
    "The output is asked for on chain and has not come: the job cannot be final yet.",
  OutputTooLarge: ([bytes, maximum]) =>
    `The output has ${bytes} bytes; at most ${maximum} can be delivered on chain.`,
  WrongOutputLength: () => "These bytes do not have the length of the output.",
  WrongOutput: () => "These bytes are not the committed output.",
  // The game
  UnknownDispute: () => "Nobody has challenged this job.",
  WrongDisputeState: ([, state, required]) =>
    `The dispute is ${disputeState(state)}, this step needs it to be ${disputeState(required)}.`,
  BondTooSmall: ([, sent, required]) =>
    `The bond is ${wei(required)} now, ${wei(sent)} was sent: the price of gas rose. Try again.`,
  TooLateToJoin: () =>
    "The result is being challenged already, and the few blocks in which others could join are over.",
  NoRoomToJoin: () => "The dispute has all the challengers it has room for.",
  AlreadyChallenging: () => "You are challenging this job already.",
  WrongTerms: () => "These are not the terms of this job.",
  ProofTooLate: ([, deadline, time]) => `The proof is ${late(deadline, time)} s too late.`,
  ProofStillDue: ([, deadline, time]) =>
    `The operator may still prove its result for ${Number(deadline) - Number(time) + 1} s.`,
  AirgapRunning: ([, until, time]) =>
    `The slashed stake is held for ${Number(until) - Number(time) + 1} s more, in which a late proof still counts.`,
  AirgapOver: () => "The time in which a late proof still counts is over.",
  NotAnnounced: () => "Evidence has to be announced in an earlier block.",
  SameResult: () => "The two results are one and the same.",
  NotSignedByOperator: () => "A signature is not the operator's.",
  // The vault
  UnsupportedToken: () => "This deployment does not know the token.",
  InsufficientStake: ([, free, required]) =>
    `The operator's free stake of ${wei(free)} does not cover ${wei(required)}.`,
  InsufficientCredit: ([, credit, required]) =>
    `The credit of ${wei(credit)} does not cover ${wei(required)}.`,
  StillUnbonding: () => "The stake is still unbonding.",
  NothingToWithdraw: () => "There is nothing to withdraw.",
  TransferFailed: () => "The account refused its own money.",
  OperatorJailed: () => "The operator is jailed and takes no jobs.",
  ZeroAmount: () => "The amount is zero.",
  WrongValue: ([sent, required]) => `${wei(sent)} came along, ${wei(required)} is asked for.`,
  ReentrancyGuardReentrantCall: () => "The account called back while it was being paid.",
  SafeCastOverflowedUintDowncast: () => "The amount is larger than the contracts hold.",
  // Sessions, batches and orders
  UnknownSession: () => "There is no such session.",
  WrongSessionState: () => "The session is in another state by now.",
  UnknownBatch: () => "There is no such batch.",
  WrongBatchState: () => "The batch is in another state by now.",
  NotInBatch: () => "The result is not in this batch.",
  AlreadyExtracted: () => "The result is a job of its own already.",
  DepositTooSmall: ([amount, fee]) =>
    `A deposit of ${wei(amount)} does not pay for one request at ${wei(fee)}.`,
  OrderTakenBefore: () => "An operator has taken this order already.",
  OrderWithdrawn: () => "The order was cancelled.",
  OrderExpired: ([, until, time]) => `The order expired ${late(until, time)} s ago.`,
  NotOrderClient: () => "Only the account that signed the order can cancel it.",
  SafeERC20FailedOperation: () =>
    "The token refused the transfer: is the balance large enough, and the allowance given?",
};

/** Names of the errors that have a sentence. */
export const DESCRIBED_ERRORS: readonly string[] = Object.keys(SENTENCES);
