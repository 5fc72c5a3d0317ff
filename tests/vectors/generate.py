"""Write every vector file; `python -m tests.vectors.generate [DIR]`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from offchain.prove.reference.srs import insecure_tau_g2
from tests.attacks.forgeries import ALL
from tests.vectors import components, proofs
from tests.vectors.models import tiny


def forgery_vectors() -> list[dict[str, Any]]:
    """Return every forgery on the smallest model."""
    return [
        {
            "name": forged.name,
            "vk": components.hexed(forged.key.to_bytes()),
            "tauG2": components.hexed(insecure_tau_g2()),
            "statement": proofs.described(forged.statement),
            "statementHash": components.hexed(forged.statement.hash()),
            "input": components.hexed(forged.public_in),
            "output": components.hexed(forged.public_out),
            "proof": components.hexed(forged.proof),
        }
        for forged in (make(tiny()) for make in ALL)
    ]


def generate() -> dict[str, Any]:
    """Return the content of every file by name."""
    return {
        "transcript": components.transcript_vector(),
        "sumcheck": components.sumcheck_vectors(),
        "logup": components.logup_vectors(),
        "hyperkzg": components.hyperkzg_vectors(),
        "proofs": proofs.proof_vectors(),
        "forgeries": forgery_vectors(),
    }


def main(folder: Path) -> None:
    """Write the files into `folder`."""
    for name, content in generate().items():
        (folder / f"{name}.json").write_text(json.dumps(content, indent=1) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
