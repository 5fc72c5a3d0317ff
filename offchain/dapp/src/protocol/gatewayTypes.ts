// Answers of the gateway (offchain/gateway/routes/explorer_models.py). None of it is trusted: what matters is checked
// against the chain (verify.ts, ids.ts), what is only shown is labelled with the block it was read at.
import type { Address, Digest, Hex, JobId, ModelInterface, VersionId } from "./types";

/** Decimal string of an integer that may exceed 2^53. */
export type Decimal = string;
/** State, in lower case -> number; a state that nothing is in is left out. */
export type Counts = Readonly<Record<string, number>>;
/** Name -> amount; a sum that never was is left out. */
export type Sums = Readonly<Record<string, Decimal>>;

/** The block that an answer was read at. */
export interface AsOf {
  readonly block: number;
  readonly hash: Hex;
  readonly timestamp: number;
}

/** One page of a list, newest first. */
export interface Page<T> {
  readonly asOf: AsOf;
  readonly items: readonly T[];
  /** Cursor of the next page, or null. */
  readonly next: string | null;
}

export interface JobQuery {
  readonly client?: Address;
  readonly operator?: Address;
  readonly version?: VersionId;
  readonly state?: string;
  readonly cursor?: string;
  readonly limit?: number;
}

export interface StoredTensor {
  readonly digest: Digest;
}

/** A signed result as it is exchanged off chain. */
export interface Receipt {
  readonly outDigest: Digest;
  readonly signature: Hex;
}

/** What changed in the index, as the stream of events tells it. */
export interface IndexChange {
  readonly block: number;
  readonly hash: Hex;
  readonly timestamp: number;
  /** Ids of jobs, sessions and batches. */
  readonly jobs: readonly Hex[];
  /** The block to which a reorganisation went back, or null. */
  readonly rewoundTo: number | null;
  /** The stream fell behind: fetch again what is shown. */
  readonly resync: boolean;
}

/** One log of a contract; integers are decimal strings. */
export interface EventEntry {
  readonly block: number;
  readonly timestamp: number;
  readonly log: number;
  readonly tx: Hex;
  readonly contract: string;
  readonly name: string;
  readonly arguments: Readonly<Record<string, unknown>>;
}

/** One credit in the vault, and why: fee, refund, reward, ... */
export interface Payment {
  readonly account: Address;
  readonly token: Address;
  readonly amount: Decimal;
  readonly title: string;
  readonly at: number;
  readonly tx: Hex;
}

/** The vault's money of one job, session or batch. */
export interface FundsEntry {
  readonly escrow: Decimal;
  readonly lock: Decimal;
  readonly lockStatus: string;
  readonly fined: Decimal;
  readonly bonds: Decimal;
  readonly burned: Sums;
  readonly payments: readonly Payment[];
}

export interface JobItem {
  readonly id: JobId;
  readonly client: Address;
  readonly operator: Address | null;
  readonly version: VersionId;
  readonly token: Address;
  readonly fee: Decimal;
  readonly state: string;
  readonly assurance: string;
  readonly proofRequired: boolean;
  readonly inDigest: Digest;
  readonly outDigest: Digest | null;
  /** Last second, on the protocol's clock, of what its state waits for. */
  readonly deadline: number | null;
  readonly createdBlock: number;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly session: Hex | null;
  readonly batch: Hex | null;
  readonly leaf: number | null;
  readonly order: Hex | null;
}

export interface DisputeItem {
  readonly job: JobId;
  readonly state: string;
  /** proof-due, proof-overdue, airgap, division-due or over. */
  readonly phase: string;
  readonly operator: Address;
  readonly client: Address;
  readonly version: VersionId;
  readonly challengers: readonly Address[];
  /** Wei of each challenger. */
  readonly bond: Decimal;
  readonly proveBy: number | null;
  readonly airgapUntil: number | null;
  readonly challengeSeed: Hex | null;
  readonly openedAt: number;
  readonly openedBlock: number;
  readonly prover: Address | null;
  readonly beneficiary: Address | null;
  readonly reporter: Address | null;
  readonly evidence: { readonly first: Digest; readonly second: Digest } | null;
  readonly closedAt: number | null;
}

