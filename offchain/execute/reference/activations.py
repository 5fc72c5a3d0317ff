"""Requantization, maxima and index maps (LANGUAGE.md)."""

from __future__ import annotations

import numpy as np

from offchain.errors import TensorError
from offchain.execute.interpreter import State
from offchain.model.execution import RequantStep
from offchain.model.operators import (
    SATURATED_WIDTH,
    Argmax,
    Gather,
    MaxPool,
    ReluBits,
    Requant,
    Reshape,
    Slice,
    Transpose,
)
from offchain.model.weights import IntArray


def requant(op: Requant, state: State) -> IntArray:
    """Compute t = (acc m_j + 2^(s-1)) >> s and y = clamp(f(t), lo, hi).

    Where t is wide it saturates to 16 bits before f.
    """
    acc = state.values[op.x]
    m = op.m if op.scale is None else op.m * state.weight(op.scale)
    t = (acc * m + (1 << (op.s - 1))) >> op.s
    half = 1 << (op.key_width - 1)
    key = t if op.width <= SATURATED_WIDTH else np.clip(t, -half, half - 1)
    if op.is_built_in:
        y = np.clip(np.maximum(key, 0) if op.table == "relu" else key, op.lo, op.hi)
    elif ((key < -half) | (key >= half)).any():
        raise TensorError(op.name, f"a quotient leaves its {op.width} bits")
    else:
        y = state.weights[op.table][key + half].astype(np.int64)
    state.steps[op.name] = RequantStep(acc, t, y)
    return y


def max_pool(op: MaxPool, state: State) -> IntArray:
    """Compute y = maxima over windows that do not overlap."""
    x = state.read(op.x)  # (H, W, C)
    (rows, cols), (height, width, channels) = op.window, x.shape
    y: IntArray = x.reshape(height // rows, rows, width // cols, cols, channels).max(axis=(1, 3))
    return y


def relu_bits(op: ReluBits, state: State) -> IntArray:
    """Compute y = max(x, 0)."""
    return np.maximum(state.read(op.x), 0)


def reshape(op: Reshape, state: State) -> IntArray:
    """Return the same cells in row-major order under another shape."""
    return state.read(op.x).reshape(op.shape)


def transpose(op: Transpose, state: State) -> IntArray:
    """Return x with its axes permuted."""
    return state.read(op.x).transpose(op.order)


def cut(op: Slice, state: State) -> IntArray:
    """Return x[start : start + size] along one axis, which is dropped if size is 1."""
    x = state.read(op.x)
    kept: IntArray = x.take(range(op.start, op.start + op.size), axis=op.axis)
    return kept.squeeze(op.axis) if op.size == 1 else kept


def gather(op: Gather, state: State) -> IntArray:
    """y[i] = x.flat[index[i]]."""
    return state.read(op.x).reshape(-1)[state.weight(op.index)]


def argmax(op: Argmax, state: State) -> IntArray:
    """Return the lowest index of the greatest element, (1,)."""
    return np.array([state.read(op.x).argmax()], dtype=np.int64)
