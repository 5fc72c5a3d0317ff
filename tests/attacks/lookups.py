"""What a program looks up, cell by cell, and the multiplicities that follow from it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from offchain.prove.program import NONE, Block, Program, Source
from offchain.prove.reference.columns import Witness, column
from offchain.prove.reference.field import R
from offchain.prove.reference.points import Challenges
from offchain.prove.reference.prover import expand
from tests.attacks.cheater import Tensors

Row = tuple[int, ...]


@dataclass(frozen=True)
class BlockRows:
    """A block's numerators and looked-up tuples over its cells."""

    block: Block
    numerators: list[int]
    rows: list[Row]


def multiplicities(program: Program, block: Block) -> int | None:
    """Return the tensor of a table's multiplicities, None for a block of lookups."""
    if len(block.numerator) != 1 or block.numerator[0].coefficient.value != -1:
        return None
    slot = block.numerator[0].slot
    return None if slot == NONE else program.slots[slot].tensor


def block_rows(program: Program, tensors: Tensors) -> Iterator[BlockRows]:
    """Yield every block's content."""
    witness = Witness(program, tensors, {})
    challenges = Challenges(tensors[program.output.tensor][0])
    for block in program.blocks:
        ids = {a.slot for e in (block.numerator, *block.columns) for a in e} - {NONE}
        slots = {i: column(witness, i, Source.ZETA, program.lam, block.n, challenges) for i in ids}
        output = challenges.output
        columns = [expand(program, e, block.n, slots, output) for e in block.columns]
        numerators = expand(program, block.numerator, block.n, slots, output)
        yield BlockRows(block, numerators, list(zip(*columns, strict=True)))


def recount(program: Program, tensors: Tensors) -> None:
    """Set the multiplicities to what is looked up, as far as it is in its table."""
    blocks = list(block_rows(program, tensors))
    tables = [b for b in blocks if multiplicities(program, b.block) is not None]
    for table in tables:
        wanted = Counter[Row]()
        for other in blocks:
            if other.block.table_id != table.block.table_id or other in tables:
                continue
            for numerator, row in zip(other.numerators, other.rows, strict=True):
                wanted[row] += numerator
        place = multiplicities(program, table.block)
        assert place is not None
        tensors[place] = [wanted.pop(row, 0) % R for row in table.rows]


def unmatched(program: Program, tensors: Tensors) -> list[tuple[int, Row]]:
    """Return (table id, tuple) of what is looked up outside its table."""
    blocks = list(block_rows(program, tensors))
    tables: dict[int, set[Row]] = {}
    for b in blocks:
        if multiplicities(program, b.block) is not None:
            tables.setdefault(b.block.table_id, set()).update(b.rows)
    return [
        (b.block.table_id, row)
        for b in blocks
        if multiplicities(program, b.block) is None
        for numerator, row in zip(b.numerators, b.rows, strict=True)
        if numerator and row not in tables[b.block.table_id]
    ]


def table_start(program: Program, blocks: Sequence[Block]) -> int:
    """Return the first leaf of the first table."""
    start = 0
    for block in blocks:
        if multiplicities(program, block) is not None:
            break
        start += 1 << block.n
    return start
