"""Element claims with their evidence, one operator of each opcode, as executed and falsified."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from tests.differential.elements import Subject, list_subjects
from tests.differential.evidence_fields import split_evidence
from tests.extreme_models import EXTREMES
from tests.vectors.encoding import hexed

PATH: Final = Path(__file__).parent / "elements.json"
# The operator of a model, and the element of its result that is claimed.
CHOSEN: Final[Mapping[str, tuple[str, int]]] = {
    "squares": ("y", 3),
    "conv_corners": ("y", 70),
    "coefficients": ("y", 4),
    "table_narrow": ("y", 14),
    "windows": ("y", 2),
    "rotation": ("y", 85),
    "tokens": ("y", 6),
    "norm_layer": ("y", 71),
    "soft_causal": ("y", 23),
    "pools": ("y", 10),
    "relu_ends": ("y", 1),
    "heads": ("k", 17),
    "gathered": ("y", 4),
    "argmax_tie": ("y", 0),
}


def element_vectors() -> list[dict[str, Any]]:
    """Return one vector an opcode, in the order of the opcodes."""
    return [
        _vector(name, next(s for s in list_subjects(EXTREMES[name]()) if s.op.name == of), element)
        for name, (of, element) in CHOSEN.items()
    ]


def _vector(name: str, subject: Subject, element: int) -> dict[str, Any]:
    """Return a claim that is true, and what is different where its element is one off."""
    claim, evidence = subject.claim(element), subject.evidence(element)
    fields = split_evidence(claim.desc, evidence)
    output = next(field.start for field in fields if field.tensor == fields[-1].tensor)
    false = subject.falsify(element, subject.other_values(element)[0])
    false_evidence = subject.evidence(element, false)
    assert false_evidence[:output] == evidence[:output]
    return {
        "name": name,
        "opcode": subject.opcode,
        "elem": element,
        "value": int(subject.result[element]),
        "desc": hexed(claim.desc),
        "inDigests": [hexed(digest) for digest in claim.in_digests],
        "outDigest": hexed(claim.out_digest),
        "evidence": hexed(evidence),
        "output": output,
        "falseDigest": hexed(false.digest),
        "falseOutput": hexed(false_evidence[output:]),
    }


if __name__ == "__main__":
    PATH.write_text(json.dumps(element_vectors(), indent=1) + "\n", encoding="utf-8")
