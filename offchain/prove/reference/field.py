"""The scalar field of BN254 and multilinear extensions over it (FORMAT.md 1)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

R: Final = 21888242871839275222246405745257275088548364400416034343698204186575808495617
Q: Final = 21888242871839275222246405745257275088696311157297823662689037894645226208583


def inverse(a: int) -> int:
    """Return a^-1 mod r; raise ValueError for 0."""
    return pow(a, -1, R)


def bits(value: int, count: int) -> list[int]:
    """Return `count` bits of `value`, most significant first."""
    return [value >> (count - 1 - k) & 1 for k in range(count)]


def eq(a: Sequence[int], b: Sequence[int]) -> int:
    """Return prod(a_k b_k + (1 - a_k)(1 - b_k)), which is [a = b] on boolean points."""
    product = 1
    for x, y in zip(a, b, strict=True):
        product = product * (x * y + (1 - x) * (1 - y)) % R
    return product


def eq_table(point: Sequence[int]) -> list[int]:
    """Return eq(point, x) for all boolean x in index order, 2^len(point) values."""
    table = [1]
    for z in point:
        table = [v for t in table for v in (t * (1 - z) % R, t * z % R)]
    return table


def identity(point: Sequence[int]) -> int:
    """Return the multilinear extension of the index, sum z_k 2^(n-1-k)."""
    value = 0
    for z in point:
        value = (2 * value + z) % R
    return value


def less_than(count: int, point: Sequence[int]) -> int:
    """Return the multilinear extension of [index < count] at `point`."""
    if count == 1 << len(point):
        return 1
    total, prefix = 0, 1
    for n_k, x in zip(bits(count, len(point)), point, strict=True):
        if n_k:
            total += prefix * (1 - x)
        prefix = prefix * (x if n_k else 1 - x) % R
    return total % R


def fold(vector: Sequence[int], r: int) -> list[int]:
    """Bind x_0 (the most significant index bit) to r."""
    half = len(vector) // 2
    return [(lo + r * (hi - lo)) % R for lo, hi in zip(vector[:half], vector[half:], strict=True)]


def evaluate(vector: Sequence[int], point: Sequence[int]) -> int:
    """Return the multilinear extension of `vector` (2^len(point) values) at `point`."""
    current = [v % R for v in vector]
    for r in point:
        current = fold(current, r)
    (value,) = current
    return value


def suffix(point: Sequence[int], count: int) -> list[int]:
    """Return the last `count` coordinates of `point`."""
    return list(point[len(point) - count :])
