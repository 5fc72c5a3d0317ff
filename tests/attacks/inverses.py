"""Attacks on lookups with committed inverses, and on Mercury behind them."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from functools import partial
from typing import Final

from offchain.prove.program import Source, TensorKind
from offchain.prove.reference import claims
from offchain.prove.reference.field import R, eq_table, inverse, suffix
from offchain.prove.reference.sumcheck import Sum, prove_eq
from offchain.prove.reference.transcript import (
    TAG_INVERSE_ROUND,
    TAG_INVERSES,
    TAG_LATE,
    TAG_LEAVES,
)
from tests.attacks.attack import (
    CONTRACTION,
    INVERSES,
    NO_CONTRACTION,
    NO_INVERSES,
    NO_MERCURY_PAIRING,
    PAIRING,
    Attack,
    Model,
    proving,
)
from tests.attacks.cheater import Bend, Cheater
from tests.attacks.op_requant import false_output, long_remainder
from tests.attacks.weakening import constant_challenge, rewritten, unabsorbed
from tests.attacks.witness import lie
from tests.vectors import operator_models as om

Columns = list[list[int]]


class Inverter(Cheater):
    """Commits to inverses that can be replaced, and proves them whatever they are."""

    def prove_inverses(
        self, numerators: Sequence[Sequence[int]], denominators: Sequence[Sequence[int]]
    ) -> list[int]:
        """Follow FORMAT.md 7.1."""
        self.numerators, self.denominators = list(numerators), list(denominators)
        late = [i for i, t in enumerate(self.program.tensors) if t.kind == TensorKind.LATE]
        columns = self.columns()
        self.tensors.update(zip(late, columns, strict=True))
        self.commit(TensorKind.LATE, TAG_LATE)
        self.before_rounds(columns)
        tau = [self.sender.challenge() for _ in range(self.program.lam)]
        delta = self.sender.challenge()
        sums = [
            Sum(
                pow(delta, k, R),
                0,
                len(h).bit_length() - 1,
                [list(h), list(q), list(p)],
                [(1, (0, 1)), (-1, (2,))],
            )
            for k, (p, q, h) in enumerate(zip(numerators, denominators, columns, strict=True))
        ]
        missing = -self.errors(columns, tau, delta)
        zeta = prove_eq(self.sender, TAG_INVERSE_ROUND, sums, tau)
        last = [(s.columns[0][0], s.columns[1][0]) for s in sums]
        self.inverses = self.last_values(zeta, last, delta, missing)
        self.sender.send_scalars(TAG_INVERSES, self.inverses)
        return zeta

    def last_values(
        self, zeta: list[int], last: Sequence[tuple[int, int]], delta: int, missing: int
    ) -> list[int]:
        """Return the inverse values that are sent; `last` has (inverse, denominator) at zeta."""
        return [inverse_value for inverse_value, _ in last]

    def honest_columns(self) -> Columns:
        """Return num / den of every block."""
        return [
            [p * inverse(q) % R for p, q in zip(ps, qs, strict=True)]
            for ps, qs in zip(self.numerators, self.denominators, strict=True)
        ]

    def columns(self) -> Columns:
        """Return the columns that are committed."""
        return self.honest_columns()

    def before_rounds(self, columns: Columns) -> None:
        """Prepare the sum-check."""

    def balance(self) -> int:
        """Return the sum of all fractions, which should be 0."""
        return sum(map(sum, self.honest_columns())) % R

    def errors(self, columns: Columns, tau: Sequence[int], delta: int) -> int:
        """Return the sum-check's real claim, which is said to be 0."""
        total = 0
        for k, (h, p, q) in enumerate(
            zip(columns, self.numerators, self.denominators, strict=True)
        ):
            weights = eq_table(suffix(tau, len(h).bit_length() - 1))
            inner = sum(w * (a * c - b) for w, a, b, c in zip(weights, h, p, q, strict=True))
            total += pow(delta, k, R) * inner
        return total % R


class BalancedInverse(Inverter):
    """Move one inverse such that the sum is 0."""

    def columns(self) -> Columns:
        """Take the excess off the first cell."""
        columns = self.honest_columns()
        columns[0][0] = (columns[0][0] - self.balance()) % R
        return columns


class GarbageInverse(Inverter):
    """Hide the excess in a cell of the late chunks that belongs to no tensor."""

    def chunks(self) -> list[list[int]]:
        """Write to the last cell of all."""
        chunks = super().chunks()
        late = [t for t in self.program.tensors if t.kind == TensorKind.LATE]
        used = sum(1 << t.n for t in late) % (1 << self.program.c)
        if not used:
            raise ValueError("the late chunks are full")
        if "numerators" in vars(self):
            chunks[-1][-1] = -self.balance() % R
        return chunks


