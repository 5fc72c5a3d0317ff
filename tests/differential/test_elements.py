"""Both element adjudicators on a real chain against the runtimes and the Python mirror (I29)."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from offchain.chain.anvil import run_anvil
from offchain.execute.torch_runtime import TorchRuntime
from tests.differential.element_chain import WHOLE, Adjudicators
from tests.differential.elements import Subject, ask_mirror, list_subjects
from tests.extreme_models import EXTREMES
from tests.random_models import RandomModel, draw_graph, draw_model, draw_operator
from tests.random_operators import DRAWERS

OPCODES = range(0x01, 0x0F)


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Adjudicators]:
    """A chain with the two contracts."""
    with run_anvil(tmp_path_factory.mktemp("anvil") / "anvil.log", block_s=0) as anvil:
        yield Adjudicators(anvil.rpc)


def check_truth(chain: Adjudicators, subject: Subject, element: int) -> None:
    """Require CONSISTENT of the element and no verdict on the whole operator."""
    evidence = subject.evidence(element)
    claim = subject.claim(element)
    assert chain.ask(claim, evidence) == ask_mirror(claim, evidence) == "CONSISTENT"
    whole = subject.claim(element, named=WHOLE)
    if len(subject.result) > 1:
        assert chain.ask(whole, evidence) == "ElementOnly"
        assert ask_mirror(whole, evidence) is None


def check_falsehoods(chain: Adjudicators, subject: Subject, element: int, most: int = 3) -> None:
    """Require INCONSISTENT of every other value, and CONSISTENT of what is right beside it."""
    for value in subject.other_values(element)[:most]:
        false = subject.falsify(element, value)
        evidence = subject.evidence(element, false)
        for named in (element, WHOLE):
            claim = subject.claim(element, false, named)
            assert chain.ask(claim, evidence) == ask_mirror(claim, evidence) == "INCONSISTENT"
        if len(subject.result) > 1:
            beside = (element + 1) % len(subject.result)
            claim, evidence = subject.claim(beside, false), subject.evidence(beside, false)
            assert chain.ask(claim, evidence) == ask_mirror(claim, evidence) == "CONSISTENT"


def check_model(chain: Adjudicators, model: RandomModel, seed: int, most: int = 3) -> None:
    """Check some elements of every operator of a model."""
    rng = np.random.default_rng(seed)
    of_torch = TorchRuntime(model.graph, model.weights).run_traced(model.x)
    for subject in list_subjects(model):
        assert np.array_equal(subject.result, of_torch.values[subject.op.name].reshape(-1))
        for element in subject.pick(rng, most):
            check_truth(chain, subject, element)
            check_falsehoods(chain, subject, element, 1)


def test_covers__every_opcode__by_one_contract() -> None:
    """Each opcode of the format has models below."""
    models = [make() for make in EXTREMES.values()]
    seen = {s.opcode for model in models for s in list_subjects(model)}
    assert seen == set(OPCODES)


@pytest.mark.parametrize("name", EXTREMES)
def test_adjudicate__edges_of_the_language__exact(chain: Adjudicators, name: str) -> None:
    model = EXTREMES[name]()
    *_, subject = list_subjects(model)
    of_torch = TorchRuntime(model.graph, model.weights).run(model.x)
    assert np.array_equal(subject.result, of_torch.reshape(-1))
    for element in subject.pick(np.random.default_rng(2), 18):
        check_truth(chain, subject, element)
    for element in subject.pick(np.random.default_rng(1), 3):
        check_falsehoods(chain, subject, element)


@pytest.mark.parametrize("kind", DRAWERS)
def test_adjudicate__random_operator__as_executed(chain: Adjudicators, kind: str) -> None:
    seed = 3000 + list(DRAWERS).index(kind)
    check_model(chain, draw_operator(kind, seed), seed)


@pytest.mark.parametrize("seed", range(3100, 3104))
def test_adjudicate__random_graph__as_executed(chain: Adjudicators, seed: int) -> None:
    check_model(chain, draw_graph(seed), seed)


def test_adjudicate__rows_over_many_tiles__as_executed(chain: Adjudicators) -> None:
    check_model(chain, draw_model(3, 3, (3000, 40, 700)), 3)


@pytest.mark.parametrize("name", ["linear_wide", "table_ends", "relu_tiles", "argmax_last"])
def test_adjudicate__more_opened_than_needed__the_same(chain: Adjudicators, name: str) -> None:
    rng = np.random.default_rng(7)
    *_, subject = list_subjects(EXTREMES[name]())
    for element in (0, len(subject.result) - 1) * 4:
        claim, evidence = subject.claim(element), subject.widen(element, rng)
        assert chain.ask(claim, evidence) == ask_mirror(claim, evidence) == "CONSISTENT"
        false = subject.falsify(element, subject.other_values(element)[0])
        assert chain.ask(subject.claim(element, false), evidence) == "WrongDigest"


@pytest.mark.slow
@pytest.mark.parametrize("kind", DRAWERS)
def test_adjudicate__many_random_operators__as_executed(chain: Adjudicators, kind: str) -> None:
    for seed in range(3200, 3230):
        check_model(chain, draw_operator(kind, seed), seed, most=8)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3300, 3340))
def test_adjudicate__many_random_graphs__as_executed(chain: Adjudicators, seed: int) -> None:
    check_model(chain, draw_graph(seed, operators=10), seed, most=6)
