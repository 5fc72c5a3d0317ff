"""Provers that cheat in Mercury, each to the end and as well as it can (OPENINGS.md 3.5)."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final

from offchain.prove.reference import mercury
from offchain.prove.reference.field import R, inverse
from offchain.prove.reference.mercury import batch_factors, batch_value, row_value
from offchain.prove.reference.transcript import (
    TAG_MERCURY_CHECKS,
    TAG_MERCURY_DIVISION,
    TAG_MERCURY_QUOTIENTS,
    TAG_MERCURY_ROWS,
    TAG_MERCURY_VALUES,
    Sender,
)
from offchain.prove.reference.univariate import combine_linear, horner
from tests.attacks.weakening import Weakening, both, rewritten, unabsorbed
from tests.vectors.mercury import Claim, opening_vectors, random_opening, started
from tests.vectors.mercury_provers import MercuryProver, dot

VARIABLES: Final = 5  # two coordinates of the row, three of the column
ERROR: Final = 1  # by how much the claimed value is false


class FalseRows(MercuryProver):
    """Changes h so that its inner product is the false value; h(alpha) is then no longer g's."""

    def make_rows(self, sender: Sender) -> None:
        super().make_rows(sender)
        self.h[0] += ERROR * inverse(self.row_weights[0])


class FalseRemainder(FalseRows):
    """Changes g as well, so that it gives h(alpha); g is then no longer the remainder."""

    def make_division(self, sender: Sender, alpha: int) -> None:
        super().make_division(sender, alpha)
        self.g[0] += self.missing(alpha) * inverse(self.column_weights[0])

    def missing(self, alpha: int) -> int:
        """Return by how much g's inner product differs from h(alpha)."""
        return horner(self.h, alpha) - dot(self.g, self.column_weights)


class LongRemainder(FalseRemainder):
    """Changes q to match: g is a remainder, but of a degree that leaves it free."""

    def make_division(self, sender: Sender, alpha: int) -> None:
        MercuryProver.make_division(self, sender, alpha)
        # g + k (X^B - alpha): below X^B only the lowest coefficient differs from g's.
        k = -self.missing(alpha) * inverse(alpha * self.column_weights[0]) % R
        self.g = combine_linear((1, self.g), (k, [-alpha, *([0] * (self.width - 1)), 1]))
        self.q = combine_linear((1, self.q), (-k, [1]))


class FalseCrossTerm(MercuryProver):
    """Says a value of s at zeta that makes up for the false value."""

    def make_values(self, sender: Sender) -> None:
        super().make_values(sender)
        c = self.challenges
        self.values[4] -= 2 * c.gamma * ERROR * c.inverse_zeta


