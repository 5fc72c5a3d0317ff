"""Provers who know a challenge of the product, the contraction, the reduction or the opening.

See tests/attacks/frozen_lookups.py.
"""

from __future__ import annotations

import copy
import itertools
from collections.abc import Sequence
from typing import ClassVar

from offchain.prove.program import SlotKind, Source
from offchain.prove.reference.curve import G1, add, scale
from offchain.prove.reference.field import R, evaluate, inverse
from offchain.prove.reference.srs import INSECURE_TAU
from offchain.prove.reference.transcript import (
    TAG_CONTRACT,
    TAG_CONTRACT_ROUND,
    TAG_LINK,
    TAG_LINK_ROUND,
    TAG_OPEN_FOLDS,
    TAG_OPEN_QUOTIENTS,
    TAG_OPEN_VALUES,
    TAG_PRODUCT,
    TAG_PRODUCT_ROUND,
    TAG_REDUCE_ROUND,
)
from offchain.prove.reference.univariate import divide_by_root, horner
from tests.attacks.cheater import Cheater
from tests.attacks.last_values import last_value

ROUNDS = {
    TAG_PRODUCT: TAG_PRODUCT_ROUND,
    TAG_CONTRACT: TAG_CONTRACT_ROUND,
    TAG_LINK: TAG_LINK_ROUND,
}
POINTS = {TAG_CONTRACT: Source.CONTRACTION, TAG_LINK: Source.LINK}


class KnowsContractionRound(Cheater):
    """Bend the contraction's first message to a false accumulator."""

    bends = (TAG_CONTRACT_ROUND,)


class KnowsProductRound(Cheater):
    """Bend the product phase's first message to a false product."""

    bends = (TAG_PRODUCT_ROUND,)


class KnowsLinkRound(Cheater):
    """Bend the first link's message to a false window."""

    bends = (TAG_LINK_ROUND,)


class FalseOperand(Cheater):
    """Send a false operand, with which a phase ends as it should though its claims are false."""

    phase: ClassVar[int] = TAG_CONTRACT

    def amend(self, tag: int, sent: Sequence[int]) -> None:
        """Move an operand that only this phase reads; the phase is linear in it."""
        if tag == self.phase:
            self.move(self.last_operand(sent), self.rest())

    def last_operand(self, sent: Sequence[int]) -> int:
        """Return the last committed operand that is sent."""
        return next(i for i in reversed(sent) if self.program.slots[i].kind == SlotKind.TENSOR)

    def move(self, slot: int, missing: int) -> None:
        """Change a slot such that the phase's last value grows by `missing`."""
        step = missing * inverse(self.slope(slot)) % R
        self.slots[slot] = (self.slots[slot] + step) % R

    def slope(self, slot: int) -> int:
        """Return by how much the phase's last value grows with the slot."""
        kept = self.slots[slot]
        values = []
        for value in (0, 1):
            self.slots[slot] = value
            values.append(self.last_value())
        self.slots[slot] = kept
        return (values[1] - values[0]) % R

    def last_value(self) -> int:
        """Return what the phase's last claim must equal, by the slots."""
        return last_value(self, self.phase, self.weights[ROUNDS[self.phase]])

    def rest(self) -> int:
        """Return what the verifier's last claim has too much."""
        excess = self.missing[ROUNDS[self.phase]]
        if ROUNDS[self.phase] == TAG_PRODUCT_ROUND:
            return excess  # an eq batch carries it along unchanged
        for r in self.challenges[POINTS[self.phase]]:
            excess = excess * r % R
        return excess


class KnowsEta(FalseOperand):
    """Send two false operands: the phase ends as it should, their batched claim is true."""

    def amend(self, tag: int, sent: Sequence[int]) -> None:
        """Move two committed operands that do not multiply each other."""
        if tag != self.phase:
            return
        tensors = [i for i in sent if self.program.slots[i].kind == SlotKind.TENSOR]
        eta, order = self.eta_without(tag), self.filed()
        base, kept = self.last_value(), dict(self.slots)
        for one, other in itertools.combinations(tensors, 2):
            # one moves by m, other by back m, with eta^one m + eta^other back m = 0.
            back = -pow(eta, order.index(one) - order.index(other), R)

            def grown(m: int, one: int = one, other: int = other, back: int = back) -> int:
                self.slots[one] = (kept[one] + m) % R
                self.slots[other] = (kept[other] + back * m) % R
                return (self.last_value() - base) % R

            slope = grown(1)
            if slope and grown(2) == 2 * slope % R:
                grown(self.rest() * inverse(slope) % R)
                return
            self.slots.update(kept)
        raise ValueError("every two operands multiply each other")

    def eta_without(self, tag: int) -> int:
        """Return the eta that follows if this message is not absorbed and the rest is honest."""
        ahead = copy.deepcopy(self)
        ahead.__class__ = Cheater  # type: ignore[assignment]
        ahead.sender.absorb(tag, b"")
        if tag == TAG_PRODUCT:
            ahead.contract()
        if tag != TAG_LINK:
            ahead.link()
        return ahead.sender.challenge()

    def filed(self) -> list[int]:
        """Return the committed slots in the order of their powers of eta."""
        slots = self.program.slots
        return [
            i
            for i, s in enumerate(slots)
            if s.kind == SlotKind.TENSOR and not self.program.tensors[s.tensor].is_public
        ]


