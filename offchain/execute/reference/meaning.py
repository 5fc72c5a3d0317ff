"""What every operator means, by type, and the plain runtime made of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from offchain.execute.interpreter import Kernel, interpret
from offchain.execute.reference import accumulators, activations
from offchain.model.execution import Execution, Inputs
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
    Product,
    ReduceSum,
    ReluBits,
    Requant,
    Reshape,
    Rotate,
    Slice,
    Softmax,
    Sum,
    Transpose,
)
from offchain.model.weights import IntArray, Weights

KERNELS: Final[Mapping[type, Kernel]] = {
    Linear: accumulators.linear,
    Conv2d: accumulators.conv2d,
    MatMul: accumulators.matmul,
    Sum: accumulators.weighted_sum,
    Product: accumulators.product,
    ReduceSum: accumulators.reduce_sum,
    Rotate: accumulators.rotate,
    Normalize: accumulators.normalize,
    Softmax: accumulators.softmax,
    Embedding: accumulators.embedding,
    Requant: activations.requant,
    MaxPool: activations.max_pool,
    ReluBits: activations.relu_bits,
    Reshape: activations.reshape,
    Transpose: activations.transpose,
    Slice: activations.cut,
    Gather: activations.gather,
    Argmax: activations.argmax,
}


def run(graph: Graph, weights: Weights, x: Inputs) -> IntArray:
    """Return the output; see `interpret` for the errors."""
    return run_traced(graph, weights, x).output


def run_traced(graph: Graph, weights: Weights, x: Inputs) -> Execution:
    """Return the output and everything on the way; see `interpret` for the errors."""
    return interpret(graph, weights, x, KERNELS)
