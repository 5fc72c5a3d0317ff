"""Exact sums and products (LANGUAGE.md).

int64 never wraps: operands have at most 16 bits and a sum at most 2^30 terms.
"""

from __future__ import annotations

import numpy as np

from offchain.execute.interpreter import State
from offchain.execute.rows import center, normalize_rows, softmax_rows
from offchain.model.operators import (
    Conv2d,
    Embedding,
    Linear,
    MatMul,
    Normalize,
    Product,
    ReduceSum,
    Rotate,
    Softmax,
    Sum,
)
from offchain.model.weights import IntArray


def linear(op: Linear, state: State) -> IntArray:
    """acc[..., j] = sum_k x[..., k] w[j, k] + b[j], k over the last `axes` axes."""
    x, w = state.read(op.x), state.weight(op.w)
    kept = x.shape[: x.ndim - op.axes]
    flat = x.reshape(*kept, -1) @ w.reshape(len(w), -1).T  # (..., K) @ (K, J) -> (..., J)
    return add_bias(flat, op.b, state)


def add_bias(acc: IntArray, bias: str | None, state: State) -> IntArray:
    """Return acc (..., J) with the bias (J,), where there is one."""
    return acc if bias is None else acc + state.weight(bias)


def conv2d(op: Conv2d, state: State) -> IntArray:
    """acc[h, w, o] = sum x[h s + a - p, w s + b - p, c'] w[o, a, b, c] + bias[o]."""
    x, w = state.read(op.x), state.weight(op.w)
    outputs, kernel_h, kernel_w, inner = w.shape
    p, s = op.padding, op.stride
    padded = np.pad(x, ((p, p), (p, p), (0, 0)))
    rows = (padded.shape[0] - kernel_h) // s + 1
    cols = (padded.shape[1] - kernel_w) // s + 1
    grouped = w.reshape(op.groups, outputs // op.groups, kernel_h, kernel_w, inner)
    acc = np.zeros((rows, cols, op.groups, outputs // op.groups), dtype=np.int64)
    for a in range(kernel_h):
        for b in range(kernel_w):
            seen = padded[a : a + rows * s : s, b : b + cols * s : s]  # (H', W', C)
            seen = seen[:rows, :cols].reshape(rows, cols, op.groups, inner)
            acc += np.einsum("hwgc,goc->hwgo", seen, grouped[:, :, a, b])
    return add_bias(acc.reshape(rows, cols, outputs), op.b, state)


def matmul(op: MatMul, state: State) -> IntArray:
    """Compute acc = einsum(equation, a, b); a batch index h of a reads h // share of b."""
    a, b = state.read(op.a), share_batch(op, state.read(op.b))
    acc: IntArray = np.einsum(op.equation, a, b)
    return acc


def share_batch(op: MatMul, b: IntArray) -> IntArray:
    """Return b with every batch index repeated `share` times."""
    if op.share == 1:
        return b
    left, right, result = op.equation.replace("->", ",").split(",")
    (batch,) = set(left) & set(right) & set(result)
    return np.repeat(b, op.share, axis=right.index(batch))


def weighted_sum(op: Sum, state: State) -> IntArray:
    """Compute acc = sum_i coefficient_i x_i, broadcast from the last axis on."""
    acc = np.zeros((), dtype=np.int64)
    for name, coefficient in op.terms:
        acc = acc + coefficient * state.read(name)
    return acc


def product(op: Product, state: State) -> IntArray:
    """Compute acc = a b, broadcast from the last axis on."""
    return state.read(op.a) * state.read(op.b)


def reduce_sum(op: ReduceSum, state: State) -> IntArray:
    """Compute acc = sums over windows; an axis that its window spans is dropped."""
    acc = state.read(op.x)
    for axis, window in reversed(list(enumerate(op.windows))):
        size = acc.shape[axis]
        if window != 1 and window == size:
            acc = acc.sum(axis=axis)
        elif window != 1:
            shape = (*acc.shape[:axis], size // window, window, *acc.shape[axis + 1 :])
            acc = acc.reshape(shape).sum(axis=axis + 1)
    return acc


def rotate(op: Rotate, state: State) -> IntArray:
    """acc[t, ..., d] = x cos[t, d] + rot(x) sin[t, d]; rot(x) = (-upper half, lower half)."""
    x = state.read(op.x)  # (T, ..., D)
    half = x.shape[-1] // 2
    turned = np.concatenate([-x[..., half:], x[..., :half]], axis=-1)
    shape = (x.shape[0], *(1,) * (x.ndim - 2), x.shape[-1])
    cos, sin = state.weight(op.cos).reshape(shape), state.weight(op.sin).reshape(shape)
    acc: IntArray = x * cos + turned * sin
    return acc


def normalize(op: Normalize, state: State) -> IntArray:
    """acc[..., j] = c_j r gamma_j + beta_j."""
    x = state.read(op.x)
    rows = normalize_rows(op, x)
    state.rows[op.name] = rows
    acc = center(op, x) * rows.root[..., None] * state.weight(op.gamma)
    return add_bias(acc, op.beta, state)


def softmax(op: Softmax, state: State) -> IntArray:
    """Compute acc = e iota over the last axis."""
    rows = softmax_rows(op, state.read(op.x), state.weight(op.table))
    state.rows[op.name] = rows
    return rows.e * rows.iota[..., None]


def embedding(op: Embedding, state: State) -> IntArray:
    """acc[t, d] = table[tokens[t], d] (+ position[t, d])."""
    tokens = state.read(op.tokens)
    acc = state.weights[op.table][tokens].astype(np.int64)  # (V, D)[(T,)] -> (T, D)
    return acc if op.position is None else acc + state.weight(op.position)[: len(tokens)]
