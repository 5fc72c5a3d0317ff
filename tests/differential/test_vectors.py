"""The shared vectors are exactly what the reference computes."""

from __future__ import annotations

import json
from pathlib import Path

from tests.vectors.generate import generate

FOLDER = Path(__file__).parents[1] / "vectors"


def test_vectors__generated_again__equal_the_files() -> None:
    for name, content in generate().items():
        assert json.loads((FOLDER / f"{name}.json").read_text()) == content, name
