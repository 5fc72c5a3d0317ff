// Digests of integer tensors: sha256 tiles under an index-bound keccak tree (protocol.md 3.2, offchain/commit/digest.py).
//
//   bytes   row-major, two's complement, big-endian, 1, 2 or 4 bytes an element
//   leaf_i  keccak(0x00 || u64(i) || sha256(tile_i)); 1024-byte tiles, the last padded with zeros
//   node    keccak(0x01 || left || right); leaves padded to a power of two with zero words
//   digest  keccak(0x02 || u8 bytesPerElement || u8 rank || u32 dim_0 .. || root)
//
// A weight has its own shape there, a job's input or output that of `asMatrix` (FORMAT.md 8).
import { bytesToHex, concat, encodeUint, hexToBytes, keccakBytes, sha256Bytes } from "./bytes";
import { TensorError } from "./errors";
import type { Digest, Hex, Tensor } from "./types";

const TILE_BYTES = 1024; // 32 words: one call of the sha256 precompile on chain
const LEAF = Uint8Array.of(0);
const NODE = Uint8Array.of(1);
const TENSOR = Uint8Array.of(2);
const WEIGHTS = Uint8Array.of(3);
const NO_LEAF = new Uint8Array(32);

export function countElements(shape: readonly number[]): number {
  return shape.reduce((count, size) => count * size, 1);
}

/** Return row-major two's complement big-endian bytes; throws TensorError for what does not fit. */
export function encodeTensor(tensor: Tensor): Uint8Array {
  const { values, shape, bits } = tensor;
  checkBits(bits);
  if (values.length !== countElements(shape)) {
    throw new TensorError(`${values.length} elements do not fill the shape ${shape.join(" × ")}`);
  }
  const half = 2 ** (bits - 1);
  const step = bits / 8;
  const encoded = new Uint8Array(values.length * step);
  const view = new DataView(encoded.buffer);
  values.forEach((value, k) => {
    if (!Number.isInteger(value) || value < -half || value >= half) {
      throw new TensorError(`element ${k} is ${value}, which ${bits} bits do not hold`);
    }
    if (bits === 8) view.setInt8(k, value);
    else if (bits === 16) view.setInt16(k * step, value);
    else view.setInt32(k * step, value);
  });
  return encoded;
}

/** Return the integers that `encodeTensor` wrote; throws TensorError for a wrong length. */
export function decodeTensor(raw: Uint8Array, shape: readonly number[], bits: number): number[] {
  checkLength(raw, shape, bits);
  const view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength);
  const step = bits / 8;
  return Array.from({ length: countElements(shape) }, (_, k) => {
    if (bits === 8) return view.getInt8(k);
    return bits === 16 ? view.getInt16(k * step) : view.getInt32(k * step);
  });
}

/** Return the digest of a tensor given as bytes, under exactly this shape. */
export function digestBytes(raw: Uint8Array, shape: readonly number[], bits: number): Digest {
  checkLength(raw, shape, bits);
  const header = [Uint8Array.of(bits / 8, shape.length), ...shape.map((d) => encodeUint(d, 4))];
  return bytesToHex(keccakBytes(TENSOR, ...header, tileRoot(raw)));
}

/** Return the digest of a job's input or output given as bytes. */
export function digestJobBytes(raw: Uint8Array, shape: readonly number[], bits: number): Digest {
  return digestBytes(raw, asMatrix(shape), bits);
}

/** Return the digest of a job's input or output. */
export function digestJobTensor(tensor: Tensor): Digest {
  return digestJobBytes(encodeTensor(tensor), tensor.shape, tensor.bits);
}

/** The matrix as which a job's tensor is digested: its last dimension are the columns. */
export function asMatrix(shape: readonly number[]): [number, number] {
  const columns = shape.at(-1);
  if (columns === undefined) throw new TensorError("a tensor has at least one dimension");
  return [countElements(shape.slice(0, -1)), columns];
}

/** Return the root over the tiles; no bytes at all are one tile of zeros. */
export function tileRoot(raw: Uint8Array): Uint8Array {
  const tiles = Math.max(1, Math.ceil(raw.length / TILE_BYTES));
  const leaves = Array.from({ length: tiles }, (_, k) => {
    const tile = new Uint8Array(TILE_BYTES);
    tile.set(raw.subarray(k * TILE_BYTES, (k + 1) * TILE_BYTES));
    return keccakBytes(LEAF, encodeUint(k, 8), sha256Bytes(tile));
  });
  return treeRoot(leaves);
}

/** Return keccak(0x03 || u32 count || digests), digests in the graph's order of weights. */
export function weightRoot(digests: readonly Digest[]): Hex {
  const listed = concat(digests.map((digest) => hexToBytes(digest)));
  return bytesToHex(keccakBytes(WEIGHTS, encodeUint(digests.length, 4), listed));
}

/** Root of a tree of node = keccak(0x01 || left || right) over leaves padded with zero words to a power of two. */
export function treeRoot(leaves: readonly Uint8Array[]): Uint8Array {
  const levels = treeLevels(leaves);
  return levels.at(-1)?.[0] ?? NO_LEAF;
}

/** All levels of that tree, leaves first, the root last. */
export function treeLevels(leaves: readonly Uint8Array[]): Uint8Array[][] {
  let width = 1;
  while (width < leaves.length) width *= 2;
  let level = [...leaves, ...Array<Uint8Array>(width - leaves.length).fill(NO_LEAF)];
  const levels = [level];
  while (level.length > 1) {
    const below = level;
    level = Array.from({ length: below.length / 2 }, (_, k) =>
      keccakBytes(NODE, below[2 * k] ?? NO_LEAF, below[2 * k + 1] ?? NO_LEAF),
    );
    levels.push(level);
  }
  return levels;
}

function checkBits(bits: number): void {
  if (bits !== 8 && bits !== 16 && bits !== 32) {
    throw new TensorError(`${bits} bits an element, expected 8, 16 or 32`);
  }
}

function checkLength(raw: Uint8Array, shape: readonly number[], bits: number): void {
  checkBits(bits);
  const expected = countElements(shape) * (bits / 8);
  if (raw.length !== expected) {
    throw new TensorError(
      `${raw.length} bytes for the shape ${shape.join(" × ")} of ${bits} bits, expected ${expected}`,
    );
  }
}
