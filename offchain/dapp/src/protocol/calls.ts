// What a wallet is asked to send: contract, function, arguments and the ETH that goes along.
import { disputeGameAbi, jobMarketAbi, sessionMarketAbi, stakeVaultAbi } from "./abi";
import type { BatchLeaf } from "./batches";
import { WrongDeployment } from "./errors";
import {
  type Address,
  type Contracts,
  type Digest,
  ETH,
  type Hex,
  type JobId,
  type JobTerms,
} from "./types";

/** Orders one inference. The fee goes along in ETH, or is taken from the client's allowance to the vault. */
export function buildCreateJob(contracts: Contracts, terms: JobTerms, inputUri: string) {
  const { version, inDigest, token, fee, verifyMask, privacyMask, salt } = terms;
  return {
    address: contracts.JobMarket,
    abi: jobMarketAbi,
    functionName: "createJob",
    args: [{ version, inDigest, token, fee, verifyMask, privacyMask, salt, inputUri }],
    value: token === ETH ? fee : 0n,
  } as const;
}

/** Takes back a job that nobody has taken. */
export function buildCancelJob(contracts: Contracts, jobId: JobId) {
  return buildJobCall(contracts, "cancelJob", jobId);
}

/** Pays for the output's bytes on chain; in ETH what is sent is what the delivery pays. */
export function buildRequestDelivery(
  contracts: Contracts,
  jobId: JobId,
  token: Address,
  payment: bigint,
) {
  const value = token === ETH ? payment : 0n;
  return { ...buildJobCall(contracts, "requestDelivery", jobId), value } as const;
}

/** Pays the operator of a result that nobody challenged in time. */
export function buildFinalise(contracts: Contracts, jobId: JobId) {
  return buildJobCall(contracts, "finalise", jobId);
}

/** Refunds the client of a job that nobody took in time. */
export function buildExpireJob(contracts: Contracts, jobId: JobId) {
  return buildJobCall(contracts, "expireJob", jobId);
}

/** Refunds the client and fines the operator of a job whose result or delivery did not come in time. */
export function buildFailJob(contracts: Contracts, jobId: JobId) {
  return buildJobCall(contracts, "failJob", jobId);
}

/** In the refund mode: gives everybody its money back from a job that nobody disputes. */
export function buildVoidJob(contracts: Contracts, jobId: JobId) {
  return buildJobCall(contracts, "voidJob", jobId);
}

/** Demands a proof of exactly the result that was seen, or joins those who did. What is sent beyond the bond is credited. */
export function buildChallenge(
  contracts: Contracts,
  jobId: JobId,
  expectedOutDigest: Digest,
  bond: bigint,
) {
  return {
    address: contracts.DisputeGame,
    abi: disputeGameAbi,
    functionName: "challenge",
    args: [jobId, expectedOutDigest],
    value: bond,
  } as const;
}

/** Takes one result out of its batch, proving that it is there, and demands a proof of it. */
export function buildLeafChallenge(
  contracts: Contracts,
  batchId: Hex,
  leaf: BatchLeaf,
  path: readonly Hex[],
  bond: bigint,
) {
  if (contracts.SessionMarket === undefined) {
    throw new WrongDeployment("this deployment has no sessions");
  }
  const { index, nonce, inDigest, outDigest } = leaf;
  return {
    address: contracts.SessionMarket,
    abi: sessionMarketAbi,
    functionName: "challenge",
    args: [batchId, { index, nonce, inDigest, outDigest }, path],
    value: bond,
  } as const;
}

/** Begins the proof of a job that requires one, without a bond. */
export function buildRequestProof(contracts: Contracts, jobId: JobId, expectedOutDigest: Digest) {
  return {
    address: contracts.DisputeGame,
    abi: disputeGameAbi,
    functionName: "requestProof",
    args: [jobId, expectedOutDigest],
  } as const;
}

/** Settles against an operator that did not prove in time. */
export function buildClaimDefault(contracts: Contracts, jobId: JobId) {
  return buildGameCall(contracts, "claimDefault", jobId);
}

/** Divides a slashed lock after the airgap. */
export function buildDistributeSlash(contracts: Contracts, jobId: JobId) {
  return buildGameCall(contracts, "distributeSlash", jobId);
}

/** In the refund mode: gives a disputed job's money back. */
export function buildVoidDispute(contracts: Contracts, jobId: JobId) {
  return buildGameCall(contracts, "voidDispute", jobId);
}

/** Pays the sender's credit out. */
export function buildWithdrawCredit(contracts: Contracts, token: Address) {
  return buildVaultCall(contracts, "withdrawCredit", token);
}

/** Pays the sender's unbonded stake out. */
export function buildWithdrawUnbonded(contracts: Contracts, token: Address) {
  return buildVaultCall(contracts, "withdrawUnbonded", token);
}

type JobFunction =
  | "cancelJob"
  | "requestDelivery"
  | "finalise"
  | "expireJob"
  | "failJob"
  | "voidJob";

function buildJobCall<F extends JobFunction>(contracts: Contracts, functionName: F, jobId: JobId) {
  const args = [jobId] as const;
  return { address: contracts.JobMarket, abi: jobMarketAbi, functionName, args } as const;
}

function buildGameCall<F extends "claimDefault" | "distributeSlash" | "voidDispute">(
  contracts: Contracts,
  functionName: F,
  jobId: JobId,
) {
  const args = [jobId] as const;
  return { address: contracts.DisputeGame, abi: disputeGameAbi, functionName, args } as const;
}

function buildVaultCall<F extends "withdrawCredit" | "withdrawUnbonded">(
  contracts: Contracts,
  functionName: F,
  token: Address,
) {
  const args = [token] as const;
  return { address: contracts.StakeVault, abi: stakeVaultAbi, functionName, args } as const;
}
