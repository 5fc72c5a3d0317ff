"""Rules and result shapes of the operators whose results are activations (LANGUAGE.md)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import prod
from typing import Any, Final

from offchain.model.operators import (
    ACTIVATION_BITS,
    BUILT_IN_TABLES,
    DIGIT_WIDTHS,
    INDEX_BITS,
    MAX_DIGITS,
    MAX_RANK,
    MULTIPLIERS,
    STORED_BITS,
    WIDE,
    WIDTHS,
    Argmax,
    Conv2d,
    Gather,
    Linear,
    MaxPool,
    Op,
    ReluBits,
    Requant,
    Reshape,
    Slice,
    Transpose,
)
from offchain.model.scope import Role, Rule, Scope


def _requant(op: Requant, scope: Scope) -> Rule:
    value = scope.values.get(op.x)
    scope.used.add(op.x)
    scope.requants[op.x] = scope.requants.get(op.x, 0) + 1
    if value is None:
        yield f"{op.name}: reads what no earlier operator writes: {op.x!r}"
    elif value.role is not Role.ACCUMULATOR:
        yield f"{op.name}: reads {op.x!r}, which is not an accumulator"
    shape = None if value is None else value.shape
    yield from _requant_numbers(op)
    if op.table not in BUILT_IN_TABLES:
        entries = (1 << op.key_width,) if op.key_width in WIDTHS else None
        yield from scope.weight_of_shape(op.name, op.table, entries, STORED_BITS)
    elif not op.lo <= 0 <= op.hi:
        # Padding cells hold f(0) and must be 0 (proofs-spec.md 13).
        yield f"{op.name}: [{op.lo}, {op.hi}] does not contain 0"
    if op.scale is not None:
        yield from scope.weight_of_shape(op.name, op.scale, None if shape is None else shape[-1:])
    return shape


def _requant_numbers(op: Requant) -> Iterator[str]:
    if op.m not in MULTIPLIERS:
        yield f"{op.name}: m={op.m} is outside {MULTIPLIERS[0]}..{MULTIPLIERS[-1]}"
    if not 1 <= len(op.digits) <= MAX_DIGITS or set(op.digits) - set(DIGIT_WIDTHS):
        yield f"{op.name}: digits {list(op.digits)} are not 1 or 2 of {list(DIGIT_WIDTHS)}"
    elif sum(op.digits) != op.s:
        yield f"{op.name}: digits {list(op.digits)} do not sum to s={op.s}"
    if op.width not in WIDTHS and op.width not in WIDE:
        yield f"{op.name}: width={op.width} is outside {WIDTHS[0]}..{WIDE[-1]}"
    yield from range_problems(op.name, op.bits, op.lo, op.hi)


def range_problems(name: str, bits: int, lo: int, hi: int) -> Iterator[str]:
    """Yield what is wrong with an activation's width and range."""
    if bits not in ACTIVATION_BITS:
        yield f"{name!r} has {bits} bits, expected one of {list(ACTIVATION_BITS)}"
    elif not -(1 << (bits - 1)) <= lo <= hi < 1 << (bits - 1):
        yield f"{name!r}: [{lo}, {hi}] is not a range of {bits}-bit integers"


def _max_pool(op: MaxPool, scope: Scope) -> Rule:
    x = yield from scope.activation(op.name, op.x)
    if len(op.window) != 2 or any(not _is_power_of_two(size) for size in op.window):
        yield f"{op.name}: window {list(op.window)} is not two powers of two"
        return None
    if x is None:
        return None
    if len(x) != 3:
        yield f"{op.name}: {op.x!r} has rank {len(x)}, expected (H, W, C)"
        return None
    (rows, cols), (height, width, channels) = op.window, x
    if height % rows or width % cols:
        yield f"{op.name}: windows {rows} x {cols} do not divide {height} x {width}"
    return max(1, height // rows), max(1, width // cols), channels


def _relu_bits(op: ReluBits, scope: Scope) -> Rule:
    x = yield from scope.activation(op.name, op.x)
    value = scope.values.get(op.x)
    if value is not None and value.role is Role.ACTIVATION and value.bits != 8:
        yield f"{op.name}: {op.x!r} has {value.bits} bits, expected 8"
    return x


def _reshape(op: Reshape, scope: Scope) -> Rule:
    x = yield from scope.activation(op.name, op.x)
    if not 1 <= len(op.shape) <= MAX_RANK or any(size < 1 for size in op.shape):
        yield f"{op.name}: {list(op.shape)} is not a shape of rank 1 to {MAX_RANK}"
        return None
    if x is not None and prod(x) != prod(op.shape):
        yield f"{op.name}: {list(op.shape)} has {prod(op.shape)} cells, {op.x!r} {prod(x)}"
    return op.shape


def _transpose(op: Transpose, scope: Scope) -> Rule:
    x = yield from scope.activation(op.name, op.x)
    if x is None:
        return None
    if sorted(op.order) != list(range(len(x))):
        yield f"{op.name}: {list(op.order)} does not permute the {len(x)} axes of {op.x!r}"
        return None
    return tuple(x[axis] for axis in op.order)


def _slice(op: Slice, scope: Scope) -> Rule:
    x = yield from scope.activation(op.name, op.x)
    if not _is_power_of_two(op.size) or op.start < 0 or op.start % op.size:
        yield f"{op.name}: size {op.size} is not a power of two that divides start {op.start}"
        return None
    if x is None:
        return None
    if not 0 <= op.axis < len(x) or op.start + op.size > x[op.axis]:
        yield f"{op.name}: {op.start}..{op.start + op.size - 1} of axis {op.axis} of {list(x)}"
        return None
    kept = (op.size,) if op.size > 1 else ()
    shape = (*x[: op.axis], *kept, *x[op.axis + 1 :])
    if not shape:
        yield f"{op.name}: no axis is left"
        return None
    return shape


def _gather(op: Gather, scope: Scope) -> Rule:
    yield from scope.activation(op.name, op.x)
    return (yield from scope.weight(op.name, op.index, (INDEX_BITS,)))


def _argmax(op: Argmax, scope: Scope) -> Rule:
    x = yield from scope.activation(op.name, op.x)
    if x is not None and len(x) != 1:
        yield f"{op.name}: {op.x!r} has rank {len(x)}, expected 1"
    return (1,)


def scale_problems(op: Requant, source: Op | None) -> Iterator[str]:
    """Yield that a channel's multiplier has no weight which could carry it."""
    if op.scale is not None and not isinstance(source, Linear | Conv2d):
        yield f"{op.name}: a scale for each channel, but {op.x!r} is no linear or conv2d"


def _is_power_of_two(size: int) -> bool:
    return size >= 1 and not size & (size - 1)


ACTIVATION_RULES: Final[dict[type, Callable[[Any, Scope], Rule]]] = {
    Requant: _requant,
    MaxPool: _max_pool,
    ReluBits: _relu_bits,
    Reshape: _reshape,
    Transpose: _transpose,
    Slice: _slice,
    Gather: _gather,
    Argmax: _argmax,
}
