"""Provers who know a challenge of the lookups before they send what it must depend on.

Each one computes the challenge for a transcript that leaves one message out, and cheats in just
that message. Where the transcript really leaves it out (tests/attacks/weakening.py) the forgery is
accepted; in the real one the guess is wrong.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence

from offchain.prove.program import OUTPUT_ID
from offchain.prove.reference.field import R, bits, eq, inverse, suffix
from offchain.prove.reference.logup import (
    Layer,
    LeafClaims,
    layer_coefficients,
    leaves,
    send_leaf_values,
)
from offchain.prove.reference.sumcheck import prove_eq
from offchain.prove.reference.transcript import (
    TAG_COMMIT,
    TAG_LAYER,
    TAG_LEAVES,
    TAG_ROOT,
    TAG_ROUND,
)
from tests.attacks.cheater import Cheater, Tensors
from tests.attacks.forgeries import (
    Forgery,
    honest_tensors,
    keys_of,
    read_output,
    submit,
    tensors_of,
)
from tests.vectors.models import SmallModel


class KnowsBeta(Cheater):
    """Choose a multiplicity such that the fractions of a false witness cancel at one beta."""

    def prepare(self) -> None:
        """Give row 0 of the first table the multiplicity that is missing."""
        beta, alpha = self.foresee(TAG_COMMIT), self.foresee(TAG_COMMIT, 2)
        numerators, denominators = leaves(self.program, self.tensors, beta, alpha)
        start = 0
        for block in self.program.blocks:
            if block.is_table:
                break
            start += 1 << block.n
        excess = sum(p * inverse(q) for p, q in zip(numerators, denominators, strict=True) if q)
        column = self.tensors[block.columns[0].tensor]
        column[0] = (column[0] + excess * denominators[start]) % R


class ZeroDenominators(Cheater):
    """Look up beta's own value twice: two fractions x/0 make the root 0/0, come what may."""

    def prepare(self) -> None:
        """Give the first cell of the first and last requantization a digit with denominator 0."""
        beta, alpha = self.foresee(TAG_COMMIT), self.foresee(TAG_COMMIT, 2)
        for index in (0, -1):
            entry = self.program.requants[index]
            (low, _), (high, shift) = entry.digits
            block = next(b for b in self.program.blocks if b.columns[0].tensor == low)
            zero = (beta - pow(alpha, 3, R) * block.table_id) % R
            moved = self.tensors[low][0] - zero
            self.tensors[low][0] = zero
            cell = self.tensors[high]
            cell[0] = (cell[0] + moved * inverse(1 << shift)) % R


class FalseRoot(Cheater):
    """Send the root that is wanted instead of one's own."""

    def root(self, layers: Sequence[Layer]) -> tuple[int, int]:
        """Return 0/q."""
        return 0, layers[0][1][0]


class KnowsLayerBatch(Cheater):
    """Send a false root with the same p + lambda q."""

    def root(self, layers: Sequence[Layer]) -> tuple[int, int]:
        """Return 0/(q + p/lambda)."""
        (p,), (q,) = layers[0]
        return 0, (q + p * inverse(self.foresee(TAG_ROOT))) % R


class KnowsHalvesPoint(FalseRoot):
    """Send false halves that agree with the true ones at the point t where the next layer looks."""

    def prove_layers(self, layers: Sequence[Layer]) -> list[int]:
        """Bend the first layer's halves."""
        (p0, p1), (q0, q1) = layers[1]
        t = _after_draw(self, TAG_LAYER)
        ratio = t * inverse(1 - t)  # p0 moves by -ratio times what p1 moves by
        move = -layers[0][0][0] * inverse(q0 - ratio * q1)
        bent = ([(p0 - ratio * move) % R, (p1 + move) % R], [q0, q1])
        return _prove_layers(self, [layers[0], bent, *layers[2:]])


class KnowsLayerRound(FalseRoot):
    """Send false halves, and a round that makes the claim on the next layer true again."""

    def prove_layers(self, layers: Sequence[Layer]) -> list[int]:
        """Bend the first layer's halves and the second layer's round."""
        (p0, p1), (q0, q1) = layers[1]
        error = -layers[0][0][0] * inverse(q1)  # of p0: then p0 q1 + p1 q0 = 0
        bent = ([(p0 + error) % R, p1], [q0, q1])
        return _prove_layers(self, [layers[0], bent, *layers[2:]], error)


def _after_draw(cheater: Cheater, tag: int) -> int:
    """Return the challenge after an unabsorbed message that itself follows a challenge."""
    ahead = copy.deepcopy(cheater.sender)
    ahead.challenge()
    ahead.absorb(tag, b"")
    return ahead.challenge()


