"""Programs with one item changed: what a verifier checks who forgets just that."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from offchain.prove.program import (
    FUNCTION_FACTOR,
    NONE,
    Block,
    Coefficient,
    Expression,
    Link,
    Origin,
    Program,
    Residual,
    Slot,
)
from tests.attacks.lookups import multiplicities
from tests.attacks.weakening import Change


def lookups_of(program: Program, *tensors: int) -> list[int]:
    """Return the blocks, but tables, that look up just these tensors."""
    return [
        k
        for k, block in enumerate(program.blocks)
        if multiplicities(program, block) is None and tensors_of(program, block) == set(tensors)
    ]


def tensors_of(program: Program, block: Block) -> set[int]:
    """Return the tensors that a block's columns read."""
    atoms = [a for column in block.columns for a in column if a.slot != NONE]
    return {program.slots[a.slot].tensor for a in atoms}


def unlooked(*tensors: int) -> Change:
    """Return the program in which what is read from these tensors alone is not looked up."""

    def change(program: Program) -> Program:
        found = lookups_of(program, *tensors)
        if not found:
            raise ValueError(f"nothing looks up tensors {tensors}")
        return with_blocks(program, found, lambda b: replace(b, numerator=()))

    return change


def with_blocks(
    program: Program, indices: Sequence[int], change: Callable[[Block], Block]
) -> Program:
    """Return the program with some blocks changed."""
    blocks = [change(b) if k in indices else b for k, b in enumerate(program.blocks)]
    return replace(program, blocks=tuple(blocks))


def table_block(program: Program, table_id: int) -> int:
    """Return the block that is a table."""
    return next(
        k
        for k, b in enumerate(program.blocks)
        if b.table_id == table_id and multiplicities(program, b) is not None
    )


def with_columns(
    table_id: int, change: Callable[[tuple[Expression, ...]], tuple[Expression, ...]]
) -> Change:
    """Return the program whose blocks of one table have other columns."""

    def changed(program: Program) -> Program:
        found = [k for k, b in enumerate(program.blocks) if b.table_id == table_id]
        return with_blocks(program, found, lambda b: replace(b, columns=change(b.columns)))

    return changed


def in_table(table_id: int, *tensors: int) -> Change:
    """Return the program that looks these tensors up in another table."""

    def change(program: Program) -> Program:
        found = lookups_of(program, *tensors)
        return with_blocks(program, found, lambda b: replace(b, table_id=table_id))

    return change


def relation_of(program: Program, residual: Residual, *tensors: int) -> int:
    """Return the only relation of this kind whose expression reads all these tensors."""
    found = []
    for k, relation in enumerate(program.relations):
        read = {program.slots[a.slot].tensor for a in relation.expression if a.slot != NONE}
        if relation.residual == residual and set(tensors) <= read:
            found.append(k)
    (only,) = found
    return only


def term_of(program: Program, relation: int) -> int:
    """Return the product term of a relation."""
    kinds = [r.residual for r in program.relations[:relation]]
    return kinds.count(Residual.PRODUCT)


def without_relation(index: int) -> Change:
    """Return the program in which a relation says 0 = 0."""

    def change(program: Program) -> Program:
        relations = list(program.relations)
        relation = relations[index]
        relations[index] = replace(relation, expression=(), terms=())
        program = replace(program, relations=tuple(relations))
        if relation.residual == Residual.PRODUCT:
            terms = list(program.terms)
            place = term_of(program, index)
            terms[place] = replace(terms[place], monomials=())
            program = replace(program, terms=tuple(terms))
        if relation.residual == Residual.CONTRACTION:
            instances = [
                replace(i, coefficient=Coefficient(0))
                if i.origin == Origin.RELATION and i.index == index
                else i
                for i in program.instances
            ]
            program = replace(program, instances=tuple(instances))
        return program

    return change


def without_constant(index: int) -> Change:
    """Return the program in which a relation's constant is 0."""

    def change(program: Program) -> Program:
        relations = list(program.relations)
        kept = [a for a in relations[index].expression if (a.slot, a.function) != (NONE, NONE)]
        relations[index] = replace(relations[index], expression=tuple(kept))
        return replace(program, relations=tuple(relations))

    return change


def with_slot(index: int, change: Callable[[Slot], Slot]) -> Change:
    """Return the program with a slot changed."""

    def changed(program: Program) -> Program:
        slots = list(program.slots)
        slots[index] = change(slots[index])
        return replace(program, slots=tuple(slots))

    return changed


def with_link(change: Callable[[Link], Link]) -> Change:
    """Return the program with its links changed."""
    return lambda program: replace(program, links=tuple(map(change, program.links)))


def insert_direct(program: Program, slots: Sequence[Slot]) -> tuple[Program, list[int]]:
    """Return the program with more direct slots, and their indices."""
    counts = program.counts
    at = counts.leaf + counts.direct

    def moved(slot: int) -> int:
        return slot + len(slots) if at <= slot < counts.total else slot

    def moved_factor(factor: int) -> int:
        return factor if factor & FUNCTION_FACTOR else moved(factor)

    program = replace(
        program,
        counts=replace(counts, direct=counts.direct + len(slots)),
        slots=(*program.slots[:at], *slots, *program.slots[at:]),
        terms=tuple(
            replace(
                t,
                monomials=tuple(
                    replace(m, factors=tuple(map(moved_factor, m.factors))) for m in t.monomials
                ),
            )
            for t in program.terms
        ),
        instances=tuple(
            replace(
                i,
                a=moved(i.a),
                b=moved(i.b),
                index=moved(i.index) if i.origin == Origin.SLOT else i.index,
            )
            for i in program.instances
        ),
        links=tuple(
            replace(x, window=moved(x.window), tensor=moved(x.tensor)) for x in program.links
        ),
    )
    return program, list(range(at, at + len(slots)))


def in_turn(*changes: Change) -> Change:
    """Return the changes one after another."""

    def changed(program: Program) -> Program:
        for change in changes:
            program = change(program)
        return program

    return changed