class FalseRowValue(MercuryProver):
    """Says a value of h at zeta that makes up for the false value."""

    def make_values(self, sender: Sender) -> None:
        super().make_values(sender)
        weight = mercury.weight_value(
            self.point[: len(self.point) // 2], self.challenges.inverse_zeta
        )
        self.values[2] += 2 * ERROR * inverse(weight)


class RowsAfterAlpha(MercuryProver):
    """Knows alpha: changes h by a multiple of X - alpha."""

    def make_rows(self, sender: Sender) -> None:
        super().make_rows(sender)
        alpha = foresee(sender, TAG_MERCURY_ROWS)
        factor = ERROR * inverse(self.row_weights[1] - alpha * self.row_weights[0])
        self.h = combine_linear((1, self.h), (factor, [-alpha, 1]))


class DivisionAfterZeta(FalseRemainder):
    """Knows zeta when it sends q: changes it so that the division holds there."""

    def make_division(self, sender: Sender, alpha: int) -> None:
        super().make_division(sender, alpha)
        ahead = copy.deepcopy(self)
        copied = copy.deepcopy(sender)
        copied.absorb(TAG_MERCURY_DIVISION, b"")
        ahead.make_checks(copied, copied.challenge())
        ahead.send(copied, TAG_MERCURY_CHECKS, ahead.s, ahead.d)
        zeta = copied.challenge()
        binomial = (pow(zeta, self.width, R) - alpha) % R
        rest = horner(self.f, zeta) - horner(self.g, zeta) - binomial * horner(self.q, zeta)
        self.q = combine_linear((1, self.q), (rest * inverse(binomial), [1]))


class ChecksAfterZeta(MercuryProver):
    """Knows zeta when it sends s: adds a constant that makes up for the false value there."""

    def make_checks(self, sender: Sender, gamma: int) -> None:
        super().make_checks(sender, gamma)
        zeta = foresee(sender, TAG_MERCURY_CHECKS)
        self.s[0] -= 2 * gamma * ERROR * inverse(zeta + inverse(zeta))


class ValuesAfterBeta(MercuryProver):
    """Knows beta when it says the values: false ones of h and s cancel at zeta."""

    def make_values(self, sender: Sender) -> None:
        super().make_values(sender)
        c, beta = self.challenges, foresee(sender, TAG_MERCURY_VALUES)
        # e_h + beta^2 (zeta - alpha) e_s = 0 and gamma weight e_h - zeta e_s = 2 gamma ERROR
        ratio = -beta * beta * (c.zeta - c.alpha)
        weight = mercury.weight_value(self.point[: len(self.point) // 2], c.inverse_zeta)
        e_s = 2 * c.gamma * ERROR * inverse(c.gamma * weight * ratio - c.zeta) % R
        self.values[2] += ratio * e_s
        self.values[4] += e_s


class QuotientsAfterZ(MercuryProver):
    """Knows z when it sends w: a constant one that makes the equation hold there."""

    def make_quotients(self, sender: Sender) -> None:
        super().make_quotients(sender)
        c, z = self.challenges, foresee(sender, TAG_MERCURY_QUOTIENTS)
        h_alpha = row_value(self.point, self.claim, self.values, c)
        d_zeta = horner(self.d, c.zeta)
        *factors, of_w = batch_factors(c, z)
        polynomials = (self.h, self.g, self.s, self.d)
        total = dot(factors, [horner(p, z) for p in polynomials])
        self.w = [(batch_value(self.values, h_alpha, d_zeta, c, z) - total) * inverse(of_w) % R]


def foresee(sender: Sender, tag: int) -> int:
    """Return the challenge after the message with this tag if its content is not absorbed."""
    ahead = copy.deepcopy(sender)
    ahead.absorb(tag, b"")
    return ahead.challenge()


class Long(MercuryProver):
    """Claims the true value and adds a power that is too high to one of the polynomials."""

    steps: Final = {
        "h": "make_rows", "q": "make_division", "g": "make_division", "s": "make_checks",
        "d": "make_checks", "t": "make_quotients", "w": "make_quotients",
    }  # fmt: skip

    def lengthen(self, name: str) -> None:
        """Make `name` longer by one coefficient as soon as the honest prover has it."""
        step = getattr(self, self.steps[name])

        def longer(*arguments: Any) -> None:
            step(*arguments)
            setattr(self, name, [*getattr(self, name), 1])

        setattr(self, self.steps[name], longer)


@dataclass(frozen=True)
class Forgery:
    """A forged opening of a random polynomial."""

    name: str
    prover: Callable[..., MercuryProver]
    error: int = ERROR  # of the claimed value
    without: Weakening | None = None  # gives the reference verifier that accepts it

    def make(self) -> tuple[Claim, bytes]:
        """Return the false claim and the proof."""
        polynomial, claim = random_opening(VARIABLES, 300)
        claim = replace(claim, value=(claim.value + self.error) % R)
        sender = started(claim.seed)
        self.prover(polynomial, claim.point, claim.value).prove(sender)
        return claim, bytes(sender.proof)

    def strongest(self) -> tuple[Claim, bytes]:
        """Return what the verifier without the check accepts."""
        with self.without() if self.without else both():
            return self.make()

    def vector(self) -> dict[str, Any]:
        """Return the forgery as every verifier is given it."""
        claim, proof = self.strongest()
        return {"name": self.name} | claim.described(mercury=proof)


def unopened(name: str, batched: str, factor: str) -> Weakening:
    """Return verifier and prover that leave one polynomial out of the joint opening."""

    def weakened() -> Any:
        return both(
            rewritten(mercury.batch_quotient, f"({batched}, {name})", f"(0, {name})"),
            rewritten(mercury.batch_factors, factor, "0,"),
        )

    return weakened


NO_ROWS: Final = unopened("divide_by_root(h, c.alpha)", "1", "1,")
NO_CHECK: Final = unopened("s", "c.beta * c.beta", "c.beta**2 * past_alpha % R,")
NO_DEGREE: Final = unopened("d", "c.beta**3", "c.beta**3 * past_pair % R,")
NO_DIVISION: Final = partial(
    rewritten, mercury.verify_opening, "mix = receiver.challenge()", "mix = 0"
)


def long(name: str, polynomial: Iterable[int], *arguments: Any) -> MercuryProver:
    """Return the prover that lengthens one polynomial."""
    prover = Long(list(polynomial), *arguments)
    prover.lengthen(name)
    return prover


FORGERIES: Final = (
    Forgery("false-value", MercuryProver),
    Forgery("false-rows", FalseRows),
    Forgery("false-remainder", FalseRemainder, without=NO_DIVISION),
    Forgery("long-remainder", LongRemainder, without=NO_DEGREE),
    Forgery("false-cross-term", FalseCrossTerm, without=NO_CHECK),
    Forgery("false-row-value", FalseRowValue, without=NO_ROWS),
    Forgery("rows-after-alpha", RowsAfterAlpha, without=partial(unabsorbed, TAG_MERCURY_ROWS)),
    Forgery(
        "division-after-zeta", DivisionAfterZeta, without=partial(unabsorbed, TAG_MERCURY_DIVISION)
    ),
    Forgery("checks-after-zeta", ChecksAfterZeta, without=partial(unabsorbed, TAG_MERCURY_CHECKS)),
    Forgery("values-after-beta", ValuesAfterBeta, without=partial(unabsorbed, TAG_MERCURY_VALUES)),
    Forgery(
        "quotients-after-z", QuotientsAfterZ, without=partial(unabsorbed, TAG_MERCURY_QUOTIENTS)
    ),
    *(Forgery(f"long-{name}", partial(long, name), error=0) for name in Long.steps),
)


def mercury_vectors() -> dict[str, Any]:
    """Return the content of mercury.json."""
    return opening_vectors() | {"forgeries": [forgery.vector() for forgery in FORGERIES]}
