"""Integer graphs that grow beside float activations: scales, multipliers and tables.

A tensor's real value is its scale times its integers. A requantization's multiplier is the largest
with which no in-range input leaves its width (static bounds with the actual weights), or the
smaller one with which the calibrated maximum fills 8 bits.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import ceil, log2
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from offchain.model.graph import Graph
from offchain.model.operators import Argmax, Op, Requant, TensorSpec, WeightSpec
from offchain.model.weights import IntArray
from offchain.quantize.intervals import Interval
from offchain.quantize.ranges import Ranges

FloatArray = npt.NDArray[np.floating[Any]]
Digits = tuple[int, ...]

WEIGHT_MAX: Final = 127  # symmetric 8 bits
TOP: Final = 127  # of a clamped activation
BIAS_LIMIT: Final = (1 << 31) - 1
MAX_MULTIPLIER: Final = (1 << 15) - 1
# Whatever an integer multiplier wastes of the range, it is exact: scales follow it.
LEAST_MULTIPLIER: Final = 2
GIVEN_ERROR: Final = 0.03  # where the scale is given: of the multiplier's rounding
# Weights may be drawn coarser by this much, so that the fewest digits do with an exact multiplier.
MAX_COARSER: Final = 2.0
FINE: Final = 8  # from this multiplier on, rounding it down wastes little
EXACT: Final = 1 + 1e-9  # a product of floats that was meant to be an integer
MARGIN: Final = 1.1  # of the calibrated maximum, for what calibration has not seen


@dataclass(frozen=True)
class Widths:
    """What a model's requantizations may use, so that they share few and small tables."""

    clamp: int  # key of the clamping tables
    free: int  # width of results that are range-checked and not clamped
    digits: Sequence[Digits]  # in order of preference
    residual: int = 16  # width of what residual sums add up


@dataclass(frozen=True)
class Scaled:
    """An integer tensor by name, and the real value of one of its steps."""

    name: str
    scale: float


@dataclass(frozen=True)
class Table:
    """A function on t: real value of a step of t and of the result, and its weight by name."""

    weight: str
    width: int
    step: float
    scale: float
    lo: int
    hi: int


