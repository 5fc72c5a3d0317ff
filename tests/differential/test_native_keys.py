"""The native verifier refuses keys whose programs no graph compiles to, whatever the proof."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from offchain import native
from offchain.errors import NativeProofError
from offchain.prove.program import Column, Program
from tests.attacks.forgeries import honest
from tests.vectors.models import tiny


def with_requant(program: Program, **changes: object) -> Program:
    first, *others = program.requants
    return replace(program, requants=(replace(first, **changes), *others))  # type: ignore[arg-type]


def with_table(program: Program, **changes: object) -> Program:
    """Change the last table block (the tables are the largest blocks, so they come first)."""
    index = max(i for i, block in enumerate(program.blocks) if block.is_table)
    blocks = list(program.blocks)
    blocks[index] = replace(blocks[index], **changes)  # type: ignore[arg-type]
    return replace(program, blocks=tuple(blocks))


def moved_table(program: Program) -> Program:
    block = next(b for b in reversed(program.blocks) if b.is_table)
    first, *others = block.columns
    return with_table(program, columns=(Column(first.tensor, 1), *others))


def wide_input(program: Program) -> Program:
    source, output = program.public
    return replace(program, public=(replace(source, lo=-200), output))


BROKEN: dict[str, tuple[Callable[[Program], Program], str]] = {
    "multiplier of 16 bits": (lambda p: with_requant(p, m=1 << 15), "multiplier"),
    "no digit": (lambda p: with_requant(p, digits=()), "digit"),
    "moved table": (moved_table, "moved"),
    "two tables of one id": (lambda p: with_table(p, table_id=1), "second table"),
    "table that nobody looks into": (lambda p: with_table(p, table_id=9), "same ids"),
    "range outside the type": (wide_input, "outside its type"),
}


@pytest.mark.parametrize(("change", "reason"), BROKEN.values(), ids=BROKEN)
def test_verify__key_that_nothing_compiles_to__refused(
    change: Callable[[Program], Program], reason: str
) -> None:
    made = honest(tiny())
    key = replace(made.key, program=change(made.key.program))
    with pytest.raises(NativeProofError, match=reason):
        native.verify(
            key.to_bytes(),
            native.tau_g2_insecure(),
            made.statement.hash(),
            made.public_in,
            made.public_out,
            made.proof,
        )
