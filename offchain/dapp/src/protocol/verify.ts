// Holding what the gateway says against what the chain says. Each function throws DigestMismatch and returns what was
// checked; nothing that did not pass through here is shown as a fact.
import { keccak256, sha256 } from "viem";
import { isEqualHex } from "./bytes";
import { digestBytes, digestJobBytes, weightRoot } from "./digest";
import { DigestMismatch } from "./errors";
import { type Graph, parseGraph } from "./graph";
import type { BundleFile, Digest, Hex, Version } from "./types";

/** The graph in these bytes, if they are the version's. */
export function verifyGraph(raw: Uint8Array, version: Pick<Version, "graphHash">): Graph {
  const found = keccak256(raw);
  if (!isEqualHex(found, version.graphHash)) {
    throw new DigestMismatch("graph.json is not the graph that the version registered", {
      expected: version.graphHash,
      found,
    });
  }
  return parseGraph(raw);
}

/** Throws unless these are all weights of the version, each with its bytes. */
export function verifyWeights(
  graph: Graph,
  raw: ReadonlyMap<string, Uint8Array>,
  version: Pick<Version, "weightRoot">,
): void {
  const digests = graph.weights.map((spec): Digest => {
    const bytes = raw.get(spec.name);
    if (bytes === undefined) throw new DigestMismatch(`the weight ${spec.name} is missing`);
    return digestBytes(bytes, spec.shape, spec.bits);
  });
  const found = weightRoot(digests);
  if (!isEqualHex(found, version.weightRoot)) {
    throw new DigestMismatch("the weights are not those that the version registered", {
      expected: version.weightRoot,
      found,
    });
  }
}

/** Throws unless the bytes are the tensor that the digest names. */
export function verifyContent(
  raw: Uint8Array,
  digest: Digest,
  shape: readonly number[],
  bits: number,
): void {
  const found = digestJobBytes(raw, shape, bits);
  if (!isEqualHex(found, digest)) {
    throw new DigestMismatch("these bytes are not what the digest names", {
      expected: digest,
      found,
    });
  }
}

/** Throws unless bundle.json is the one that the registration names: titles and labels are its publisher's then. */
export function verifyBundle(raw: Uint8Array, pinned: Hex): void {
  const found = sha256(raw);
  if (!isEqualHex(found, pinned)) {
    throw new DigestMismatch("bundle.json is not the one that the version registered", {
      expected: pinned,
      found,
    });
  }
}

/** Throws unless the bytes are the file that the bundle lists. */
export function verifyFile(raw: Uint8Array, file: BundleFile): void {
  const found = sha256(raw);
  const listed: Hex = file.sha256.startsWith("0x") ? (file.sha256 as Hex) : `0x${file.sha256}`;
  if (raw.length !== file.bytes || !isEqualHex(found, listed)) {
    throw new DigestMismatch(`${file.path} is not the file that the bundle lists`, {
      expected: listed,
      found,
    });
  }
}
