"""Tensor digests against values spelled out from the definition, and against fixed vectors."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
from eth_hash.auto import keccak

from offchain.commit.digest import (
    decode_tensor,
    encode_tensor,
    tensor_digest,
    tensor_digest_of_bytes,
    tile_root,
    weight_root,
)
from offchain.errors import TensorError

# (shape, bits, digest) of the elements k * 7 - 50, k = 0, 1, ..., wrapped into the bits.
VECTORS = [
    ((1, 8), 8, "2728b7d1bfe08e9cdfb41f69f5017fdfb9b76b26b42dbcd1fd473816303da412"),
    ((3, 3), 16, "a0ae5e48d8077df3065fe0b1df924454b3a700ed6472b1634a00435ee5b742cf"),
    ((2,), 32, "e893b9f6c3adcfa844ae3e4eeeab24b579f0621df25b51ced49e788ae8ff1766"),
    ((1, 1024), 8, "269c2dfd8ec25d14da941e4c037f87148a54115587434b340973ba6334a5b7d2"),
    ((1, 1025), 8, "82bd1a80bbc7edd301970d7cd3a7b6d31e1330cd91316a0889e680c442007a1e"),
    ((10, 128), 16, "2feccce7231634d154ec04ea9f7faf29daf5a0285d973fee8ceb5f46d3652b6c"),
]


def ramp(shape: tuple[int, ...], bits: int) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    """Return k * 7 - 50 wrapped into the two's complement range of `bits`."""
    half = 1 << (bits - 1)
    values = np.arange(int(np.prod(shape)), dtype=np.int64) * 7 - 50
    return ((values + half) % (2 * half) - half).reshape(shape)


def leaf(index: int, tile: bytes) -> bytes:
    return bytes(keccak(b"\0" + index.to_bytes(8, "big") + hashlib.sha256(tile).digest()))


@pytest.mark.parametrize(("shape", "bits", "digest"), VECTORS)
def test_tensor_digest__fixed_vector__unchanged(
    shape: tuple[int, ...], bits: int, digest: str
) -> None:
    assert tensor_digest(ramp(shape, bits), bits).hex() == digest


def test_tensor_digest__public_input_of_the_proof_vectors__the_same() -> None:
    raw = bytes.fromhex("1738bc174d625e77")
    expected = "0c289fe9fb5f9a93f948a2945742826f559a53d4203c734f2a14858db6ab6749"
    assert tensor_digest_of_bytes(raw, (1, 8), 8).hex() == expected


def test_tensor_digest__one_tile__spelled_out() -> None:
    values = np.array([[1, -2, 300]])
    raw = bytes.fromhex("0001fffe012c")
    header = bytes([2, 2, 2]) + (1).to_bytes(4, "big") + (3).to_bytes(4, "big")
    assert encode_tensor(values, 16) == raw
    assert tensor_digest(values, 16) == keccak(header + leaf(0, raw.ljust(1024, b"\0")))


def test_tile_root__three_tiles__fourth_leaf_is_zero() -> None:
    raw = bytes(k % 251 for k in range(2050))
    tiles = [raw[:1024], raw[1024:2048], raw[2048:].ljust(1024, b"\0")]
    a, b, c = (leaf(k, tile) for k, tile in enumerate(tiles))
    left, right = keccak(b"\1" + a + b), keccak(b"\1" + c + bytes(32))
    assert tile_root(raw) == keccak(b"\1" + left + right)


def test_weight_root__two_digests__spelled_out() -> None:
    first, second = bytes([1]) * 32, bytes([2]) * 32
    expected = keccak(b"\3" + (2).to_bytes(4, "big") + first + second)
    assert weight_root([first, second]) == expected
    assert weight_root([second, first]) != expected


def test_tensor_digest__shape_width_or_element_changes__digest_changes() -> None:
    values = np.zeros((2, 3), dtype=np.int64)
    other = values.copy()
    other[1, 2] = 1
    digests = {
        tensor_digest(values, 8),
        tensor_digest(values, 16),
        tensor_digest(values.reshape(3, 2), 8),
        tensor_digest(values.reshape(6), 8),
        tensor_digest(other, 8),
        tensor_digest(np.zeros((2, 4), dtype=np.int64), 8),
    }
    assert len(digests) == 6


@pytest.mark.parametrize("bits", [8, 16, 32])
def test_decode_tensor__encoded_extremes__returned(bits: int) -> None:
    half = 1 << (bits - 1)
    values = np.array([[-half, half - 1], [0, -1]])
    assert (decode_tensor(encode_tensor(values, bits), (2, 2), bits) == values).all()


@pytest.mark.parametrize(
    ("values", "bits", "reason"),
    [
        (np.array([128]), 8, "do not fit 8 bits"),
        (np.array([-129]), 8, "do not fit 8 bits"),
        (np.array([2**63], dtype=np.uint64), 32, "do not fit 32 bits"),
        (np.array([0.5]), 8, "dtype float64"),
        (np.array([True]), 8, "dtype bool"),
        (np.array([1]), 24, "24 bits"),
    ],
)
def test_encode_tensor__not_of_its_type__refused_by_name(
    values: np.ndarray[tuple[int, ...], np.dtype[np.int64]], bits: int, reason: str
) -> None:
    with pytest.raises(TensorError, match=f"fc0.w: .*{reason}"):
        encode_tensor(values, bits, "fc0.w")


@pytest.mark.parametrize("length", [0, 5, 7, 12])
def test_tensor_digest_of_bytes__wrong_length__refused(length: int) -> None:
    with pytest.raises(TensorError, match=f"x: {length} bytes"):
        tensor_digest_of_bytes(bytes(length), (2, 3), 8, "x")
    with pytest.raises(TensorError, match=f"x: {length} bytes"):
        decode_tensor(bytes(length), (2, 3), 8, "x")
