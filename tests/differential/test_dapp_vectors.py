"""The web page's vectors are exactly what the Python package computes."""

from __future__ import annotations

import json

from tests.vectors.dapp import FOLDER, dapp_vectors


def test_dapp_vectors__generated_again__equal_the_files() -> None:
    for name, content in dapp_vectors().items():
        kept = json.loads((FOLDER / f"{name}.json").read_text())
        assert kept == json.loads(json.dumps(content)), name
