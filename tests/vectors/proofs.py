"""Vectors of whole proofs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from offchain.prove.program_bytes import hash_program
from offchain.prove.reference.prover import prove
from offchain.prove.reference.public import boundary_digests
from offchain.prove.reference.srs import insecure_srs, insecure_tau_g2
from offchain.prove.statement import FORMAT, MODE_PUBLIC, Statement
from offchain.prove.verification_key import VerificationKey
from tests.vectors.encoding import hexed
from tests.vectors.models import SmallModel, output_bytes, read_output

# Anvil's default chain id and addresses that a test can reproduce.
VERIFIER = "0x5FbDB2315678afecb367f032d93F642f64180aa3"
MARKET = "0x00000000000000000000000000000000000000A1"
PROVER = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"


def statement_for(
    key: VerificationKey,
    public_in: bytes,
    public_out: bytes,
    job: int,
    commitments: Sequence[bytes] = (),
) -> Statement:
    """Return the statement of a whole-model proof in a made-up job.

    `commitments` are the proof's, which only committed inputs and outputs need.
    """
    in_digest, out_digest = boundary_digests(
        key.program, public_in, public_out, [*key.commitments, *commitments]
    )
    return Statement(
        format=FORMAT,
        chain_id=31337,
        verifier=VERIFIER,
        market=MARKET,
        job_id=job,
        shard=0,
        challenge_seed=bytes([job]) * 32,
        prover=PROVER,
        model_version=b"version".ljust(32, b"\0"),
        program_hash=hash_program(key.program),
        srs_id=key.srs_id,
        mode=MODE_PUBLIC,
        op_range=key.program.op_count,
        in_digest=in_digest,
        out_digest=out_digest,
    )


def proof_vector(model: SmallModel, job: int) -> dict[str, Any]:
    """Prove the honest execution of a small model."""
    program, tensors = model.program, model.tensors()
    public_out = output_bytes(program, read_output(program, tensors))
    statement = statement_for(model.key, model.public_in, public_out, job)
    proof = prove(model.key, insecure_srs(program.c), statement.hash(), tensors, model.tokens())
    return {
        "name": model.name,
        "vk": hexed(model.key.to_bytes()),
        "vkHash": hexed(model.key.hash()),
        "tauG2": hexed(insecure_tau_g2()),
        "statement": described(statement),
        "statementHash": hexed(statement.hash()),
        "input": hexed(model.public_in),
        "output": hexed(public_out),
        "tensors": {str(i): values for i, values in sorted(tensors.items())},
        "proof": hexed(proof),
    }


def described(statement: Statement) -> dict[str, Any]:
    """Return a statement's fields, bytes as hex."""
    return {k: hexed(v) if isinstance(v, bytes) else v for k, v in asdict(statement).items()}


def proof_vectors(models: Sequence[SmallModel]) -> list[dict[str, Any]]:
    """Return one vector for each model."""
    return [proof_vector(model, job) for job, model in enumerate(models, start=1)]
