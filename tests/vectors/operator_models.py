"""One small model for each operator, with the least around it."""

from __future__ import annotations

import itertools
from functools import cache

import numpy as np

from offchain.model.operators import (
    Argmax,
    Conv2d,
    Embedding,
    Gather,
    Linear,
    MatMul,
    MaxPool,
    Normalize,
    Product,
    ReduceSum,
    ReluBits,
    Reshape,
    Rotate,
    Slice,
    Softmax,
    Sum,
    TensorSpec,
    Transpose,
)
from offchain.prove.program import Lookup, Opening
from tests.vectors.models import Array, SmallModel, handmade_gkr, handmade_inverses
from tests.vectors.sketch import CompiledModel, Sketch, reweigh


def start(
    name: str, seed: int, shape: tuple[int, ...], lo: int = -128, hi: int = 127
) -> tuple[Sketch, np.random.Generator]:
    """Return a sketch over one 8-bit input drawn from [lo, hi]."""
    rng = np.random.default_rng(seed)
    x = rng.integers(lo, hi + 1, shape)
    return Sketch(name, (TensorSpec("x", shape, 8, lo, hi),), {"x": x}), rng


def small(rng: np.random.Generator, *shape: int) -> Array:
    """Return small weights, never 0."""
    values = rng.integers(1, 8, shape) * rng.choice([-1, 1], shape)
    return np.asarray(values, dtype=np.int64)


def mlp(
    name: str,
    seed: int,
    rows: int,
    sizes: tuple[int, ...],
    lookup: Lookup = Lookup.GKR,
    opening: Opening = Opening.HYPERKZG,
    c: int = 7,
    lo: int = -128,
    hi: int = 127,
) -> CompiledModel:
    """Linear layers, the hidden ones with a ReLU table, the last one in range form."""
    sketch, rng = start(name, seed, (rows, sizes[0]), lo, hi)
    source, last = "x", len(sizes) - 2
    for k, (inner, outer) in enumerate(itertools.pairwise(sizes)):
        w = sketch.weight(f"w{k}", rng.integers(-128, 128, (outer, inner)))
        b = sketch.weight(f"b{k}", rng.integers(-1000, 1000, (outer,)), 32)
        table = "identity" if k == last else "relu"
        width = 8 if k == last else 6
        source = sketch.requant(Linear(f"a{k}", source, w, b), width, (8, 8), table)
    return sketch.finish(c, lookup, opening)


@cache
def tiny() -> CompiledModel:
    """8-4-3, one row."""
    return mlp("tiny", 11, 1, (8, 4, 3))


@cache
def tiny_inverses() -> CompiledModel:
    """The same by committed inverses and Mercury."""
    return mlp("tiny-inverses", 11, 1, (8, 4, 3), Lookup.INVERSES, Opening.MERCURY)


@cache
def odd() -> CompiledModel:
    """Three rows, 5-6-3: no size is a power of two; the input lies in [-20, 90]."""
    return mlp("odd", 12, 3, (5, 6, 3), lo=-20, hi=90)


@cache
def deep() -> CompiledModel:
    """Two rows, 6-9-9-7-5; weights span several chunks."""
    return mlp("deep", 13, 2, (6, 9, 9, 7, 5), c=6)


@cache
def single() -> CompiledModel:
    """1-2: a contraction without variables, so a sum-check without rounds."""
    return mlp("single", 14, 1, (1, 2))


@cache
def mixed() -> CompiledModel:
    """4-2; range tables of two widths, the wider one for the output."""
    sketch, rng = start("mixed", 15, (1, 4))
    w = sketch.weight("w0", small(rng, 2, 4))
    sketch.requant(Linear("a0", "x", w, None), 9)
    return sketch.finish()


@cache
def narrow() -> CompiledModel:
    """4-3; the input lies in [-20, 90], inside its type on both ends."""
    sketch, rng = start("narrow", 16, (1, 4), -20, 90)
    sketch.requant(Linear("a0", "x", sketch.weight("w0", small(rng, 3, 4)), None), 8, m=8)
    return sketch.finish()


@cache
def level() -> CompiledModel:
    """4-4-4: two layers of one shape."""
    return mlp("level", 17, 1, (4, 4, 4))


@cache
def twin() -> CompiledModel:
    """8-4-3 whose first two hidden cells weigh the same in every output."""
    model = mlp("twin", 11, 1, (8, 4, 3))
    w1 = model.weights["w1"].copy()
    w1[:, 1] = w1[:, 0]
    w1 //= 2
    return reweigh(model, {**model.weights, "w1": w1})


