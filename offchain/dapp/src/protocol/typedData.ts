// EIP-712 messages that parties sign off chain: results, requests of a session, orders.
import { hashTypedData, type TypedDataDomain } from "viem";
import type { Address, Digest, Hex, JobId, VersionId } from "./types";

const RESULT = [
  { name: "jobId", type: "bytes32" },
  { name: "outDigest", type: "bytes32" },
] as const;

const REQUEST = [
  { name: "sessionId", type: "bytes32" },
  { name: "nonce", type: "uint32" },
  { name: "inDigest", type: "bytes32" },
  { name: "validUntil", type: "uint40" },
] as const;

const ORDER = [
  { name: "client", type: "address" },
  { name: "version", type: "bytes32" },
  { name: "inDigest", type: "bytes32" },
  { name: "token", type: "address" },
  { name: "minFee", type: "uint96" },
  { name: "maxFee", type: "uint96" },
  { name: "rampStart", type: "uint40" },
  { name: "rampEnd", type: "uint40" },
  { name: "takeUntil", type: "uint40" },
  { name: "verifyMask", type: "uint8" },
  { name: "salt", type: "uint64" },
] as const;

/** A request under a session: one nonce counts once. */
export interface SessionRequest {
  readonly sessionId: Hex;
  readonly nonce: number;
  readonly inDigest: Digest;
  /** Last second, on the protocol's clock, at which it may be committed. */
  readonly validUntil: number;
}

/** A signed off-chain order; its price climbs from minFee to maxFee. */
export interface Order {
  readonly client: Address;
  readonly version: VersionId;
  readonly inDigest: Digest;
  readonly token: Address;
  readonly minFee: bigint;
  readonly maxFee: bigint;
  readonly rampStart: number;
  readonly rampEnd: number;
  readonly takeUntil: number;
  readonly verifyMask: number;
  readonly salt: bigint;
}

/** Contract and chain in whose domain a message counts. */
export interface Domain {
  readonly chainId: number;
  readonly contract: Address;
}

function describeDomain({ chainId, contract }: Domain) {
  const domain = { name: "zkDPS", version: "1", chainId, verifyingContract: contract };
  return domain satisfies TypedDataDomain;
}

/** Result(jobId, outDigest) in the market's domain: what an operator's key signs. */
export function buildResult(market: Domain, jobId: JobId, outDigest: Digest) {
  return {
    domain: describeDomain(market),
    types: { Result: RESULT },
    primaryType: "Result",
    message: { jobId, outDigest },
  } as const;
}

/** Request(...) in the session market's domain: what a session's signer signs. */
export function buildRequest(sessions: Domain, request: SessionRequest) {
  return {
    domain: describeDomain(sessions),
    types: { Request: REQUEST },
    primaryType: "Request",
    message: request,
  } as const;
}

/** Order(...) in the order book's domain: what a client signs. */
export function buildOrder(orders: Domain, order: Order) {
  return {
    domain: describeDomain(orders),
    types: { Order: ORDER },
    primaryType: "Order",
    message: order,
  } as const;
}

/** What is signed for a result. */
export function hashResult(market: Domain, jobId: JobId, outDigest: Digest): Hex {
  return hashTypedData(buildResult(market, jobId, outDigest));
}

/** What is signed for a request. */
export function hashRequest(sessions: Domain, request: SessionRequest): Hex {
  return hashTypedData(buildRequest(sessions, request));
}

/** What is signed for an order, and the order's name in the order book. */
export function hashOrder(orders: Domain, order: Order): Hex {
  return hashTypedData(buildOrder(orders, order));
}

/** The order's price at a second of the protocol's clock: minFee, then linear up to maxFee, rounded down. */
export function priceOrder(order: Order, clock: number): bigint {
  // In this order, as the contract has it: a ramp of no length is a step.
  if (clock >= order.rampEnd) return order.maxFee;
  if (clock <= order.rampStart) return order.minFee;
  const [passed, length] = [clock - order.rampStart, order.rampEnd - order.rampStart];
  return order.minFee + ((order.maxFee - order.minFee) * BigInt(passed)) / BigInt(length);
}
