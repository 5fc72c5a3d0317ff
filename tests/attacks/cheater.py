"""A prover whose every step can be replaced, for those who do not follow the protocol.

It knows the tau of the development reference string, which nobody knows of a real one, and uses it
for nothing but speed: what it commits to are polynomials all the same.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import ClassVar
from unittest.mock import patch

from offchain.prove.program import Lookup, Origin, Residual, SlotKind, Source
from offchain.prove.reference import hyperkzg, mercury, prover
from offchain.prove.reference.claims import Claim
from offchain.prove.reference.columns import contraction_cells, slot_value
from offchain.prove.reference.curve import G1, Point, combine, scale
from offchain.prove.reference.field import R, evaluate, inverse, suffix
from offchain.prove.reference.logup import Layer, leaf_layer, prove_layers, tree
from offchain.prove.reference.prover import Prover
from offchain.prove.reference.srs import INSECURE_TAU
from offchain.prove.reference.transcript import (
    TAG_COMMIT,
    TAG_CONTRACT_ROUND,
    TAG_LEAVES,
    TAG_LINK_ROUND,
    TAG_PRODUCT_ROUND,
    TAG_REDUCE_ROUND,
    Sender,
)
from offchain.prove.reference.univariate import horner
from offchain.prove.verification_key import VerificationKey

Tensors = dict[int, list[int]]
Tokens = Mapping[int, Sequence[int]]
POWERS: Sequence[Point] = (G1,)  # stands for the development reference string of any size


@contextmanager
def known_tau() -> Iterator[None]:
    """Let provers commit by one multiplication where their reference string is `POWERS`."""

    def commit(points: Sequence[Point], scalars: Iterable[int]) -> Point:
        if points is POWERS:
            return scale(G1, horner(list(scalars), INSECURE_TAU))
        return combine(points, scalars)

    with (
        patch.object(prover, "combine", commit),
        patch.object(hyperkzg, "combine", commit),
        patch.object(mercury, "combine", commit),
    ):
        yield


@dataclass
class Bend:
    """How a round's message is changed: `excess` is what the claim has too much."""

    excess: int
    z: int | None = None  # the round's coordinate in an eq batch; None: a plain one


class BendingSender(Sender):
    """Changes the next round message of some tags, such that a false claim is true from there on.

    It is if the challenge that follows is the one of a transcript without that message.
    """

    def __init__(self) -> None:
        super().__init__()
        self.bending: dict[int, Bend] = {}

    def send_scalars(self, tag: int, scalars: Sequence[int]) -> None:
        """Change the first element of a round that is to be bent."""
        if bend := self.bending.pop(tag, None):
            r = foresee(self, tag)
            if bend.z is None:
                move = bend.excess * r * inverse(1 - 2 * r)
            else:
                move = bend.excess * inverse(r - bend.z)
            scalars = [(scalars[0] - move) % R, *scalars[1:]]
        super().send_scalars(tag, scalars)


def foresee(sender: Sender, tag: int, draws: int = 1) -> int:
    """Return a challenge that follows a message, for a transcript that leaves it out."""
    ahead = copy.deepcopy(sender)
    ahead.absorb(tag, b"")
    return [ahead.challenge() for _ in range(draws)][-1]


