"""The native verifier refuses keys whose programs no graph compiles to, whatever the proof."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from offchain import native
from offchain.errors import NativeProofError
from offchain.prove.program import (
    Monomial,
    Program,
    Residual,
    Segment,
    Source,
)
from tests.attacks.forgeries import honest
from tests.vectors.operator_models import everything

Change = Callable[[Program], Program]


def changed(**fields: Any) -> Change:
    """Return what replaces fields of the program."""
    return lambda program: replace(program, **fields)


def with_first(name: str, **fields: Any) -> Change:
    """Return what replaces fields of the first item of a list."""

    def change(program: Program) -> Program:
        first, *others = getattr(program, name)
        items: dict[str, Any] = {name: (replace(first, **fields), *others)}
        return replace(program, **items)

    return change


def more(name: str) -> Change:
    """Return what adds 1 to a number."""
    return lambda program: replace(program, **{name: getattr(program, name) + 1})


def with_first_slot(point: tuple[Segment, ...]) -> Change:
    """Return what moves the first leaf slot."""
    return with_first("slots", point=point)


def unsorted(program: Program) -> Program:
    return replace(program, blocks=program.blocks[::-1])


def cubic(program: Program) -> Program:
    (term,) = program.terms
    (monomial,) = term.monomials
    factors = (*monomial.factors, monomial.factors[0])
    term = replace(term, monomials=(Monomial(monomial.coefficient, factors),))
    return replace(program, terms=(term,))


def unproven(program: Program) -> Program:
    relations = [
        replace(r, residual=Residual.NONE) if r.residual == Residual.CONTRACTION else r
        for r in program.relations
    ]
    return replace(program, relations=tuple(relations))


def empty_axis(program: Program) -> Program:
    (link,) = program.links
    return replace(program, links=(replace(link, height=replace(link.height, kernel=0)),))


def wide_input(program: Program) -> Program:
    (spec,) = program.inputs
    return replace(program, inputs=(replace(spec, lo=-200),))


def shared_coordinate(program: Program) -> Program:
    """The rows' last coordinate is the columns' first one, too (proofs-spec.md 1)."""
    slot = program.slots[0]
    n = program.tensors[slot.tensor].n
    point = (zeta(1, 1), zeta(0, n - 1))
    return replace(program, slots=(replace(slot, point=point), *program.slots[1:]))


def zeta(end: int, length: int) -> Segment:
    return Segment(Source.ZETA, end, length)


BROKEN: dict[str, tuple[Change, str]] = {
    "smaller blocks first": (unsorted, "larger than the one before"),
    "another lambda": (more("lam"), "lambda"),
    "a round too many in the products": (more("product_rounds"), "product rounds"),
    "a round too many in the contraction": (more("contraction_rounds"), "contraction rounds"),
    "a round too many in the links": (more("link_rounds"), "link rounds"),
    "a degree too high": (changed(degree=3), "contraction degree"),
    "a product of three": (cubic, "degree above two"),
    "one coordinate for two axes": (shared_coordinate, "used twice"),
    "a challenge that is not drawn yet": (
        with_first_slot((Segment(Source.CONTRACTION, 0, 4),)),
        "not drawn yet",
    ),
    "a point of another size": (with_first_slot((zeta(0, 1),)), "its tensor's size"),
    "a contraction of no relation": (unproven, "relation"),
    "a window that nobody links": (changed(links=(), link_rounds=0), "leaves its source"),
    "an axis without a kernel": (empty_axis, "an axis is empty"),
    "a chunk too many": (more("proof_chunks"), "proof chunks"),
    "a range outside the type": (wide_input, "input"),
}


@pytest.mark.parametrize(("change", "reason"), BROKEN.values(), ids=BROKEN)
def test_verify__key_that_nothing_compiles_to__refused(change: Change, reason: str) -> None:
    made = honest(everything())
    key = replace(made.key, program=change(made.key.program))
    with pytest.raises(NativeProofError, match=f"key: .*({reason})"):
        native.verify(
            key.to_bytes(),
            native.tau_g2_insecure(),
            made.statement.hash(),
            made.public_in,
            made.public_out,
            made.proof,
        )
