"""The insecure development SRS: powers of a publicly known tau (FORMAT.md 2)."""

from __future__ import annotations

from functools import cache
from typing import Final

from eth_hash.auto import keccak

from offchain.prove.reference.curve import G1, INFINITY, Point, add, double, encode_g2
from offchain.prove.reference.field import R

INSECURE_TAU: Final = (
    int.from_bytes(keccak(b"zkdps insecure development SRS: anybody can forge proofs"), "big") % R
)
WINDOW: Final = 8


@cache
def insecure_tau_g2() -> bytes:
    """Return the development SRS's [tau]_2, 128 bytes in EIP-197 order."""
    return encode_g2(INSECURE_TAU)


@cache
def insecure_srs(log_size: int) -> tuple[Point, ...]:
    """Return [tau^i]_1 for i < 2^log_size."""
    windows = _fixed_base_windows()
    points, power = [], 1
    for _ in range(1 << log_size):
        total = INFINITY
        for k, row in enumerate(windows):
            total = add(total, row[power >> WINDOW * k & ((1 << WINDOW) - 1)])
        points.append(total)
        power = power * INSECURE_TAU % R
    return tuple(points)


@cache
def _fixed_base_windows() -> list[list[Point]]:
    """Return multiples d * 2^(8k) * G for every digit d of every window k."""
    rows, base = [], G1
    for _ in range(-(-R.bit_length() // WINDOW)):
        row = [INFINITY]
        for _ in range((1 << WINDOW) - 1):
            row.append(add(row[-1], base))
        rows.append(row)
        for _ in range(WINDOW):
            base = double(base)
    return rows
