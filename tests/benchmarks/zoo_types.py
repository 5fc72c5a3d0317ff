"""What a benchmark model is, and the seeded inputs of all of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

import numpy as np

from offchain.model.graph import Graph, TensorSpec
from offchain.model.weights import IntArray, Weights
from offchain.quantize.layers import InputRange
from tests.benchmarks.zoo_net import Value
from tests.benchmarks.zoo_requant import FloatArray, Quantizer, Scaled

SEED: Final = 4
INPUTS: Final = 16  # of every model: the first is the one that is proven
GREY: Final = InputRange(8, 0, 127, 1 / 127)
NORMAL: Final = InputRange(8, -127, 127, 4.5 / 127)

Shape = tuple[int, ...]


class Benchmark(NamedTuple):
    """An integer model, inputs in range, and its float network on such an input.

    The float network ends before an argmax.
    """

    graph: Graph
    weights: Weights
    inputs: list[IntArray]
    reference: Callable[[IntArray], FloatArray]


def draw_greys(purpose: str, count: int, shape: Shape) -> FloatArray:
    """Draw grey values in 0..1, (count, *shape)."""
    return _generator(purpose).random((count, *shape), dtype=np.float32)


def draw_normals(purpose: str, count: int, shape: Shape) -> FloatArray:
    """Draw standard normal values, (count, *shape)."""
    return _generator(purpose).standard_normal((count, *shape), dtype=np.float32)


def _generator(purpose: str) -> np.random.Generator:
    return np.random.default_rng([SEED, *purpose.encode()])


def quantize(
    source: InputRange,
    calibration: FloatArray,
    inputs: FloatArray,
    define: Callable[[Quantizer | None, Value], Value],
    make_quantizer: Callable[[TensorSpec], Quantizer],
) -> Benchmark:
    """Return the integer model of a network that `define` writes; examples are the first axis."""
    spec = TensorSpec("x", calibration.shape[1:], source.bits, source.lo, source.hi)
    quantizer = make_quantizer(spec)
    result = define(quantizer, Value(calibration, Scaled("x", source.scale)))
    assert result.tensor is not None
    graph = quantizer.build(result.tensor.name)

    def reference(x: IntArray) -> FloatArray:
        real: FloatArray = (x * source.scale).astype(np.float32)
        return define(None, Value(real[None])).real[0]

    return Benchmark(graph, quantizer.weights, list(source.to_integers(inputs)), reference)
