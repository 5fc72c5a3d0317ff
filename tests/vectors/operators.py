"""Vectors of whole proofs, one for each operator, without the witness: `operators.json`.

Every lookup argument with every opening on the program written by hand, then the small models of
`operator_models`. `python -m tests.vectors.operators` writes the file.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from offchain.prove.program import Lookup, Opening
from offchain.prove.reference.prover import prove
from offchain.prove.reference.srs import insecure_srs, insecure_tau_g2
from tests.vectors.encoding import hexed
from tests.vectors.models import SmallModel, commit, handmade, output_bytes, read_output
from tests.vectors.operator_models import MODELS
from tests.vectors.proofs import described, statement_for

PATH = Path(__file__).parent / "operators.json"


def operator_vector(model: SmallModel, job: int) -> dict[str, Any]:
    """Prove the honest execution of a small model."""
    program, tensors = model.program, model.tensors()
    public_out = output_bytes(program, read_output(program, tensors))
    sent = commit(program, tensors)[program.fixed_chunks :]
    statement = statement_for(model.key, model.public_in, public_out, job, sent)
    proof = prove(model.key, insecure_srs(program.c), statement.hash(), tensors, model.tokens())
    return {
        "name": model.name,
        "vk": hexed(model.key.to_bytes()),
        "tauG2": hexed(insecure_tau_g2()),
        "statement": described(statement),
        "statementHash": hexed(statement.hash()),
        "input": hexed(model.public_in),
        "output": hexed(public_out),
        "proof": hexed(proof),
    }


def operator_vectors() -> list[dict[str, Any]]:
    """Return all vectors."""
    models = [handmade(lookup, opening) for lookup in Lookup for opening in Opening]
    models += [build() for build in MODELS]
    return [operator_vector(model, job) for job, model in enumerate(models, start=1)]


if __name__ == "__main__":
    PATH.write_text(json.dumps(operator_vectors(), indent=1) + "\n", encoding="utf-8")