@dataclass
class Quantizer:
    """A graph that grows, its weights, and the static ranges of everything in it."""

    inputs: tuple[TensorSpec, ...]
    widths: Widths
    specs: list[WeightSpec] = field(default_factory=list)
    weights: dict[str, IntArray] = field(default_factory=dict)
    ops: list[Op] = field(default_factory=list)
    shapes: dict[str, tuple[int, ...]] = field(default_factory=dict)
    scales: dict[str, float] = field(default_factory=dict)  # of weights

    def __post_init__(self) -> None:
        self.shapes |= {spec.name: spec.shape for spec in self.inputs}
        self.ranges = Ranges(self.inputs, self.shapes, self.weights)

    def build(self, output: str) -> Graph:
        """Return the graph; raise for any broken rule or bound."""
        graph = Graph(self.inputs, output, tuple(self.specs), tuple(self.ops))
        graph.verify()
        assert not self.ranges.problems, self.ranges.problems
        return graph

    def keep(self, name: str, values: IntArray, bits: int) -> str:
        """Add a weight, once, and return its name."""
        if name not in self.weights:
            self.specs.append(WeightSpec(name, values.shape, bits))
            self.weights[name] = np.ascontiguousarray(values, dtype=np.int64)
        return name

    def add(self, op: Op, shape: Sequence[int]) -> Interval:
        """Append an operator whose result has this shape and return its static interval."""
        self.ops.append(op)
        self.shapes[op.name] = tuple(shape)
        interval = self.ranges.add(op)
        assert not self.ranges.problems, self.ranges.problems
        return interval

    def weight(self, name: str, values: FloatArray, scale: float | None = None) -> Scaled:
        """Add a weight of 8 bits, once; what a given scale leaves outside is cut off."""
        if name not in self.weights:
            step = float(np.abs(values).max()) / WEIGHT_MAX if scale is None else scale
            nearest = np.rint(values / step)
            self.keep(name, np.clip(nearest, -WEIGHT_MAX, WEIGHT_MAX).astype(np.int64), 8)
            self.scales[name] = step
        return Scaled(name, self.scales[name])

    def bias(self, name: str, values: FloatArray | None, scale: float) -> str | None:
        """Add a bias of 32 bits in an accumulator's scale."""
        if values is None:
            return None
        exact = np.rint(values.astype(np.float64) / scale)
        assert np.abs(exact).max() <= BIAS_LIMIT, f"{name} does not fit 32 bits"
        return self.keep(name, exact.astype(np.int64), 32)

    def free(self, acc: Scaled, width: int | None = None, least: int = LEAST_MULTIPLIER) -> Scaled:
        """Requantize without a clamp: the static range fills the width."""
        width = width or self.widths.free
        interval = self.ranges.intervals[acc.name]
        digits, m = self._choose(lambda s: _largest_multiplier(interval, s, width), least)
        half = 1 << (width - 1)
        return self._requant(acc, m, digits, width, "identity", (-half, half - 1))

    def clamp(
        self, acc: Scaled, largest: float, function: str = "identity", *, is_fitted: bool = False
    ) -> Scaled:
        """Requantize to 8 bits, which the calibrated maximum fills if the key's width allows."""
        width, interval = self.widths.clamp, self.ranges.intervals[acc.name]
        wanted = acc.scale / clamp_step(largest)
        digits, m = self._choose(
            lambda s: min(_largest_multiplier(interval, s, width), int(wanted * 2.0**s * EXACT)),
            least=1 if is_fitted else LEAST_MULTIPLIER,
        )
        floor = 0 if function == "relu" else -TOP
        return self._requant(acc, m, digits, width, function, (floor, TOP))

    def apply(self, acc: Scaled, table: Table) -> Scaled:
        """Requantize through a table, whose step is given."""
        digits, m = self._choose_given(acc.scale / table.step)
        bounds = (table.lo, table.hi)
        result = self._requant(acc, m, digits, table.width, table.weight, bounds)
        return Scaled(result.name, table.scale)

    def step(self, acc: Scaled, step: float, width: int) -> Scaled:
        """Requantize without a clamp to a given step."""
        digits, m = self._choose_given(acc.scale / step)
        half = 1 << (width - 1)
        result = self._requant(acc, m, digits, width, "identity", (-half, half - 1))
        return Scaled(result.name, step)

    def argmax(self, name: str, x: Scaled) -> str:
        """Append the index of the greatest element and return its name."""
        self.add(Argmax(name, x.name), (1,))
        return name

    def table(
        self, name: str, function: Callable[[FloatArray], FloatArray], step: float, largest: float
    ) -> Table:
        """Add a function on 8-bit results with `largest` as their greatest real value."""
        half = 1 << (self.widths.clamp - 1)
        scale = clamp_step(largest)
        keys = np.arange(-half, half)
        values = np.clip(np.rint(function(keys * step) / scale), -TOP, TOP).astype(np.int64)
        self.keep(name, values, 8)
        lo, hi = int(values.min()), int(values.max())
        return Table(name, self.widths.clamp, step, scale, lo, hi)

    def fit_weight(self, name: str, values: FloatArray, x_scale: float, step: float) -> Scaled:
        """Add a weight whose accumulators reach a step of t by an integer multiplier."""
        natural = float(np.abs(values).max()) / WEIGHT_MAX
        for digits in self.widths.digits:
            wanted = x_scale * natural / step * 2.0 ** sum(digits)
            if wanted >= FINE:
                return self.weight(name, values, natural)
            if max(1, ceil(wanted)) <= MAX_COARSER * wanted:
                return self.weight(name, values, natural * max(1, ceil(wanted)) / wanted)
        return self.weight(name, values, natural)

    def _choose_given(self, wanted: float) -> tuple[Digits, int]:
        """Return the first digits with a multiplier close to the wanted one times 2^s."""
        for digits in self.widths.digits:
            exact = wanted * 2.0 ** sum(digits)
            m = round(exact)
            if 1 <= m <= MAX_MULTIPLIER and abs(m / exact - 1) <= GIVEN_ERROR:
                return digits, m
        raise AssertionError(f"no multiplier is close to {wanted} after {self.ops[-1].name}")

    def _choose(
        self, multiplier: Callable[[int], int], least: int = LEAST_MULTIPLIER
    ) -> tuple[Digits, int]:
        """Return the first digits that allow a multiplier of some size."""
        for digits in self.widths.digits:
            m = min(multiplier(sum(digits)), MAX_MULTIPLIER)
            if m >= least:
                return digits, m
        raise AssertionError(f"no digits shift far enough after {self.ops[-1].name}")

    def _requant(
        self,
        acc: Scaled,
        m: int,
        digits: Digits,
        width: int,
        table: str,
        bounds: tuple[int, int],
    ) -> Scaled:
        lo, hi = bounds
        bits = 8 if lo >= -128 and hi <= 127 else 16
        name = f"{acc.name}.y"
        op = Requant(name, acc.name, m, sum(digits), digits, width, table, bits, lo, hi)
        self.add(op, self.shapes[acc.name])
        return Scaled(name, acc.scale * 2.0 ** sum(digits) / m)


def _largest_multiplier(acc: Interval, s: int, width: int) -> int:
    """Return the largest m with which every quotient fits the width; 0 if there is none."""
    end, half = 1 << (width - 1 + s), 1 << (s - 1)
    return min((end - half - 1) // max(acc.greatest, 1), (end - half) // max(-acc.least, 1))


def clamp_step(largest: float) -> float:
    """Return the real step of 8 bits that hold a calibrated maximum."""
    return largest * MARGIN / TOP


def root_bits(sums: FloatArray, precision: int) -> int:
    """Return f with which a reciprocal root of these sums has about `precision` bits."""
    return ceil(log2(float(np.sqrt(np.median(sums))))) + precision
