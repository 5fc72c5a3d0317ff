"""The language in NumPy at the speed of BLAS, bit for bit equal to the reference.

Products run in float64. Operands have at most 16 bits, so a partial sum of 2^22 products is an
integer of at most 2^52 < 2^53: no order of summation and no fused multiply-add rounds. Longer sums
are cut into such blocks, which are added in int64.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
import numpy.typing as npt

from offchain.execute.interpreter import Kernel, State, interpret
from offchain.execute.layout import plan_matmul
from offchain.execute.reference import KERNELS
from offchain.execute.reference.accumulators import add_bias, share_batch
from offchain.model.execution import Execution, Inputs
from offchain.model.graph import Graph
from offchain.model.operators import Conv2d, Linear, MatMul
from offchain.model.weights import IntArray, Weights

FloatArray = npt.NDArray[np.float64]
BLOCK: Final = 1 << 22  # products in a float64 sum
CELLS: Final = 1 << 19  # of b that are converted at once: 4 MiB stay in a cache


def run(graph: Graph, weights: Weights, x: Inputs) -> IntArray:
    """Return the output; errors as for the reference."""
    return run_traced(graph, weights, x).output


def run_traced(graph: Graph, weights: Weights, x: Inputs) -> Execution:
    """Return the output and everything on the way; errors as for the reference."""
    return interpret(graph, weights, x, FAST_KERNELS)


def multiply(a: IntArray, b: IntArray) -> IntArray:
    """Return a @ b for (..., I, K) and (..., K, J) of at most 16 bits; any integer type."""
    batch, inner, columns = a.shape[:-2], a.shape[-1], b.shape[-1]
    product = np.zeros((*batch, a.shape[-2], columns), dtype=np.int64)
    for k in range(0, inner, BLOCK):
        left: FloatArray = a[..., k : k + BLOCK].astype(np.float64)
        right = b[..., k : k + BLOCK, :]
        step = max(1, CELLS * columns // right.size)
        for j in range(0, columns, step):
            exact: FloatArray = left @ right[..., j : j + step].astype(np.float64)
            product[..., j : j + step] += exact.astype(np.int64)
    return product


def linear(op: Linear, state: State) -> IntArray:
    """Compute acc[..., j] = sum_k x[..., k] w[j, k] + b[j]."""
    x, w = state.read(op.x), state.weights[op.w]
    kept = x.shape[: x.ndim - op.axes]
    rows = x.reshape(int(np.prod(kept)), -1)  # (R, K)
    acc = multiply(rows, w.reshape(len(w), -1).T)  # (R, K) @ (K, J) -> (R, J)
    return add_bias(acc.reshape(*kept, len(w)), op.b, state)


def conv2d(op: Conv2d, state: State) -> IntArray:
    """Compute a convolution as one product of all patches, group by group."""
    x, w = state.read(op.x), state.weights[op.w]
    outputs, kernel_h, kernel_w, inner = w.shape
    p, s, groups = op.padding, op.stride, op.groups
    padded = np.pad(x, ((p, p), (p, p), (0, 0)))
    rows = (padded.shape[0] - kernel_h) // s + 1
    cols = (padded.shape[1] - kernel_w) // s + 1
    taps = [
        padded[a : a + rows * s : s, b : b + cols * s : s][:rows, :cols]
        for a in range(kernel_h)
        for b in range(kernel_w)
    ]
    patches = np.stack(taps, axis=2).reshape(rows * cols, len(taps), groups, inner)
    left = patches.transpose(2, 0, 1, 3).reshape(groups, rows * cols, -1)  # (G, H'W', KK c)
    right = w.reshape(groups, outputs // groups, -1).transpose(0, 2, 1)  # (G, KK c, O / G)
    acc = multiply(left, right).transpose(1, 0, 2)  # (H'W', G, O / G)
    return add_bias(acc.reshape(rows, cols, outputs), op.b, state)


def matmul(op: MatMul, state: State) -> IntArray:
    """Compute acc = einsum(equation, a, b) as a batch of matrix products."""
    a, b = state.read(op.a), share_batch(op, state.read(op.b))
    plan = plan_matmul(op.equation, a.shape, b.shape)
    left = a.transpose(plan.a_order).reshape(plan.a_shape)  # (B, I, K)
    right = b.transpose(plan.b_order).reshape(plan.b_shape)  # (B, K, J)
    return multiply(left, right).reshape(plan.shape).transpose(plan.order)


FAST_KERNELS: Final[Mapping[type, Kernel]] = {
    **KERNELS,
    Linear: linear,
    Conv2d: conv2d,
    MatMul: matmul,
}