class KnowsReductionRound(FalseOperand):
    """Bend the reduction's first message to a false claim."""

    bends = (TAG_REDUCE_ROUND,)


class _Opener(FalseOperand):
    """Open a combination of chunks to a value that it does not have, by HyperKZG."""

    def open(self, reduced: tuple[list[int], list[int]]) -> None:
        """Follow HyperKZG with messages that can be replaced (proofs-spec.md 2.10)."""
        self.point, kappa = reduced
        chunks = self.chunks()
        polynomial = [
            sum(k * chunk[i] for k, chunk in zip(kappa, chunks, strict=True)) % R
            for i in range(1 << self.program.c)
        ]
        folds = [polynomial]
        while len(folds) < len(self.point):
            x = self.point[len(self.point) - len(folds)]
            even, odd = folds[-1][::2], folds[-1][1::2]
            folds.append([(e + x * (o - e)) % R for e, o in zip(even, odd, strict=True)])
            if len(folds) == 2:
                folds[1] = self.first_fold(folds[1])
        self.sender.send_points(TAG_OPEN_FOLDS, [scale(G1, _at_tau(f)) for f in folds[1:]])
        self.u = self.sender.challenge()
        points = (self.u, R - self.u, self.u * self.u % R)
        e = horner(folds[0], points[2])
        a, b = ([horner(f, at) for f in folds] for at in points[:2])
        self.sender.send_scalars(TAG_OPEN_VALUES, self.values(e, a, b))
        self.q = self.sender.challenge()
        batched = [0] * len(folds[0])
        for k, f in enumerate(folds):
            for i, v in enumerate(f):
                batched[i] = (batched[i] + pow(self.q, k, R) * v) % R
        quotients = [scale(G1, _at_tau(divide_by_root(batched, at))) for at in points]
        first, second = self.shifts()
        quotients[0] = add(quotients[0], scale(G1, first))
        quotients[1] = add(quotients[1], scale(G1, second))
        self.sender.send_points(TAG_OPEN_QUOTIENTS, quotients)
        self.sender.challenge()

    def first_fold(self, fold: list[int]) -> list[int]:
        """Return the polynomial that is committed as P_1."""
        return fold

    def values(self, e: int, a: list[int], b: list[int]) -> list[int]:
        """Return the evaluations that are sent."""
        return [e, *a, *b]

    def shifts(self) -> tuple[int, int]:
        """Return the multiples of the generator to add to W_0 and W_1."""
        return 0, 0

    def last_move(self) -> int:
        """Return what to add to a_(l-1) such that the folds end in the claimed value."""
        x = self.point[0]
        return self.excess * inverse((1 - x) * inverse(2) + x * inverse(2 * self.u)) % R


def _at_tau(polynomial: Sequence[int]) -> int:
    return horner(polynomial, INSECURE_TAU)


class KnowsOpeningPoint(_Opener):
    """Add to P_1 a polynomial that vanishes where P_1 is compared with P_0: at u^2."""

    def first_fold(self, fold: list[int]) -> list[int]:
        """Add a multiple of X - u^2 that moves the last fold to the claimed value."""
        u = self.foresee(TAG_OPEN_FOLDS)
        step = [-u * u % R, 1] + [0] * (len(fold) - 2)
        factor = self.excess * inverse(evaluate(step, self.point[:-1]))
        return [(v + factor * s) % R for v, s in zip(fold, step, strict=True)]


class KnowsOpeningBatch(_Opener):
    """Send false evaluations of two folds that cancel in B = sum of q^i P_i."""

    def values(self, e: int, a: list[int], b: list[int]) -> list[int]:
        """Move the last a, and a_0 and e_0 such that B_0 and B_2 stay."""
        q = self.foresee(TAG_OPEN_VALUES)
        move = self.last_move()
        back = -pow(q, len(a) - 1, R) * move
        x = self.point[-1]
        second = back * ((1 - x) * inverse(2) + x * inverse(2 * self.u))  # of e_1
        a = [(a[0] + back) % R, *a[1:-1], (a[-1] + move) % R]
        return [(e - q * second) % R, *a, *b]


class KnowsOpeningWeight(_Opener):
    """Send a false evaluation, and quotients that are off by what cancels it at one weight d."""

    def values(self, e: int, a: list[int], b: list[int]) -> list[int]:
        """Move the last a."""
        self.rank = len(a) - 1
        return [e, *a[:-1], (a[-1] + self.last_move()) % R, *b]

    def shifts(self) -> tuple[int, int]:
        """Solve for multiples of the generator: their tau cancels, their rest makes up for B_0."""
        d = self.foresee(TAG_OPEN_QUOTIENTS)
        off = pow(self.q, self.rank, R) * self.last_move() % R
        return off * inverse(2 * self.u) % R, -off * inverse(2 * d * self.u) % R
