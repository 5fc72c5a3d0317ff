"""BN254 G1 in Jacobian coordinates over plain integers; pairings by py_ecc (EIP-196, EIP-197).

A point is (X, Y, Z) with x = X/Z^2, y = Y/Z^3; Z = 0 is infinity.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import Final

from py_ecc.fields import optimized_bn128_FQ as FQ
from py_ecc.fields import optimized_bn128_FQ2 as FQ2
from py_ecc.fields import optimized_bn128_FQ12 as FQ12
from py_ecc.optimized_bn128.optimized_curve import G2 as G2_GENERATOR
from py_ecc.optimized_bn128.optimized_curve import b2, is_on_curve, multiply
from py_ecc.optimized_bn128.optimized_pairing import final_exponentiate, pairing

from offchain.errors import ProofError
from offchain.prove.reference.field import Q, R

Point = tuple[int, int, int]
INFINITY: Final[Point] = (1, 1, 0)
G1: Final[Point] = (1, 2, 1)
MAX_WINDOW: Final = 8

# Importing py_ecc raises the limit to 100,000, at which nested JSON from a stranger overflows the
# C stack before Python notices. Nothing used here recurses, so Python's default serves.
sys.setrecursionlimit(1000)


def add(a: Point, b: Point) -> Point:
    """Return a + b."""
    if not a[2]:
        return b
    if not b[2]:
        return a
    z1z1, z2z2 = a[2] * a[2] % Q, b[2] * b[2] % Q
    u1, u2 = a[0] * z2z2 % Q, b[0] * z1z1 % Q
    s1, s2 = a[1] * b[2] * z2z2 % Q, b[1] * a[2] * z1z1 % Q
    if u1 == u2:
        return double(a) if s1 == s2 else INFINITY
    h, rr = u2 - u1, s2 - s1
    hh = h * h % Q
    hhh, v = h * hh % Q, u1 * hh % Q
    x = (rr * rr - hhh - 2 * v) % Q
    return x, (rr * (v - x) - s1 * hhh) % Q, h * a[2] * b[2] % Q


def double(a: Point) -> Point:
    """Return 2a."""
    if not a[2]:
        return a
    xx, yy = a[0] * a[0] % Q, a[1] * a[1] % Q
    s, m = 4 * a[0] * yy % Q, 3 * xx
    x = (m * m - 2 * s) % Q
    return x, (m * (s - x) - 8 * yy * yy) % Q, 2 * a[1] * a[2] % Q


def negate(a: Point) -> Point:
    """Return -a."""
    return a[0], -a[1] % Q, a[2]


def scale(a: Point, scalar: int) -> Point:
    """Return scalar * a."""
    result = INFINITY
    for bit in bin(scalar % R)[2:]:
        result = double(result)
        if bit == "1":
            result = add(result, a)
    return result


def combine(points: Sequence[Point], scalars: Iterable[int]) -> Point:
    """Return sum scalars_i * points_i by buckets (Pippenger); small negative scalars stay small."""
    terms = []
    for point, number in zip(points, scalars, strict=False):
        scalar = number % R
        if scalar > R // 2:
            terms.append((negate(point), R - scalar))
        elif scalar:
            terms.append((point, scalar))
    top = max((s.bit_length() for _, s in terms), default=0)
    window = max(2, min(MAX_WINDOW, len(terms).bit_length() - 1))
    total = INFINITY
    for low in reversed(range(0, top, window)):
        for _ in range(window):
            total = double(total)
        buckets = [INFINITY] * (1 << window)
        for point, scalar in terms:
            if digit := scalar >> low & ((1 << window) - 1):
                buckets[digit] = add(buckets[digit], point)
        running = weighted = INFINITY
        for bucket in reversed(buckets[1:]):
            running = add(running, bucket)
            weighted = add(weighted, running)
        total = add(total, weighted)
    return total


def encode(a: Point) -> bytes:
    """Return x || y, 64 bytes; infinity is all zero."""
    if not a[2]:
        return bytes(64)
    inverse = pow(a[2], -1, Q)
    x, y = a[0] * inverse**2 % Q, a[1] * inverse**3 % Q
    return x.to_bytes(32, "big") + y.to_bytes(32, "big")


def decode(encoded: bytes) -> Point:
    """Return the point; raise ProofError if a coordinate is >= q or the point is off the curve."""
    x, y = int.from_bytes(encoded[:32], "big"), int.from_bytes(encoded[32:], "big")
    if x >= Q or y >= Q:
        raise ProofError("point coordinate is not below the base field modulus")
    if x == y == 0:
        return INFINITY
    if (y * y - x * x * x - 3) % Q:
        raise ProofError("point is not on the curve")
    return x, y, 1


def encode_g2(tau: int) -> bytes:
    """Return [tau]_2 as 128 bytes in EIP-197 order (x_c1, x_c0, y_c1, y_c0)."""
    x, y, z = multiply(G2_GENERATOR, tau)
    x, y = x / z, y / z
    return b"".join(int(c).to_bytes(32, "big") for e in (x, y) for c in reversed(e.coeffs))


def verify_pairing(left: Point, right: Point, tau_g2: bytes) -> None:
    """Raise ProofError unless e(left, [1]_2) = e(right, [tau]_2)."""
    words = [int.from_bytes(tau_g2[k : k + 32], "big") for k in range(0, 128, 32)]
    tau_point = (FQ2([words[1], words[0]]), FQ2([words[3], words[2]]), FQ2.one())
    if not is_on_curve(tau_point, b2):
        raise ProofError("[tau]_2 is not on the curve")
    product = FQ12.one()
    for g1, g2 in ((left, G2_GENERATOR), (negate(right), tau_point)):
        product *= pairing(g2, _to_py_ecc(g1), final_exponentiate=False)
    if final_exponentiate(product) != FQ12.one():
        raise ProofError("the pairing check of the opening fails")


def _to_py_ecc(a: Point) -> tuple[FQ, FQ, FQ]:
    if not a[2]:
        return FQ.one(), FQ.one(), FQ.zero()
    encoded = encode(a)
    x, y = int.from_bytes(encoded[:32], "big"), int.from_bytes(encoded[32:], "big")
    return FQ(x), FQ(y), FQ.one()
