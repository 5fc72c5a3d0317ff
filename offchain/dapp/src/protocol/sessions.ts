// Batches of sessions, held against the chain: what a gateway tells of one counts only where it hashes to the batch.
import { sessionMarketAbi } from "./abi";
import { computeLeaf, computeRoot } from "./batches";
import { isEqualHex } from "./bytes";
import type { ChainReader } from "./chain";
import { DigestMismatch, WrongDeployment } from "./errors";
import type { LeafEntry } from "./gatewayTypes";
import { buildRequestTerms, computeBatchId, computeJobId, type SessionTerms } from "./ids";
import type { Hex } from "./types";

const STATES = ["none", "committed", "final", "voided"] as const;

/** A batch as the chain has it, with the terms of its session. */
export interface ChainBatch {
  readonly session: Hex;
  readonly terms: SessionTerms;
  readonly state: (typeof STATES)[number];
  readonly count: number;
  readonly extractedBits: bigint;
  readonly challengeUntil: number;
  readonly lockEach: bigint;
}

/** Reads a batch at the head; throws what viem throws where there is none. */
export async function readBatch({ client, deployment }: ChainReader, id: Hex): Promise<ChainBatch> {
  const address = deployment.contracts.SessionMarket;
  if (address === undefined) throw new WrongDeployment("this deployment has no sessions");
  const market = { address, abi: sessionMarketAbi };
  const batch = await client.readContract({ ...market, functionName: "getBatch", args: [id] });
  const session = await client.readContract({
    ...market,
    functionName: "getSession",
    args: [batch.sessionId],
  });
  const state = STATES[batch.state];
  if (state === undefined) throw new WrongDeployment(`an unknown state ${batch.state} of a batch`);
  return {
    session: batch.sessionId,
    terms: session.terms,
    state,
    count: Number(batch.count),
    extractedBits: batch.extractedBits,
    challengeUntil: batch.challengeUntil,
    lockEach: batch.lockEach,
  };
}

/**
 * Throws DigestMismatch unless these are all results of the batch: each with the input, the place and the job's id
 * that the root commits to. Returns the tree's leaves.
 */
export function verifyLeaves(
  { deployment }: Pick<ChainReader, "deployment">,
  id: Hex,
  { session, terms, count }: ChainBatch,
  leaves: readonly LeafEntry[],
): Uint8Array[] {
  if (leaves.length !== count) {
    throw new DigestMismatch(`${leaves.length} results were told, the batch has ${count}`);
  }
  const { chainId, contracts } = deployment;
  const tree = leaves.map(({ index, nonce, job, inDigest, outDigest }, place) => {
    // The leaf holds the job's id, and that the input's digest: another input under the same leaf is a lie.
    const request = buildRequestTerms(session, terms, nonce, inDigest);
    const found = computeJobId(chainId, contracts.JobMarket, request);
    if (index !== place || !isEqualHex(found, job)) {
      throw new DigestMismatch(`result ${place} is not the request that its id names`, { found });
    }
    return computeLeaf(found, outDigest);
  });
  const found = computeBatchId(session, computeRoot(tree));
  if (!isEqualHex(found, id)) {
    throw new DigestMismatch("the results do not hash to the batch's id", { id, found });
  }
  return tree;
}