class Cheater(Prover):
    """Follows the protocol on whatever tensors it is given; subclasses replace steps."""

    bends: ClassVar[tuple[int, ...]] = ()  # tags of rounds whose first message is bent

    def __init__(
        self,
        key: VerificationKey,
        statement_hash: bytes,
        tensors: Tensors,
        tokens: Tokens | None = None,
    ) -> None:
        super().__init__(key, POWERS, statement_hash, tensors, tokens)
        sender = BendingSender()
        vars(sender).update({k: v for k, v in vars(self.sender).items() if k != "bending"})
        self.sender: BendingSender = sender
        self.missing: dict[int, int] = {}  # by round tag: how much the real sums fall short
        self.weights: dict[int, int] = {}  # by round tag: the batch's challenge

    def run(self) -> bytes:
        """Run all phases and return the proof."""
        with known_tau():
            self.prepare()
            return super().run()

    def foresee(self, tag: int, draws: int = 1) -> int:
        """Return a challenge that follows a message, for a transcript that leaves it out."""
        return foresee(self.sender, tag, draws)

    # ---------------------------------------------------------------- steps to replace

    def prepare(self) -> None:
        """Change the tensors before they are committed."""

    def bend_layers(self, layers: list[Layer]) -> list[Layer]:
        """Return the layers that are proven, the root first."""
        return layers

    def prove_layers(self, layers: list[Layer]) -> list[int]:
        """Send the root and everything between it and the leaves; return zeta."""
        return prove_layers(self.sender, layers)

    def amend(self, tag: int, sent: Sequence[int]) -> None:
        """Change `self.slots`, of which those of indices `sent` are about to be sent."""

    # ---------------------------------------------------------------- what they share

    def look_up(self) -> None:
        """Prove the lookups and send the leaf slots."""
        if self.program.lookup == Lookup.INVERSES:
            super().look_up()
            return
        beta, alpha = self.sender.challenge(), self.sender.challenge()
        self.beta, self.alpha = beta, alpha
        layers = tree(leaf_layer(self.program, *self.block_columns(beta, alpha)))
        zeta = self.prove_layers(self.bend_layers(layers))
        self.challenges = self.challenges.with_vector(Source.ZETA, zeta)
        self.send_slots(0, self.program.counts.leaf, TAG_LEAVES)

    def send_slots(self, first: int, count: int, tag: int) -> None:
        """Compute `count` slots from `first` on, amend them, send those that are sent."""
        indices = range(first, first + count)
        self.slots.update((i, slot_value(self.witness, i, self.challenges)) for i in indices)
        sent = [i for i in indices if self.is_sent(i)]
        self.amend(tag, sent)
        self.sender.send_scalars(tag, [self.slots[i] for i in sent])

    def is_sent(self, index: int) -> bool:
        """Whether a slot is in the proof; the verifier evaluates the others."""
        slot = self.program.slots[index]
        if slot.kind == SlotKind.TENSOR:
            return not self.program.tensors[slot.tensor].is_public
        return slot.kind == SlotKind.VIRTUAL

    def multiply(self) -> None:
        """Run the product phase on the real sums, whatever its claims say."""
        rounds = self.program.product_rounds
        z = suffix(self.challenges[Source.ZETA], rounds)[0] if rounds else None
        false = self.relations
        real = self._real_products()
        names = [k for k, r in enumerate(self.program.relations) if r.residual == Residual.PRODUCT]
        self.missing[TAG_PRODUCT_ROUND] = self._weigh(
            TAG_PRODUCT_ROUND, [false[k] - real[k] for k in names]
        )
        self.relations = real
        self._run_bent(TAG_PRODUCT_ROUND, super().multiply, z)
        self.relations = false

    def contract(self) -> None:
        """Run the contractions on the real sums, whatever their claims say."""
        program, rounds = self.program, self.program.contraction_rounds
        false, slots = list(self.relations), dict(self.slots)
        errors = []
        for instance in program.instances:
            cells = contraction_cells(self.witness, instance, self.challenges)
            real = instance.coefficient.value * sum(cells) % R
            values = self.slots if instance.origin == Origin.SLOT else self.relations
            errors.append((values[instance.index] - real) << rounds - instance.variables)
            values[instance.index] = real
        self.missing[TAG_CONTRACT_ROUND] = self._weigh(TAG_CONTRACT_ROUND, errors)
        self._run_bent(TAG_CONTRACT_ROUND, super().contract)
        self.relations = false
        self.slots.update(slots)

    def link(self) -> None:
        """Run the links on the real sums, whatever the window slots say."""
        program, rounds, slots = self.program, self.program.link_rounds, dict(self.slots)
        errors = []
        for link in program.links:
            real = slot_value(self.witness, link.window, self.challenges)
            waiting = rounds - link.height.log_in - link.width.log_in
            errors.append((self.slots[link.window] - real) << waiting)
            self.slots[link.window] = real
        self.missing[TAG_LINK_ROUND] = self._weigh(TAG_LINK_ROUND, errors)
        self._run_bent(TAG_LINK_ROUND, super().link)
        self.slots.update(slots)

    def reduce(self, claims: Sequence[Claim]) -> tuple[list[int], list[int]]:
        """Run the claim reduction on the real chunks."""
        errors = [
            claim.value
            - sum(t.coefficient * evaluate(self.tensors[t.tensor], t.point) for t in claim.terms)
            for claim in claims
        ]
        self.missing[TAG_REDUCE_ROUND] = excess = self._weigh(TAG_REDUCE_ROUND, errors)
        result: list[tuple[list[int], list[int]]] = []
        run: Callable[[], None] = lambda: result.append(super(Cheater, self).reduce(claims))  # noqa: E731
        self._run_bent(TAG_REDUCE_ROUND, run)
        ((point, kappa),) = result
        for r in point:
            excess = excess * r % R
        # What the verifier's last claim has too much.
        self.excess = 0 if TAG_REDUCE_ROUND in self.bends else excess
        return point, kappa

    def _real_products(self) -> list[int]:
        program, values = self.program, list(self.relations)
        names = [k for k, r in enumerate(program.relations) if r.residual == Residual.PRODUCT]
        for k, term in zip(names, program.terms, strict=True):
            total = [0] * (1 << term.n)
            for monomial in term.monomials:
                product = [monomial.coefficient.value] * (1 << term.n)
                for factor in monomial.factors:
                    column = self.product_column(factor, term.n)
                    product = [p * v % R for p, v in zip(product, column, strict=True)]
                total = [t + p for t, p in zip(total, product, strict=True)]
            values[k] = evaluate(total, suffix(self.challenges[Source.ZETA], term.n))
        return values

    def _weigh(self, tag: int, errors: Sequence[int]) -> int:
        """Return the errors' combination by powers of the phase's challenge, which is next."""
        weight = self.weights[tag] = copy.deepcopy(self.sender).challenge()
        return sum(pow(weight, k, R) * e for k, e in enumerate(errors)) % R

    def _run_bent(self, tag: int, phase: Callable[[], None], z: int | None = None) -> None:
        if tag in self.bends:
            self.sender.bending[tag] = Bend(self.missing[tag], z)
        phase()


def at_commitments(cheater: Cheater) -> tuple[int, int]:
    """Return beta and alpha of a transcript that leaves the commitments out."""
    return cheater.foresee(TAG_COMMIT), cheater.foresee(TAG_COMMIT, 2)
