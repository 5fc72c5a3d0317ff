"""Provers and submitters who break the form of a proof or of its statement."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from offchain.commit.digest import tensor_digest
from offchain.prove.reference.claims import Claim, bias_point, outer_point, requant_value
from offchain.prove.reference.curve import Point, encode
from offchain.prove.reference.field import Q, R, evaluate, inverse, less_than, suffix
from offchain.prove.reference.logup import LeafClaims, leaves, tree
from offchain.prove.reference.transcript import TAG_DIRECT, TAG_OPEN_QUOTIENTS, TAG_ROOT, Sender
from tests.attacks.cheater import Cheater, Tensors, bind
from tests.attacks.forgeries import JOB, Forgery, honest, honest_tensors, read_output, submit
from tests.vectors.models import SmallModel
from tests.vectors.proofs import statement_for

# -------------------------------------------------------------------- provers


class OtherLeaves(Cheater):
    """Prove the lookups of the honest columns, then send the values of false ones."""

    truth: Tensors

    def prove_lookups(self, beta: int, alpha: int) -> LeafClaims:
        """Use the honest columns for the tree only."""
        layers = tree(*leaves(self.program, self.truth, beta, alpha))
        self.sender.send_scalars(TAG_ROOT, self.root(layers))
        return self.send_leaves(self.prove_layers(layers))


class OtherCommitment(Cheater):
    """Commit to one multiplicity too many, but prove the lookups of the honest columns."""

    def prepare(self) -> None:
        """Change the first multiplicity for the commitments only."""
        table = next(b for b in self.program.blocks if b.is_table)
        self.shown = {i: list(v) for i, v in self.tensors.items()}
        self.tensors[table.columns[0].tensor][0] += 1

    def prove_lookups(self, beta: int, alpha: int) -> LeafClaims:
        """Go back to the honest columns."""
        self.tensors = self.shown
        return super().prove_lookups(beta, alpha)


class FalseBias(Cheater):
    """Send the last bias value that a false accumulator needs, and file no claim on any bias."""

    def prove_requants(self, leaf: LeafClaims) -> tuple[list[int], list[Claim]]:
        """Solve the last identity for its bias."""
        entries, last = self.program.requants, len(self.program.requants) - 1
        biases = [evaluate(self.tensors[e.bias_tensor], bias_point(e, leaf.zeta)) for e in entries]
        entry, instance = entries[last], self.program.instances[last]
        a, b = (
            bind(self.tensors[o.tensor], outer_point(o, leaf.zeta))
            for o in (instance.a, instance.b)
        )
        real = entry.m * sum(x * y for x, y in zip(a, b, strict=True))
        rows = suffix(leaf.zeta, entry.rows_log + entry.cols_log)[: entry.rows_log]
        weight = entry.m * less_than(entry.rows, rows)
        excess = requant_value(entry, leaf.values, leaf.zeta, biases[last]) - real
        biases[last] = (biases[last] + excess * inverse(weight)) % R
        self.sender.send_scalars(TAG_DIRECT, biases)
        values = [
            requant_value(e, leaf.values, leaf.zeta, bias)
            for e, bias in zip(entries, biases, strict=True)
        ]
        return values, []


class LongScalar(Cheater):
    """Send the root's denominator plus r: the same field element in other bytes."""

    long = TAG_ROOT

    def prepare(self) -> None:
        """Make the sender forget to reduce one element."""
        self.sender.__class__ = _LongSender
        vars(self.sender)["long"] = self.long


class LongCoordinate(LongScalar):
    """Send the last quotient's x plus q: the same point in other bytes."""

    long = TAG_OPEN_QUOTIENTS


class _LongSender(Sender):
    """Sends one element of the messages with tag `long` in a form that is not canonical."""

    long: int

    def send_scalars(self, tag: int, scalars: Sequence[int]) -> None:
        """Add r to the last scalar."""
        words = [(s % R).to_bytes(32, "big") for s in scalars]
        if tag == self.long:
            words[-1] = (scalars[-1] + R).to_bytes(32, "big")
        self._send(tag, b"".join(words))

    def send_points(self, tag: int, points: Sequence[Point]) -> None:
        """Add q to the last point's x."""
        message = b"".join(encode(p) for p in points)
        if tag == self.long:
            x = int.from_bytes(message[-64:-32], "big") + Q
            message = message[:-64] + x.to_bytes(32, "big") + message[-32:]
        self._send(tag, message)


# -------------------------------------------------------------------- submissions


def other_leaves(model: SmallModel, false: Callable[[SmallModel], Tensors]) -> Forgery:
    """Prove the honest lookups beside a false witness."""
    truth = type("OtherLeaves", (OtherLeaves,), {"truth": honest_tensors(model)})
    return submit(model, false(model), truth)


def with_other_input(model: SmallModel, value: int) -> Forgery:
    """Execute and prove, all honestly, an input whose first element is `value`."""
    changed = model.public_in.copy()
    changed[0, 0] = value
    return honest(replace(model, public_in=changed))


def proven_for(model: SmallModel, **fields: Any) -> Forgery:
    """Prove the truth for a statement with other fields."""
    tensors = honest_tensors(model)
    base = statement_for(model.key, model.public_in, read_output(model, tensors), JOB)
    return submit(model, tensors, statement=replace(base, **fields))


def replayed(model: SmallModel, **fields: Any) -> Forgery:
    """Submit an honest proof with a statement it was not made for."""
    base = honest(model)
    return replace(base, statement=replace(base.statement, **fields))


def replayed_for_other_tensor(model: SmallModel, index: int) -> Forgery:
    """Submit an honest proof with another input (0) or output (1), its digest in the statement."""
    base = honest(model)
    raw = bytearray((base.public_in, base.public_out)[index])
    raw[-1] ^= 1
    public = model.key.program.public[index]
    bits = 8 * public.bytes_per_element
    values = np.frombuffer(bytes(raw), dtype=f">i{bits // 8}").reshape(public.rows, public.cols)
    digest = tensor_digest(values.astype(np.int64), bits)
    if index == 0:
        statement = replace(base.statement, in_digest=digest)
        return replace(base, statement=statement, public_in=bytes(raw))
    statement = replace(base.statement, out_digest=digest)
    return replace(base, statement=statement, public_out=bytes(raw))


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


def extra_round_element(model: SmallModel) -> Forgery:
    """Insert a third element, zero, into the first round's message: a cubic round."""
    at = 64 * model.key.program.proof_chunks + 64 + 128 + 64
    return reshaped(model, lambda proof: proof[:at] + bytes(32) + proof[at:])


def missing_layer(model: SmallModel) -> Forgery:
    """Leave the last LogUp layer out."""
    lam = model.key.program.lam
    start = 64 * model.key.program.proof_chunks + 64 + sum(64 * i + 128 for i in range(lam - 1))
    end = start + 64 * (lam - 1) + 128
    return reshaped(model, lambda proof: proof[:start] + proof[end:])


def off_curve(proof: bytes) -> bytes:
    """Move the last quotient off the curve."""
    return proof[:-1] + bytes([proof[-1] ^ 1])
