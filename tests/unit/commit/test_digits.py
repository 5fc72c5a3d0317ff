"""The digits model from training to its published folder, on the real scans."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from offchain.commit.digits import PIXELS, BuiltModel, build_digits_model
from offchain.errors import FidelityError, ModelFolderError
from offchain.execute.backend import run_graph
from offchain.model.train_digits import load_split
from offchain.quantize.ranges import verify_ranges


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("digits") / "mlp-digits"


@pytest.fixture(scope="module")
def built(folder: Path) -> BuiltModel:
    return build_digits_model(folder)


def test_build__held_out_figures__recounted_meet_the_targets(built: BuiltModel) -> None:
    model, held_out = built.model, load_split().held_out
    graph = model.graph.with_rows(len(held_out.y))
    output = run_graph(graph, model.weights, held_out.x, "numpy")
    accuracy = float((output.argmax(axis=1) == held_out.y).mean())
    figures = model.report["sets"]["heldOut"]
    assert figures["rows"] == 360
    assert figures["integerAccuracy"] == accuracy >= 0.95
    assert figures["floatAccuracy"] >= 0.95
    assert figures["agreement"] >= 0.99


def test_build__every_held_out_scan__torch_gives_the_same_bits(built: BuiltModel) -> None:
    held_out = load_split().held_out
    graph = built.model.graph.with_rows(len(held_out.y))
    numpy, torch = (
        run_graph(graph, built.model.weights, held_out.x, backend) for backend in ("numpy", "torch")
    )
    assert np.array_equal(numpy, torch)


def test_build__whole_input_range__stays_in_its_tables(built: BuiltModel) -> None:
    verify_ranges(built.model.graph, built.model.weights)
    source = built.model.graph.input
    assert (source.shape, source.bits, source.lo, source.hi) == ((1, 64), 8, 0, 16)


def test_build__tables__fit_the_smallest_instances(built: BuiltModel) -> None:
    """Three tables of 8 bits at most: the proof's rounds grow with the square of their log."""
    assert built.model.report["size"]["tableRows"] <= 3 << 8
    assert built.model.report["size"]["weights"] == 64 * 32 + 32 + 32 * 10 + 10


def test_build__existing_folder__refused(built: BuiltModel, folder: Path) -> None:
    assert built.model.graph.weights
    with pytest.raises(ModelFolderError, match="exists already"):
        build_digits_model(folder)


def test_build__floor_above_what_is_possible__nothing_is_published(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("offchain.commit.digits.MIN_ACCURACY", 1.01)
    with pytest.raises(FidelityError, match="held-out floatAccuracy is 0"):
        build_digits_model(tmp_path / "model")
    assert not list(tmp_path.iterdir())


def test_to_integers__pixels__unchanged() -> None:
    scans = load_split().train.x
    assert (PIXELS.to_integers(scans.astype(np.float64)) == scans).all()


def test_load_split__parts__disjoint_stratified_and_complete() -> None:
    split = load_split()
    parts = (split.train, split.calibration, split.held_out)
    assert [len(part.y) for part in parts] == [1077, 360, 360]
    for part in parts:
        shares = np.bincount(part.y, minlength=10) / len(part.y)
        assert (np.abs(shares - 0.1) < 0.01).all()
