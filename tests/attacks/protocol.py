"""Attacks on the protocol behind the lookups: challenges known too early, unopened values."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Final

from offchain.prove.compile.layout import RequantFill
from offchain.prove.program import NONE, Program, SlotKind, Source
from offchain.prove.reference.claims import Claim
from offchain.prove.reference.columns import contraction_cells
from offchain.prove.reference.field import R, inverse
from offchain.prove.reference.points import evaluate_expression, evaluate_function
from offchain.prove.reference.transcript import (
    TAG_CONTRACT,
    TAG_CONTRACT_ROUND,
    TAG_DIRECT,
    TAG_OPEN_FOLDS,
    TAG_OPEN_QUOTIENTS,
    TAG_OPEN_VALUES,
    TAG_REDUCE_ROUND,
)
from tests.attacks import frozen_claims as fc
from tests.attacks.attack import (
    CONTRACTION,
    FOLDS,
    INPUT_RANGE,
    NO_RANGE,
    PAIRING,
    PRODUCT,
    Attack,
    Model,
    proving,
)
from tests.attacks.cheater import Cheater, Tensors
from tests.attacks.forgeries import Forgery, honest
from tests.attacks.lookups import recount
from tests.attacks.op_requant import false_output
from tests.attacks.weakening import altered, constant_challenge, unabsorbed
from tests.attacks.witness import (
    cut_digits,
    key_at,
    last_requant,
    lie,
    read_digits,
    set_key,
)
from tests.vectors import operator_models as om
from tests.vectors.sketch import feed


class FalseBias(Cheater):
    """Send the last bias value that a false accumulator needs, and file no claim on it."""

    def amend(self, tag: int, sent: Sequence[int]) -> None:
        """Solve the last identity for its bias."""
        if tag != TAG_DIRECT:
            return
        program, zeta = self.program, self.challenges[Source.ZETA]
        self.bias = sent[-1]
        relation, instance = program.relations[-1], program.instances[-1]
        used = {a.function for a in relation.expression} - {NONE}
        functions = {i: evaluate_function(program.functions[i], zeta, 0) for i in used}
        claimed = evaluate_expression(relation.expression, self.slots, functions)
        cells = contraction_cells(self.witness, instance, self.challenges)
        excess = claimed - instance.coefficient.value * sum(cells)
        atom = next(a for a in relation.expression if a.slot == self.bias)
        weight = atom.coefficient.value * functions.get(atom.function, 1)
        self.slots[self.bias] = (self.slots[self.bias] - excess * inverse(weight)) % R

    def claims(self) -> list[Claim]:
        """Leave the bias out."""
        tensor = self.program.slots[self.bias].tensor
        return [c for c in super().claims() if [t.tensor for t in c.terms] != [tensor]]


def bias_unclaimed(model: Model) -> Any:
    """Return the key of a verifier that files no claim on the last bias."""

    def change(program: Program) -> Program:
        counts = program.counts
        slots = list(program.slots)
        place = counts.leaf + counts.direct - 1
        slots[place] = replace(slots[place], kind=SlotKind.VIRTUAL)
        return replace(program, slots=tuple(slots))

    return altered(model.key, change)


def cancelling(model: Model) -> Tensors:
    """Make two identities wrong in one cell; the errors cancel if nobody weighs them.

    The output gets another quotient, and as much of the difference as its remainder can take; the
    hidden result's remainder takes what is left.
    """
    hidden = next(f for f in reversed(model.layout.fills[:-1]) if isinstance(f, RequantFill))
    last = last_requant(model)
    full = 1 << last.op.s
    for cell, step in itertools.product(range(len(model.witness[last.y])), (1, -1)):
        tensors = model.tensors()
        key = key_at(model, tensors, last, cell) + step
        moved = 0 if step > 0 else full - 1
        change = step * full + moved - read_digits(tensors, last.digits, cell)
        left = read_digits(tensors, hidden.digits, cell) - change
        if 0 <= left < 1 << hidden.op.s and 0 <= key < 1 << last.op.key_width:
            set_key(model, tensors, last, cell, key)
            cut_digits(tensors, last.digits, cell, moved)
            cut_digits(tensors, hidden.digits, cell, left)
            recount(model.program, tensors)
            return tensors
    raise ValueError("no cell of this model can be moved")


def draws_before(model: Model, phase: int) -> int:
    """Return how many challenges precede mu (phase 0) or nu (phase 1), LogUp-GKR."""
    program = model.program
    drawn = 2 + sum(layer + 2 for layer in range(program.lam))
    if phase and program.terms:
        drawn += 1 + program.product_rounds
    return drawn


def with_first_input(value: int) -> Callable[[Model], Forgery]:
    """Execute and prove, all honestly, an input whose first element is `value`."""

    def make(model: Model) -> Forgery:
        x = model.execution.values["x"].copy()
        x[0, 0] = value
        return honest(feed(model, {"x": x}))

    return make


ATTACKS: Final = (
    Attack("input-above-range", 8, with_first_input(91), *INPUT_RANGE, NO_RANGE, om.narrow),
    Attack("input-below-range", 8, with_first_input(-21), *INPUT_RANGE, NO_RANGE, om.narrow),
    Attack(
        "false-bias", 2, proving(lie(false_output), FalseBias), *FOLDS,
        forgotten=bias_unclaimed, as_it_is=True,
    ),
    Attack(
        "nu-without-randomness", 3, proving(cancelling), *CONTRACTION,
        lambda: constant_challenge(draws_before(om.level(), 1), 1), om.level,
    ),
    Attack(
        "mu-without-randomness", 3, proving(cancelling), *PRODUCT,
        lambda: constant_challenge(draws_before(om.gated_twice(), 0), 1), om.gated_twice,
    ),
    Attack(
        "contraction-round-before-message", 10,
        proving(lie(false_output), fc.KnowsContractionRound), *CONTRACTION,
        partial(unabsorbed, TAG_CONTRACT_ROUND), everywhere=True,
    ),
    Attack(
        "eta-before-operands", 3, proving(lie(false_output), fc.KnowsEta), *FOLDS,
        partial(unabsorbed, TAG_CONTRACT), everywhere=True,
    ),
    Attack(
        "reduction-round-before-message", 10,
        proving(lie(false_output), fc.KnowsReductionRound), *FOLDS,
        partial(unabsorbed, TAG_REDUCE_ROUND), everywhere=True,
    ),
    Attack(
        "opening-point-before-folds", 3, proving(lie(false_output), fc.KnowsOpeningPoint),
        *PAIRING, partial(unabsorbed, TAG_OPEN_FOLDS), everywhere=True,
    ),
    Attack(
        "opening-batch-before-values", 3, proving(lie(false_output), fc.KnowsOpeningBatch),
        *PAIRING, partial(unabsorbed, TAG_OPEN_VALUES), everywhere=True,
    ),
    Attack(
        "opening-weight-before-quotients", 3, proving(lie(false_output), fc.KnowsOpeningWeight),
        *PAIRING, partial(unabsorbed, TAG_OPEN_QUOTIENTS), everywhere=True,
    ),
)  # fmt: skip
