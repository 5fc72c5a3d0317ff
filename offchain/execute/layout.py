"""A two-operand einsum as a batch of matrix products: which axes go where."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

Shape = tuple[int, ...]


@dataclass(frozen=True)
class MatmulPlan:
    """Permute and flatten a to (B, I, K) and b to (B, K, J); the product, shaped and permuted."""

    a_order: Shape
    a_shape: Shape
    b_order: Shape
    b_shape: Shape
    shape: Shape
    order: Shape


def plan_matmul(equation: str, a: Shape, b: Shape) -> MatmulPlan:
    """Return the plan for operands of these shapes, with equal sizes along shared letters."""
    left, right, result = equation.replace("->", ",").split(",")
    sizes = {**dict(zip(left, a, strict=True)), **dict(zip(right, b, strict=True))}
    shared = [letter for letter in left if letter in right]
    batch = [letter for letter in shared if letter in result]
    summed = [letter for letter in shared if letter not in result]
    rows = [letter for letter in left if letter not in right]
    cols = [letter for letter in right if letter not in left]
    written = [*batch, *rows, *cols]

    def size(letters: list[str]) -> int:
        return prod(sizes[letter] for letter in letters)

    return MatmulPlan(
        a_order=tuple(left.index(letter) for letter in (*batch, *rows, *summed)),
        a_shape=(size(batch), size(rows), size(summed)),
        b_order=tuple(right.index(letter) for letter in (*batch, *summed, *cols)),
        b_shape=(size(batch), size(summed), size(cols)),
        shape=tuple(sizes[letter] for letter in written),
        order=tuple(written.index(letter) for letter in result),
    )
