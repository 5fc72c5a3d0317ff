"""Provers who know a challenge of the contraction, the reduction or the opening too early.

See tests/attacks/frozen_lookups.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from offchain.prove.compile import RequantTensors
from offchain.prove.reference.claims import Claim
from offchain.prove.reference.curve import G1, add, combine, scale
from offchain.prove.reference.field import R, evaluate, inverse
from offchain.prove.reference.hyperkzg import _divide_by_root, _horner
from offchain.prove.reference.transcript import (
    TAG_CONTRACT_FINAL,
    TAG_CONTRACT_ROUND,
    TAG_OPEN_FOLDS,
    TAG_OPEN_QUOTIENTS,
    TAG_OPEN_VALUES,
    TAG_REDUCE_ROUND,
)
from offchain.prove.witness import RequantTrace
from tests.attacks.cheater import Cheater, Tensors
from tests.attacks.forgeries import keys_of, read_output, recount, set_key, tensors_of
from tests.vectors.models import SmallModel


class KnowsContractionRound(Cheater):
    """Bend the contraction's first message to a false accumulator."""

    bends = (TAG_CONTRACT_ROUND,)


class FalseOperand(Cheater):
    """Send a false value of the first weight, with which the contraction ends as it should."""

    def operands(self, claims: list[Claim], missing: int, nu: int, filed: int) -> list[Claim]:
        """Move the first instance's second operand."""
        first = self.products[0]
        at = next(
            j
            for j, claim in enumerate(claims)
            if claim.tensor == self.program.instances[0].b.tensor
        )
        step = missing * inverse(first.coefficient * first.a[0])
        claims[at] = replace(claims[at], value=(claims[at].value + step) % R)
        return claims


class KnowsEta(Cheater):
    """Send two false operands: the contraction ends as it should, their batched claim is true."""

    def operands(self, claims: list[Claim], missing: int, nu: int, filed: int) -> list[Claim]:
        """Move the first instance's weight and the last one's activation."""
        eta = self.foresee(TAG_CONTRACT_FINAL)
        first, last = self.products[0], self.products[-1]
        instances = self.program.instances
        # By position: the last instance's operands, both committed, are filed last.
        at = next(j for j, c in enumerate(claims) if c.tensor == instances[0].b.tensor)
        other = len(claims) - 2
        # move eta^at + back eta^other = 0, and both together make up for what is missing.
        back = -pow(eta, at - other, R)
        weight = first.coefficient * first.a[0] + back * last.coefficient * last.b[0]
        move = missing * inverse(weight) % R
        claims[at] = replace(claims[at], value=(claims[at].value + move) % R)
        claims[other] = replace(claims[other], value=(claims[other].value + back * move) % R)
        return claims


class KnowsReductionRound(FalseOperand):
    """Bend the reduction's first message to a false claim."""

    bends = (TAG_REDUCE_ROUND,)


class _Opener(FalseOperand):
    """Open a combination of chunks to a value that it does not have."""

    def open(self, polynomial: Sequence[int], point: Sequence[int], value: int) -> None:
        """Follow HyperKZG with messages that can be replaced (proofs-spec.md 2.10)."""
        self.point, self.excess = point, (value - evaluate(polynomial, point)) % R
        folds = [[v % R for v in polynomial]]
        while len(folds) < len(point):
            x = point[len(point) - len(folds)]
            even, odd = folds[-1][::2], folds[-1][1::2]
            folds.append([(e + x * (o - e)) % R for e, o in zip(even, odd, strict=True)])
            if len(folds) == 2:
                folds[1] = self.first_fold(folds[1])
        self.sender.send_points(TAG_OPEN_FOLDS, [combine(self.srs, f) for f in folds[1:]])
        self.u = self.sender.challenge()
        points = (self.u, R - self.u, self.u * self.u % R)
        e = _horner(folds[0], points[2])
        a, b = ([_horner(f, at) for f in folds] for at in points[:2])
        self.sender.send_scalars(TAG_OPEN_VALUES, self.values(e, a, b))
        self.q = self.sender.challenge()
        batched = [0] * len(folds[0])
        for k, f in enumerate(folds):
            for i, v in enumerate(f):
                batched[i] = (batched[i] + pow(self.q, k, R) * v) % R
        quotients = [combine(self.srs, _divide_by_root(batched, at)) for at in points]
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


# -------------------------------------------------------------------- errors that cancel at nu = 1


def draws_before_nu(model: SmallModel) -> int:
    """Return how many challenges precede nu."""
    return 2 + sum(layer + 2 for layer in range(model.key.program.lam))


def cancelling_accumulators(model: SmallModel) -> Tensors:
    """Make two layers of one shape wrong in one cell; the errors cancel if nobody weighs them.

    The second layer gets another quotient, with which the execution goes on, and as much of the
    difference as its remainder can take; the first layer's remainder takes what is left.
    """
    trace = model.execute()
    for cell in range(model.layout.shapes[model.layout.requants[1].y][1]):
        for step in (1, -1):
            tensors = _cancel(model, trace, cell, step)
            if (
                tensors
                and (read_output(model, tensors) != trace[model.layout.graph.output].y).any()
            ):
                return tensors
    raise ValueError("no cell of this model's second layer can be moved")


def _cancel(
    model: SmallModel, trace: dict[str, RequantTrace], cell: int, step: int
) -> Tensors | None:
    first, second = model.layout.requants[:2]
    rests = [_remainder(r, trace, cell) for r in (first, second)]
    key = keys_of(model, 1, trace)[cell] + step
    full = 1 << second.op.s
    moved = 0 if step > 0 else full - 1
    left = rests[0] - (step * full + moved - rests[1])
    if not 0 <= left < 1 << first.op.s or not 0 <= key < 1 << second.op.width:
        return None
    result = trace[second.op.name].y.copy()
    result[0, cell] = model.layout.tables[second.table].values()[key]
    patched = model.execute(override={second.op.name: result})
    tensors = tensors_of(model, {**patched, second.op.name: trace[second.op.name]})
    set_key(model, tensors, 1, cell, key)
    for r, rest in ((first, left), (second, moved)):
        low, high = r.digits
        tensors[low][cell], tensors[high][cell] = rest & 0xFF, rest >> 8
    recount(model, tensors)
    return tensors


def _remainder(r: RequantTensors, trace: dict[str, RequantTrace], cell: int) -> int:
    scaled = int(trace[r.op.name].acc[0, cell]) * r.op.m + (1 << (r.op.s - 1))
    return scaled & ((1 << r.op.s) - 1)
