"""Networks written once: evaluated in floats, and as an integer graph if there is a quantizer.

Real values carry a leading axis of examples; integer shapes do not. Images are (H, W, C).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import exp, sqrt
from typing import Final

import numpy as np

from offchain.model.operators import (
    Conv2d,
    Embedding,
    Linear,
    MatMul,
    MaxPool,
    Normalize,
    Op,
    ReduceSum,
    Reshape,
    Slice,
    Softmax,
    Sum,
)
from tests.benchmarks.zoo_floats import convolve, gelu
from tests.benchmarks.zoo_requant import FloatArray, Quantizer, Scaled, clamp_step, root_bits

EPSILON: Final = 1e-5
UNIT: Final = 128  # the smallest coefficient of a residual sum: half a percent of rounding
ENTRY: Final = 256  # coefficient of a copy, so that an 8-bit digit brings it to any width
COEFFICIENT_MAX: Final = (1 << 15) - 1


@dataclass(frozen=True)
class Value:
    """Real values (N, *shape) and, while quantizing, the integer tensor that stands for them."""

    real: FloatArray
    tensor: Scaled | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        return self.real.shape[1:]


@dataclass(frozen=True)
class Attention:
    """Fixed steps that let all layers share tables."""

    score_step: float
    score_width: int
    exp_top: int  # exp(0) in its table
    g: int
    weight_width: int  # of the attention weights
    mixed_width: int  # of the values that they mix


@dataclass(frozen=True)
class Gelu:
    """A table that all layers share: real step of its key, largest real result."""

    step: float
    largest: float


class Net:
    """Float arithmetic, mirrored by integer operators where `quantizer` is given."""

    def __init__(
        self,
        weights: Mapping[str, FloatArray],
        quantizer: Quantizer | None,
        gelu_table: Gelu | None = None,
    ) -> None:
        self.weights = weights
        self.q = quantizer
        self.gelu_table = gelu_table

    def linear(self, name: str, x: Value, axes: int = 1, then: str = "clamp") -> Value:
        """Append x w^T + b; w (J, *axes). `then`: see `_affine`."""
        w = self.weights[f"{name}.w"]
        kept = x.real.shape[: x.real.ndim - axes]
        real = x.real.reshape(*kept, -1) @ w.reshape(len(w), -1).T

        def make(source: str, weight: str, bias: str | None) -> Op:
            return Linear(name, source, weight, bias, axes)

        return self._affine(name, x, real, make, then)

    def conv(
        self, name: str, x: Value, stride: int = 1, padding: int = 1, then: str = "relu"
    ) -> Value:
        """Append a convolution; w (O, KH, KW, C). `then`: see `_affine`."""
        real = convolve(x.real, self.weights[f"{name}.w"], stride, padding)

        def make(source: str, weight: str, bias: str | None) -> Op:
            return Conv2d(name, source, weight, bias, stride, padding)

        return self._affine(name, x, real, make, then)

    def _affine(
        self,
        name: str,
        x: Value,
        real: FloatArray,
        make: Callable[[str, str, str | None], Op],
        then: str,
    ) -> Value:
        """Append a product with weights, the bias, an activation function and a requantization.

        `then`: "free" or "residual" (not clamped), "clamp", "relu" or "gelu" (8 bits).
        """
        w, b = self.weights[f"{name}.w"], self.weights.get(f"{name}.b")
        real = real if b is None else real + b
        active = np.maximum(real, 0) if then == "relu" else gelu(real) if then == "gelu" else real
        if self.q is None or x.tensor is None:
            return Value(active)
        step = clamp_step(float(np.abs(active).max()))
        if then == "gelu":
            assert self.gelu_table is not None
            step = self.gelu_table.step
        if then in ("free", "residual"):
            weight = self.q.weight(f"{name}.w", w)
        else:
            weight = self.q.fit_weight(f"{name}.w", w, x.tensor.scale, step)
        scale = x.tensor.scale * weight.scale
        bias = self.q.bias(f"{name}.b", b, scale)
        self.q.add(make(x.tensor.name, weight.name, bias), real.shape[1:])
        return Value(active, self._requantize(Scaled(name, scale), active, then, is_fitted=True))

    def _requantize(
        self, acc: Scaled, real: FloatArray, then: str, *, is_fitted: bool = False
    ) -> Scaled:
        assert self.q is not None
        if then == "free":
            return self.q.free(acc)
        if then == "residual":
            return self.q.free(acc, self.q.widths.residual)
        if then == "gelu":
            assert self.gelu_table is not None
            table = self.q.table("gelu", gelu, self.gelu_table.step, self.gelu_table.largest)
            return self.q.apply(acc, table)
        function = "relu" if then == "relu" else "identity"
        return self.q.clamp(acc, float(np.abs(real).max()), function, is_fitted=is_fitted)

    def max_pool(self, name: str, x: Value, size: int = 2) -> Value:
        """Append maxima over size x size windows."""
        n, h, w, c = x.real.shape
        real = x.real.reshape(n, h // size, size, w // size, size, c).max(axis=(2, 4))
        if self.q is None or x.tensor is None:
            return Value(real)
        self.q.add(MaxPool(name, x.tensor.name, (size, size)), real.shape[1:])
        return Value(real, Scaled(name, x.tensor.scale))

    def mean(self, name: str, x: Value) -> Value:
        """Append the mean of every channel of an image."""
        real = x.real.mean(axis=(1, 2))
        if self.q is None or x.tensor is None:
            return Value(real)
        height, width, _ = x.shape
        self.q.add(ReduceSum(name, x.tensor.name, (height, width, 1)), real.shape[1:])
        acc = Scaled(name, x.tensor.scale / (height * width))
        return Value(real, self.q.clamp(acc, float(np.abs(real).max())))

    def add(self, name: str, a: Value, b: Value, then: str = "residual") -> Value:
        """Append a residual sum."""
        real = a.real + b.real
        real = np.maximum(real, 0) if then == "relu" else real
        if self.q is None or a.tensor is None or b.tensor is None:
            return Value(real)
        scales = (a.tensor.scale, b.tensor.scale)
        unit = max(min(scales) / UNIT, max(scales) / COEFFICIENT_MAX)
        terms = tuple((t.name, round(t.scale / unit)) for t in (a.tensor, b.tensor))
        self.q.add(Sum(name, terms), real.shape[1:])
        return Value(real, self._requantize(Scaled(name, unit), real, then))

    def enter(self, name: str, x: Value) -> Value:
        """Append a copy of the input at the residual's width: the public input is read once."""
        if self.q is None or x.tensor is None:
            return x
        self.q.add(Sum(name, ((x.tensor.name, ENTRY),)), x.shape)
        acc = Scaled(name, x.tensor.scale / ENTRY)
        return Value(x.real, self.q.free(acc, self.q.widths.residual))

    def layer_norm(self, name: str, x: Value, precision: int) -> Value:
        """Append a LayerNorm over the last axis, not clamped: its bound is sqrt(n - 1) gamma."""
        gamma, beta = self.weights[f"{name}.g"], self.weights[f"{name}.b"]
        centred = x.real - x.real.mean(axis=-1, keepdims=True)
        variance = (centred**2).mean(axis=-1, keepdims=True)
        real = centred / np.sqrt(variance + EPSILON) * gamma + beta
        if self.q is None or x.tensor is None:
            return Value(real)
        n = x.shape[-1]
        sums = variance[..., 0].astype(np.float64) * (n / x.tensor.scale) ** 2
        f = root_bits(sums, precision)
        weight = self.q.weight(f"{name}.g", gamma)
        scale = weight.scale * 2.0**-f
        epsilon = max(1, round(EPSILON * (n / x.tensor.scale) ** 2))
        bias = self.q.bias(f"{name}.b", beta, scale)
        op = Normalize(name, x.tensor.name, weight.name, bias, "layer", epsilon, f)
        self.q.add(op, real.shape[1:])
        return Value(real, self.q.free(Scaled(name, scale)))

    def reshape(self, name: str, x: Value, shape: tuple[int, ...]) -> Value:
        """Append the same cells in another shape."""
        real = x.real.reshape(len(x.real), *shape)
        if self.q is None or x.tensor is None:
            return Value(real)
        self.q.add(Reshape(name, x.tensor.name, shape), shape)
        return Value(real, Scaled(name, x.tensor.scale))

    def attention(self, prefix: str, x: Value, heads: int, fixed: Attention) -> Value:
        """Append causal attention on (tokens, channels), up to the output layer."""
        tokens, channels = x.shape
        split = (tokens, heads, channels // heads)
        q, k, v = (
            self.reshape(
                f"{prefix}{part}.heads", self.linear(f"{prefix}{part}", x, then="clamp"), split
            )
            for part in "qkv"
        )
        scores = np.einsum("nqhd,nkhd->nhqk", q.real, k.real) / sqrt(split[2])
        hidden = np.triu(np.full((tokens, tokens), -np.inf, dtype=scores.dtype), k=1)
        weights = np.exp(scores + hidden - (scores + hidden).max(axis=-1, keepdims=True))
        weights /= weights.sum(axis=-1, keepdims=True)
        mixed = np.einsum("nhqk,nkhd->nqhd", weights, v.real).reshape(x.real.shape)
        if self.q is None or q.tensor is None or k.tensor is None or v.tensor is None:
            return Value(mixed)
        scored = MatMul(f"{prefix}scores", q.tensor.name, k.tensor.name, "qhd,khd->hqk")
        self.q.add(scored, (heads, tokens, tokens))
        acc = Scaled(scored.name, q.tensor.scale * k.tensor.scale / sqrt(split[2]))
        score = self.q.step(acc, fixed.score_step, fixed.score_width)
        p = self._softmax(f"{prefix}softmax", score, fixed, (heads, tokens, tokens))
        joined = MatMul(f"{prefix}mixed", p.name, v.tensor.name, "hqk,khd->qhd")
        self.q.add(joined, split)
        acc = Scaled(joined.name, p.scale * v.tensor.scale)
        result = self.q.free(acc, fixed.mixed_width)
        return self.reshape(f"{prefix}joined", Value(mixed, result), (tokens, channels))

    def block(self, prefix: str, x: Value, heads: int, fixed: Attention, precision: int) -> Value:
        """Append a decoder block, LayerNorm first, on (tokens, channels)."""
        normal = self.layer_norm(f"{prefix}ln0", x, precision)
        mixed = self.linear(f"{prefix}o", self.attention(prefix, normal, heads, fixed))
        x = self.add(f"{prefix}add0", x, mixed)
        hidden = self.linear(
            f"{prefix}up", self.layer_norm(f"{prefix}ln1", x, precision), then="gelu"
        )
        return self.add(f"{prefix}add1", x, self.linear(f"{prefix}down", hidden))

    def _softmax(self, name: str, x: Scaled, fixed: Attention, shape: tuple[int, ...]) -> Scaled:
        assert self.q is not None
        steps = range(1 << fixed.score_width)
        entries = [round(fixed.exp_top * exp(-step * fixed.score_step)) for step in steps]
        table = self.q.keep("exp", np.array(entries), 16)
        op = Softmax(name, x.name, table, fixed.score_width, fixed.g, causal=True)
        self.q.add(op, shape)
        return self.q.free(Scaled(name, 2.0**-fixed.g), fixed.weight_width, least=1)

    def embedding(self, name: str, tokens: Value, table: str, position: str) -> Value:
        """Append rows of a table plus positions; both are weights of one scale."""
        rows, places = self.weights[table], self.weights[position]
        count = tokens.shape[0]
        real = rows[tokens.real.astype(np.int64)] + places[:count]
        if self.q is None or tokens.tensor is None:
            return Value(real)
        weight = self.q.weight(table, rows)
        place = self.q.weight(position, places, weight.scale)
        op = Embedding(name, tokens.tensor.name, weight.name, place.name)
        self.q.add(op, real.shape[1:])
        acc = Scaled(name, weight.scale)
        return Value(real, self.q.free(acc, self.q.widths.residual))

    def last_row(self, name: str, x: Value) -> Value:
        """Append the last row of (tokens, channels)."""
        real = x.real[:, -1]
        if self.q is None or x.tensor is None:
            return Value(real)
        self.q.add(Slice(name, x.tensor.name, 0, x.shape[0] - 1, 1), real.shape[1:])
        return Value(real, Scaled(name, x.tensor.scale))

    def head(self, name: str, x: Value, table: str) -> Value:
        """Append a linear layer without bias whose weight is also an embedding's table."""
        real = x.real @ self.weights[table].T
        if self.q is None or x.tensor is None:
            return Value(real)
        weight = self.q.weight(table, self.weights[table])
        self.q.add(Linear(name, x.tensor.name, weight.name, None), real.shape[1:])
        return Value(real, self.q.free(Scaled(name, x.tensor.scale * weight.scale)))