def _prove_layers(cheater: Cheater, layers: Sequence[Layer], error: int = 0) -> list[int]:
    """As the reference; `error` is how much p0 of the first layer is off."""
    sender, zeta = cheater.sender, list[int]()
    for number, (numerators, denominators) in enumerate(layers[1:]):
        half = len(numerators) // 2
        lam = sender.challenge()
        columns = [numerators[:half], numerators[half:], denominators[:half], denominators[half:]]
        g = layer_coefficients(lam)
        if number == 1 and error:
            _, t_1, t_2 = g([c[0] for c in columns], [c[1] for c in columns])
            r, (t,) = cheater.foresee(TAG_ROUND), zeta
            excess = (1 - t) * error
            sender.send_scalars(TAG_ROUND, (t_1 - excess * inverse(r - t), t_2))
            r = sender.challenge()
            rho, folded = [r], [[(c[0] + r * (c[1] - c[0])) % R] for c in columns]
        else:
            rho, folded = prove_eq(sender, TAG_ROUND, zeta, columns, g)
        sender.send_scalars(TAG_LAYER, [value for (value,) in folded])
        zeta = [sender.challenge(), *rho]
    return zeta


class KnowsEtaBeforeLeaves(Cheater):
    """Claim an output whose first element is 1 more; send leaf values that hide it.

    They satisfy the leaf check and the identity, and their batched claim is the true one.
    """

    def prove_lookups(self, beta: int, alpha: int) -> LeafClaims:
        """Keep alpha."""
        self.alpha = alpha
        return super().prove_lookups(beta, alpha)

    def send_leaves(self, zeta: list[int]) -> LeafClaims:
        """Move two digits and a hidden activation."""
        ahead = copy.deepcopy(self)
        true = send_leaf_values(ahead.sender, self.program, self.tensors, zeta)
        values, bias_claims = ahead.prove_requants(true)
        ahead.prove_contractions(zeta, values, len(true.sent) + len(bias_claims))
        eta = ahead.sender.challenge()

        entry, key = self.program.requants[-1], self.program.requants[0].q_tensor
        (low, _), (high, shift) = entry.digits
        value = next(b.columns[1].tensor for b in self.program.blocks if b.columns[0].tensor == key)
        n = entry.rows_log + entry.cols_log
        moved = eq(bits(0, n), suffix(zeta, n))
        e = self._selectors(zeta)
        power = {i: pow(eta, true.sent.index(i), R) for i in (low, high, value)}
        # Rows: the identity, the denominators, the batched claim. Columns: low, high, value.
        rows = [
            [1, 1 << shift, 0, -(moved << entry.s)],
            [e[low], e[high], e[value] * self.alpha, -moved * e[OUTPUT_ID]],
            [power[low], power[high], power[value], 0],
        ]
        sent = dict(true.values)
        for tensor, move in zip((low, high, value), _solve(rows), strict=True):
            sent[tensor] = (sent[tensor] + move) % R
        sent[OUTPUT_ID] = (sent[OUTPUT_ID] + moved) % R
        self.sender.send_scalars(TAG_LEAVES, [sent[i] for i in true.sent])
        return LeafClaims(zeta, sent, true.sent)

    def _selectors(self, zeta: Sequence[int]) -> dict[int, int]:
        selectors, start = {}, 0
        for block in self.program.blocks:
            free = self.program.lam - block.n
            e = eq(bits(start >> block.n, free), zeta[:free])
            selectors.update({c.tensor: e for c in block.columns})
            start += 1 << block.n
        return selectors


def _solve(rows: list[list[int]]) -> list[int]:
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


# -------------------------------------------------------------------- submissions


def hidden_output(model: SmallModel) -> Forgery:
    """Claim an output whose first element is 1 more, beside the honest tensors."""
    tensors = honest_tensors(model)
    output = read_output(model, tensors).copy()
    output[0, 0] += 1
    return submit(model, tensors, KnowsEtaBeforeLeaves, output=output)


def twins(model: SmallModel, alpha: int) -> Tensors:
    """Look two rows up under other keys: (k, v + (l - k)/alpha) has the fingerprint of (l, v).

    The two hidden cells weigh the same in every output and their wild parts cancel there.
    """
    trace = model.execute()
    first = model.layout.requants[0]
    assert first.q is not None
    rows = model.layout.tables[first.table].values()
    keys = keys_of(model, 0, trace)
    tensors = tensors_of(model, trace)
    for step in range(1, 32):
        other = (keys[0] + step, keys[1] - step)
        moved = rows[other[0]] + rows[other[1]] - rows[keys[0]] - rows[keys[1]]
        hidden = trace[first.op.name].y.copy()
        hidden[0, 0] += moved
        patched = model.execute(override={first.op.name: hidden})
        if moved and (patched[model.layout.graph.output].y != read_output(model, tensors)).any():
            break
    tensors = tensors_of(model, {**patched, first.op.name: trace[first.op.name]})
    counts = tensors[model.layout.multiplicities[first.table]]
    for cell, row in enumerate(other):
        tensors[first.y][cell] = (rows[row] + (row - keys[cell]) * inverse(alpha)) % R
        counts[keys[cell]] -= 1
        counts[row] += 1
    return tensors