@cache
def gated_twice() -> CompiledModel:
    """Two products of one shape, one after the other."""
    sketch, rng = start("gated-twice", 18, (2, 4))
    source = sketch.requant(Sum("s", (("x", 1),)), width=6)
    for k in range(2):
        source = sketch.requant(Product(f"p{k}", source, sketch.weight(f"g{k}", small(rng, 4))))
    return sketch.finish()


@cache
def channels() -> CompiledModel:
    """2 x 3 to 2 x 4 with a multiplier for every channel."""
    sketch, rng = start("channels", 21, (2, 3))
    w = sketch.weight("w", small(rng, 4, 3))
    b = sketch.weight("b", rng.integers(-50, 50, (4,)), 32)
    scale = sketch.weight("scale", [1, 2, 3, 5])
    sketch.requant(Linear("a", "x", w, b), scale=scale)
    return sketch.finish()


def conv(name: str, stride: int, padding: int, groups: int) -> CompiledModel:
    """A convolution of a 4 x 4 image of two channels."""
    sketch, rng = start(name, 22, (4, 4, 2))
    w = sketch.weight("w", small(rng, 2, 3, 3, 2 // groups))
    b = sketch.weight("b", rng.integers(-50, 50, (2,)), 32)
    sketch.requant(Conv2d("a", "x", w, b, stride, padding, groups))
    return sketch.finish()


@cache
def conv_padded() -> CompiledModel:
    """3 x 3, stride 1, padding 1."""
    return conv("conv-padded", 1, 1, 1)


@cache
def conv_strided() -> CompiledModel:
    """3 x 3, stride 2, padding 1."""
    return conv("conv-strided", 2, 1, 1)


@cache
def conv_grouped() -> CompiledModel:
    """Depthwise 3 x 3."""
    return conv("conv-grouped", 1, 0, 2)


@cache
def conv_committed() -> CompiledModel:
    """A convolution of a hidden image: its cells are committed."""
    sketch, rng = start("conv-committed", 23, (4, 4, 1))
    hidden = sketch.requant(Sum("s", (("x", 1),)), width=5)
    w = sketch.weight("w", small(rng, 2, 3, 3, 1))
    sketch.requant(Conv2d("a", hidden, w, None, 1, 1))
    return sketch.finish()


@cache
def heads() -> CompiledModel:
    """Four query heads, two shared key heads: scores of two by two cells in two dimensions."""
    sketch, _ = start("heads", 24, (6, 2, 2))
    copy = sketch.requant(Sum("s", (("x", 1),)), width=6)
    low = sketch.add(Slice("low", copy, 0, 0, 4))
    high = sketch.add(Slice("high", copy, 0, 4, 2))
    sketch.requant(MatMul("a", low, high, "hid,hjd->hij", share=2), m=9)
    return sketch.finish()


@cache
def square() -> CompiledModel:
    """Scores of a sequence with itself, four by four."""
    sketch, _ = start("square", 25, (4, 2))
    sketch.requant(MatMul("a", "x", "x", "id,jd->ij"), digits=(8, 8))
    return sketch.finish()


@cache
def added() -> CompiledModel:
    """2 x - 3 p with a positional weight, three rows of three."""
    sketch, rng = start("added", 26, (3, 3))
    copy = sketch.requant(Sum("s", (("x", 1),)), width=6)
    position = sketch.weight("p", small(rng, 3, 3))
    row = sketch.weight("r", small(rng, 3))
    sketch.requant(Sum("a", ((copy, 2), (position, -3), (row, 5))))
    return sketch.finish()


@cache
def gated() -> CompiledModel:
    """A product of two activations, one of them broadcast."""
    sketch, rng = start("gated", 27, (3, 4))
    copy = sketch.requant(Sum("s", (("x", 1),)), width=6)
    gate = sketch.weight("g", small(rng, 4))
    sketch.requant(Product("a", copy, gate))
    return sketch.finish()


@cache
def pooled() -> CompiledModel:
    """Sums over 2 x 2 windows of a 4 x 4 image."""
    sketch, _ = start("pooled", 28, (4, 4, 1))
    copy = sketch.requant(Sum("s", (("x", 1),)), width=6)
    sketch.requant(ReduceSum("a", copy, (2, 2, 1)))
    return sketch.finish()


@cache
def column_sums() -> CompiledModel:
    """Sums over an axis of three rows, which has a row of padding cells."""
    sketch, _ = start("column-sums", 41, (3, 4))
    copy = sketch.requant(Sum("s", (("x", 1),)), width=6)
    sketch.requant(ReduceSum("a", copy, (3, 1)), width=8, m=200)
    return sketch.finish()


@cache
def convolved_twice() -> CompiledModel:
    """Two convolutions of images of one size."""
    sketch, rng = start("convolved-twice", 42, (4, 4, 1))
    source = "x"
    for k in range(2):
        w = sketch.weight(f"w{k}", small(rng, 1, 3, 3, 1))
        source = sketch.requant(Conv2d(f"c{k}", source, w, None, 1, 1))
    return sketch.finish()


@cache
def rotary() -> CompiledModel:
    """Two positions, two heads of two dimensions."""
    sketch, rng = start("rotary", 29, (2, 2, 2))
    copy = sketch.requant(Sum("s", (("x", 1),)), width=6)
    cos, sin = (sketch.weight(n, small(rng, 2, 2)) for n in ("cos", "sin"))
    sketch.requant(Rotate("a", copy, cos, sin))
    return sketch.finish()


def normalized(kind: str) -> CompiledModel:
    """Two rows of four."""
    sketch, rng = start(f"norm-{kind}", 30, (2, 4), -8, 7)
    copy = sketch.requant(Sum("s", (("x", 1),)), width=5)
    gamma = sketch.weight("gamma", small(rng, 4))
    beta = sketch.weight("beta", rng.integers(-50, 50, (4,)), 32) if kind == "layer" else None
    sketch.requant(Normalize("a", copy, gamma, beta, kind, epsilon=3, f=8), digits=(8, 8), m=600)
    return sketch.finish()


@cache
def layer_norm() -> CompiledModel:
    """n x - sum(x) times the root."""
    return normalized("layer")


@cache
def rms_norm() -> CompiledModel:
    """X times the root."""
    return normalized("rms")


def attention(name: str, causal: bool, keys: int, rows: int = 4) -> CompiledModel:
    """A softmax over `keys` cells of `rows` rows, from a committed activation."""
    sketch, _ = start(name, 31, (rows, keys), -8, 7)
    copy = sketch.requant(Sum("s", (("x", 1),)), width=4)
    table = sketch.weight("t", [200 >> k for k in range(16)], 16)
    sketch.requant(Softmax("a", copy, table, 4, 10, causal), width=8, m=20)
    return sketch.finish()


@cache
def causal() -> CompiledModel:
    """Four by four, causal."""
    return attention("causal", True, 4)


@cache
def masked() -> CompiledModel:
    """Three rows of three cells: padding in both axes."""
    return attention("masked", False, 3, 3)


@cache
def unranged_reciprocal() -> CompiledModel:
    """The row of proofs-spec.md 19: e = (257, 65535), g = 24, (e iota 8 + 2^19) >> 20."""
    spec = TensorSpec("x", (1, 2), 8, -8, 7)
    sketch = Sketch("unranged-reciprocal", (spec,), {"x": np.array([[2, 3]])})
    copy = sketch.requant(Sum("s", (("x", 1),)), width=4, m=256)
    table = sketch.weight("t", [65535, 257, *[0] * 14], 32)
    sketch.requant(Softmax("a", copy, table, 4, 24, False), width=9, digits=(8, 12), m=8)
    return sketch.finish(c=9)


@cache
def half_root() -> CompiledModel:
    """A row whose S = 8 is a multiple of 4: half an odd number is a root in the field, too."""
    spec = TensorSpec("x", (1, 4), 8, -8, 7)
    sketch = Sketch("half-root", (spec,), {"x": np.ones((1, 4), dtype=np.int64)})
    copy = sketch.requant(Sum("s", (("x", 1),)), width=5, m=256)
    gamma = sketch.weight("gamma", [2, 4, 6, -2])
    sketch.requant(Normalize("a", copy, gamma, None, "rms", epsilon=4, f=8), width=9, m=64)
    return sketch.finish()


@cache
def maxima() -> CompiledModel:
    """2 x 2 windows of a 4 x 4 image."""
    sketch, _ = start("maxima", 33, (4, 4, 1))
    copy = sketch.requant(Sum("s", (("x", 1),)), width=6)
    sketch.add(MaxPool("y", copy, (2, 2)))
    return sketch.finish()


@cache
def bitwise() -> CompiledModel:
    """ReLU by bits of eight values."""
    spec = TensorSpec("x", (8,), 8, -128, 127)
    sketch = Sketch("bitwise", (spec,), {"x": np.array([64, -3, 100, 0, -128, 127, -77, 5])})
    copy = sketch.requant(Sum("s", (("x", 1),)), width=8, m=256)
    sketch.add(ReluBits("y", copy))
    return sketch.finish()


@cache
def gathered() -> CompiledModel:
    """Five of nine cells."""
    sketch, _ = start("gathered", 35, (3, 3))
    copy = sketch.requant(Sum("s", (("x", 1),)), width=6)
    index = sketch.weight("i", [8, 0, 4, 4, 1], 32)
    y = sketch.add(Gather("g", copy, index))
    sketch.requant(Sum("a", ((y, 1),)), m=100)
    return sketch.finish()


@cache
def embedded() -> CompiledModel:
    """Four tokens of a vocabulary of six, with positions."""
    rng = np.random.default_rng(36)
    spec = TensorSpec("x", (4,), 32, 0, 5)
    sketch = Sketch("embedded", (spec,), {"x": np.array([4, 0, 3, 1])})
    table = sketch.weight("e", small(rng, 6, 4))
    position = sketch.weight("p", small(rng, 4, 4))
    sketch.requant(Embedding("a", "x", table, position), width=7, m=426)
    return sketch.finish()


@cache
def argmax() -> CompiledModel:
    """The greatest of six logits, which two of them are."""
    sketch = Sketch(
        "argmax", (TensorSpec("x", (6,), 8, -128, 127),), {"x": np.array([3, -9, 90, 5, 90, 60])}
    )
    copy = sketch.requant(Sum("s", (("x", 1),)), width=8, m=256)
    sketch.add(Argmax("y", copy))
    return sketch.finish()


@cache
def negative_logits() -> CompiledModel:
    """Six logits below 0, which is what their padding cells hold."""
    sketch = Sketch(
        "negative-logits",
        (TensorSpec("x", (6,), 8, -128, 127),),
        {"x": np.array([-3, -9, -90, -5, -60, -7])},
    )
    copy = sketch.requant(Sum("s", (("x", 1),)), width=8, m=256)
    sketch.add(Argmax("y", copy))
    return sketch.finish()


@cache
def viewed() -> CompiledModel:
    """A transposed, sliced and reshaped activation times weights."""
    sketch, rng = start("viewed", 37, (2, 4, 2))
    copy = sketch.requant(Sum("s", (("x", 1),)), width=6)
    turned = sketch.add(Transpose("turned", copy, (1, 0, 2)))
    cut = sketch.add(Slice("cut", turned, 0, 2, 2))
    flat = sketch.add(Reshape("flat", cut, (2, 4)))
    sketch.requant(Linear("a", flat, sketch.weight("w", small(rng, 3, 4)), None))
    return sketch.finish()


@cache
def wide() -> CompiledModel:
    """A quotient of 18 bits that saturates to 16, by tables of 2^16 rows."""
    spec = TensorSpec("x", (4,), 8, -128, 127)
    sketch = Sketch("wide", (spec,), {"x": np.array([100, -128, 36, 37])})
    sketch.requant(Sum("s", (("x", 900),)), width=18, digits=(8,), clamp=(-32768, 32767), m=256)
    return sketch.finish(c=12)


@cache
def sealed() -> CompiledModel:
    """6-3 with a committed input and a committed output."""
    sketch, rng = start("sealed", 39, (1, 6), -20, 90)
    w = sketch.weight("w", small(rng, 3, 6))
    sketch.requant(Linear("a", "x", w, None), width=8, m=8)
    return sketch.finish(c=5, committed=("x", "a_q"))


def every_phase(name: str, lookup: Lookup, opening: Opening) -> CompiledModel:
    """A convolution with a bias and a gate: every phase has something to prove."""
    sketch, rng = start(name, 40, (4, 4, 1))
    w = sketch.weight("w", small(rng, 2, 3, 3, 1))
    b = sketch.weight("b", rng.integers(-50, 50, (2,)), 32)
    hidden = sketch.requant(Conv2d("a", "x", w, b, 2, 1))
    sketch.requant(Product("p", hidden, sketch.weight("g", small(rng, 2))))
    return sketch.finish(7, lookup, opening)


@cache
def everything() -> CompiledModel:
    """By LogUp-GKR and HyperKZG."""
    return every_phase("everything", Lookup.GKR, Opening.HYPERKZG)


@cache
def everything_inverses() -> CompiledModel:
    """By committed inverses and Mercury."""
    return every_phase("everything-inverses", Lookup.INVERSES, Opening.MERCURY)


MODELS = (
    tiny, tiny_inverses, odd, deep, channels, conv_padded, conv_strided, conv_grouped,
    conv_committed, heads, square, added, gated, pooled, rotary, layer_norm, rms_norm, causal,
    masked, maxima, bitwise, gathered, embedded, argmax, viewed, sealed, everything,
    everything_inverses,
)  # fmt: skip


def all_models() -> list[SmallModel]:
    """Return the models whose whole proofs, witnesses included, are shared vectors."""
    return [handmade_gkr(), handmade_inverses(), tiny(), odd(), deep(), tiny_inverses()]
