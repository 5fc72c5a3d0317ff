"""The records an integer graph is made of, and the bounds of the language (runtime.md 1)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

ACTIVATION_BITS: Final = (8, 16)  # the contract's element check takes 8- and 16-bit operands
STORED_BITS: Final = (8, 16, 32)
DIGIT_WIDTHS: Final = (8, 12, 16)  # proofs-spec.md 17: a digit's width is a range table's width
MAX_DIGITS: Final = 2
TABLES: Final = ("identity", "relu")
WIDTHS: Final = range(
    4, 17
)  # a table has 2^width rows; 16 bits bound the prover's and the key's size
MULTIPLIERS: Final = range(1, 1 << 15)
MATRIX_RANK: Final = 2
MAX_DIMENSION: Final = 1 << 20  # bounds what a hostile graph makes its reader allocate
# A name is also a file name (weights/<name>.bin): no separator, no leading dot.
NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.]{0,63}")


@dataclass(frozen=True)
class TensorSpec:
    """The public input: shape (rows, cols), stored width in bits, inclusive range."""

    name: str
    shape: tuple[int, ...]
    bits: int
    lo: int
    hi: int


@dataclass(frozen=True)
class WeightSpec:
    """A weight matrix (out, in) or a bias (out,), and its stored width in bits."""

    name: str
    shape: tuple[int, ...]
    bits: int


@dataclass(frozen=True)
class Linear:
    """acc[r, j] = sum_k x[r, k] * w[j, k] + b[j]."""

    name: str
    x: str
    w: str
    b: str | None


@dataclass(frozen=True)
class Requant:
    """t = (acc * m + 2^(s-1)) >> s, rounding half up; y = clamp(f(t), lo, hi).

    `digits` (low first) sum to s and cut the remainder; t has `width` signed bits; f is `table`.
    """

    name: str
    x: str
    m: int
    s: int
    digits: tuple[int, ...]
    width: int
    table: str
    bits: int
    lo: int
    hi: int

    @property
    def is_range_form(self) -> bool:
        """Whether the clamp does nothing: y is t, and its range check needs no function table."""
        half = 1 << (self.width - 1)
        return self.table == "identity" and (self.lo, self.hi) == (-half, half - 1)


Op = Linear | Requant
