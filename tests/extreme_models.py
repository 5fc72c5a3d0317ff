"""Hand-picked models at the edges of the language: ends of ranges, ties, saturation, equal rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from offchain.model.graph import Graph
from offchain.model.operators import (
    Argmax,
    Conv2d,
    Embedding,
    Gather,
    Linear,
    MatMul,
    MaxPool,
    Normalize,
    Op,
    Product,
    ReduceSum,
    ReluBits,
    Requant,
    Reshape,
    Rotate,
    Slice,
    Softmax,
    Sum,
    TensorSpec,
    Transpose,
    WeightSpec,
)
from tests.random_models import RandomModel

Values = npt.ArrayLike
INT8: Final = (-128, 127)
INT16: Final = (-32768, 32767)


def make(x: Values, bits: int, weights: Mapping[str, tuple[Values, int]], *ops: Op) -> RandomModel:
    """Return the model with this input of full range, weights (values, bits) and operators."""
    values = np.array(x, dtype=np.int64)
    half = 1 << (bits - 1)
    lo, hi = (0, int(values.max())) if bits == 32 else (-half, half - 1)
    arrays = {name: np.array(w, dtype=np.int64) for name, (w, _) in weights.items()}
    specs = tuple(WeightSpec(name, arrays[name].shape, weights[name][1]) for name in arrays)
    graph = Graph((TensorSpec("x", values.shape, bits, lo, hi),), ops[-1].name, specs, ops)
    graph.verify()
    return RandomModel(graph, arrays, values)


def requant(
    m: int = 1,
    digits: tuple[int, ...] = (8,),
    width: int = 16,
    table: str = "identity",
    bits: int = 16,
    span: tuple[int, int] = INT16,
    scale: str | None = None,
    x: str = "a",
) -> Requant:
    """Return the requantization "y" of "a"."""
    return Requant("y", x, m, sum(digits), digits, width, table, bits, *span, scale)


def linear_ends() -> RandomModel:
    """-128 * -128 and -128 * 127, saturated to both ends of 16 bits and clamped to 8."""
    x = np.full((2, 2048), -128)
    x[1, ::2] = 127
    w = np.full((3, 2048), -128)
    w[1] = 127
    w[2, ::3] = 0
    return make(
        x, 8, {"w": (w, 8)}, Linear("a", "x", "w", None), requant(9, (8,), 24, bits=8, span=INT8)
    )


def linear_wide() -> RandomModel:
    """16-bit ends over several tiles, a bias of 32 bits at its ends, a scale for each column."""
    x = np.full((1, 1200), -32768)
    w = np.array([np.full(1200, -32768), np.full(1200, 32767), np.arange(1200) - 600])
    b = [-(1 << 31), (1 << 31) - 1, 1]
    weights = {"w": (w, 16), "b": (b, 32), "c": ([1, 127, 32], 8)}
    return make(x, 16, weights, Linear("a", "x", "w", "b"), requant(257, (16, 16), 32, scale="c"))


def linear_axes() -> RandomModel:
    """Flattens three axes; a row of the weight starts in the middle of a tile."""
    rng = np.random.default_rng(1)
    x = rng.integers(*INT8, (3, 5, 7, 11), endpoint=True)
    w = rng.integers(*INT16, (4, 5, 7, 11), endpoint=True)
    return make(x, 8, {"w": (w, 16)}, Linear("a", "x", "w", None, 3), requant(3, (16, 8), 20))


def ties() -> RandomModel:
    """Accumulators on both sides of every rounding tie, positive and negative."""
    near = [step * 256 + 128 + off for step in (-3, -2, -1, 0, 1, 2) for off in (-1, 0, 1)]
    return make(near, 16, {"one": ([1], 8)}, Product("a", "x", "one"), requant(bits=8, span=INT8))


def table_ends() -> RandomModel:
    """A function of 2^16 entries of 16 bits, read at its first and last row, after saturation."""
    table = (np.arange(1 << 16) * 7919) % 65536 - 32768
    weights = {"two": ([127], 8), "f": (table, 16)}
    return make(
        [-32768, -32767, -1, 0, 1, 32766, 32767], 16, weights, Product("a", "x", "two"),
        requant(4, (8,), 17, "f"),
    )  # fmt: skip


def table_narrow() -> RandomModel:
    """A function of 2^4 entries of 32 bits, each read once."""
    table = np.arange(16) * 15 - 120
    table[8] = 0
    return make(
        [step * 256 for step in range(-8, 8)], 16, {"one": ([1], 8), "f": (table, 32)},
        Product("a", "x", "one"), requant(1, (8,), 4, "f", 8, (-120, 105)),
    )  # fmt: skip


def relu_table() -> RandomModel:
    """The built-in relu at both ends, clamped above."""
    return make(
        [-32768, -129, -128, -127, 0, 127, 128, 32767], 16, {"one": ([1], 8)},
        Product("a", "x", "one"), requant(255, (8,), 16, "relu", 8, (0, 100)),
    )  # fmt: skip


def conv_corners() -> RandomModel:
    """Padding on every side, a stride that leaves a column over, depthwise groups, extremes."""
    x = np.full((5, 6, 4), -128)
    x[::2, 1::2] = 127
    w = np.full((8, 3, 3, 1), -128)
    w[1::2, 0] = 127
    weights = {"w": (w, 8), "b": (np.arange(8) * 4000 - 16000, 32)}
    return make(x, 8, weights, Conv2d("a", "x", "w", "b", 2, 2, 4), requant(30, (12,), 16))


def conv_wide() -> RandomModel:
    """A kernel of unequal sides over 16-bit channels, no padding."""
    rng = np.random.default_rng(2)
    x = rng.integers(*INT16, (4, 7, 6), endpoint=True)
    w = rng.integers(*INT16, (4, 2, 3, 3), endpoint=True)
    return make(
        x, 16, {"w": (w, 16)}, Conv2d("a", "x", "w", None, 1, 1, 2), requant(1, (16, 8), 17)
    )


def heads() -> RandomModel:
    """Grouped attention: four heads of queries read two of keys; extremes of 16 bits."""
    x = np.where(np.arange(3 * 4 * 8).reshape(3, 4, 8) % 5 == 0, -32768, 32767)
    ops = (
        Slice("k", "x", 1, 2, 2),
        MatMul("a", "x", "k", "qhd,khd->hqk", 2),
        requant(1, (16, 8), 17),
    )
    return make(x, 16, {}, *ops)


def squares() -> RandomModel:
    """Both operands of a contraction are the same tensor, columns with columns."""
    x = np.array([[-128, 127, -128], [-128, -128, 1], [127, 0, -1], [-128, 127, 127]])
    return make(x, 8, {}, MatMul("a", "x", "x", "ki,kj->ji"), requant(1, (8,), 16))


def coefficients() -> RandomModel:
    """The largest coefficients of both signs, an activation twice, a broadcast weight."""
    x = [[-32768, 32767, 0], [1, -1, -32768]]
    op = Sum("a", (("x", 32767), ("x", -32767), ("w", 32767), ("x", -32767)))
    return make(x, 16, {"w": ([32767, -32768, 5], 16)}, op, requant(1, (16,), 17))


def products() -> RandomModel:
    """-32768 * -32768, and a product of activations of two shapes."""
    x = [[-32768, 32767], [-32768, -1], [0, 32767]]
    row = Slice("r", "x", 0, 1, 1)
    return make(x, 16, {}, row, Product("a", "x", "r"), requant(3, (16,), 17))


def windows() -> RandomModel:
    """Windows along two axes, one of them spanned and dropped, of equal extremes."""
    x = np.full((4, 6, 2), -32768)
    x[1, 2] = 32767
    return make(x, 16, {}, ReduceSum("a", "x", (2, 6, 1)), requant(1, (8,), 17))


def rotation() -> RandomModel:
    """Both halves of a rotation at the ends of their range, two axes between."""
    x = np.where(np.arange(2 * 3 * 2 * 8).reshape(2, 3, 2, 8) % 3 == 0, -32768, 32767)
    turn = np.where(np.arange(16).reshape(2, 8) % 2 == 0, -32768, 32767)
    weights = {"c": (turn, 16), "s": (turn[::-1].copy(), 16)}
    return make(x, 16, weights, Rotate("a", "x", "c", "s"), requant(1, (16,), 17))


def tokens() -> RandomModel:
    """The first and the last token, a position for each of more rows than tokens."""
    table = np.arange(300 * 5).reshape(300, 5) % 256 - 128
    position = np.full((9, 5), -128)
    return make(
        [0, 299, 298, 0, 7], 32, {"t": (table, 8), "p": (position, 8)},
        Embedding("a", "x", "t", "p"), requant(128, (8,), 8, bits=8, span=INT8),
    )  # fmt: skip


def norm(kind: str, f: int, epsilon: int, beta: bool = True) -> RandomModel:
    """Rows of equal cells, of alternating ends, of one cell that stands out, of zeros."""
    x = np.zeros((5, 32), dtype=np.int64)
    x[0], x[1, ::2], x[1, 1::2], x[2, 7], x[3] = 127, -128, 127, -128, np.arange(32) - 16
    gamma, beta_values = np.arange(32) * 8 - 128, np.arange(32) * 100 - 1600
    weights: dict[str, tuple[Any, int]] = {"g": (gamma, 8)}
    if beta:
        weights["b"] = (beta_values, 32)
    op = Normalize("a", "x", "g", "b" if beta else None, kind, epsilon, f)
    return make(x, 8, weights, op, requant(1, (16,) if f > 12 else (8,), 32))


def soft(causal: bool, g: int, bits: int = 8) -> RandomModel:
    """Rows of equal cells, of one that dominates, of the largest distance; K above Q."""
    half = 1 << (bits - 1)
    x = np.zeros((2, 3, 5), dtype=np.int64)
    x[0, 1], x[0, 2, 3], x[1, 0], x[1, 1, 0], x[1, 1, 4] = (
        half - 1,
        half - 1,
        -half,
        -half,
        half - 1,
    )
    table = np.maximum(65535 - np.arange(1 << bits) * 300, 0)
    table[-1] = 1
    op = Softmax("a", "x", "t", bits, g, causal)
    return make(x, bits, {"t": (table, 32)}, op, requant(32767, (16, 16), 20))


def soft_long(width: int, bits: int) -> RandomModel:
    """Rows of more cells than a word has bytes, the greatest and the least far from each other."""
    x = np.random.default_rng(3).integers(-20, 21, (2, 3, 70))
    x[0, :, 69], x[0, :, 0], x[1, :, 33], x[1, :, 66] = 127, -128, 127, -128
    x[1, 2] = -128
    top_entry = 60000 if bits == 32 else 30000
    table = np.maximum(top_entry - np.arange(1 << width) * 100, 0)
    op = Softmax("a", "x", "t", width, 40, True)
    return make(x, 8, {"t": (table, bits)}, op, requant(3000, (16, 16), 32))


def norm_long(kind: str, bits: int, f: int) -> RandomModel:
    """Rows of several words of extremes."""
    half = 1 << (bits - 1)
    x = np.full((2, 300), -half)
    x[1, ::3] = half - 1
    op = Normalize("a", "x", "g", None, kind, 7, f)
    return make(x, bits, {"g": (np.arange(300) - 150, 16)}, op, requant(1, (16,), 32))


def single_cell() -> RandomModel:
    """A softmax over one cell, with the greatest g."""
    op = Softmax("a", "x", "t", 8, 46, False)
    weights = {"t": ([1] + [0] * 255, 8)}
    return make([[-128], [127]], 8, weights, op, requant(1, (16, 16), 32))


def pools() -> RandomModel:
    """Windows of negative cells and of one cell."""
    x = np.full((4, 8, 3), -32768)
    x[1::2, 3] = -32767
    x[0, 0], x[3, 7] = 32767, -1
    return make(x, 16, {}, MaxPool("y", "x", (2, 4)))


def relu_ends() -> RandomModel:
    """Both ends of 8 bits and what lies around 0."""
    return make([-128, -127, -1, 0, 1, 126, 127], 8, {}, ReluBits("y", "x"))


def relu_tiles() -> RandomModel:
    """Five tiles, the last one not full."""
    return make(np.arange(4500) % 256 - 128, 8, {}, ReluBits("y", "x"))


def view_chain() -> RandomModel:
    """Every index map in a row: rank four turned round, cut, reshaped."""
    x = np.arange(2 * 3 * 4 * 8).reshape(2, 3, 4, 8) - 96
    ops = (
        Transpose("t", "x", (3, 1, 0, 2)),
        Slice("s", "t", 0, 4, 4),
        Slice("u", "s", 3, 3, 1),
        Reshape("r", "u", (4, 3, 2, 1)),
    )
    return make(x, 8, {}, *ops, Sum("a", (("r", 1),)), requant(256, (8,), 16))


def gathered() -> RandomModel:
    """The first and the last cell, one of them many times."""
    x = np.arange(2000) % 256 - 128
    return make(x.reshape(40, 50), 8, {"i": ([[0, 1999, 1999], [1023, 1024, 0]], 32)},
                Gather("y", "x", "i"))  # fmt: skip


def top(values: Sequence[int], bits: int = 8) -> Callable[[], RandomModel]:
    """Return a model whose argmax is among these values."""
    return lambda: make(values, bits, {}, Argmax("y", "x"))


EXTREMES: Final[dict[str, Callable[[], RandomModel]]] = {
    "linear_ends": linear_ends,
    "linear_wide": linear_wide,
    "linear_axes": linear_axes,
    "ties": ties,
    "table_ends": table_ends,
    "table_narrow": table_narrow,
    "relu_table": relu_table,
    "conv_corners": conv_corners,
    "conv_wide": conv_wide,
    "heads": heads,
    "squares": squares,
    "coefficients": coefficients,
    "products": products,
    "windows": windows,
    "rotation": rotation,
    "tokens": tokens,
    "norm_layer": lambda: norm("layer", 12, 1),
    "norm_layer_fine": lambda: norm("layer", 29, 1, beta=False),
    "norm_rms": lambda: norm("rms", 20, 1),
    "norm_rms_flat": lambda: norm("rms", 24, (1 << 31) - 1, beta=False),
    "soft": lambda: soft(False, 30),
    "soft_causal": lambda: soft(True, 30),
    "soft_wide": lambda: soft(True, 46, 16),
    "soft_long": lambda: soft_long(8, 32),
    "soft_long_narrow": lambda: soft_long(10, 16),
    "norm_long": lambda: norm_long("layer", 8, 18),
    "norm_long_wide": lambda: norm_long("rms", 16, 26),
    "single_cell": single_cell,
    "pools": pools,
    "relu_ends": relu_ends,
    "relu_tiles": relu_tiles,
    "view_chain": view_chain,
    "gathered": gathered,
    "argmax_tie": top([-5, 100, 3, 100, 100]),
    "argmax_equal": top([-128] * 9),
    "argmax_bytes": top([-128] * 40 + [127, 5] + [127] * 40),
    "argmax_flat": top([-128] * 70),
    "argmax_wide": top([3] * 40 + [-32768] + [32767] * 3, 16),
    "argmax_last": top([*([-32768] * 1500), -32767], 16),
}
