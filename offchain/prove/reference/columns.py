"""What slots look like before challenges are drawn: vectors over the hypercube (FORMAT.md 3.3, 7).

The prover's sums run over columns: a slot as a function of the last coordinates of one challenge
vector, everything else being bound. Virtual slots are computed from the instance that proves them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from offchain.errors import ProofError
from offchain.prove.program import (
    NONE,
    Axis,
    Function,
    Instance,
    Link,
    Origin,
    Program,
    Segment,
    SlotKind,
    Source,
)
from offchain.prove.reference.field import R, bits, eq, eq_table, evaluate, fold
from offchain.prove.reference.points import (
    Challenges,
    build_point,
    evaluate_function,
    segment_point,
)


@dataclass(frozen=True)
class Witness:
    """A program with all its tensors (padded, flat, by id) and the elements of its inputs."""

    program: Program
    tensors: Mapping[int, Sequence[int]]
    tokens: Mapping[int, Sequence[int]]  # unpadded elements of every public input of bytes


def instance_of(program: Program, slot: int) -> Instance | Link:
    """Return what proves a virtual slot."""
    for instance in program.instances:
        if instance.origin == Origin.SLOT and instance.index == slot:
            return instance
    for link in program.links:
        if link.window == slot:
            return link
    raise ProofError(f"program: virtual slot {slot} is not proven")


def slot_value(w: Witness, slot: int, challenges: Challenges) -> int:
    """Return a slot's value, all challenges of its point being drawn."""
    entry = w.program.slots[slot]
    if entry.kind == SlotKind.TENSOR:
        return evaluate(w.tensors[entry.tensor], build_point(entry.point, challenges))
    if entry.kind == SlotKind.ONE_HOT:
        return one_hot(w, entry.tensor, build_point(entry.point, challenges))
    proof = instance_of(w.program, slot)
    if isinstance(proof, Link):
        weights, cells = link_columns(w, proof, challenges)
        return sum(s * x for s, x in zip(weights, cells, strict=True)) % R
    return sum(contraction_cells(w, proof, challenges)) * proof.coefficient.value % R


def one_hot(w: Witness, tensor: int, point: Sequence[int]) -> int:
    """Return sum_t eq(p, bits(t)) eq(q, bits(x_t)) over the input's elements."""
    n = w.program.tensors[tensor].n
    rows, columns = list(point[:n]), list(point[n:])
    return (
        sum(
            eq(rows, bits(t, n)) * eq(columns, bits(token, len(columns)))
            for t, token in enumerate(w.tokens[tensor])
        )
        % R
    )


def boolean(
    source: Source, index: int, variables: int, size: int, challenges: Challenges
) -> Challenges:
    """Return the challenges with `source`, of `size` coordinates, ending in the bits of `index`."""
    return challenges.with_vector(source, [0] * (size - variables) + bits(index, variables))


def column(
    w: Witness, slot: int, source: Source, size: int, variables: int, challenges: Challenges
) -> list[int]:
    """Return a slot's values over all boolean ends (`variables` bits) of `source`."""
    entry = w.program.slots[slot]
    if entry.kind != SlotKind.TENSOR:
        return [
            slot_value(w, slot, boolean(source, x, variables, size, challenges))
            for x in range(1 << variables)
        ]
    return tensor_column(w.tensors[entry.tensor], entry.point, source, variables, challenges)


def tensor_column(
    values: Sequence[int],
    point: Sequence[Segment],
    source: Source,
    variables: int,
    challenges: Challenges,
) -> list[int]:
    """Return a tensor at `point` over all boolean ends of `source`, binding everything else."""
    free: list[
        tuple[int, bool]
    ] = []  # (index from the end of the source, flipped), outermost first
    current = [v % R for v in values]
    for segment in point:
        if segment.source == source:
            free += [
                (segment.end + segment.length - 1 - k, segment.flip) for k in range(segment.length)
            ]
            continue
        for x in segment_point(segment, challenges):
            current = _bind(current, len(free), x)
    if any(at >= variables for at, _ in free):
        raise ProofError("program: a point uses more variables than its instance has")

    def cell(x: int) -> int:
        index = 0
        for at, flip in free:
            index = 2 * index + ((x >> at & 1) ^ flip)
        return current[index]

    return [cell(x) for x in range(1 << variables)]


def _bind(values: list[int], outer: int, x: int) -> list[int]:
    """Bind the variable behind `outer` free ones."""
    size = len(values) >> outer
    return [v for k in range(1 << outer) for v in fold(values[k * size : (k + 1) * size], x)]


def function_column(function: Function, size: int, variables: int, output: int) -> list[int]:
    """Return a public function over all boolean ends of a vector of `size` coordinates."""
    lead = [0] * (size - variables)
    return [
        evaluate_function(function, lead + bits(x, variables), output)
        for x in range(1 << variables)
    ]


def contraction_columns(w: Witness, instance: Instance, challenges: Challenges) -> list[list[int]]:
    """Return [A, B] or [E, A, B] over the instance's variables."""
    size, variables = w.program.contraction_rounds, instance.variables
    columns = [
        column(w, slot, Source.CONTRACTION, size, variables, challenges)
        for slot in (instance.a, instance.b)
    ]
    if instance.is_weighted:
        columns.insert(0, _weights(w.program, instance, challenges))
    return columns


def contraction_cells(w: Witness, instance: Instance, challenges: Challenges) -> list[int]:
    """Return E A B over the instance's variables."""
    product = [1] * (1 << instance.variables)
    for values in contraction_columns(w, instance, challenges):
        product = [a * b % R for a, b in zip(product, values, strict=True)]
    return product


def _weights(program: Program, instance: Instance, challenges: Challenges) -> list[int]:
    size, variables = program.contraction_rounds, instance.variables
    weights = [1] * (1 << variables)
    if instance.function != NONE:
        function = program.functions[instance.function]
        weights = function_column(function, size, variables, challenges.output)
    for tie in instance.ties:
        table = eq_table(segment_point(tie.segment, challenges))
        mask = len(table) - 1
        weights = [v * table[x >> tie.end & mask] % R for x, v in enumerate(weights)]
    return weights


def link_columns(w: Witness, link: Link, challenges: Challenges) -> tuple[list[int], list[int]]:
    """Return (S_H S_W, X) over the link's variables, the height first."""
    height, width = (axis_weights(axis, challenges) for axis in (link.height, link.width))
    weights = [s * t % R for s in height for t in width]
    variables = link.height.log_in + link.width.log_in
    cells = column(w, link.tensor, Source.LINK, w.program.link_rounds, variables, challenges)
    return weights, cells


def axis_weights(axis: Axis, challenges: Challenges) -> list[int]:
    """Return for every input i the sum of eq(z, h) eq(kappa, k) over what reads it."""
    z = eq_table(segment_point(axis.z, challenges) if axis.z else [])
    kappa = eq_table(segment_point(axis.kappa, challenges) if axis.kappa else [])
    weights = [0] * (1 << axis.log_in)
    for h in range(axis.out):
        for k in range(axis.kernel):
            i = h * axis.stride + k - axis.pad
            if 0 <= i < axis.size:
                weights[i] = (weights[i] + z[h] * kappa[k]) % R
    return weights


def evaluate_axis(axis: Axis, challenges: Challenges, point: Sequence[int]) -> int:
    """Return the axis weights' multilinear extension at `point`."""
    return evaluate(axis_weights(axis, challenges), point)
