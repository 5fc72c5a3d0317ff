"""Attacks on the lookups' protocol: challenges known too early, leaves that nobody opens."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from functools import partial
from typing import ClassVar, Final

from offchain.prove.compile.layout import Digits, RequantFill
from offchain.prove.program import NONE, SlotKind, Source
from offchain.prove.reference.field import R, bits, eq, inverse, suffix
from offchain.prove.reference.transcript import (
    TAG_COMMIT,
    TAG_LAYER,
    TAG_LEAVES,
    TAG_ROOT,
    TAG_ROUND,
)
from tests.attacks import changes
from tests.attacks import frozen_lookups as fl
from tests.attacks import misfits as mis
from tests.attacks.attack import (
    FOLDS,
    LAYER,
    NO_FOLDS,
    NO_PAIRING,
    NO_ROOT_DENOMINATOR,
    ROOT,
    Attack,
    Model,
    proving,
)
from tests.attacks.cheater import Cheater, Tensors, at_commitments
from tests.attacks.forgeries import Forgery, honest, submit
from tests.attacks.op_requant import go_on, long_remainder
from tests.attacks.weakening import both, constant_challenge, unabsorbed
from tests.attacks.witness import (
    fill_of,
    key_at,
    last_requant,
    lie,
)
from tests.vectors import operator_models as om

ALPHA: Final = 0x7E57  # what alpha is for a verifier that draws it from nothing


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


ATTACKS: Final = (
    Attack(
        "other-commitment", 4, proving(lambda m: m.tensors(), mis.OtherCommitment), *FOLDS,
        lambda: both(NO_FOLDS(), NO_PAIRING()), everywhere=True,
    ),
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
)  # fmt: skip
