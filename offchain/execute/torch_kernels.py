"""Every operator on torch (LANGUAGE.md). Imported only where torch is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import torch
from torch import Tensor

from offchain.errors import TensorError
from offchain.execute.layout import plan_matmul
from offchain.execute.rows import ROW_LIMIT
from offchain.execute.torch_state import TorchState
from offchain.model.execution import NormalizeStep, RequantStep, SoftmaxStep
from offchain.model.operators import (
    SATURATED_WIDTH,
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

BLOCK: Final = 1 << 22  # products in a float64 sum


def multiply(a: Tensor, b: Tensor) -> Tensor:
    """Return a @ b in int64 for (B, I, K) and (B, K, J) of at most 16 bits."""
    parts = (
        (a[..., k : k + BLOCK].double() @ b[..., k : k + BLOCK, :].double()).long()
        for k in range(0, a.shape[-1], BLOCK)
    )
    first = next(parts)
    return sum(parts, first)


def _biased(acc: Tensor, bias: str | None, state: TorchState) -> Tensor:
    return acc if bias is None else acc + state.read(bias)


def _linear(op: Linear, state: TorchState) -> Tensor:
    x, w = state.read(op.x), state.weights.matrices[op.name]  # (1, K, J)
    kept = x.shape[: x.ndim - op.axes]
    acc = multiply(x.reshape(1, -1, w.shape[1]), w)
    return _biased(acc.reshape(*kept, w.shape[2]), op.b, state)


def _conv2d(op: Conv2d, state: TorchState) -> Tensor:
    x, w = state.read(op.x), state.weights.matrices[op.name]  # (G, KH KW c, O / G)
    kernel, p, s = state.weights.kernels[op.name], op.padding, op.stride
    padded = torch.nn.functional.pad(x, (0, 0, p, p, p, p))
    windows = padded.unfold(0, kernel[0], s).unfold(1, kernel[1], s)  # (H', W', C, KH, KW)
    rows, cols, channels = windows.shape[:3]
    grouped = windows.reshape(rows * cols, op.groups, channels // op.groups, -1)
    patches = grouped.permute(1, 0, 3, 2).reshape(op.groups, rows * cols, -1)
    acc = multiply(patches, w).transpose(0, 1)  # (H'W', G, O / G)
    return _biased(acc.reshape(rows, cols, -1), op.b, state)


def _matmul(op: MatMul, state: TorchState) -> Tensor:
    a, b = state.read(op.a), state.read(op.b)
    if op.share > 1:
        left, right, result = op.equation.replace("->", ",").split(",")
        (batch,) = set(left) & set(right) & set(result)
        b = b.repeat_interleave(op.share, dim=right.index(batch))
    plan = plan_matmul(op.equation, tuple(a.shape), tuple(b.shape))
    flat = multiply(
        a.permute(plan.a_order).reshape(plan.a_shape), b.permute(plan.b_order).reshape(plan.b_shape)
    )
    return flat.reshape(plan.shape).permute(plan.order)


def _sum(op: Sum, state: TorchState) -> Tensor:
    acc = torch.zeros((), dtype=torch.int64)
    for name, coefficient in op.terms:
        acc = acc + coefficient * state.read(name)
    return acc


def _product(op: Product, state: TorchState) -> Tensor:
    return state.read(op.a) * state.read(op.b)


def _reduce_sum(op: ReduceSum, state: TorchState) -> Tensor:
    acc = state.read(op.x)
    for axis in reversed(range(acc.ndim)):
        size, window = acc.shape[axis], op.windows[axis]
        if window != 1:
            shape = (*acc.shape[:axis], size // window, window, *acc.shape[axis + 1 :])
            acc = acc.reshape(shape).sum(dim=axis + 1)
            acc = acc.squeeze(axis) if window == size else acc
    return acc


def _rotate(op: Rotate, state: TorchState) -> Tensor:
    x = state.read(op.x)
    lower, upper = x.chunk(2, dim=-1)
    between = (1,) * (x.ndim - 2)
    cos, sin = (state.read(name) for name in (op.cos, op.sin))
    cos, sin = (w.reshape(x.shape[0], *between, x.shape[-1]) for w in (cos, sin))
    return x * cos + torch.cat([-upper, lower], dim=-1) * sin


def _normalize(op: Normalize, state: TorchState) -> Tensor:
    x = state.read(op.x)
    n = x.shape[-1] if op.kind == "layer" else 1
    if n * x.shape[-1] * int(x.abs().max()) ** 2 + op.epsilon >= ROW_LIMIT:
        raise TensorError(op.name, "a row's sum of squares can reach 2^62")
    total = n * (x * x).sum(dim=-1) + op.epsilon
    centred = x
    if op.kind == "layer":
        total = total - x.sum(dim=-1) ** 2
        centred = n * x - x.sum(dim=-1, keepdim=True)
    quotient = (1 << (2 * op.f)) // total
    root = quotient.double().sqrt().long()  # off by one at most, put right exactly
    root = root - (root * root > quotient).long()
    root = root + ((root + 1) * (root + 1) <= quotient).long()
    state.rows[op.name] = NormalizeStep(total.numpy(), root.numpy())
    return _biased(centred * root[..., None] * state.read(op.gamma), op.beta, state)


def _softmax(op: Softmax, state: TorchState) -> Tensor:
    x, table = state.read(op.x), state.read(op.table)
    takes_part = torch.ones_like(x, dtype=torch.bool)
    if op.causal:
        takes_part = takes_part.tril(x.shape[-1] - x.shape[-2])
    maximum = x.masked_fill(~takes_part, torch.iinfo(torch.int64).min).amax(dim=-1)
    distance = (maximum[..., None] - x).masked_fill(~takes_part, 0)
    if bool((distance >> op.width).any()):
        raise TensorError(op.name, f"max(x) - x reaches 2^{op.width}")
    e = table[distance].masked_fill(~takes_part, 0)
    total = e.sum(dim=-1)
    iota = (1 << op.g) // total
    state.rows[op.name] = SoftmaxStep(*(v.numpy() for v in (maximum, e, total, iota)))
    return e * iota[..., None]


def _embedding(op: Embedding, state: TorchState) -> Tensor:
    tokens = state.read(op.tokens)
    acc = state.read(op.table)[tokens]
    return acc if op.position is None else acc + state.read(op.position)[: len(tokens)]


def _requant(op: Requant, state: TorchState) -> Tensor:
    acc = state.values[op.x]
    m = op.m if op.scale is None else op.m * state.read(op.scale)
    t = (acc * m + (1 << (op.s - 1))) >> op.s  # int64 >> is an arithmetic shift in torch
    half = 1 << (op.key_width - 1)
    key = t if op.width <= SATURATED_WIDTH else t.clamp(-half, half - 1)
    if op.is_built_in:
        y = (key.clamp(min=0) if op.table == "relu" else key).clamp(op.lo, op.hi)
    elif bool(((key < -half) | (key >= half)).any()):
        raise TensorError(op.name, f"a quotient leaves its {op.width} bits")
    else:
        y = state.read(op.table)[key + half]
    state.steps[op.name] = RequantStep(acc.numpy(), t.numpy(), y.numpy())
    return y


def _max_pool(op: MaxPool, state: TorchState) -> Tensor:
    x = state.read(op.x)
    (rows, cols), (height, width, channels) = op.window, x.shape
    return x.reshape(height // rows, rows, width // cols, cols, channels).amax(dim=(1, 3))


def _relu_bits(op: ReluBits, state: TorchState) -> Tensor:
    return state.read(op.x).clamp(min=0)


def _reshape(op: Reshape, state: TorchState) -> Tensor:
    return state.read(op.x).reshape(op.shape)


def _transpose(op: Transpose, state: TorchState) -> Tensor:
    return state.read(op.x).permute(op.order)


def _slice(op: Slice, state: TorchState) -> Tensor:
    kept = state.read(op.x).narrow(op.axis, op.start, op.size)
    return kept.squeeze(op.axis) if op.size == 1 else kept


def _gather(op: Gather, state: TorchState) -> Tensor:
    return state.read(op.x).reshape(-1)[state.read(op.index)]


def _argmax(op: Argmax, state: TorchState) -> Tensor:
    x = state.read(op.x)
    return (x == x.max()).nonzero()[0]  # torch's own argmax promises no order among equals


TORCH_KERNELS: Final[Mapping[type, Callable[[Any, TorchState], Tensor]]] = {
    Linear: _linear,
    Conv2d: _conv2d,
    MatMul: _matmul,
    Sum: _sum,
    Product: _product,
    ReduceSum: _reduce_sum,
    Rotate: _rotate,
    Normalize: _normalize,
    Softmax: _softmax,
    Embedding: _embedding,
    Requant: _requant,
    MaxPool: _max_pool,
    ReluBits: _relu_bits,
    Reshape: _reshape,
    Transpose: _transpose,
    Slice: _slice,
    Gather: _gather,
    Argmax: _argmax,
}
