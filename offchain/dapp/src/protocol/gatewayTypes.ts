// Answers of the gateway. None of it is trusted: what matters is checked against the chain (verify.ts, ids.ts), what is
// only shown is labelled with the block it was read at.
import type { Address, Digest, Hex, JobId, VersionId } from "./types";

/** Decimal string of an integer that may exceed 2^53. */
export type Decimal = string;

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

/** A job that changed, as the stream of events tells it. */
export interface IndexChange {
  readonly block: number;
  readonly jobs: readonly JobId[];
}
