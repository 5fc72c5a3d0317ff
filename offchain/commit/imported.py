"""From somebody's ONNX file and calibration data to a published model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from offchain.commit.model_folder import PublishedModel, read_model_folder, write_model_folder
from offchain.errors import FidelityError, ModelFolderError, TensorError
from offchain.execute.reference import run_traced
from offchain.model.float_graph import FloatGraph
from offchain.model.onnx_import import load_onnx
from offchain.quantize.layers import InputRange
from offchain.quantize.report import LabelledSet, make_report
from offchain.quantize.search import search

MIN_AGREEMENT: Final = 0.99  # between integer and float model, on data the search has not seen
ACCURACIES: Final = ("floatAccuracy", "integerAccuracy")
SETS: Final = {"calibration": ("x", "y"), "heldOut": ("x_held_out", "y_held_out")}


@dataclass(frozen=True)
class CalibrationData:
    """Real inputs by set, (rows, cols), and their classes (rows,) where they are known."""

    inputs: Mapping[str, npt.NDArray[np.float64]]
    classes: Mapping[str, npt.NDArray[np.int64]]


def read_calibration(path: Path) -> CalibrationData:
    """Read an .npz: `x` (rows, cols), and where there are: `y`, `x_held_out`, `y_held_out`.

    Raises TensorError for anything else; pickled objects are never loaded.
    """
    try:
        with np.load(path, allow_pickle=False) as arrays:
            found = {name: np.asarray(arrays[name]) for name in arrays.files}
    except (OSError, ValueError) as error:
        raise TensorError(str(path), f"cannot be read as .npz: {error}") from None
    if "x" not in found:
        raise TensorError(str(path), "has no array x (rows, cols) of real inputs")
    inputs, classes = {}, {}
    for name, (x, y) in SETS.items():
        if x not in found:
            continue
        if found[x].ndim != 2 or len(found[x]) == 0:
            raise TensorError(f"{path}: {x}", f"has shape {found[x].shape}, not (rows, cols)")
        inputs[name] = found[x].astype(np.float64)
        if y in found:
            if found[y].shape != (len(found[x]),):
                raise TensorError(f"{path}: {y}", f"has shape {found[y].shape}, not (rows,)")
            classes[name] = found[y].astype(np.int64)
    return CalibrationData(inputs, classes)


def import_model(
    folder: Path, onnx_file: Path, data: CalibrationData, source: InputRange
) -> PublishedModel:
    """Quantize an ONNX model and publish it into `folder`, which must not exist.

    Raises UnsupportedModelError for operators that cannot be proven, FidelityError when the
    integer model does not keep the float model's answers, ModelFolderError if the folder exists.
    """
    if folder.exists():  # said before the search, not after it
        raise ModelFolderError(str(folder), ["exists already; a published model never changes"])
    model = load_onnx(onnx_file)
    found = search(model, source, data.inputs["calibration"], run_traced)
    sets = {name: _label(model, data, name) for name in data.inputs}
    report = make_report(model, source, found.model, sets, run_traced)
    for name, figures in report["sets"].items():
        if name not in data.classes:
            _forget_accuracy(figures)
    judged = report["sets"].get("heldOut", report["sets"]["calibration"])
    if judged["agreement"] < MIN_AGREEMENT:
        raise FidelityError(
            f"the integer model agrees with the float model on {judged['agreement']:.4f} of the "
            f"rows, below {MIN_AGREEMENT}"
        )
    write_model_folder(folder, found.model.graph, found.model.weights, report)
    return read_model_folder(folder)


def _label(model: FloatGraph, data: CalibrationData, name: str) -> LabelledSet:
    """Return a set with its classes, or with the float model's where nobody knows them."""
    x = data.inputs[name]
    y = data.classes[name] if name in data.classes else model.run(x).argmax(axis=1)
    return LabelledSet(x, y)


def _forget_accuracy(figures: dict[str, Any]) -> None:
    """Remove what means nothing without true classes; agreement stays."""
    for name in ACCURACIES:
        del figures[name]