class KnowsTau(Inverter):
    """Move two inverses such that their sum is 0 and so is the sum-check's claim at tau."""

    def columns(self) -> Columns:
        """Solve for the first two cells of the first block."""
        columns = self.honest_columns()
        ahead = copy.deepcopy(self.sender)
        ahead.absorb(TAG_LATE, b"")
        tau = [ahead.challenge() for _ in range(self.program.lam)]
        weights = eq_table(suffix(tau, len(columns[0]).bit_length() - 1))
        a, b = (w * q for w, q in zip(weights[:2], self.denominators[0][:2], strict=True))
        # x + y = -excess, a x + b y = 0
        y = a * self.balance() * inverse(b - a) % R
        columns[0][0] = (columns[0][0] - self.balance() - y) % R
        columns[0][1] = (columns[0][1] + y) % R
        return columns


class KnowsInverseRound(BalancedInverse):
    """Bend the first round such that the false inverse passes."""

    def before_rounds(self, columns: Columns) -> None:
        """Compute the real claim at tau and delta."""
        ahead = copy.deepcopy(self.sender)
        tau = [ahead.challenge() for _ in range(self.program.lam)]
        real = self.errors(columns, tau, ahead.challenge())
        self.sender.bending[TAG_INVERSE_ROUND] = Bend(-real, tau[0])


class CancellingBlocks(Inverter):
    """Move an inverse in each of two blocks of one size: at delta = 1 their errors cancel."""

    def columns(self) -> Columns:
        """Solve for the first cells."""
        columns = self.honest_columns()
        sizes = [len(c) for c in columns]
        one = next(k for k, n in enumerate(sizes) if sizes.count(n) > 1)
        other = sizes.index(sizes[one], one + 1)
        a, b = self.denominators[one][0], self.denominators[other][0]
        # x + y = -excess, a x + b y = 0
        y = a * self.balance() * inverse(b - a) % R
        columns[one][0] = (columns[one][0] - self.balance() - y) % R
        columns[other][0] = (columns[other][0] + y) % R
        return columns


class KnowsEtaBeforeInverses(BalancedInverse):
    """Send two false inverse values: the sum-check ends as it should, their claim is true."""

    def last_values(
        self, zeta: list[int], last: Sequence[tuple[int, int]], delta: int, missing: int
    ) -> list[int]:
        """Move the first two values."""
        ahead = copy.deepcopy(self)
        ahead.__class__ = Cheater  # type: ignore[assignment]
        ahead.sender.absorb(TAG_INVERSES, b"")
        ahead.challenges = ahead.challenges.with_vector(Source.ZETA, zeta)
        ahead.send_slots(0, self.program.counts.leaf, TAG_LEAVES)
        ahead.relate()
        ahead.multiply()
        ahead.contract()
        ahead.link()
        eta = ahead.sender.challenge()
        # x + eta y = 0, den_0 x + delta den_1 y = missing
        (first, a), (second, b), *others = last
        y = missing * inverse(delta * b - eta * a) % R
        return [(first - eta * y) % R, (second + y) % R, *(h for h, _ in others)]


class LateGarbage(Inverter):
    """Fill a cell of the late chunks that belongs to no tensor, and is no lie."""

    def chunks(self) -> list[list[int]]:
        """Write to the last cell of all."""
        chunks = super().chunks()
        chunks[-1][-1] = 0x6A7BA6E
        return chunks


def draws_before_delta(model: Model) -> int:
    """Return how many challenges precede delta."""
    return 2 + model.program.lam


ATTACKS: Final = (
    Attack(
        "false-output-inverses", 10, proving(lie(false_output)), *CONTRACTION, NO_CONTRACTION,
        om.tiny_inverses,
    ),
    Attack(
        "inverses-not-zero", 4, proving(lie(long_remainder), Inverter), *PAIRING,
        partial(rewritten, claims._inverse_claims, "Term(1 << block.n,", "Term(0,"),
        om.tiny_inverses,
    ),
    Attack(
        "false-inverse", 4, proving(lie(long_remainder), BalancedInverse), *INVERSES, NO_INVERSES,
        om.tiny_inverses,
    ),
    Attack(
        "excess-outside-the-inverses", 4, proving(lie(long_remainder), GarbageInverse), *PAIRING,
        NO_MERCURY_PAIRING, om.tiny_inverses,
    ),
    Attack(
        "tau-before-inverses", 4, proving(lie(long_remainder), KnowsTau), *INVERSES,
        partial(unabsorbed, TAG_LATE), om.tiny_inverses,
    ),
    Attack(
        "inverse-round-before-message", 10, proving(lie(long_remainder), KnowsInverseRound),
        *INVERSES, partial(unabsorbed, TAG_INVERSE_ROUND), om.tiny_inverses,
    ),
    Attack(
        "eta-before-inverses", 2, proving(lie(long_remainder), KnowsEtaBeforeInverses), *PAIRING,
        partial(unabsorbed, TAG_INVERSES), om.tiny_inverses,
    ),
    Attack(
        "delta-without-randomness", 3, proving(lie(long_remainder), CancellingBlocks), *INVERSES,
        lambda: constant_challenge(draws_before_delta(om.tiny_inverses()), 1), om.tiny_inverses,
    ),
)  # fmt: skip
