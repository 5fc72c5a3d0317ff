"""Lookups of equal size in one table become one block on one stack of tensors (LOWERING.md).

A stack is a tensor in which 2^k others lie one after another, so a block of n + k variables looks
all of them up: what a verifier does for a block it does once.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence

from offchain.prove.compile.builder import Builder, Phase
from offchain.prove.compile.points import take_suffix, to_point
from offchain.prove.program import NONE, Atom, Block, SlotKind, Source, TensorKind


def stack_blocks(builder: Builder) -> None:
    """Replace blocks by blocks on stacks wherever several are alike."""
    groups: dict[Hashable, list[tuple[Block, tuple[int, ...]]]] = {}
    single: list[Block] = []
    stacked: set[int] = set()
    for block in builder.blocks:
        tensors = _stackable(builder, block)
        if tensors is None or stacked & set(tensors) or len(set(tensors)) < len(tensors):
            single.append(block)
            continue
        stacked |= set(tensors)
        groups.setdefault(_shape_of(block), []).append((block, tensors))
    builder.blocks[:] = single
    for members in groups.values():
        for run in _split(members):
            builder.blocks.append(_stack(builder, run) if len(run) > 1 else run[0][0])


def _stackable(builder: Builder, block: Block) -> tuple[int, ...] | None:
    """Return the tensor of every column, if each is one whole committed tensor plus a constant."""
    tensors = []
    whole = to_point(take_suffix(Source.ZETA, [block.n])[0])
    if any(a.slot != NONE or a.function != NONE for a in block.numerator):
        return None
    for column in block.columns:
        slots = [builder.find_slot(a.slot) for a in column if a.slot != NONE]
        if len(slots) != 1 or any(a.function != NONE for a in column):
            return None
        (slot,) = slots
        draft = builder.tensors[slot.tensor] if slot.kind == SlotKind.TENSOR else None
        if draft is None or draft.kind != TensorKind.PROOF or draft.own_chunks:
            return None
        if slot.point != whole:
            return None
        tensors.append(slot.tensor)
    return tuple(tensors)


def _shape_of(block: Block) -> Hashable:
    """Return what blocks of one stack have in common: everything but the tensors."""
    columns = tuple(
        tuple((a.coefficient, a.slot != NONE) for a in column) for column in block.columns
    )
    return block.n, block.table_id, block.numerator, columns


def _split(
    members: Sequence[tuple[Block, tuple[int, ...]]],
) -> Iterator[Sequence[tuple[Block, tuple[int, ...]]]]:
    """Yield runs whose lengths are the powers of two that make up the whole, large ones first."""
    start = 0
    while start < len(members):
        size = 1 << ((len(members) - start).bit_length() - 1)
        yield members[start : start + size]
        start += size


def _stack(builder: Builder, run: Sequence[tuple[Block, tuple[int, ...]]]) -> Block:
    """Return the block of a run on stacks of its tensors, one stack a column."""
    first = run[0][0]
    columns = []
    for k, column in enumerate(first.columns):
        stack = builder.add_stack([tensors[k] for _, tensors in run])
        n = builder.tensors[stack].n
        slot = builder.add_slot(Phase.LEAF, stack, to_point(take_suffix(Source.ZETA, [n])[0]))
        columns.append(
            tuple(a if a.slot == NONE else Atom(a.coefficient, slot, a.function) for a in column)
        )
    return Block(n, first.table_id, first.numerator, tuple(columns))
