"""Provers and submitters who break the form of a proof or of its statement."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from offchain.prove.program import Lookup, Opening
from offchain.prove.reference.curve import Point, encode
from offchain.prove.reference.field import Q, R
from offchain.prove.reference.transcript import (
    TAG_LEAVES,
    TAG_MERCURY_LAST,
    TAG_OPEN_QUOTIENTS,
)
from tests.attacks.cheater import BendingSender, Cheater, Tensors
from tests.attacks.forgeries import JOB, Forgery, honest, submit
from tests.attacks.frozen_lookups import OtherLeaves
from tests.attacks.lookups import multiplicities
from tests.vectors.models import SmallModel, output_bytes, read_output
from tests.vectors.proofs import statement_for
from tests.vectors.sketch import CompiledModel

# -------------------------------------------------------------------- provers


class OtherCommitment(Cheater):
    """Commit to one multiplicity too many, but prove the lookups of the honest columns."""

    def commit(self, kind: Any, tag: int) -> None:
        """Change the first multiplicity for the commitments only."""
        places = [multiplicities(self.program, b) for b in self.program.blocks]
        place = next(p for p in places if p is not None)
        honest_column = self.tensors[place]
        self.tensors[place] = [honest_column[0] + 1, *honest_column[1:]]
        self.committed = super().chunks()
        super().commit(kind, tag)
        self.tensors[place] = honest_column

    def chunks(self) -> list[list[int]]:
        """Go on with what was committed to."""
        return vars(self).get("committed") or super().chunks()


class ProofGarbage(Cheater):
    """Fill a cell of the proof's chunks that belongs to no tensor, and tell no lie."""

    def chunks(self) -> list[list[int]]:
        """Write to the last cell of the last proof chunk."""
        chunks = super().chunks()
        last = self.program.fixed_chunks + self.program.proof_chunks - 1
        if chunks[last][-1]:
            raise ValueError("the proof's chunks are full")
        chunks[last][-1] = 0x6A7BA6E
        return chunks


class LongScalar(Cheater):
    """Send a leaf value plus r: the same field element in other bytes."""

    long = TAG_LEAVES

    def prepare(self) -> None:
        """Make the sender forget to reduce one element."""
        self.sender.__class__ = _LongSender
        vars(self.sender)["long"] = self.long


class LongCoordinate(LongScalar):
    """Send the last quotient's x plus q: the same point in other bytes."""

    long = TAG_OPEN_QUOTIENTS

    def prepare(self) -> None:
        """Take the last point that there is."""
        is_mercury = self.program.opening == Opening.MERCURY
        self.long = TAG_MERCURY_LAST if is_mercury else TAG_OPEN_QUOTIENTS
        super().prepare()


class _LongSender(BendingSender):
    """Sends one element of the messages with tag `long` in a form that is not canonical."""

    long: int

    def send_scalars(self, tag: int, scalars: Sequence[int]) -> None:
        """Add r to the last scalar."""
        words = [(s % R).to_bytes(32, "big") for s in scalars]
        if tag == self.long:
            words[-1] = (scalars[-1] % R + R).to_bytes(32, "big")
        self._send(tag, b"".join(words))

    def send_points(self, tag: int, points: Sequence[Point]) -> None:
        """Add q to the last point's x."""
        message = b"".join(encode(p) for p in points)
        if tag == self.long:
            x = int.from_bytes(message[-64:-32], "big") + Q
            message = message[:-64] + x.to_bytes(32, "big") + message[-32:]
        self._send(tag, message)


# -------------------------------------------------------------------- submissions


def other_leaves(model: CompiledModel, false: Callable[[CompiledModel], Tensors]) -> Forgery:
    """Prove the honest lookups beside a false witness."""
    truth = type("OtherLeaves", (OtherLeaves,), {"truth": model.tensors()})
    return submit(model, false(model), truth)


def proven_for(model: SmallModel, **fields: Any) -> Forgery:
    """Prove the truth for a statement with other fields."""
    tensors = model.tensors()
    public_out = output_bytes(model.program, read_output(model.program, tensors))
    base = statement_for(model.key, model.public_in, public_out, JOB)
    return submit(model, tensors, statement=replace(base, **fields))


def replayed(model: SmallModel, **fields: Any) -> Forgery:
    """Submit an honest proof with a statement it was not made for."""
    base = honest(model)
    return replace(base, statement=replace(base.statement, **fields))


def replayed_for_other_tensor(model: SmallModel, index: int) -> Forgery:
    """Submit an honest proof with another input (0) or output (1), its digest in the statement."""
    base = honest(model)
    raw = [base.public_in, base.public_out]
    raw[index] = raw[index][:-1] + bytes([raw[index][-1] ^ 1])
    other = statement_for(model.key, raw[0], raw[1], JOB)
    return replace(base, statement=other, public_in=raw[0], public_out=raw[1])


def reshaped(model: SmallModel, change: Callable[[bytes], bytes]) -> Forgery:
    """Change an honest proof's bytes."""
    base = honest(model)
    return replace(base, proof=change(base.proof))


def resized_public(model: SmallModel, index: int) -> Forgery:
    """Hand over one byte more of the input (0) or output (1)."""
    base = honest(model)
    if index == 0:
        return replace(base, public_in=base.public_in + b"\0")
    return replace(base, public_out=base.public_out + b"\0")


def first_round(model: SmallModel) -> int:
    """Return where the first round of the lookups begins in a proof."""
    at = 64 * model.program.proof_chunks
    if model.program.lookup == Lookup.INVERSES:
        return at + 64 * model.program.late_chunks
    return at + 64 + 128  # the root, and the first layer, which has no rounds


def extra_round_element(model: SmallModel) -> Forgery:
    """Insert a third element, zero, into the first round's message: a cubic round."""
    at = first_round(model) + 64
    return reshaped(model, lambda proof: proof[:at] + bytes(32) + proof[at:])


def missing_layer(model: SmallModel) -> Forgery:
    """Leave the last LogUp layer out."""
    lam = model.program.lam
    start = 64 * model.program.proof_chunks + 64 + sum(64 * i + 128 for i in range(lam - 1))
    end = start + 64 * (lam - 1) + 128
    return reshaped(model, lambda proof: proof[:start] + proof[end:])


def off_curve(proof: bytes) -> bytes:
    """Move the last quotient off the curve."""
    return proof[:-1] + bytes([proof[-1] ^ 1])
