"""Provers who know a challenge of the lookups before they send what it must depend on.

Each one computes the challenge for a transcript that leaves one message out, and cheats in just
that message. Where the transcript really leaves it out (tests/attacks/weakening.py) the forgery is
accepted; in the real one the guess is wrong.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence

from offchain.prove.reference.field import R, inverse
from offchain.prove.reference.logup import Layer
from offchain.prove.reference.sumcheck import Sum, prove_eq
from offchain.prove.reference.transcript import (
    TAG_LAYER,
    TAG_ROOT,
    TAG_ROUND,
)
from tests.attacks.cheater import Bend, Cheater, at_commitments
from tests.attacks.lookups import multiplicities


class KnowsBeta(Cheater):
    """Choose a multiplicity such that the fractions of a false witness cancel at one beta."""

    def prepare(self) -> None:
        """Give row 0 of the first table the multiplicity that is missing."""
        beta, alpha = at_commitments(self)
        numerators, denominators = self.block_columns(beta, alpha)
        excess = sum(
            p * inverse(q)
            for ps, qs in zip(numerators, denominators, strict=True)
            for p, q in zip(ps, qs, strict=True)
            if q
        )
        for block, column in zip(self.program.blocks, denominators, strict=True):
            place = multiplicities(self.program, block)
            if place is not None:
                cells = list(self.tensors[place])
                cells[0] = (cells[0] + excess * column[0]) % R
                self.tensors[place] = cells
                return


class FalseRoot(Cheater):
    """Send the root that is wanted instead of one's own."""

    def bend_layers(self, layers: list[Layer]) -> list[Layer]:
        """Claim 0/q."""
        return [([0], layers[0][1]), *layers[1:]]


class KnowsLayerBatch(Cheater):
    """Send a false root with the same p + lambda q."""

    def bend_layers(self, layers: list[Layer]) -> list[Layer]:
        """Claim 0/(q + p/lambda)."""
        (p,), (q,) = layers[0]
        return [([0], [(q + p * inverse(self.foresee(TAG_ROOT))) % R]), *layers[1:]]


class KnowsHalvesPoint(FalseRoot):
    """Send false halves that agree with the true ones at the point t where the next layer looks."""

    def bend_layers(self, layers: list[Layer]) -> list[Layer]:
        """Bend the first layer's halves."""
        p = layers[0][0][0]
        layers = super().bend_layers(layers)
        (p0, p1), (q0, q1) = layers[1]
        t = self._halves_point(layers[0])
        ratio = t * inverse(1 - t)  # p0 moves by -ratio times what p1 moves by
        move = -p * inverse(q0 - ratio * q1)
        bent = ([(p0 - ratio * move) % R, (p1 + move) % R], [q0, q1])
        return [layers[0], bent, *layers[2:]]

    def _halves_point(self, root: Layer) -> int:
        ahead = copy.deepcopy(self.sender)
        (p,), (q,) = root
        ahead.send_scalars(TAG_ROOT, (p, q))
        ahead.challenge()
        ahead.absorb(TAG_LAYER, b"")
        return ahead.challenge()

    def prove_layers(self, layers: list[Layer]) -> list[int]:
        """Prove the second layer with what it really holds, whatever its halves were."""
        return prove_bent_layers(self, layers)


class KnowsLayerRound(FalseRoot):
    """Send false halves, and a round that makes the claim on the next layer true again."""

    error = 0

    def bend_layers(self, layers: list[Layer]) -> list[Layer]:
        """Bend the first layer's p0 such that p0 q1 + p1 q0 = 0."""
        p = layers[0][0][0]
        layers = super().bend_layers(layers)
        (p0, p1), (q0, q1) = layers[1]
        self.error = -p * inverse(q1)
        return [layers[0], ([(p0 + self.error) % R, p1], [q0, q1]), *layers[2:]]

    def prove_layers(self, layers: list[Layer]) -> list[int]:
        """Bend the second layer's round."""
        return prove_bent_layers(self, layers, self.error)


def prove_bent_layers(cheater: Cheater, layers: Sequence[Layer], error: int = 0) -> list[int]:
    """As the reference; `error` is how much p0 of the first layer is off."""
    sender = cheater.sender
    (p,), (q,) = layers[0]
    sender.send_scalars(TAG_ROOT, (p, q))
    zeta: list[int] = []
    for number, (numerators, denominators) in enumerate(layers[1:]):
        half = len(numerators) // 2
        lam = sender.challenge()
        if number == 1 and error:
            (t,) = zeta
            sender.bending[TAG_ROUND] = Bend((1 - t) * error, t)
        columns = [numerators[:half], numerators[half:], denominators[:half], denominators[half:]]
        layer = Sum(1, 0, len(zeta), columns, [(1, (0, 3)), (1, (1, 2)), (lam, (2, 3))])
        rho = prove_eq(sender, TAG_ROUND, [layer], zeta)
        sender.send_scalars(TAG_LAYER, [value for (value,) in layer.columns])
        zeta = [sender.challenge(), *rho]
    return zeta


class OtherLeaves(Cheater):
    """Prove the lookups of the honest columns, then send the values of false ones."""

    truth: dict[int, list[int]]

    def block_columns(self, beta: int, alpha: int) -> tuple[list[list[int]], list[list[int]]]:
        """Use the honest columns for the tree only."""
        false = dict(self.tensors)
        self.tensors.update(self.truth)
        columns = super().block_columns(beta, alpha)
        self.tensors.update(false)
        return columns


def solve(rows: list[list[int]]) -> list[int]:
    """Solve a regular linear system by elimination; each row ends in its right side."""
    size = len(rows)
    for k in range(size):
        pivot = next(i for i in range(k, size) if rows[i][k] % R)
        rows[k], rows[pivot] = rows[pivot], rows[k]
        factor = inverse(rows[k][k])
        rows[k] = [v * factor % R for v in rows[k]]
        for i in range(size):
            if i != k:
                rows[i] = [(v - rows[i][k] * w) % R for v, w in zip(rows[i], rows[k], strict=True)]
    return [row[size] for row in rows]
