"""Without the operator's extra, every step that needs it says which package and which extra."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from offchain.errors import MissingDependencyError
from offchain.execute.backend import run_graph
from offchain.model.onnx_import import load_onnx
from offchain.model.train_digits import load_split
from tests.random_models import draw_model


def test_run_graph__no_torch__numpy_works_and_torch_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    model = draw_model(1)
    output = run_graph(model.graph, model.weights, model.x, "numpy")
    assert output.dtype == np.int64
    with pytest.raises(MissingDependencyError, match=r"torch is not installed.*'operator'"):
        run_graph(model.graph, model.weights, model.x, "torch")


def test_load_onnx__no_onnx__says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(MissingDependencyError, match="onnx"):
        load_onnx(tmp_path / "m.onnx")


def test_load_split__no_scikit_learn__says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    with pytest.raises(MissingDependencyError, match="scikit-learn"):
        load_split()
