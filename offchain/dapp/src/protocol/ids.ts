// Ids: hashes of what they name, so that a reorganisation can never put something else under them.
import { encodeAbiParameters, encodePacked, keccak256, toHex } from "viem";
import { isEqualHex } from "./bytes";
import { DigestMismatch } from "./errors";
import type { Address, Digest, Hex, JobId, JobTerms, VersionId } from "./types";

const TERMS = {
  type: "tuple",
  components: [
    { name: "client", type: "address" },
    { name: "version", type: "bytes32" },
    { name: "inDigest", type: "bytes32" },
    { name: "token", type: "address" },
    { name: "fee", type: "uint96" },
    { name: "verifyMask", type: "uint8" },
    { name: "privacyMask", type: "uint8" },
    { name: "salt", type: "uint256" },
  ],
} as const;

const SESSION_TERMS = {
  type: "tuple",
  components: [
    { name: "client", type: "address" },
    { name: "signer", type: "address" },
    { name: "operator", type: "address" },
    { name: "version", type: "bytes32" },
    { name: "token", type: "address" },
    { name: "fee", type: "uint96" },
    { name: "salt", type: "uint64" },
  ],
} as const;

/** What a session's id commits to. */
export interface SessionTerms {
  readonly client: Address;
  /** The key whose signed requests count. */
  readonly signer: Address;
  readonly operator: Address;
  readonly version: VersionId;
  readonly token: Address;
  readonly fee: bigint;
  readonly salt: bigint;
}

/** keccak256(abi.encode(chain id, market, terms)). */
export function computeJobId(chainId: number, market: Address, terms: JobTerms): JobId {
  return keccak256(
    encodeAbiParameters(
      [{ type: "uint256" }, { type: "address" }, TERMS],
      [BigInt(chainId), market, terms],
    ),
  );
}

/** keccak256(abi.encode("zkDPS session", chain id, session market, terms)). */
export function computeSessionId(chainId: number, sessions: Address, terms: SessionTerms): Hex {
  return keccak256(
    encodeAbiParameters(
      [{ type: "string" }, { type: "uint256" }, { type: "address" }, SESSION_TERMS],
      ["zkDPS session", BigInt(chainId), sessions, terms],
    ),
  );
}

/** keccak256(abi.encode("zkDPS batch", session, root)). */
export function computeBatchId(sessionId: Hex, root: Hex): Hex {
  return keccak256(
    encodeAbiParameters(
      [{ type: "string" }, { type: "bytes32" }, { type: "bytes32" }],
      ["zkDPS batch", sessionId, root],
    ),
  );
}

/** The salt of a session's request: keccak256(abi.encode(session, nonce)). */
export function computeRequestSalt(sessionId: Hex, nonce: number): bigint {
  return BigInt(
    keccak256(encodeAbiParameters([{ type: "bytes32" }, { type: "uint32" }], [sessionId, nonce])),
  );
}

/** The terms of the job that a session's request stands for. */
export function buildRequestTerms(
  sessionId: Hex,
  session: SessionTerms,
  nonce: number,
  inDigest: Digest,
): JobTerms {
  return {
    client: session.client,
    version: session.version,
    inDigest,
    token: session.token,
    fee: session.fee,
    verifyMask: 0,
    privacyMask: 0,
    salt: computeRequestSalt(sessionId, nonce),
  };
}

/** A model's key in the gateway: the first 16 hex digits of keccak256(graphHash || weightRoot). */
export function computeModelKey(graphHash: Hex, weightRoot: Hex): string {
  return keccak256(encodePacked(["bytes32", "bytes32"], [graphHash, weightRoot])).slice(2, 18);
}

/** Throws DigestMismatch unless the terms hash to the job's id: whoever told them is wrong. */
export function verifyTerms(jobId: JobId, chainId: number, market: Address, terms: JobTerms): void {
  const found = computeJobId(chainId, market, terms);
  if (!isEqualHex(found, jobId)) {
    throw new DigestMismatch("the terms are not those of this job", { jobId, found });
  }
}

/** A random 64-bit salt: tells two orders of equal terms apart. */
export function drawSalt(): bigint {
  return BigInt(toHex(crypto.getRandomValues(new Uint8Array(8))));
}
