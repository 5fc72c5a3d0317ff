"""Collect the parts of a program in any order, number them as the format does (FORMAT.md 3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final

from offchain.errors import ProgramError
from offchain.prove.compile.points import Coordinates, Point, to_point
from offchain.prove.program import (
    NONE,
    Atom,
    Block,
    Coefficient,
    Expression,
    Factor,
    FactorKind,
    Function,
    Instance,
    LinearTerm,
    Link,
    Monomial,
    Origin,
    ProductTerm,
    Relation,
    Residual,
    Slot,
    SlotKind,
    TensorKind,
    Tie,
)

ONE: Final = Coefficient(1)
STEP: Final = 1 << 20  # a draft's slot is (phase + 1) * STEP + its place in the phase


class Phase(IntEnum):
    """When a slot is sent."""

    LEAF = 0
    DIRECT = 1
    PRODUCT = 2
    CONTRACTION = 3
    LINK = 4


@dataclass(frozen=True)
class DraftTensor:
    """A tensor before it has a place.

    `own_chunks`: committed and public (form 1); `chunk_of`: all of the chunk in which that one is;
    `members`: the tensors of one size that lie one after another in it.
    """

    kind: TensorKind
    n: int
    own_chunks: bool = False
    chunk_of: int | None = None
    members: tuple[int, ...] = ()


def atom(value: int, slot: int = NONE, function: int = NONE) -> Atom:
    """Return value * slot * function; raise ProgramError for a value the format cannot hold."""
    return Atom(make_coefficient(value), slot, function)


def constant(value: int) -> Expression:
    """Return the expression of a constant."""
    return (atom(value),) if value else ()


def make_coefficient(value: int) -> Coefficient:
    """Return a coefficient; raise ProgramError for more than 32 significant bits."""
    try:
        return Coefficient.of(value)
    except ValueError as error:
        raise ProgramError(f"the coefficient {value} has more than 32 significant bits") from error


@dataclass
class Builder:
    """The draft of a program. Equal slots of one phase and equal functions are made once."""

    tensors: list[DraftTensor] = field(default_factory=list)
    functions: list[Function] = field(default_factory=list)
    slots: list[list[Slot]] = field(default_factory=lambda: [[] for _ in Phase])
    blocks: list[Block] = field(default_factory=list)
    relations: list[Relation] = field(default_factory=list)
    terms: list[ProductTerm] = field(default_factory=list)
    instances: list[Instance] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)
    reach: int = 1  # the most coordinates of zeta that anything reads
    _found: dict[tuple[Phase, Slot], int] = field(default_factory=dict)

    def add_tensor(self, kind: TensorKind, n: int, *, own_chunks: bool = False) -> int:
        """Return the id of another tensor of 2^n cells."""
        self.tensors.append(DraftTensor(kind, n, own_chunks))
        return len(self.tensors) - 1

    def add_chunk(self, tensor: int, c: int) -> int:
        """Return a tensor that is the whole chunk of one that is alone in it."""
        self.tensors.append(DraftTensor(self.tensors[tensor].kind, c, chunk_of=tensor))
        return len(self.tensors) - 1

    def add_stack(self, members: Sequence[int]) -> int:
        """Return the tensor in which 2^k tensors of one size lie one after another."""
        first = self.tensors[members[0]]
        n = first.n + (len(members) - 1).bit_length()
        self.tensors.append(DraftTensor(first.kind, n, members=tuple(members)))
        return len(self.tensors) - 1

    def find_slot(self, slot: int) -> Slot:
        """Return what a slot of this draft is."""
        return self.slots[Phase(slot // STEP - 1)][slot % STEP]

    def add_slot(self, phase: Phase, tensor: int, point: Point) -> int:
        """Return the slot of a tensor at a point, a leaf slot where a direct one equals it."""
        return self._share(phase, Slot(SlotKind.TENSOR, tensor, point))

    def add_one_hot(self, phase: Phase, tensor: int, point: Point) -> int:
        """Return the slot of an input's one-hot matrix."""
        return self._share(phase, Slot(SlotKind.ONE_HOT, tensor, point))

    def add_virtual(self, phase: Phase) -> int:
        """Return a slot that one contraction or link has to prove."""
        return self._append(phase, Slot(SlotKind.VIRTUAL))

    def has_leaf(self, tensor: int, point: Point) -> bool:
        """Whether a value is sent as a leaf anyway."""
        return (Phase.LEAF, Slot(SlotKind.TENSOR, tensor, point)) in self._found

    def add_function(self, *factors: Factor) -> int:
        """Return the function that is the product of factors; NONE for none."""
        if not factors:
            return NONE
        if factors not in self.functions:
            self.functions.append(factors)
        return self.functions.index(factors)

    def add_block(
        self, n: int, table_id: int, numerator: Expression, columns: Sequence[Expression]
    ) -> None:
        """Add lookups (or a table) of 2^n cells."""
        self.reach = max(self.reach, n)
        self.blocks.append(Block(n, table_id, numerator, tuple(columns)))

    def add_check(self, expression: Expression) -> None:
        """Require that an expression at zeta is 0."""
        self.relations.append(Relation(Residual.NONE, expression))

    def add_linear(self, expression: Expression, terms: Sequence[LinearTerm]) -> None:
        """Require that a sum of committed tensors' values is an expression at zeta."""
        self.relations.append(Relation(Residual.LINEAR, expression, tuple(terms)))

    def add_product(self, expression: Expression, n: int, monomials: Sequence[Monomial]) -> None:
        """Require that the extension of a product over 2^n cells is an expression at zeta."""
        self.reach = max(self.reach, n)
        self.relations.append(Relation(Residual.PRODUCT, expression))
        self.terms.append(ProductTerm(n, tuple(monomials)))

    def add_contraction(self, expression: Expression, draft: Contraction) -> None:
        """Require that a contraction is an expression at zeta."""
        self.relations.append(Relation(Residual.CONTRACTION, expression))
        self._contract(Origin.RELATION, len(self.relations) - 1, draft)

    def prove_by_contraction(self, slot: int, draft: Contraction) -> None:
        """Prove a virtual slot by a contraction."""
        self._contract(Origin.SLOT, slot, draft)

    def _contract(self, origin: Origin, index: int, draft: Contraction) -> None:
        self.instances.append(
            Instance(
                draft.variables,
                origin,
                index,
                make_coefficient(draft.coefficient),
                draft.a,
                draft.b,
                NONE,
                draft.ties,
            )
        )

    def _share(self, phase: Phase, slot: Slot) -> int:
        if phase == Phase.DIRECT and (Phase.LEAF, slot) in self._found:
            phase = Phase.LEAF
        if (phase, slot) not in self._found:
            self._found[phase, slot] = self._append(phase, slot)
        return self._found[phase, slot]

    def _append(self, phase: Phase, slot: Slot) -> int:
        self.slots[phase].append(slot)
        return (phase + 1) * STEP + len(self.slots[phase]) - 1


@dataclass(frozen=True)
class Contraction:
    """coefficient * sum over 2^variables cells of (ties) A B, before its origin is known."""

    variables: int
    a: int
    b: int
    coefficient: int = 1
    ties: tuple[Tie, ...] = ()


def make_ties(fixed: Coordinates, end: int) -> tuple[Tie, ...]:
    """Return eq(fixed, variables that end `end` before the last) as ties."""
    ties = []
    for segment in reversed(to_point(fixed)):
        ties.append(Tie(segment, end))
        end += segment.length
    return tuple(reversed(ties))


def less_than(axes: Sequence[Coordinates], shape: Sequence[int]) -> tuple[Factor, ...]:
    """Return the factors [index < size] of the axes that have padding cells."""
    return tuple(
        Factor(FactorKind.LT, size, axis[-1].end, len(axis))
        for axis, size in zip(axes, shape, strict=True)
        if axis and size != 1 << len(axis)
    )
