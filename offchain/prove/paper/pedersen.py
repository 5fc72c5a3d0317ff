"""Pedersen commitments to vectors, equation (1): com(S; rho) = g^S h^rho.

Written additively over BN254's G1: sum_i S_i g_i + rho h. Hiding perfectly, binding as long as no
relation between the generators is known. They are hashed to the curve, so nobody knows one and no
set-up is trusted.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from eth_hash.auto import keccak

from offchain.prove.reference.curve import Point, combine
from offchain.prove.reference.field import Q

DOMAIN: Final = b"zkdps paper generator/"


@lru_cache(maxsize=1 << 12)  # more generators than any commitment made here has
def generator(label: str) -> Point:
    """Hash `label` to a point by try-and-increment; G1's cofactor is 1, so any point will do."""
    for counter in range(1 << 16):
        digest = keccak(DOMAIN + label.encode() + counter.to_bytes(2, "big"))
        number = int.from_bytes(digest, "big")
        x, odd = number >> 2, number & 1  # 254 bits for x, one for the sign of y
        square = (x**3 + 3) % Q
        y = pow(square, (Q + 1) // 4, Q)  # a root if there is one, as q = 3 mod 4
        if x < Q and y * y % Q == square:
            return x, y if y & 1 == odd else Q - y, 1
    raise AssertionError("unreachable: each of 2^16 attempts hits with probability above 1/3")


def generators(count: int) -> list[Point]:
    """Return g_0 .. g_{count-1}."""
    return [generator(f"g/{k}") for k in range(count)]


H: Final = generator("h")  # carries the blinding
U: Final = generator("u")  # carries a value of a linear form while vectors are folded


def commit(values: Sequence[int], blinding: int) -> Point:
    """Return com(values; blinding), equation (1)."""
    return combine([*generators(len(values)), H], [*values, blinding])
