// Results of a session in one root: leaf_i = keccak(0x00 || jobId || outDigest), node = keccak(0x01 || left || right),
// leaves padded with zero words to a power of two (SessionMarket, offchain/commit/batch_tree.py).
import { bytesToHex, hexToBytes, isEqualHex, keccakBytes } from "./bytes";
import { treeLevels, treeRoot } from "./digest";
import { DigestMismatch, MalformedDocument } from "./errors";
import type { Digest, Hex, JobId } from "./types";

const LEAF = Uint8Array.of(0);
const NODE = Uint8Array.of(1);
const ITEM_BYTES = 68; // nonce u32, inDigest, outDigest

/** One result of a batch, as BatchCommitted packs it. */
export interface BatchLeaf {
  readonly index: number;
  readonly nonce: number;
  readonly inDigest: Digest;
  readonly outDigest: Digest;
}

export function computeLeaf(jobId: JobId, outDigest: Digest): Uint8Array {
  return keccakBytes(LEAF, hexToBytes(jobId), hexToBytes(outDigest));
}

export function computeRoot(leaves: readonly Uint8Array[]): Hex {
  return bytesToHex(treeRoot(leaves));
}

/** Siblings from the leaf up to below the root. */
export function computePath(leaves: readonly Uint8Array[], index: number): Hex[] {
  const levels = treeLevels(leaves).slice(0, -1);
  return levels.map((level, depth) => {
    const sibling = level[Math.floor(index / 2 ** depth) ^ 1];
    if (sibling === undefined) throw new MalformedDocument(`a batch has no leaf ${index}`);
    return bytesToHex(sibling);
  });
}

/** Throws DigestMismatch unless the leaf lies at `index` under the root. */
export function verifyInclusion(
  leaf: Uint8Array,
  index: number,
  path: readonly Hex[],
  root: Hex,
): void {
  const found = path.reduce((node, sibling, depth) => {
    const other = hexToBytes(sibling);
    const isRight = Math.floor(index / 2 ** depth) % 2 === 1;
    return isRight ? keccakBytes(NODE, other, node) : keccakBytes(NODE, node, other);
  }, leaf);
  if (index >= 2 ** path.length || !isEqualHex(bytesToHex(found), root)) {
    throw new DigestMismatch("the result is not in this batch", { root, found: bytesToHex(found) });
  }
}

/** The results of a batch out of the bytes that its event carries. */
export function unpackItems(items: Hex): BatchLeaf[] {
  const raw = hexToBytes(items);
  if (raw.length % ITEM_BYTES !== 0) {
    throw new MalformedDocument(`${raw.length} bytes are no list of results`);
  }
  const view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength);
  return Array.from({ length: raw.length / ITEM_BYTES }, (_, index) => {
    const start = index * ITEM_BYTES;
    return {
      index,
      nonce: view.getUint32(start),
      inDigest: bytesToHex(raw.subarray(start + 4, start + 36)),
      outDigest: bytesToHex(raw.subarray(start + 36, start + ITEM_BYTES)),
    };
  });
}
