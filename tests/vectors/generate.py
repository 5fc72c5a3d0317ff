"""Write every vector file; `python -m tests.vectors.generate [DIR]`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from tests.vectors import components, proofs


def generate() -> dict[str, Any]:
    """Return the content of every file by name."""
    return {
        "transcript": components.transcript_vector(),
        "sumcheck": components.sumcheck_vectors(),
        "logup": components.logup_vectors(),
        "hyperkzg": components.hyperkzg_vectors(),
        "proofs": proofs.proof_vectors(),
        "forgeries": proofs.forgery_vectors(),
    }


def main(folder: Path) -> None:
    """Write the files into `folder`."""
    for name, content in generate().items():
        (folder / f"{name}.json").write_text(json.dumps(content, indent=1) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
