"""The shared vectors are exactly what the reference computes."""

from __future__ import annotations

import json
from pathlib import Path

from tests.vectors.elements import element_vectors
from tests.vectors.generate import generate
from tests.vectors.operators import operator_vectors
from tests.vectors.parts import part_vectors

FOLDER = Path(__file__).parents[1] / "vectors"


def test_vectors__generated_again__equal_the_files() -> None:
    for name, content in generate().items():
        assert json.loads((FOLDER / f"{name}.json").read_text()) == content, name


def test_operator_vectors__generated_again__equal_the_file() -> None:
    assert json.loads((FOLDER / "operators.json").read_text()) == operator_vectors()


def test_element_vectors__generated_again__equal_the_file() -> None:
    assert json.loads((FOLDER / "elements.json").read_text()) == element_vectors()


def test_part_vectors__generated_again__equal_the_file() -> None:
    assert json.loads((FOLDER / "parts.json").read_text()) == part_vectors()
