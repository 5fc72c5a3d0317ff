"""Submissions of a cheating prover."""

from __future__ import annotations

from dataclasses import dataclass

from offchain.prove.statement import Statement
from offchain.prove.verification_key import VerificationKey
from tests.attacks.cheater import Cheater, Tensors
from tests.attacks.weakening import Change, altered
from tests.vectors.models import SmallModel, commit, output_bytes, read_output, tokens_of
from tests.vectors.proofs import statement_for

JOB = 7


@dataclass(frozen=True)
class Forgery:
    """What is handed to a verifier."""

    key: VerificationKey
    statement: Statement
    public_in: bytes
    public_out: bytes
    proof: bytes


def submit(
    model: SmallModel,
    tensors: Tensors,
    prover: type[Cheater] = Cheater,
    statement: Statement | None = None,
    public_out: bytes | None = None,
    change: Change | None = None,
) -> Forgery:
    """Prove `tensors`, right or wrong, for a statement with the output that they hold.

    With `change` the prover follows a program of his own.
    """
    key, program = model.key, model.program
    if public_out is None:
        public_out = output_bytes(program, read_output(program, tensors))
    tokens = tokens_of(program, model.public_in)
    if statement is None:
        sent = commit(program, tensors)[program.fixed_chunks :]
        statement = statement_for(key, model.public_in, public_out, JOB, sent)
    followed = key if change is None else altered(key, change)
    proof = prover(followed, statement.hash(), tensors, tokens).run()
    return Forgery(key, statement, model.public_in, public_out, proof)


def honest(model: SmallModel) -> Forgery:
    """Submit the truth, from which byte-level forgeries start."""
    return submit(model, model.tensors())
