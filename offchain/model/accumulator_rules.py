"""Rules and result shapes of the operators whose results are exact accumulators (LANGUAGE.md)."""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Sequence
from typing import Any, Final

from offchain.model.operators import (
    COEFFICIENT_LIMIT,
    MAX_EPSILON,
    MAX_NORM_F,
    MAX_SOFTMAX_G,
    NORM_KINDS,
    STORED_BITS,
    TABLE_BITS,
    WIDTHS,
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
from offchain.model.scope import Role, Rule, Scope, Shape

_EINSUM: Final = re.compile(r"([a-z]{1,4}),([a-z]{1,4})->([a-z]{1,4})")


def _linear(op: Linear, scope: Scope) -> Rule:
    x = yield from scope.activation(op.name, op.x)
    w = yield from scope.weight(op.name, op.w)
    if op.b is not None:
        bias = None if not w else w[:1]
        yield from scope.weight_of_shape(op.name, op.b, bias, STORED_BITS)
    if op.axes < 1 or (x is not None and op.axes > len(x)):
        yield f"{op.name}: axes={op.axes} are not the last axes of {op.x!r}"
        return None
    if x is None or w is None:
        return None
    summed = x[len(x) - op.axes :]
    if len(w) != 1 + op.axes:
        yield f"{op.name}: weight {op.w!r} has rank {len(w)}, expected {1 + op.axes}"
        return None
    if w[1:] != summed:
        yield f"{op.name}: weight {op.w!r} takes {list(w[1:])}, {op.x!r} has {list(summed)}"
    return (*x[: len(x) - op.axes], w[0])


def _conv2d(op: Conv2d, scope: Scope) -> Rule:
    x = yield from scope.activation(op.name, op.x)
    w = yield from scope.weight(op.name, op.w)
    if op.b is not None:
        bias = None if not w else w[:1]
        yield from scope.weight_of_shape(op.name, op.b, bias, STORED_BITS)
    if op.stride < 1 or op.padding < 0 or op.groups < 1:
        yield f"{op.name}: stride {op.stride}, padding {op.padding}, groups {op.groups}"
        return None
    if x is None or w is None:
        return None
    if len(x) != 3 or len(w) != 4:
        yield f"{op.name}: expected x (H, W, C) and w (O, KH, KW, C / groups)"
        return None
    (height, width, channels), (outputs, kernel_h, kernel_w, inner) = x, w
    if channels % op.groups or outputs % op.groups or inner * op.groups != channels:
        yield (
            f"{op.name}: {op.groups} groups of {inner} do not make {channels} channels"
            f" and {outputs} outputs"
        )
    if op.padding >= min(kernel_h, kernel_w):
        yield f"{op.name}: padding {op.padding} is not below the kernel {kernel_h} x {kernel_w}"
    rows, cols = height + 2 * op.padding - kernel_h, width + 2 * op.padding - kernel_w
    if rows < 0 or cols < 0:
        yield f"{op.name}: the kernel {kernel_h} x {kernel_w} is larger than {op.x!r}"
        return None
    return rows // op.stride + 1, cols // op.stride + 1, outputs


def _matmul(op: MatMul, scope: Scope) -> Rule:
    a = yield from scope.activation(op.name, op.a)
    b = yield from scope.activation(op.name, op.b)
    match = _EINSUM.fullmatch(op.equation)
    if match is None:
        yield f"{op.name}: equation {op.equation!r} is not of the form 'ik,kj->ij'"
        return None
    left, right, result = match.groups()
    problems = list(_equation_problems(op, left, right, result))
    yield from (f"{op.name}: {problem}" for problem in problems)
    if problems or a is None or b is None:
        return None
    if (len(a), len(b)) != (len(left), len(right)):
        yield f"{op.name}: {op.equation!r} does not fit ranks {len(a)} and {len(b)}"
        return None
    sizes = dict(zip(left, a, strict=True))
    batch = set(left) & set(right) & set(result)
    for letter, size in zip(right, b, strict=True):
        expected = size * op.share if letter in batch else size
        if sizes.setdefault(letter, size) != expected:
            yield f"{op.name}: axis {letter!r} has {sizes[letter]} in a, {size} in b"
    return tuple(sizes[letter] for letter in result)


def _equation_problems(
    op: MatMul, left: str, right: str, result: str
) -> Generator[str, None, None]:
    if any(len(set(letters)) != len(letters) for letters in (left, right, result)):
        yield f"a letter of {op.equation!r} stands twice in one operand"
    shared = set(left) & set(right)
    if len(shared & set(result)) > 1:
        yield f"{op.equation!r} has more than one batch axis"
    if not shared - set(result):
        yield f"{op.equation!r} sums nothing"
    if set(result) - set(left) - set(right) or (set(left) ^ set(right)) - set(result):
        yield f"{op.equation!r} drops or invents an axis"
    if op.share < 1 or op.share & (op.share - 1):
        yield f"share={op.share} is not a power of two"
    if op.share != 1 and not shared & set(result):
        yield f"share={op.share} without a batch axis"


def _sum(op: Sum, scope: Scope) -> Rule:
    shapes = []
    if not op.terms:
        yield f"{op.name}: a sum of nothing"
    if op.terms and all(name in scope.weights for name, _ in op.terms):
        yield f"{op.name}: sums no activation"
    for name, coefficient in op.terms:
        shapes.append((yield from scope.either(op.name, name)))
        if not 1 <= abs(coefficient) < COEFFICIENT_LIMIT:
            yield f"{op.name}: coefficient {coefficient} of {name!r} is not in ±(2^15 - 1) or is 0"
    return (yield from _broadcast(op.name, shapes))


def _product(op: Product, scope: Scope) -> Rule:
    a = yield from scope.activation(op.name, op.a)
    b = yield from scope.either(op.name, op.b)
    return (yield from _broadcast(op.name, [a, b]))


def _broadcast(op: str, shapes: Sequence[Shape | None]) -> Rule:
    """Return the largest shape, to which the others broadcast from the last axis on."""
    known = [shape for shape in shapes if shape is not None]
    if not known or len(known) < len(shapes):
        return None
    rank = max(len(shape) for shape in known)
    full = [(1,) * (rank - len(shape)) + shape for shape in known]
    largest = tuple(max(sizes) for sizes in zip(*full, strict=True))
    if any(size not in (1, most) for f in full for size, most in zip(f, largest, strict=True)):
        yield f"{op}: shapes {[list(shape) for shape in known]} do not broadcast"
    elif largest not in known:
        yield f"{op}: no operand has the result's shape {list(largest)}"
    return largest


def _reduce_sum(op: ReduceSum, scope: Scope) -> Rule:
    x = yield from scope.activation(op.name, op.x)
    if x is None:
        return None
    if len(op.windows) != len(x):
        yield f"{op.name}: {len(op.windows)} windows for the rank {len(x)} of {op.x!r}"
        return None
    for size, window in zip(x, op.windows, strict=True):
        if not _is_window(size, window):
            yield (
                f"{op.name}: a window of {window} neither spans {size} cells"
                " nor is a power of two that divides them"
            )
    if any(window < 1 for window in op.windows):
        return None
    shape = tuple(
        size // window
        for size, window in zip(x, op.windows, strict=True)
        if window == 1 or window != size
    )
    if not shape:
        yield f"{op.name}: no axis is left"
        return None
    return shape


def _is_window(size: int, window: int) -> bool:
    return window == size or (window >= 1 and not window & (window - 1) and size % window == 0)


def _rotate(op: Rotate, scope: Scope) -> Rule:
    x = yield from scope.activation(op.name, op.x)
    expected = None
    if x is not None:
        expected = (x[0], x[-1])
        if len(x) < 2:
            yield f"{op.name}: {op.x!r} has rank {len(x)}, expected (T, ..., D)"
        if x[-1] < 2 or x[-1] & (x[-1] - 1):
            yield f"{op.name}: rotates {x[-1]} columns, which is not a power of two"
    for name in (op.cos, op.sin):
        yield from scope.weight_of_shape(op.name, name, expected)
    return x


def _normalize(op: Normalize, scope: Scope) -> Rule:
    x = yield from scope.activation(op.name, op.x)
    columns = None if x is None else x[-1:]
    yield from scope.weight_of_shape(op.name, op.gamma, columns)
    if op.beta is not None:
        yield from scope.weight_of_shape(op.name, op.beta, columns, STORED_BITS)
    if op.kind not in NORM_KINDS:
        yield f"{op.name}: kind {op.kind!r} is not one of {list(NORM_KINDS)}"
    if not 1 <= op.epsilon <= MAX_EPSILON:
        yield f"{op.name}: epsilon={op.epsilon} is outside 1..{MAX_EPSILON}"
    if not 1 <= op.f <= MAX_NORM_F:
        yield f"{op.name}: f={op.f} is outside 1..{MAX_NORM_F}"
    return x


def _softmax(op: Softmax, scope: Scope) -> Rule:
    x = yield from scope.activation(op.name, op.x)
    if op.width in WIDTHS:
        yield from scope.weight_of_shape(op.name, op.table, (1 << op.width,), TABLE_BITS)
    else:
        yield from scope.weight(op.name, op.table, TABLE_BITS)
        yield f"{op.name}: width={op.width} is outside {WIDTHS[0]}..{WIDTHS[-1]}"
    if not 1 <= op.g <= MAX_SOFTMAX_G:
        yield f"{op.name}: g={op.g} is outside 1..{MAX_SOFTMAX_G}"
    if op.causal and x is not None and (len(x) < 2 or x[-1] < x[-2]):
        yield f"{op.name}: {list(x)} is not (..., Q, K) with K >= Q, as a causal mask needs"
    return x


def _embedding(op: Embedding, scope: Scope) -> Rule:
    table = yield from scope.weight(op.name, op.table)
    tokens = scope.values.get(op.tokens)
    scope.used.add(op.tokens)
    if tokens is None or tokens.role is not Role.TOKENS:
        yield f"{op.name}: {op.tokens!r} is not an input of tokens (32 bits)"
        tokens = None
    elif tokens.shape is not None and len(tokens.shape) != 1:
        yield f"{op.name}: tokens have rank {len(tokens.shape)}, expected 1"
        tokens = None
    if table is not None and len(table) != 2:
        yield f"{op.name}: table {op.table!r} has rank {len(table)}, expected 2"
        table = None
    if table and tokens and not 0 <= tokens.lo <= tokens.hi < table[0]:
        yield f"{op.name}: tokens in [{tokens.lo}, {tokens.hi}], the table has {table[0]} rows"
    shape = (*tokens.shape, table[1]) if table and tokens and tokens.shape else None
    if op.position is not None:
        position = yield from scope.weight(op.name, op.position)
        fits = position is None or shape is None or _covers(position, shape)
        if not fits:
            yield f"{op.name}: {op.position!r} has shape {position}, the tokens make {shape}"
    return shape


def _covers(position: Shape, shape: Shape) -> bool:
    """Whether there is a row of positions, as wide as the result, for every token."""
    return len(position) == 2 and position[0] >= shape[0] and position[1] == shape[1]


ACCUMULATOR_RULES: Final[dict[type, Callable[[Any, Scope], Rule]]] = {
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
}
