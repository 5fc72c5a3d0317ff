"""Lies about committed inputs and outputs: what a digest of commitments does not say."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from offchain.prove.compile.layout import CommittedFill
from offchain.prove.program import Residual
from tests.attacks import changes
from tests.attacks.attack import (
    PRODUCT,
    RELATION,
    ROOT,
    Attack,
    Model,
    forgetting,
    without_field,
)
from tests.attacks.cheater import Tensors
from tests.attacks.forgeries import JOB, Forgery, submit
from tests.attacks.weakening import Change
from tests.attacks.witness import fill_of, last_requant, lie, rewrite
from tests.vectors import operator_models as om
from tests.vectors.models import commit
from tests.vectors.proofs import statement_for


def whole(model: Model) -> int:
    """Return the tensor that is the input's whole chunk."""
    tensor = fill_of(model, CommittedFill).tensor
    return next(k for k, v in model.layout.whole_chunks.items() if v == tensor)


def beside_the_input(model: Model, tensors: Tensors) -> None:
    """Hide a number behind the input: its commitment, and so its digest, is another one."""
    tensors[whole(model)][-1] = 5


def full_pad(model: Model, tensors: Tensors) -> None:
    """Put a number into the input's padding, which the weights ignore."""
    tensor = fill_of(model, CommittedFill).tensor
    for holder in (tensor, whole(model)):
        tensors[holder][len(tensors[tensor]) - 1] = 5


def above_range(model: Model, tensors: Tensors) -> None:
    """Execute an input whose first element is one too large."""
    fill = fill_of(model, CommittedFill)
    x = model.execution.values["x"].copy()
    x[0, 0] = fill.hi + 1
    for holder in (fill.tensor, whole(model)):
        tensors[holder][0] = fill.hi + 1
    rewrite(model, tensors, x @ model.weights["w"].T)
    output = last_requant(model).y
    for holder, tensor in model.layout.whole_chunks.items():
        if tensor == output:
            tensors[holder][: len(tensors[output])] = tensors[output]


def shifted_digests(model: Model) -> Forgery:
    """Prove the truth; claim the digest of an input from which something is taken away."""
    other = model.tensors()
    beside_the_input(model, other)
    program = model.program
    sent = commit(program, model.tensors())[program.fixed_chunks :]
    moved = commit(program, other)[program.fixed_chunks :]
    true = statement_for(model.key, b"", b"", JOB, sent)
    false = statement_for(model.key, b"", b"", JOB, moved)
    return submit(
        model, model.tensors(), statement=replace(true, in_digest=false.in_digest), public_out=b""
    )


def rest_unchecked(model: Model) -> Change:
    """Let the rest of the input's chunk be anything."""
    relation = changes.relation_of(model.program, Residual.NONE, whole(model))
    return changes.without_relation(relation)


def pads_unchecked(model: Model) -> Change:
    """Let the input's padding be anything."""
    tensor = fill_of(model, CommittedFill).tensor
    relation = changes.relation_of(model.program, Residual.PRODUCT, tensor)
    return changes.without_relation(relation)


def input_unranged(model: Model) -> Change:
    """Look the input up nowhere."""
    return changes.unlooked(fill_of(model, CommittedFill).tensor)


ATTACKS: Final = (
    forgetting(
        "hidden-beside-the-input", 1, om.sealed, lie(beside_the_input), rest_unchecked, RELATION
    ),
    forgetting("full-input-pad", 7, om.sealed, lie(full_pad), pads_unchecked, PRODUCT),
    forgetting("committed-above-range", 8, om.sealed, lie(above_range), input_unranged, ROOT),
    Attack(
        "shifted-digests", 1, shifted_digests, "in_digest does not match",
        "in_digest does not match", "WrongInputDigest(bytes32,bytes32)",
        without_field("in_digest"), om.sealed,
    ),
)  # fmt: skip
