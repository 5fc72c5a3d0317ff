"""Search for the cheapest tables that keep a float model's answers (calibration data only).

The proof's rounds grow with the square of lambda = log2 of the lookup argument's cells: all
table rows and one cell a looked-up value (proofs-spec.md 2.3). Choices are tried by increasing
lambda; the first lambda at which one meets the target wins, and within it the highest cosine.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import groupby, product
from typing import Final

import numpy as np

from offchain.errors import FidelityError, UnboundedError
from offchain.model.execution import Executor
from offchain.model.float_graph import FloatArray, FloatGraph
from offchain.model.graph import Requant
from offchain.quantize.layers import Choice, InputRange, QuantizedModel, quantize_layers
from offchain.quantize.ranges import verify_ranges
from offchain.quantize.report import Fidelity, measure_fidelity

DIGITS: Final = ((8,), (8, 8), (12,), (8, 12), (16,))
SEARCH_WIDTHS: Final = range(4, 15)


@dataclass(frozen=True)
class Target:
    """What a quantization must reach on the calibration set.

    Some hundred rows estimate agreement to half a percent at best. So the default asks for half of
    the disagreements that a fidelity of 99 % allows, and for a cosine, which depends on all columns
    of all rows and shows when a high agreement was luck.
    """

    agreement: float = 0.995
    cosine: float = 0.998

    def is_met(self, fidelity: Fidelity) -> bool:
        """Whether both floors are reached."""
        return fidelity.agreement >= self.agreement and fidelity.cosine >= self.cosine


DEFAULT_TARGET: Final = Target()


@dataclass(frozen=True)
class Candidate:
    """A quantization that was tried, and how it did on the calibration set."""

    choice: Choice
    model: QuantizedModel
    fidelity: Fidelity


def search(
    model: FloatGraph,
    source: InputRange,
    calibration: FloatArray,
    execute: Executor,
    target: Target = DEFAULT_TARGET,
) -> Candidate:
    """Return the chosen quantization for one-row inputs; `calibration` is (rows, input_cols).

    Raises FidelityError, with the best agreement seen, if no choice reaches the target.
    """
    best: Candidate | None = None
    for _, choices in groupby(
        list_choices(model), key=lambda choice: compute_lambda(model, choice)
    ):
        tried = [
            candidate
            for choice in choices
            for candidate in _try_choice(model, source, choice, calibration, execute)
        ]
        met = [candidate for candidate in tried if target.is_met(candidate.fidelity)]
        if met:
            return max(met, key=_cosine)
        best = max([*tried, *([best] if best else [])], key=_cosine, default=None)
    raise FidelityError(f"no quantization reaches {target}; the best one: {_describe(best)}")


def list_choices(model: FloatGraph) -> list[Choice]:
    """Return every choice without its clamp, by increasing lambda; order within is fixed."""
    hidden = SEARCH_WIDTHS if len(model.layers) > 1 else SEARCH_WIDTHS[:1]
    choices = [
        Choice(digits, hidden_width, output_width, is_equalized)
        for digits, hidden_width, output_width, is_equalized in product(
            DIGITS, hidden, SEARCH_WIDTHS, (False, True)
        )
    ]
    return sorted(choices, key=lambda choice: compute_lambda(model, choice))


def compute_lambda(model: FloatGraph, choice: Choice, rows: int = 1) -> int:
    """Return log2, rounded up, of the lookup argument's cells (FORMAT.md 3.4)."""
    ranges = set(choice.digits)
    functions: set[tuple[int, bool]] = set()
    lookups = 0
    for layer in model.layers:
        is_last = layer is model.layers[-1]
        width = choice.output_width if is_last else choice.hidden_width
        if layer.activation == "relu":
            # A clamped hidden table is never the output's. Where the output has a ReLU of the same
            # width and neither is clamped they are one, and this is an upper bound.
            functions.add((width, is_last))
        else:
            ranges.add(width)
        cells = _padded(rows) * _padded(layer.weight.shape[0])
        lookups += cells * (1 + len(choice.digits))
    tables = sum(1 << w for w in ranges) + sum(1 << width for width, _ in functions)
    return (tables + lookups - 1).bit_length()


def _padded(size: int) -> int:
    return 1 << (size - 1).bit_length()


def _cosine(candidate: Candidate) -> float:
    return candidate.fidelity.cosine


def _describe(candidate: Candidate | None) -> str:
    if candidate is None:
        return "none fits its tables"
    fidelity = candidate.fidelity
    return f"{candidate.choice}, agreement {fidelity.agreement:.4f}, cosine {fidelity.cosine:.5f}"


def _try_choice(
    model: FloatGraph,
    source: InputRange,
    choice: Choice,
    calibration: FloatArray,
    execute: Executor,
) -> Iterator[Candidate]:
    """Try a choice as it is and with hidden results clamped at their calibrated maximum.

    The clamp costs nothing and tightens the bounds of the next layer; what it cuts off on unseen
    data is counted and reported.
    """
    try:
        plain = quantize_layers(model, source, choice)
    except UnboundedError:
        return
    candidate = _measure(model, source, choice, plain, calibration, execute)
    yield candidate
    top = _calibrate_top(plain, source, calibration, execute)
    if top is None:
        return
    clamped = replace(choice, top=top)
    yield _measure(
        model, source, clamped, quantize_layers(model, source, clamped), calibration, execute
    )


def _measure(
    model: FloatGraph,
    source: InputRange,
    choice: Choice,
    quantized: QuantizedModel,
    calibration: FloatArray,
    execute: Executor,
) -> Candidate:
    verify_ranges(quantized.graph, quantized.weights)
    fidelity = measure_fidelity(model, source, quantized, calibration, execute)
    return Candidate(choice, quantized, fidelity)


def _calibrate_top(
    quantized: QuantizedModel,
    source: InputRange,
    calibration: FloatArray,
    execute: Executor,
) -> int | None:
    """Return the largest hidden ReLU result on the calibration set, at least 1; None if none."""
    graph = quantized.graph
    hidden = [
        op.name
        for op in graph.ops
        if isinstance(op, Requant) and op.table == "relu" and op.name != graph.output
    ]
    if not hidden:
        return None
    x = source.to_integers(calibration)
    steps = execute(graph.with_rows(len(x)), quantized.weights, x).steps
    return max(1, *(int(np.max(steps[name].y)) for name in hidden))
