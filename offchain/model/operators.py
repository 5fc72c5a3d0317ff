"""The records an integer graph is made of, and the bounds of the language (LANGUAGE.md)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

STORED_BITS: Final = (8, 16, 32)
ACTIVATION_BITS: Final = (8, 16)  # the contract's element check takes 8- and 16-bit operands
INDEX_BITS: Final = 32  # tokens, argmax
DIGIT_WIDTHS: Final = (8, 12, 16)  # proofs-spec.md 17: a digit's width is a range table's width
MAX_DIGITS: Final = 2
BUILT_IN_TABLES: Final = ("identity", "relu")
WIDTHS: Final = range(4, 17)  # a table has 2^width rows
SATURATED_WIDTH: Final = 16
WIDE: Final = range(17, 33)  # a quotient that saturates to 16 bits first
MULTIPLIERS: Final = range(1, 1 << 15)
COEFFICIENT_LIMIT: Final = 1 << 15  # of a sum, in magnitude and not reached
NORM_KINDS: Final = ("layer", "rms")
MAX_NORM_F: Final = 29
MAX_EPSILON: Final = (1 << 31) - 1
MAX_SOFTMAX_G: Final = 46
TABLE_BITS: Final = (8, 16, 32)  # of a softmax's table, whose entries have 16 unsigned bits
MAX_TABLE_ENTRY: Final = (1 << 16) - 1
MAX_RANK: Final = 4
MAX_DIMENSION: Final = 1 << 20  # these two bound what a hostile graph makes its reader allocate
MAX_CELLS: Final = 1 << 30
# A name is also a file name (weights/<name>.bin): no separator, no leading dot.
NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.]{0,63}")


@dataclass(frozen=True)
class TensorSpec:
    """An input: shape (rank 1 to 4), stored width in bits, inclusive range."""

    name: str
    shape: tuple[int, ...]
    bits: int
    lo: int
    hi: int


@dataclass(frozen=True)
class WeightSpec:
    """A fixed tensor (weights, biases, scales, tables) and its stored width in bits."""

    name: str
    shape: tuple[int, ...]
    bits: int


@dataclass(frozen=True)
class Linear:
    """acc[..., j] = sum_k x[..., k] * w[j, k] + b[j].

    k runs over the last `axes` axes of x; w has shape (J, *those axes).
    """

    name: str
    x: str
    w: str
    b: str | None
    axes: int = 1


@dataclass(frozen=True)
class Conv2d:
    """acc[h, w, o] = sum_{a, b, c} x[h s + a - p, w s + b - p, c'] * w[o, a, b, c] + bias[o].

    x (H, W, C); w (O, KH, KW, C / groups); outside x reads 0; group g of O / groups outputs reads
    the channels g C / groups + c.
    """

    name: str
    x: str
    w: str
    b: str | None
    stride: int
    padding: int
    groups: int = 1


@dataclass(frozen=True)
class MatMul:
    """acc = einsum(equation, a, b): two activations, one letter an axis.

    A letter in both operands and the result is a batch axis (at most one); a letter in both
    operands only is summed (one at least). `share`: a batch index h of a reads h // share of b.
    """

    name: str
    a: str
    b: str
    equation: str
    share: int = 1


@dataclass(frozen=True)
class Sum:
    """acc = sum_i coefficient_i * x_i: activations or weights, broadcast to the largest shape."""

    name: str
    terms: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class Product:
    """acc = a * b, elementwise with broadcasting; b may be a weight."""

    name: str
    a: str
    b: str


@dataclass(frozen=True)
class ReduceSum:
    """acc = sums of x over windows of the given sizes, one an axis (1: the axis stays as it is).

    A window either divides its axis and is a power of two, or spans the axis (which is dropped).
    """

    name: str
    x: str
    windows: tuple[int, ...]


@dataclass(frozen=True)
class Rotate:
    """acc[t, ..., d] = x[t, ..., d] * cos[t, d] + rot(x)[t, ..., d] * sin[t, d] (RoPE).

    rot(x)[d] = -x[d + D/2] for d < D/2, x[d - D/2] else; D a power of two; cos, sin weights (T, D).
    """

    name: str
    x: str
    cos: str
    sin: str


@dataclass(frozen=True)
class Normalize:
    """acc[..., j] = c_j * r * gamma[j] + beta[j] over the last axis of n elements.

    layer: c_j = n x_j - sum(x), S = n sum(x^2) - sum(x)^2 + epsilon.
    rms: c_j = x_j, S = sum(x^2) + epsilon.
    r is the integer with r^2 S <= 2^(2f) < (r+1)^2 S; epsilon >= 1.
    """

    name: str
    x: str
    gamma: str
    beta: str | None
    kind: str
    epsilon: int
    f: int


@dataclass(frozen=True)
class Softmax:
    """acc = e * iota over the last axis; e = table[max(x) - x], iota = floor(2^g / sum(e)).

    causal: x is (..., Q, K) and cell (q, k) takes part only if k <= q + (K - Q); others give 0.
    table: a weight of 2^width entries >= 0 with width >= the bits of max(x) - x; table[0] >= 1.
    """

    name: str
    x: str
    table: str
    width: int
    g: int
    causal: bool


@dataclass(frozen=True)
class Embedding:
    """acc[t, d] = table[tokens[t], d] (+ position[t, d]).

    tokens is an input (T,) of 32 bits; position has T rows or more.
    """

    name: str
    tokens: str
    table: str
    position: str | None


@dataclass(frozen=True)
class Requant:
    """t = (acc * m_j + 2^(s-1)) >> s, rounding half up; y = clamp(f(t), lo, hi).

    m_j = m * scale[j] along the last axis (`scale`: a weight, None: 1). `digits` (low first) sum to
    s and cut the remainder. t has `width` signed bits; a width above 16 saturates t to 16 bits
    first. f is "identity", "relu" or a weight of 2^width (2^16 if saturated) entries, indexed by
    t + half; then lo and hi bound its entries and nothing is clamped.
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
    scale: str | None = None

    @property
    def key_width(self) -> int:
        """Bits of the table's key."""
        return min(self.width, SATURATED_WIDTH)

    @property
    def is_built_in(self) -> bool:
        """Whether f is the identity or relu, not a weight."""
        return self.table in BUILT_IN_TABLES

    @property
    def is_range_form(self) -> bool:
        """Whether the clamp does nothing: y is t, and its range check needs no function table."""
        half = 1 << (self.width - 1)
        return self.table == "identity" and (self.lo, self.hi) == (-half, half - 1)


@dataclass(frozen=True)
class MaxPool:
    """y = maxima of x (H, W, C) over aligned windows (kernel = stride) of powers of two."""

    name: str
    x: str
    window: tuple[int, int]


@dataclass(frozen=True)
class ReluBits:
    """y = max(x, 0) of 8-bit x, proven by bit decomposition."""

    name: str
    x: str


@dataclass(frozen=True)
class Reshape:
    """The same cells in row-major order under another shape, where padding allows it."""

    name: str
    x: str
    shape: tuple[int, ...]


@dataclass(frozen=True)
class Transpose:
    """Axes permuted: result axis k is axis order[k] of x."""

    name: str
    x: str
    order: tuple[int, ...]


@dataclass(frozen=True)
class Slice:
    """x[start : start + size] along one axis.

    size is a power of two that divides start; with size 1 the axis is dropped.
    """

    name: str
    x: str
    axis: int
    start: int
    size: int


@dataclass(frozen=True)
class Gather:
    """y[i] = x.flat[index[i]]: any index map; index is a weight of the result's shape, 32 bits."""

    name: str
    x: str
    index: str


@dataclass(frozen=True)
class Argmax:
    """The lowest index of the greatest element of x (V,); the graph's output, shape (1,)."""

    name: str
    x: str


Accumulator = (
    Linear | Conv2d | MatMul | Sum | Product | ReduceSum | Rotate | Normalize | Softmax | Embedding
)
View = Reshape | Transpose | Slice
Activation = Requant | MaxPool | ReluBits | Gather | Argmax | View
Op = Accumulator | Activation
