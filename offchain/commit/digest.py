"""Tensor digests: sha256 tiles under an index-bound keccak tree (protocol.md 3.2)."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from math import prod
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from eth_hash.auto import keccak

from offchain.errors import DigestError

TILE_BYTES: Final = 1024
BITS: Final = (8, 16, 32)
_LEAF, _NODE, _TENSOR, _ROOT = (bytes([k]) for k in range(4))
_EMPTY: Final = bytes(32)


def tensor_bytes(values: npt.NDArray[Any], bits: int) -> bytes:
    """Return row-major two's complement big-endian bytes; raise DigestError for other values."""
    if bits not in BITS:
        raise DigestError(f"{bits} bits an element, expected one of {BITS}")
    if values.dtype.kind not in "iu":  # a float would be rounded without a word
        raise DigestError(f"dtype {values.dtype}, expected integers")
    half = 1 << (bits - 1)
    if values.size and not (-half <= int(values.min()) and int(values.max()) < half):
        raise DigestError(f"values in [{values.min()}, {values.max()}] do not fit {bits} bits")
    return values.astype(f">i{bits // 8}").tobytes()


def tensor_from_bytes(raw: bytes, shape: Sequence[int], bits: int) -> npt.NDArray[np.int64]:
    """Inverse of tensor_bytes; raise DigestError for a wrong length."""
    _check_length(raw, shape, bits)
    return np.frombuffer(raw, dtype=f">i{bits // 8}").reshape(tuple(shape)).astype(np.int64)


def tensor_digest(values: npt.NDArray[Any], bits: int) -> bytes:
    """Return the digest of an integer tensor stored with `bits` bits an element."""
    return tensor_digest_of_bytes(tensor_bytes(values, bits), values.shape, bits)


def tensor_digest_of_bytes(raw: bytes, shape: Sequence[int], bits: int) -> bytes:
    """Return keccak(0x02 || bytes per element || rank || dimensions || root of the tile tree)."""
    _check_length(raw, shape, bits)
    header = bytes([bits // 8, len(shape)]) + b"".join(d.to_bytes(4, "big") for d in shape)
    return keccak(_TENSOR + header + tile_root(raw))


def tile_root(raw: bytes) -> bytes:
    """Return the root over 1-KiB tiles; leaf = keccak(0x00 || u64 index || sha256(tile))."""
    tiles = [raw[k : k + TILE_BYTES] for k in range(0, max(1, len(raw)), TILE_BYTES)]
    level = [
        keccak(
            _LEAF + k.to_bytes(8, "big") + hashlib.sha256(tile.ljust(TILE_BYTES, b"\0")).digest()
        )
        for k, tile in enumerate(tiles)
    ]
    level += [_EMPTY] * ((1 << (len(level) - 1).bit_length()) - len(level))
    while len(level) > 1:
        level = [keccak(_NODE + a + b) for a, b in zip(level[::2], level[1::2], strict=True)]
    return level[0]


def weight_root(digests: Sequence[bytes]) -> bytes:
    """Return keccak(0x03 || u32 count || digests), digests in the graph's order of weights."""
    return keccak(_ROOT + len(digests).to_bytes(4, "big") + b"".join(digests))


def _check_length(raw: bytes, shape: Sequence[int], bits: int) -> None:
    expected = prod(shape) * (bits // 8)
    if len(raw) != expected:
        raise DigestError(
            f"{len(raw)} bytes for shape {tuple(shape)} of {bits} bits, expected {expected}"
        )
