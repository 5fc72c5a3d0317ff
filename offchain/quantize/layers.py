"""One float layer -> integer weights, a multiplier and a requantization that its bounds allow.

Scales: real value = scale * integer. With input scale S_x and weight scale S_w the accumulator has
scale S_x * S_w and the quotient S_x * S_w * 2^s / m. The multiplier is the largest with which no
in-range input leaves the table.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from offchain.errors import UnboundedError
from offchain.model.float_graph import FloatArray, FloatGraph, FloatLayer
from offchain.model.graph import Graph, Linear, Op, Requant, TensorSpec, WeightSpec
from offchain.model.operators import MULTIPLIERS
from offchain.model.weights import IntArray
from offchain.quantize.ranges import Interval, bound_linear, bound_requant

WEIGHT_BITS: Final = 8
WEIGHT_MAX: Final = (1 << (WEIGHT_BITS - 1)) - 1  # symmetric: -128 stays unused
BIAS_BITS: Final = 32
# Below this multiplier, rounding it down to an integer wastes more than 1/64 of the quotient's
# range; then the weights are drawn coarser until the next integer fits exactly.
FINE_MULTIPLIER: Final = 64
COARSER: Final = 1.002  # one step of that; a thousandth of the weights' resolution
MAX_EQUALIZATION: Final = 1024.0  # a channel that can hardly fire is not blown up without limit


@dataclass(frozen=True)
class InputRange:
    """The public input as integers: stored bits, inclusive range, real value of one step."""

    bits: int
    lo: int
    hi: int
    scale: float

    def to_integers(self, x: FloatArray) -> IntArray:
        """Return the nearest integers in range (rows, cols)."""
        nearest: FloatArray = np.rint(x / self.scale)
        return nearest.clip(self.lo, self.hi).astype(np.int64)


@dataclass(frozen=True)
class Choice:
    """What the search varies; `top` is the calibrated clamp of hidden results (None: no clamp)."""

    digits: tuple[int, ...]
    hidden_width: int
    output_width: int
    is_equalized: bool
    top: int | None = None


@dataclass(frozen=True)
class QuantizedModel:
    """An integer graph, its weights by name, and the real value of one step of the output."""

    graph: Graph
    weights: dict[str, IntArray]
    output_scale: float


@dataclass(frozen=True)
class _Fit:
    weight: IntArray  # (out, in)
    bias: IntArray | None  # (out,)
    scale: float  # of the weights
    acc: Interval
    m: int


def quantize_layers(
    model: FloatGraph, source: InputRange, choice: Choice, rows: int = 1
) -> QuantizedModel:
    """Return the integer model that a choice gives; raise UnboundedError naming what cannot fit."""
    layers = equalize(model, source) if choice.is_equalized else model.layers
    shape = (rows, model.input_cols)
    spec = TensorSpec(model.input_name, shape, source.bits, source.lo, source.hi)
    every = np.ones(model.input_cols, dtype=np.int64)
    interval, scale, name = Interval(every * source.lo, every * source.hi), source.scale, spec.name
    ops: list[Op] = []
    specs: list[WeightSpec] = []
    weights: dict[str, IntArray] = {}
    for layer in layers:
        width = choice.output_width if layer is layers[-1] else choice.hidden_width
        fit = _fit_layer(layer, scale, interval, sum(choice.digits), width)
        w, b = f"{layer.name}.w", None if fit.bias is None else f"{layer.name}.b"
        weights[w] = fit.weight
        specs.append(WeightSpec(w, fit.weight.shape, WEIGHT_BITS))
        if b is not None and fit.bias is not None:
            weights[b] = fit.bias
            specs.append(WeightSpec(b, fit.bias.shape, BIAS_BITS))
        top = None if layer is layers[-1] else choice.top
        requant = _make_requant(layer, fit.m, choice.digits, width, top)
        ops += [Linear(layer.name, name, w, b), requant]
        interval = bound_requant(requant, fit.acc)
        scale, name = scale * fit.scale * 2.0**requant.s / fit.m, requant.name
    graph = Graph((spec,), name, tuple(specs), tuple(ops))
    graph.verify()
    return QuantizedModel(graph, weights, scale)


def equalize(model: FloatGraph, source: InputRange) -> tuple[FloatLayer, ...]:
    """Return layers in which every hidden channel has the same worst-case magnitude.

    f(c x) = c f(x) for c > 0 and f = relu or identity, so a channel's factor can be moved to the
    next layer (Nagel et al. 2019, Data-free quantization, section 4.1); here bounds take the place
    of weight ranges, because they size the tables.
    """
    layers = list(model.layers)
    lo = np.full(model.input_cols, source.lo * source.scale)
    hi = np.full(model.input_cols, source.hi * source.scale)
    for k, layer in enumerate(layers[:-1]):
        lo, hi = _bound_float(layers[k], lo, hi)
        magnitude = np.maximum(hi, -lo)  # (J,)
        most = float(magnitude.max())
        factor = np.clip(most / np.maximum(magnitude, most / MAX_EQUALIZATION), 1.0, None)
        here = layers[k]
        bias = None if here.bias is None else here.bias * factor
        layers[k] = replace(here, weight=here.weight * factor[:, None], bias=bias)
        after = layers[k + 1]
        layers[k + 1] = replace(after, weight=after.weight / factor[None, :])
        lo, hi = lo * factor, hi * factor
        if layer.activation == "relu":
            lo, hi = np.maximum(lo, 0.0), np.maximum(hi, 0.0)
    return tuple(layers)


def _bound_float(
    layer: FloatLayer, lo: FloatArray, hi: FloatArray
) -> tuple[FloatArray, FloatArray]:
    plus, minus = np.maximum(layer.weight, 0.0), np.minimum(layer.weight, 0.0)  # (J, K)
    bias = 0.0 if layer.bias is None else layer.bias
    return plus @ lo + minus @ hi + bias, plus @ hi + minus @ lo + bias  # (J,)


def _fit_layer(layer: FloatLayer, x_scale: float, x: Interval, s: int, width: int) -> _Fit:
    """Return integers whose worst case fills the table of this width as well as it can."""
    largest = float(np.abs(layer.weight).max())
    fit = _round_layer(layer, x_scale, x, largest / WEIGHT_MAX if largest > 0 else 1.0)
    allowed = compute_multiplier(fit.acc, s, width)
    m = int(allowed)
    if m < FINE_MULTIPLIER:
        m += 1
        scale = fit.scale * m / allowed
        while int(compute_multiplier(fit.acc, s, width)) < m:
            fit = _round_layer(layer, x_scale, x, scale)
            scale *= COARSER
    return replace(fit, m=min(m, MULTIPLIERS[-1]))


def _round_layer(layer: FloatLayer, x_scale: float, x: Interval, scale: float) -> _Fit:
    weight = np.rint(layer.weight / scale).astype(np.int64)
    bias = None
    if layer.bias is not None:
        exact = np.rint(layer.bias / (scale * x_scale))
        if np.abs(exact).max() >= 1 << (BIAS_BITS - 1):
            raise UnboundedError(layer.name, [f"the bias does not fit {BIAS_BITS} bits"])
        bias = exact.astype(np.int64)
    return _Fit(weight, bias, scale, bound_linear(x, weight, bias), 0)


def compute_multiplier(acc: Interval, s: int, width: int) -> float:
    """Return the largest real m with which t = (acc * m + 2^(s-1)) >> s fits `width` bits."""
    one, half, end = 1 << s, 1 << (s - 1), 1 << (width - 1)
    high = (end * one - half - 1) / max(acc.greatest, 1)
    low = (end * one + half) / max(-acc.least, 1)
    return min(high, low)


def _make_requant(
    layer: FloatLayer, m: int, digits: Sequence[int], width: int, top: int | None
) -> Requant:
    half = 1 << (width - 1)
    lo, hi = -half, half - 1
    if layer.activation == "relu":
        lo, hi = 0, hi if top is None else min(hi, top)
    bits = 8 if width <= 8 or (lo == 0 and hi < 128) else 16
    return Requant(
        name=f"{layer.name}.y",
        x=layer.name,
        m=m,
        s=sum(digits),
        digits=tuple(digits),
        width=width,
        table=layer.activation,
        bits=bits,
        lo=lo,
        hi=hi,
    )
