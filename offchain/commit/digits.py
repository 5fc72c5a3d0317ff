"""The model of handwritten digits, from real scans to its published folder."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np

from offchain.commit.interface import ImageInput, Interface
from offchain.commit.training import (
    CALIBRATION,
    HELD_OUT,
    BuiltModel,
    Recipe,
    build_model,
    require_absent,
)
from offchain.model.train_digits import CLASSES, PIXEL_MAX, SIDE, Digits, load_split, train_mlp
from offchain.quantize.layers import InputRange
from offchain.quantize.report import LabelledSet

PIXELS: Final = InputRange(bits=8, lo=0, hi=PIXEL_MAX, scale=1.0)  # scans are integers already
MIN_ACCURACY: Final = 0.95  # held out, of the float model and of the integer model
MIN_AGREEMENT: Final = 0.99  # held out, between them
INTERFACE: Final = Interface(
    name="digits",
    title="Handwritten digits",
    description="Reads one handwritten digit from a picture of 8 x 8 shades of grey. Trained on "
    "1,077 scans of the UCI digits that scikit-learn carries; 360 others judged it.",
    input=ImageInput(SIDE, SIDE, 0, PIXEL_MAX),
    labels=tuple(map(str, range(CLASSES))),
)
EXAMPLES: Final = 6  # held-out scans that are offered to try, one of each of the first classes


def build_digits_model(folder: Path, seed: int = 0, interface: Interface = INTERFACE) -> BuiltModel:
    """Train the digits model and publish it into `folder`, which must not exist.

    Raises FidelityError if the held-out figures miss their floors, ModelFolderError if the folder
    exists, MissingDependencyError without torch, onnx or scikit-learn.
    """
    require_absent(folder)
    split = load_split()
    sets = {CALIBRATION: _labelled(split.calibration), HELD_OUT: _labelled(split.held_out)}
    floors = {
        "floatAccuracy": MIN_ACCURACY,
        "integerAccuracy": MIN_ACCURACY,
        "agreement": MIN_AGREEMENT,
    }
    shown = with_examples(interface, split.held_out)
    recipe = Recipe(lambda: train_mlp(split.train, seed), PIXELS, sets, floors, shown)
    return build_model(folder, recipe)


def with_examples(interface: Interface, scans: Digits) -> Interface:
    """Return the interface with the first scan of some classes to try."""
    rows = [scans.x[scans.y == label][0] for label in range(EXAMPLES)]
    examples = tuple(tuple(map(int, row)) for row in rows)
    picture = ImageInput(SIDE, SIDE, 0, PIXEL_MAX, examples)
    return replace(interface, input=picture)


def _labelled(digits: Digits) -> LabelledSet:
    return LabelledSet(digits.x.astype(np.float64), digits.y)
