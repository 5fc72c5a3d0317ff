"""Published models are found by what a registration says of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from offchain.commit.model_folder import write_model_folder
from offchain.errors import JobRefused
from offchain.submit.models import Model, find_model, load_model
from tests.random_models import draw_model
from tests.vectors.parts import build_graph


def test_two_sets_of_weights_for_one_graph__each_found_by_its_root(tmp_path: Path) -> None:
    model = draw_model(1)
    halved = {name: values // 2 for name, values in model.weights.items()}
    write_model_folder(tmp_path / "a", model.graph, model.weights, {})
    write_model_folder(tmp_path / "b", model.graph, halved, {})
    for folder in (tmp_path / "a", tmp_path / "b"):
        root = load_model(folder).compute_weight_root()
        assert find_model(tmp_path, model.graph.hash(), root).folder == folder


def test_unknown_root__a_model_of_that_graph(tmp_path: Path) -> None:
    model = draw_model(1)
    write_model_folder(tmp_path / "a", model.graph, model.weights, {})
    assert find_model(tmp_path, model.graph.hash(), bytes(32)).graph == model.graph


def test_unknown_graph__refused(tmp_path: Path) -> None:
    with pytest.raises(JobRefused, match="no model"):
        find_model(tmp_path, bytes(32), bytes(32))


@pytest.mark.parametrize(("lo", "hi", "expected"), [(-5, 7, 0), (3, 7, 3), (-5, -2, -2)])
def test_made_input__is_one_that_the_graph_takes(lo: int, hi: int, expected: int) -> None:
    graph, weights = build_graph()
    spec = replace(graph.input, lo=lo, hi=hi)
    model = Model(Path(), replace(graph, inputs=(spec,)), weights)
    model.check_input(model.make_input())
    assert set(model.decode_input(model.make_input()).flat) == {expected}
