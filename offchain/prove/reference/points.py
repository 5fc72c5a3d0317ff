"""Points, public functions and expressions of a program (FORMAT.md 3.2, 3.4)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from offchain.errors import ProofError
from offchain.prove.program import (
    NONE,
    Expression,
    Factor,
    FactorKind,
    Function,
    Segment,
    Source,
)
from offchain.prove.reference.field import R, bits, eq, identity, inverse, less_than

HALF: Final = inverse(2)


@dataclass
class Challenges:
    """The vectors that points are made of, as far as they are drawn; the output's first element."""

    output: int = 0
    vectors: dict[Source, list[int]] = field(default_factory=dict)

    def with_vector(self, source: Source, vector: Sequence[int]) -> Challenges:
        """Return a copy in which `source` is `vector`."""
        return Challenges(self.output, {**self.vectors, source: list(vector)})

    def __getitem__(self, source: Source) -> list[int]:
        if source not in self.vectors:
            raise ProofError(f"program: {source.name} is used before it is drawn")
        return self.vectors[source]


def cut(vector: Sequence[int], end: int, length: int) -> list[int]:
    """Return vector[N - end - length : N - end]; raise ProofError where it does not reach."""
    start = len(vector) - end - length
    if start < 0:
        raise ProofError("program: a segment lies outside its vector")
    return list(vector[start : start + length])


def segment_point(segment: Segment, challenges: Challenges) -> list[int]:
    """Return a segment's coordinates."""
    if segment.source == Source.HALF:
        return [HALF] * segment.length
    if segment.source == Source.BITS:
        return bits(segment.end, segment.length)
    if segment.source == Source.OUTPUT_BITS:
        return bits(challenges.output >> segment.end, segment.length)
    point = cut(challenges[segment.source], segment.end, segment.length)
    return [(1 - x) % R for x in point] if segment.flip else point


def build_point(segments: Sequence[Segment], challenges: Challenges) -> list[int]:
    """Return the concatenation of the segments' coordinates."""
    return [x for segment in segments for x in segment_point(segment, challenges)]


def evaluate_function(function: Function, vector: Sequence[int], output: int) -> int:
    """Return a public function's value at the phase's vector."""
    product = 1
    for factor in function:
        product = product * _evaluate_factor(factor, vector, output) % R
    return product


def _evaluate_factor(factor: Factor, vector: Sequence[int], output: int) -> int:
    point = cut(vector, factor.end, factor.length)
    if factor.kind == FactorKind.ID:
        return identity(point)
    if factor.kind == FactorKind.LT:
        return less_than(factor.value, point)
    if factor.kind == FactorKind.CAUSAL:
        return causal(factor.value, point, cut(vector, factor.end2, factor.length2))
    if factor.kind == FactorKind.LT_OUTPUT:
        return less_than(output, point)
    return eq(bits(factor.value, len(point)), point)


def causal(count: int, j: Sequence[int], i: Sequence[int]) -> int:
    """Return the multilinear extension of [j <= i < count] at (j, i), most significant bits first.

    An automaton reads one bit of j, i and count at a time; its state is (j < i, i < count) so far.
    """
    states = {(False, count == 1 << len(i)): 1}
    for limit, x, y in zip(bits(count, len(i)), j, i, strict=True):
        after: dict[tuple[bool, bool], int] = {}
        for (less, below), weight in states.items():
            for bit_j, bit_i in ((0, 0), (0, 1), (1, 0), (1, 1)):
                if (not less and bit_j > bit_i) or (not below and bit_i > limit):
                    continue
                state = (less or bit_j < bit_i, below or bit_i < limit)
                step = (x if bit_j else 1 - x) * (y if bit_i else 1 - y)
                after[state] = (after.get(state, 0) + weight * step) % R
        states = after
    return sum(weight for (_, below), weight in states.items() if below) % R


def evaluate_expression(
    expression: Expression, slots: Mapping[int, int], functions: Mapping[int, int]
) -> int:
    """Return the sum of coefficient * slot * function."""
    total = 0
    for atom in expression:
        value = atom.coefficient.value
        if atom.slot != NONE:
            value *= slots[atom.slot]
        if atom.function != NONE:
            value *= functions[atom.function]
        total += value
    return total % R
