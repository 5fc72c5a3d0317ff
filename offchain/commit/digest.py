"""Digests of integer tensors: sha256 tiles under an index-bound keccak tree (protocol.md 3.2).

bytes   row-major, two's complement, big-endian, 1, 2 or 4 bytes an element
leaf_i  keccak(0x00 || u64(i) || sha256(tile_i)); 1024-byte tiles, the last padded with zeros
node    keccak(0x01 || left || right); leaves padded to a power of two with zero words
digest  keccak(0x02 || u8 bytesPerElement || u8 rank || u32 dim_0 .. || root)

A weight has its own shape there, a job's input or output that of `as_matrix` (FORMAT.md 8).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from math import prod
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from eth_hash.auto import keccak

from offchain import native
from offchain.errors import TensorError
from offchain.types import Digest

TILE_BYTES: Final = 1024  # 32 words: one call of the sha256 precompile on chain
BITS: Final = (8, 16, 32)
_LEAF, _NODE, _TENSOR, _WEIGHTS = (bytes([tag]) for tag in range(4))
_NO_LEAF: Final = bytes(32)


def encode_tensor(values: npt.NDArray[Any], bits: int, name: str = "tensor") -> bytes:
    """Return row-major two's complement big-endian bytes, `bits` an element.

    Raises TensorError, naming `name`, for a float dtype or an element that does not fit.
    """
    _check_bits(name, bits)
    if values.dtype.kind not in "iu":  # a float would be rounded without a word
        raise TensorError(name, f"has dtype {values.dtype}, expected integers")
    half = 1 << (bits - 1)
    if values.size and not (-half <= int(values.min()) and int(values.max()) < half):
        raise TensorError(
            name, f"elements in [{values.min()}, {values.max()}] do not fit {bits} bits"
        )
    return values.astype(f">i{bits // 8}").tobytes()


def decode_tensor(
    raw: bytes, shape: Sequence[int], bits: int, name: str = "tensor"
) -> npt.NDArray[np.int64]:
    """Return the int64 tensor that `encode_tensor` wrote; raise TensorError for a wrong length."""
    _check_length(name, raw, shape, bits)
    return np.frombuffer(raw, dtype=f">i{bits // 8}").reshape(tuple(shape)).astype(np.int64)


def tensor_digest(values: npt.NDArray[Any], bits: int, name: str = "tensor") -> Digest:
    """Return the digest (32 bytes) of an integer tensor stored with `bits` bits an element."""
    return tensor_digest_of_bytes(encode_tensor(values, bits, name), values.shape, bits, name)


def tensor_digest_of_bytes(
    raw: bytes, shape: Sequence[int], bits: int, name: str = "tensor"
) -> Digest:
    """Return the digest of a tensor given as bytes; raise TensorError for a wrong length."""
    _check_length(name, raw, shape, bits)
    return digest_of_root(tile_root(raw), shape, bits)


def as_matrix(shape: Sequence[int]) -> tuple[int, int]:
    """Return the matrix as which a job's tensor is digested: its last dimension are the columns."""
    return prod(shape[:-1]), shape[-1]


def tile_root(raw: bytes) -> bytes:
    """Return the root over the tiles (32 bytes); no bytes at all are one tile of zeros."""
    return native.tile_root(raw)


def tile_root_reference(raw: bytes) -> bytes:
    """Return the same root, hashed one by one: what the native version is held against."""
    tiles = [raw[k : k + TILE_BYTES] for k in range(0, max(1, len(raw)), TILE_BYTES)]
    level = [tile_leaf(k, tile) for k, tile in enumerate(tiles)]
    level += [_NO_LEAF] * ((1 << (len(level) - 1).bit_length()) - len(level))
    while len(level) > 1:
        level = [keccak(_NODE + a + b) for a, b in zip(level[::2], level[1::2], strict=True)]
    return level[0]


def tile_leaf(index: int, tile: bytes) -> bytes:
    """Return the leaf of a tile of at most 1024 bytes, which is padded with zeros."""
    padded = tile.ljust(TILE_BYTES, b"\0")
    return bytes(keccak(_LEAF + index.to_bytes(8, "big") + hashlib.sha256(padded).digest()))


def digest_of_root(root: bytes, shape: Sequence[int], bits: int) -> Digest:
    """Return the digest of a tensor of which the root over its tiles is known."""
    header = bytes([bits // 8, len(shape)]) + b"".join(d.to_bytes(4, "big") for d in shape)
    return Digest(keccak(_TENSOR + header + root))


def weight_root(digests: Sequence[bytes]) -> Digest:
    """Return keccak(0x03 || u32 count || digests), digests in the graph's order of weights."""
    return Digest(keccak(_WEIGHTS + len(digests).to_bytes(4, "big") + b"".join(digests)))


def _check_bits(name: str, bits: int) -> None:
    if bits not in BITS:
        raise TensorError(name, f"{bits} bits an element, expected one of {BITS}")


def _check_length(name: str, raw: bytes, shape: Sequence[int], bits: int) -> None:
    _check_bits(name, bits)
    expected = prod(shape) * (bits // 8)
    if len(raw) != expected:
        raise TensorError(
            name,
            f"{len(raw)} bytes for shape {tuple(shape)} of {bits} bits, expected {expected}",
        )
