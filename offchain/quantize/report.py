"""How faithful an integer model is: agreement, error, saturation, and the published report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from offchain.model.execution import Executor
from offchain.model.float_graph import FloatArray, FloatGraph
from offchain.model.graph import Requant
from offchain.model.weights import IntArray
from offchain.quantize.layers import InputRange, QuantizedModel

MAX_SATURATION: Final = 0.001  # above, a tensor deserves more bits (runtime.md 1)


@dataclass(frozen=True)
class Fidelity:
    """Integer against float outputs over some rows; errors in the float output's unit."""

    rows: int
    agreement: float  # share of rows with the same largest column, the first of equals
    cosine: float  # mean over rows
    max_error: float
    saturation: Mapping[str, float]  # requantization -> share of elements that its clamp cuts off


@dataclass(frozen=True)
class LabelledSet:
    """Real inputs (rows, cols) and classes (rows,)."""

    x: FloatArray
    y: npt.NDArray[np.int64]


def measure_fidelity(
    model: FloatGraph,
    source: InputRange,
    quantized: QuantizedModel,
    x: FloatArray,
    execute: Executor,
) -> Fidelity:
    """Return the fidelity on inputs x (rows, cols)."""
    integers = source.to_integers(x)
    graph = quantized.graph.with_rows(len(x))
    execution = execute(graph, quantized.weights, integers)
    exact = model.run(x)  # (R, J)
    approximate = execution.output * quantized.output_scale  # (R, J)
    saturation = {
        op.name: _saturated(op, execution.steps[op.name].t)
        for op in graph.ops
        if isinstance(op, Requant)
    }
    return Fidelity(
        rows=len(x),
        agreement=float((exact.argmax(axis=1) == execution.output.argmax(axis=1)).mean()),
        cosine=float(_cosine(exact, approximate).mean()),
        max_error=float(np.abs(exact - approximate).max()),
        saturation=saturation,
    )


def compute_accuracy(outputs: npt.NDArray[Any], classes: npt.NDArray[np.int64]) -> float:
    """Return the share of rows whose largest column, the first of equals, is the class."""
    return float((outputs.argmax(axis=1) == classes).mean())


def make_report(
    model: FloatGraph,
    source: InputRange,
    quantized: QuantizedModel,
    sets: Mapping[str, LabelledSet],
    execute: Executor,
) -> dict[str, Any]:
    """Return the published report: size, operators, widths, and fidelity on every named set."""
    return {
        "format": "zkdps-report/1",
        "size": _describe_size(quantized),
        "tensors": _describe_tensors(quantized),
        "outputScale": quantized.output_scale,
        "sets": {
            name: _describe_set(model, source, quantized, labelled, execute)
            for name, labelled in sets.items()
        },
    }


def _describe_set(
    model: FloatGraph,
    source: InputRange,
    quantized: QuantizedModel,
    labelled: LabelledSet,
    execute: Executor,
) -> dict[str, Any]:
    fidelity = measure_fidelity(model, source, quantized, labelled.x, execute)
    graph = quantized.graph.with_rows(len(labelled.x))
    output = execute(graph, quantized.weights, source.to_integers(labelled.x)).output
    return {
        "rows": fidelity.rows,
        "agreement": fidelity.agreement,
        "cosine": fidelity.cosine,
        "maxError": fidelity.max_error,
        "saturation": dict(fidelity.saturation),
        "floatAccuracy": compute_accuracy(model.run(labelled.x), labelled.y),
        "integerAccuracy": compute_accuracy(output, labelled.y),
        "tooSaturated": [n for n, share in fidelity.saturation.items() if share > MAX_SATURATION],
    }


def _describe_size(quantized: QuantizedModel) -> dict[str, Any]:
    graph = quantized.graph
    kinds = [type(op).__name__.lower() for op in graph.ops]
    requants = [op for op in graph.ops if isinstance(op, Requant)]
    ranges = {w for op in requants for w in op.digits}
    ranges |= {op.width for op in requants if op.is_range_form}
    functions = {(op.width, op.table, op.lo, op.hi) for op in requants if not op.is_range_form}
    return {
        "weights": sum(int(np.prod(spec.shape)) for spec in graph.weights),
        "bytes": sum(int(np.prod(spec.shape)) * spec.bits // 8 for spec in graph.weights),
        "operators": {kind: kinds.count(kind) for kind in sorted(set(kinds))},
        "tableRows": sum(1 << w for w in ranges) + sum(1 << key[0] for key in functions),
    }


def _describe_tensors(quantized: QuantizedModel) -> dict[str, dict[str, Any]]:
    graph = quantized.graph
    described: dict[str, dict[str, Any]] = {
        spec.name: {"shape": list(spec.shape), "bits": spec.bits} for spec in graph.weights
    }
    described[graph.input.name] = {
        "bits": graph.input.bits,
        "range": [graph.input.lo, graph.input.hi],
    }
    for op in graph.ops:
        if isinstance(op, Requant):
            described[op.name] = {
                "bits": op.bits,
                "range": [op.lo, op.hi],
                "width": op.width,
                "digits": list(op.digits),
                "multiplier": op.m,
            }
    return described


def _saturated(op: Requant, t: IntArray) -> float:
    """Return the share of elements above or below the clamp; a ReLU's zeros are not saturation."""
    low = t < op.lo if op.table == "identity" else np.zeros_like(t, dtype=bool)
    return float(((t > op.hi) | low).mean())


def _cosine(a: FloatArray, b: FloatArray) -> FloatArray:
    norms = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    cosine: FloatArray = (a * b).sum(axis=1) / np.maximum(norms, np.finfo(np.float64).tiny)
    return cosine
