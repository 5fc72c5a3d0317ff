"""Attacks on the protocol: challenges known too early, values that nobody opens."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, ClassVar, Final

from offchain.prove.compile.layout import Digits, RequantFill
from offchain.prove.program import NONE, Program, SlotKind, Source
from offchain.prove.reference.claims import Claim
from offchain.prove.reference.columns import contraction_cells
from offchain.prove.reference.field import R, bits, eq, inverse, suffix
from offchain.prove.reference.points import evaluate_expression, evaluate_function
from offchain.prove.reference.transcript import (
    TAG_COMMIT,
    TAG_CONTRACT,
    TAG_CONTRACT_ROUND,
    TAG_DIRECT,
    TAG_LAYER,
    TAG_LEAVES,
    TAG_OPEN_FOLDS,
    TAG_OPEN_QUOTIENTS,
    TAG_OPEN_VALUES,
    TAG_REDUCE_ROUND,
    TAG_ROOT,
    TAG_ROUND,
)
from tests.attacks import changes
from tests.attacks import frozen_claims as fc
from tests.attacks import frozen_lookups as fl
from tests.attacks import misfits as mis
from tests.attacks.attack import (
    CONTRACTION,
    FOLDS,
    INPUT_RANGE,
    LAYER,
    NO_FOLDS,
    NO_PAIRING,
    NO_RANGE,
    NO_ROOT_DENOMINATOR,
    PAIRING,
    PRODUCT,
    ROOT,
    Attack,
    Model,
    proving,
)
from tests.attacks.cheater import Cheater, Tensors, at_commitments
from tests.attacks.forgeries import Forgery, honest, submit
from tests.attacks.lookups import recount
from tests.attacks.op_requant import false_output, go_on, long_remainder
from tests.attacks.weakening import altered, both, constant_challenge, unabsorbed
from tests.attacks.witness import (
    cut_digits,
    fill_of,
    key_at,
    last_requant,
    lie,
    read_digits,
    set_key,
)
from tests.vectors import operator_models as om
from tests.vectors.sketch import feed

ALPHA: Final = 0x7E57  # what alpha is for a verifier that draws it from nothing

# -------------------------------------------------------------------- lookups


class ZeroDenominators(Cheater):
    """Look beta's own value up twice: two fractions x/0 make the root 0/0, come what may."""

    digits: ClassVar[tuple[Digits, ...]]

    def prepare(self) -> None:
        """Give the first cell of two requantizations a digit with denominator 0."""
        beta, alpha = at_commitments(self)
        for digits in self.digits:
            (low, high), shift = digits.tensors, digits.widths[0]
            block = self.program.blocks[changes.lookups_of(self.program, low)[0]]
            zero = (beta - pow(alpha, 3, R) * block.table_id) % R
            cells, rest = list(self.tensors[low]), list(self.tensors[high])
            rest[0] = (rest[0] + (cells[0] - zero) * inverse(1 << shift)) % R
            cells[0] = zero
            self.tensors[low], self.tensors[high] = cells, rest


def zero_denominators(model: Model) -> Forgery:
    """Submit a long remainder with two denominators that are 0."""
    fills = [fill_of(model, RequantFill, "a0_q").digits, last_requant(model).digits]
    prover = type("Zero", (ZeroDenominators,), {"digits": tuple(fills)})
    return submit(model, lie(long_remainder)(model), prover)


def twins(model: Model) -> Tensors:
    """Look two rows up under other keys: (k, v + (l - k)/alpha) has the fingerprint of (l, v).

    The two hidden cells weigh the same in every output and their wild parts cancel there.
    """
    fill = fill_of(model, RequantFill, "a0_q")
    assert fill.table is not None
    rows = model.witness[model.layout.tables[fill.table].columns[0]]
    for step in sorted(range(1 - len(rows), len(rows)), key=abs):
        tensors = model.tensors()
        keys = [key_at(model, tensors, fill, cell) for cell in (0, 1)]
        other = (keys[0] + step, keys[1] - step)
        if not all(0 <= key < len(rows) for key in other):
            continue
        hidden = model.execution.values["a0_q"].copy()
        hidden[0, 0] += rows[other[0]] + rows[other[1]] - rows[keys[0]] - rows[keys[1]]
        before = list(tensors[last_requant(model).y])
        go_on(model, tensors, hidden)
        if tensors[last_requant(model).y] != before:
            break
    else:
        raise ValueError("no twins change an output")
    made = lie(lambda _, t: t.update({k: list(v) for k, v in tensors.items()}))(model)
    for cell, row in enumerate(other):
        made[fill.y][cell] = (rows[row] + (row - keys[cell]) * inverse(ALPHA)) % R
    counts = [0] * len(rows)
    for cell in range(len(made[fill.y])):
        # A twin counts for the row that it imitates.
        counts[other[cell] if cell < 2 else key_at(model, made, fill, cell)] += 1
    made[model.layout.tables[fill.table].counts] = counts
    return made


