// Bytes, words and hashes: the few conversions that digests, ids and trees are made of.
import { bytesToHex, concat, hexToBytes, keccak256, sha256 } from "viem";
import type { Hex } from "./types";

export { bytesToHex, concat, hexToBytes };

export function keccakBytes(...parts: readonly Uint8Array[]): Uint8Array {
  return keccak256(concat([...parts]), "bytes");
}

export function sha256Bytes(raw: Uint8Array): Uint8Array {
  return sha256(raw, "bytes");
}

/** Big-endian bytes of a number that is not negative. */
export function encodeUint(value: number, bytes: number): Uint8Array {
  const encoded = new Uint8Array(bytes);
  let rest = value;
  for (let k = bytes - 1; k >= 0; k--) {
    encoded[k] = rest % 256;
    rest = Math.floor(rest / 256);
  }
  return encoded;
}

export function isEqualHex(a: Hex, b: Hex): boolean {
  return a.toLowerCase() === b.toLowerCase();
}

/** Whether the text is 32 bytes of 0x-hex. */
export function isWord(text: string): text is Hex {
  return /^0x[0-9a-fA-F]{64}$/.test(text);
}