export interface VersionItem {
  readonly id: VersionId;
  readonly number: number;
  readonly owner: Address;
  readonly graphHash: Hex;
  readonly weightRoot: Hex;
  readonly programHash: Hex;
  readonly vkHash: Hex;
  readonly vkData: Address;
  /** The verifier that judges its proofs. */
  readonly adjudicator: Address;
  readonly srsId: Hex;
  readonly proveSeconds: number;
  readonly proofGas: Decimal;
  readonly digestKind: number;
  readonly outputBytes: number;
  readonly royaltyBps: number;
  readonly opCount: Decimal;
  readonly uri: string;
  readonly registeredAt: number;
  readonly registeredBlock: number;
  readonly jobs: Counts;
  readonly disputes: Counts;
  readonly sessions: number;
  readonly batchResults: number;
  /** Names its files under /models, where the gateway has them. */
  readonly modelKey: string;
  /** Of interface.json, where the gateway has it. */
  readonly title: string | null;
}

export interface VersionAnswer extends VersionItem {
  readonly asOf: AsOf;
  readonly report: Readonly<Record<string, unknown>> | null;
  readonly interface: ModelInterface | null;
}

/** An account's money in one token. */
export interface TokenSums {
  readonly token: Address;
  readonly free: Decimal;
  readonly locked: Decimal;
  readonly unbonding: Decimal;
  readonly unbondReadyAt: number;
  readonly credit: Decimal;
  readonly earned: Decimal;
  readonly slashed: Decimal;
  readonly fined: Decimal;
  readonly totals: Sums;
}

export interface OperatorItem {
  readonly address: Address;
  readonly worker: Address | null;
  readonly proposedWorker: Address | null;
  readonly tokens: readonly TokenSums[];
  /** 0 where it is not in jail. */
  readonly jailedUntil: number;
  readonly misses: number;
  readonly missWindowStart: number;
  readonly jobs: Counts;
  readonly disputes: Counts;
  /** Jobs that were paid, and results of batches. */
  readonly served: number;
  readonly versions: readonly { readonly version: VersionId; readonly jobs: number }[];
  readonly batches: number;
  readonly batchResults: number;
  readonly sinceBlock: number;
}

export interface OperatorAnswer extends OperatorItem {
  readonly asOf: AsOf;
}

export interface AccountAnswer {
  readonly asOf: AsOf;
  readonly address: Address;
  readonly isOperator: boolean;
  readonly serves: Address | null;
  readonly tokens: readonly TokenSums[];
  readonly jobsOrdered: number;
  readonly challenges: number;
  readonly events: readonly EventEntry[];
  readonly next: string | null;
}

export interface SessionItem {
  readonly id: Hex;
  readonly client: Address;
  readonly signer: Address;
  readonly operator: Address;
  readonly version: VersionId;
  readonly token: Address;
  readonly fee: Decimal;
  readonly royaltyBps: number;
  readonly state: string;
  readonly openedAt: number;
  readonly openedBlock: number;
  readonly closesAt: number | null;
  readonly closedAt: number | null;
  readonly batches: number;
  readonly results: number;
  readonly deposit: Decimal;
}

/** A session as the chain has it; `requests` as far as the gateway got them. */
export interface SessionAnswer {
  readonly asOf: AsOf;
  readonly sessionId: Hex;
  readonly state: string;
  readonly client: Address;
  readonly signer: Address;
  readonly operator: Address;
  readonly version: VersionId;
  readonly token: Address;
  readonly fee: Decimal;
  readonly salt: Decimal;
  readonly deposit: Decimal;
  /** Last second of a session that is closing, else 0. */
  readonly closesAt: number;
  readonly requests: {
    readonly open: number;
    readonly served: number;
    readonly expired: number;
  };
}

/** A result of a batch; `extracted` says that it became a job of its own. */
export interface LeafEntry {
  readonly index: number;
  readonly nonce: number;
  readonly job: JobId;
  readonly inDigest: Digest;
  readonly outDigest: Digest;
  readonly extracted: boolean;
}

export interface BatchItem {
  readonly id: Hex;
  readonly session: Hex;
  readonly operator: Address;
  readonly version: VersionId;
  readonly root: Hex;
  readonly state: string;
  readonly count: number;
  readonly extracted: number;
  readonly committedAt: number;
  readonly committedBlock: number;
  readonly challengeUntil: number;
  readonly closedAt: number | null;
}

export interface BatchAnswer extends BatchItem {
  readonly asOf: AsOf;
  readonly leaves: readonly LeafEntry[];
  readonly funds: FundsEntry | null;
  readonly events: readonly EventEntry[];
}

export interface StatsAnswer {
  readonly asOf: AsOf;
  readonly clock: number;
  readonly isPaused: boolean;
  readonly isRefundMode: boolean;
  readonly jobs: Counts;
  readonly disputes: Counts;
  readonly sessions: Counts;
  readonly batches: Counts;
  readonly batchResults: number;
  readonly versions: number;
  readonly operators: number;
  readonly ordersTaken: number;
  readonly tokens: readonly { readonly token: Address; readonly totals: Sums }[];
}