class KnowsEtaBeforeLeaves(Cheater):
    """Claim an output whose first element is 1 more; send leaf values that hide it.

    They satisfy the leaf check and the identity, and their batched claim is the true one.
    """

    digits: ClassVar[Digits]
    value: ClassVar[int]  # a tensor that is looked up as a table's value

    def amend(self, tag: int, sent: Sequence[int]) -> None:
        """Move two digits and a hidden activation."""
        if tag != TAG_LEAVES:
            return
        program, zeta = self.program, self.challenges[Source.ZETA]
        eta = self._eta_without_leaves()
        fill = self.digits
        n = program.tensors[program.output.tensor].n
        moved = eq(bits(0, n), suffix(zeta, n))
        low, high, value = (
            next(s for s in sent if program.slots[s].tensor == tensor)
            for tensor in (*fill.tensors, self.value)
        )
        e = {
            tensor: self._selector(tensor)
            for tensor in (*fill.tensors, self.value, program.output.tensor)
        }
        order = [s for s in sent if program.slots[s].kind == SlotKind.TENSOR]
        power = {s: pow(eta, order.index(s), R) for s in (low, high, value)}
        # Rows: the identity, the denominators, the batched claim. Columns: low, high, value.
        rows = [
            [1, 1 << fill.widths[0], 0, -(moved << sum(fill.widths))],
            [
                e[fill.tensors[0]],
                e[fill.tensors[1]],
                e[self.value] * self.alpha,
                -moved * e[program.output.tensor],
            ],
            [power[low], power[high], power[value], 0],
        ]
        for slot, move in zip((low, high, value), fl.solve(rows), strict=True):
            self.slots[slot] = (self.slots[slot] + move) % R
        shown = next(i for i, s in enumerate(program.slots) if s.tensor == program.output.tensor)
        self.slots[shown] = (self.slots[shown] + moved) % R

    def _eta_without_leaves(self) -> int:
        ahead = copy.deepcopy(self)
        ahead.__class__ = Cheater  # type: ignore[assignment]
        ahead.sender.absorb(TAG_LEAVES, b"")
        ahead.relate()
        ahead.contract()
        return ahead.sender.challenge()

    def _selector(self, tensor: int) -> int:
        zeta, start = self.challenges[Source.ZETA], 0
        for block in self.program.blocks:
            free = self.program.lam - block.n
            read = changes.tensors_of(self.program, block)
            is_table = block.numerator and block.numerator[0].slot != NONE
            if tensor in read and not is_table:
                return eq(bits(start >> block.n, free), zeta[:free])
            start += 1 << block.n
        raise ValueError(tensor)


def hidden_output(model: Model) -> Forgery:
    """Claim an output whose first element is 1 more, beside the honest tensors."""
    options = {
        "digits": last_requant(model).digits,
        "value": fill_of(model, RequantFill, "a0_q").y,
    }
    prover = type("Hidden", (KnowsEtaBeforeLeaves,), options)
    raw = bytearray(honest(model).public_out)
    raw[0] = (raw[0] + 1) % 256
    return submit(model, model.tensors(), prover, public_out=bytes(raw))


# -------------------------------------------------------------------- relations


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
    Attack(
        "other-commitment", 4, proving(lambda m: m.tensors(), mis.OtherCommitment), *FOLDS,
        lambda: both(NO_FOLDS(), NO_PAIRING()), everywhere=True,
    ),
    Attack("input-above-range", 8, with_first_input(91), *INPUT_RANGE, NO_RANGE, om.narrow),
    Attack("input-below-range", 8, with_first_input(-21), *INPUT_RANGE, NO_RANGE, om.narrow),
    # ---- challenges known too early
    Attack(
        "beta-before-commitments", 4, proving(lie(long_remainder), fl.KnowsBeta), *ROOT,
        partial(unabsorbed, TAG_COMMIT), everywhere=True,
    ),
    Attack(
        "zero-denominators", 4, zero_denominators, *ROOT,
        lambda: both(unabsorbed(TAG_COMMIT), NO_ROOT_DENOMINATOR()),
    ),
    Attack(
        "alpha-before-commitments", 4, proving(twins), *ROOT,
        partial(constant_challenge, 1, ALPHA), om.twin,
    ),
    Attack(
        "layer-batch-before-root", 2, proving(lie(long_remainder), fl.KnowsLayerBatch), *LAYER,
        partial(unabsorbed, TAG_ROOT), everywhere=True,
    ),
    Attack(
        "layer-point-before-halves", 2, proving(lie(long_remainder), fl.KnowsHalvesPoint), *LAYER,
        partial(unabsorbed, TAG_LAYER), everywhere=True,
    ),
    Attack(
        "layer-round-before-message", 10, proving(lie(long_remainder), fl.KnowsLayerRound),
        *LAYER, partial(unabsorbed, TAG_ROUND), everywhere=True,
    ),
    Attack(
        "eta-before-leaves", 2, hidden_output, *FOLDS, partial(unabsorbed, TAG_LEAVES)
    ),
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
