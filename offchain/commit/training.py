"""From a trained float network to a published model: export, import, quantize, measure, write."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from offchain.commit.interface import Interface
from offchain.commit.model_folder import PublishedModel, read_model_folder, write_model_folder
from offchain.errors import FidelityError, ModelFolderError
from offchain.execute.reference import run_traced
from offchain.model.mlp import Mlp, export_onnx
from offchain.model.onnx_import import load_onnx
from offchain.quantize.layers import InputRange
from offchain.quantize.report import LabelledSet, make_report
from offchain.quantize.search import DEFAULT_TARGET, Target, search

CALIBRATION: Final = "calibration"  # the set that the quantizer sees
HELD_OUT: Final = "heldOut"  # the set whose figures have floors


@dataclass(frozen=True)
class Recipe:
    """What a model is made from and what it must reach; `sets` holds the two named above."""

    train: Callable[[], Mlp]
    source: InputRange
    sets: Mapping[str, LabelledSet]
    floors: Mapping[str, float]  # of the held-out figures
    interface: Interface
    target: Target = DEFAULT_TARGET  # what the quantizer's search stops at


@dataclass(frozen=True)
class BuiltModel:
    """A published model, and how long each step took."""

    model: PublishedModel
    train_s: float
    quantize_s: float


def require_absent(folder: Path) -> None:
    """Raise ModelFolderError if the folder exists: said before a training, not after it."""
    if folder.exists():
        raise ModelFolderError(str(folder), ["exists already; a published model never changes"])


def build_model(folder: Path, recipe: Recipe) -> BuiltModel:
    """Train, quantize and publish into `folder`, which must not exist.

    Raises FidelityError if a held-out figure misses its floor, ModelFolderError if the folder
    exists, MissingDependencyError without torch or onnx.
    """
    require_absent(folder)
    started = time.perf_counter()
    mlp = recipe.train()
    trained = time.perf_counter()
    with tempfile.TemporaryDirectory() as workspace:
        path = Path(workspace) / "model.onnx"
        export_onnx(mlp, path)
        model = load_onnx(path)
    calibration = recipe.sets[CALIBRATION].x
    found = search(model, recipe.source, calibration, run_traced, recipe.target)
    report = make_report(model, recipe.source, found.model, recipe.sets, run_traced)
    quantized = time.perf_counter()
    held_out = report["sets"][HELD_OUT]
    for figure, floor in recipe.floors.items():
        if held_out[figure] < floor:
            raise FidelityError(f"held-out {figure} is {held_out[figure]:.4f}, below {floor}")
    write_model_folder(folder, found.model.graph, found.model.weights, report, recipe.interface)
    return BuiltModel(read_model_folder(folder), trained - started, quantized - trained)
