"""The model of languages, from seven word lists to its published folder."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np

from offchain.commit.interface import Interface, TextInput
from offchain.commit.training import (
    CALIBRATION,
    HELD_OUT,
    BuiltModel,
    Recipe,
    build_model,
    require_absent,
)
from offchain.model.text_encoding import ENCODING, LENGTH
from offchain.model.train_languages import COUNT_MAX, LISTS, Texts, load_split, train_mlp
from offchain.quantize.layers import InputRange
from offchain.quantize.report import LabelledSet
from offchain.quantize.search import Target

COUNTS: Final = InputRange(bits=8, lo=0, hi=COUNT_MAX, scale=1.0)
# Two of a hundred answers differ where the network itself errs in eight: half of that is asked for.
TARGET: Final = Target(agreement=0.99, cosine=0.999)
HELD_OUT_WORDS: Final = "heldOutWords"
MIN_ACCURACY: Final = 0.88  # on held-out phrases of two to four words, of both models
MIN_AGREEMENT: Final = 0.97  # between them
INTERFACE: Final = Interface(
    name="languages",
    title="Language of a text",
    description="Tells English, French, Spanish, Italian, Czech, Japanese (in kana) and Korean "
    "apart by letters and pairs of letters. Trained on word lists, not on sentences: several words "
    "together are told far better than one.",
    input=TextInput(
        ENCODING,
        LENGTH,
        0,
        COUNT_MAX,
        examples=(
            "Good morning, where does this train go?",
            "Bonjour, comment allez-vous aujourd'hui ?",
            "El perro duerme en la cocina de mi casa",
            "Vorrei un gelato al cioccolato",
            "Dobrý večer, kde je nádraží?",
            "おはようございます",
            "안녕하세요, 반갑습니다",
        ),
    ),
    labels=tuple(language.capitalize() for language in LISTS),
)


def build_languages_model(
    folder: Path, seed: int = 0, interface: Interface = INTERFACE
) -> BuiltModel:
    """Train the languages model and publish it into `folder`, which must not exist.

    Raises FidelityError if the held-out figures miss their floors, ModelFolderError if the folder
    exists, DatasetError without the word lists, MissingDependencyError without torch or onnx.
    """
    require_absent(folder)
    split = load_split()
    sets = {
        CALIBRATION: _labelled(split.calibration),
        HELD_OUT: _labelled(split.held_out),
        HELD_OUT_WORDS: _labelled(split.held_out_words),
    }
    floors = {
        "floatAccuracy": MIN_ACCURACY,
        "integerAccuracy": MIN_ACCURACY,
        "agreement": MIN_AGREEMENT,
    }
    recipe = Recipe(lambda: train_mlp(split.train, seed), COUNTS, sets, floors, interface, TARGET)
    return build_model(folder, recipe)


def _labelled(texts: Texts) -> LabelledSet:
    return LabelledSet(texts.x.astype(np.float64), texts.y)
