"""Vectors of whole proofs."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from offchain.commit.digest import tensor_digest
from offchain.prove.program import VerificationKey
from offchain.prove.reference.prover import prove
from offchain.prove.reference.srs import insecure_srs, insecure_tau_g2
from offchain.prove.statement import FORMAT, MODE_PUBLIC, Statement
from offchain.prove.witness import Array
from tests.vectors.components import hexed
from tests.vectors.models import SmallModel, all_models, to_bytes

# Anvil's default chain id and addresses that a test can reproduce.
VERIFIER = "0x5FbDB2315678afecb367f032d93F642f64180aa3"
MARKET = "0x00000000000000000000000000000000000000A1"
PROVER = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"


def statement_for(key: VerificationKey, public_in: Array, public_out: Array, job: int) -> Statement:
    """Return the statement of a whole-model proof in a made-up job."""
    widths = [8 * p.bytes_per_element for p in key.program.public]
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
        program_hash=key.program.hash(),
        srs_id=key.srs_id,
        mode=MODE_PUBLIC,
        op_range=key.program.op_count,
        in_digest=tensor_digest(public_in, widths[0]),
        out_digest=tensor_digest(public_out, widths[1]),
    )


def proof_vector(model: SmallModel, job: int) -> dict[str, Any]:
    """Prove the honest execution of a small model."""
    trace = model.execute()
    public_out = trace[model.layout.graph.output].y
    statement = statement_for(model.key, model.public_in, public_out, job)
    tensors = {i: [int(v) for v in values] for i, values in model.witness(trace).items()}
    srs = insecure_srs(model.key.program.c)
    proof = prove(model.key, srs, statement.hash(), tensors)
    out_bits = 8 * model.key.program.public[1].bytes_per_element
    return {
        "name": model.name,
        "graph": hexed(model.layout.graph.to_bytes()),
        "vk": hexed(model.key.to_bytes()),
        "vkHash": hexed(model.key.hash()),
        "tauG2": hexed(insecure_tau_g2()),
        "statement": described(statement),
        "statementHash": hexed(statement.hash()),
        "input": hexed(model.input_bytes()),
        "output": hexed(to_bytes(public_out, out_bits)),
        "tensors": {str(i): values for i, values in sorted(tensors.items())},
        "proof": hexed(proof),
    }


def described(statement: Statement) -> dict[str, Any]:
    """Return a statement's fields, bytes as hex."""
    return {k: hexed(v) if isinstance(v, bytes) else v for k, v in asdict(statement).items()}


def proof_vectors() -> list[dict[str, Any]]:
    """Return one vector for each small model."""
    return [proof_vector(model, job) for job, model in enumerate(all_models(), start=1)]
