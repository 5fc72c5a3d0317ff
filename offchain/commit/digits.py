"""From real scans to a published model: train, export, import, quantize, measure, write."""

from __future__ import annotations

import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from offchain.commit.model_folder import PublishedModel, read_model_folder, write_model_folder
from offchain.errors import FidelityError, ModelFolderError
from offchain.execute.reference import run_traced
from offchain.model.onnx_import import load_onnx
from offchain.model.train_digits import PIXEL_MAX, Digits, export_onnx, load_split, train_mlp
from offchain.quantize.layers import InputRange
from offchain.quantize.report import LabelledSet, make_report
from offchain.quantize.search import search

PIXELS: Final = InputRange(bits=8, lo=0, hi=PIXEL_MAX, scale=1.0)  # scans are integers already
MIN_ACCURACY: Final = 0.95  # held out, of the float model and of the integer model
MIN_AGREEMENT: Final = 0.99  # held out, between them


@dataclass(frozen=True)
class BuiltModel:
    """A published model, and how long each step took."""

    model: PublishedModel
    train_s: float
    quantize_s: float


def build_digits_model(folder: Path, seed: int = 0) -> BuiltModel:
    """Train the digits model and publish it into `folder`, which must not exist.

    Raises FidelityError if the held-out figures miss their floors, ModelFolderError if the folder
    exists, MissingDependencyError without torch, onnx or scikit-learn.
    """
    if folder.exists():  # said before the training, not after it
        raise ModelFolderError(str(folder), ["exists already; a published model never changes"])
    split = load_split()
    started = time.perf_counter()
    mlp = train_mlp(split.train, seed)
    trained = time.perf_counter()
    with tempfile.TemporaryDirectory() as workspace:
        path = Path(workspace) / "digits.onnx"
        export_onnx(mlp, path)
        model = load_onnx(path)
    found = search(model, PIXELS, _labelled(split.calibration).x, run_traced)
    sets = {
        "calibration": _labelled(split.calibration),
        "heldOut": _labelled(split.held_out),
    }
    report = make_report(model, PIXELS, found.model, sets, run_traced)
    quantized = time.perf_counter()
    held_out = report["sets"]["heldOut"]
    for figure, floor in (
        ("floatAccuracy", MIN_ACCURACY),
        ("integerAccuracy", MIN_ACCURACY),
        ("agreement", MIN_AGREEMENT),
    ):
        if held_out[figure] < floor:
            raise FidelityError(f"held-out {figure} is {held_out[figure]:.4f}, below {floor}")
    write_model_folder(folder, found.model.graph, found.model.weights, report)
    return BuiltModel(read_model_folder(folder), trained - started, quantized - trained)


def _labelled(digits: Digits) -> LabelledSet:
    return LabelledSet(digits.x.astype(np.float64), digits.y)
