"""The languages model from training to its published folder, on the real word lists."""

from __future__ import annotations

import numpy as np
import pytest

from offchain.commit.interface import TextInput
from offchain.commit.languages import COUNTS, INTERFACE, build_languages_model
from offchain.commit.model_folder import PublishedModel
from offchain.execute.backend import run_graph
from offchain.model.text_encoding import encode_text
from offchain.model.train_languages import load_split

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> PublishedModel:
    return build_languages_model(tmp_path_factory.mktemp("languages") / "mlp-languages").model


def test_build__held_out_phrases__recounted_meet_the_floors(model: PublishedModel) -> None:
    held_out = load_split().held_out
    graph = model.graph.with_rows(len(held_out.y))
    output = run_graph(graph, model.weights, held_out.x, "numpy")
    figures = model.report["sets"]["heldOut"]
    accuracy = float((output.argmax(axis=1) == held_out.y).mean())
    assert figures["integerAccuracy"] == accuracy >= 0.88
    assert figures["agreement"] >= 0.97
    assert model.report["sets"]["heldOutWords"]["integerAccuracy"] >= 0.70


def test_build__examples_offered_to_people__told_as_what_they_are(model: PublishedModel) -> None:
    assert isinstance(INTERFACE.input, TextInput)
    x = np.stack([encode_text(text, COUNTS.hi) for text in INTERFACE.input.examples])
    output = run_graph(model.graph.with_rows(len(x)), model.weights, x, "numpy")
    assert [INTERFACE.labels[k] for k in output.argmax(axis=1)] == list(INTERFACE.labels)
    assert model.interface == INTERFACE
