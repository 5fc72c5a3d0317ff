"""Write every vector file; `python -m tests.vectors.generate [DIR]`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from offchain.prove.reference.srs import insecure_tau_g2
from tests.attacks.catalogue import ALL
from tests.attacks.forgeries import Forgery
from tests.vectors import (
    batches,
    components,
    encoding,
    mercury_forgeries,
    proofs,
    quorums,
    trace,
)
from tests.vectors.operator_models import all_models


def forgery_vectors() -> dict[str, Any]:
    """Return every forgery by its file's name, and the list of them with their Solidity errors."""
    made = {attack.name: attack.make(attack.model()) for attack in ALL}
    index = [{"name": attack.name, "error": attack.solidity} for attack in ALL]
    return {"index": index} | {name: forgery_vector(name, f) for name, f in made.items()}


def forgery_vector(name: str, forged: Forgery) -> dict[str, Any]:
    """Return one forgery's file."""
    return {
        "name": name,
        "vk": encoding.hexed(forged.key.to_bytes()),
        "tauG2": encoding.hexed(insecure_tau_g2()),
        "statement": proofs.described(forged.statement),
        "statementHash": encoding.hexed(forged.statement.hash()),
        "input": encoding.hexed(forged.public_in),
        "output": encoding.hexed(forged.public_out),
        "proof": encoding.hexed(forged.proof),
    }


def generate() -> dict[str, Any]:
    """Return the content of every file but the forgeries', by name."""
    return {
        "batches": batches.batch_vectors(),
        "transcript": components.transcript_vector(),
        "sumcheck": components.sumcheck_vectors(),
        "logup": components.logup_vectors(),
        "hyperkzg": components.hyperkzg_vectors(),
        "mercury": mercury_forgeries.mercury_vectors(),
        "trace": trace.trace_vectors(),
        "quorums": quorums.quorum_vectors(),
        "proofs": proofs.proof_vectors(all_models()),
    }


def main(folder: Path) -> None:
    """Write the files into `folder` and the forgeries' into its `forgeries`."""
    (folder / "forgeries").mkdir(exist_ok=True)
    for old in (folder / "forgeries").glob("*.json"):
        old.unlink()  # an attack that is gone must not be replayed
    files = generate() | {f"forgeries/{name}": v for name, v in forgery_vectors().items()}
    for name, content in files.items():
        (folder / f"{name}.json").write_text(json.dumps(content, indent=1) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
