"""Slots in the order of the format, and only those that have to be sent (FORMAT.md 3.3)."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from typing import Final

from offchain.errors import ProgramError
from offchain.prove.compile.builder import STEP, Builder, Phase, make_coefficient
from offchain.prove.program import (
    FUNCTION_FACTOR,
    NONE,
    Atom,
    Block,
    Expression,
    Instance,
    LinearTerm,
    Link,
    Origin,
    ProductTerm,
    Relation,
    Residual,
    Slot,
    SlotCounts,
    SlotKind,
    TensorKind,
)

MAX_SLOTS: Final = FUNCTION_FACTOR  # a product's factor keeps the highest bit for functions
_AT_ZETA: Final = (Phase.LEAF, Phase.DIRECT)


@dataclass(frozen=True)
class Numbered:
    """Slots, and everything that names slots, in the order of the format."""

    counts: SlotCounts
    slots: tuple[Slot, ...]
    blocks: tuple[Block, ...]
    relations: tuple[Relation, ...]
    terms: tuple[ProductTerm, ...]
    instances: tuple[Instance, ...]
    links: tuple[Link, ...]


def number_slots(draft: Builder, is_stacked: bool) -> Numbered:
    """Return everything with slots numbered by phase; raise ProgramError for too many.

    A value at zeta is a leaf slot if a block uses it, a direct one if only relations do. Where
    lookups are stacked most are not in blocks any more; then relations that are claims themselves
    take them as terms, and they are not sent at all.
    """
    leaves = _list_slots(draft, (e for b in draft.blocks for e in (b.numerator, *b.columns)))
    bound = (r for r in draft.relations if r.residual in (Residual.PRODUCT, Residual.CONTRACTION))
    in_blocks = set(leaves)
    needed = in_blocks | set(_list_slots(draft, (r.expression for r in bound)))
    relations = draft.relations
    if is_stacked:
        relations = [_take_claims(draft, r, needed) for r in relations]
    read = _list_slots(draft, (r.expression for r in relations))
    direct = [slot for slot in read if slot not in in_blocks]
    kept = [leaves, direct, *(draft.slots[p] for p in Phase if p not in _AT_ZETA)]
    slots = tuple(slot for phase in kept for slot in phase)
    if len(slots) > MAX_SLOTS:
        raise ProgramError(f"graph needs {len(slots)} slots; a program has at most {MAX_SLOTS}")
    rename = _Renaming(_name(draft, leaves, direct))
    names = rename.names
    return Numbered(
        SlotCounts(*map(len, kept)),
        slots,
        tuple(map(rename.block, draft.blocks)),
        tuple(replace(r, expression=rename.expression(r.expression)) for r in relations),
        tuple(map(rename.term, draft.terms)),
        tuple(map(rename.instance, draft.instances)),
        tuple(replace(x, window=names[x.window], tensor=names[x.tensor]) for x in draft.links),
    )


def _list_slots(draft: Builder, expressions: Iterable[Expression]) -> list[Slot]:
    """Return every slot that expressions name, once, in order."""
    found: dict[Slot, None] = {}
    for expression in expressions:
        for a in expression:
            if a.slot != NONE:
                found.setdefault(draft.find_slot(a.slot))
    return list(found)


def _take_claims(draft: Builder, relation: Relation, needed: Collection[Slot]) -> Relation:
    """Turn committed values that nothing else needs into terms of the relation's claim."""
    if relation.residual not in (Residual.NONE, Residual.LINEAR):
        return relation
    kept: list[Atom] = []
    terms = list(relation.terms)
    for a in relation.expression:
        slot = draft.find_slot(a.slot) if a.slot != NONE else None
        if slot is None or slot in needed or a.function != NONE or not _is_claim(draft, slot):
            kept.append(a)
            continue
        # expression - a = terms - a
        coefficient = make_coefficient(-a.coefficient.value)
        terms.append(LinearTerm(coefficient, slot.tensor, slot.point))
    residual = Residual.LINEAR if terms else Residual.NONE
    return Relation(residual, tuple(kept), tuple(terms))


def _is_claim(draft: Builder, slot: Slot) -> bool:
    kind = draft.tensors[slot.tensor].kind
    return slot.kind == SlotKind.TENSOR and kind not in (TensorKind.INPUT, TensorKind.OUTPUT)


def _name(draft: Builder, leaves: list[Slot], direct: list[Slot]) -> dict[int, int]:
    """Return the number of every slot of the draft that is kept."""
    names: dict[int, int] = {NONE: NONE}
    numbers = {slot: k for k, slot in enumerate((*leaves, *direct))}
    for phase in _AT_ZETA:
        for k, slot in enumerate(draft.slots[phase]):
            if slot in numbers:
                names[(phase + 1) * STEP + k] = numbers[slot]
    first = len(numbers)
    for phase in Phase:
        if phase not in _AT_ZETA:
            for k in range(len(draft.slots[phase])):
                names[(phase + 1) * STEP + k] = first + k
            first += len(draft.slots[phase])
    return names


@dataclass(frozen=True)
class _Renaming:
    """Replaces drafts' slots by their numbers."""

    names: dict[int, int]

    def expression(self, expression: Expression) -> Expression:
        return tuple(replace(a, slot=self.names[a.slot]) for a in expression)

    def block(self, block: Block) -> Block:
        columns = tuple(map(self.expression, block.columns))
        return replace(block, numerator=self.expression(block.numerator), columns=columns)

    def term(self, term: ProductTerm) -> ProductTerm:
        monomials = [
            replace(m, factors=tuple(self.names.get(f, f) for f in m.factors))
            for m in term.monomials
        ]
        return replace(term, monomials=tuple(monomials))

    def instance(self, instance: Instance) -> Instance:
        index = instance.index
        return replace(
            instance,
            index=self.names[index] if instance.origin == Origin.SLOT else index,
            a=self.names[instance.a],
            b=self.names[instance.b],
        )
