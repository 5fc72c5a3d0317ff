"""The benchmark models keep the answers of their float networks, within their static ranges."""

from __future__ import annotations

import pytest

from offchain.execute import fast, reference
from offchain.model.graph import Graph
from offchain.quantize.ranges import verify_ranges
from tests.benchmarks.zoo import build, measure_fidelity

SMALL = ["mlp-784", "matmul-1024", "lenet5", "block-64"]
LARGE = ["resnet18-cifar", "vgg16-cifar", "gpt2-64tok"]
SIZES = {"resnet18-cifar": 11_100_000, "vgg16-cifar": 15_000_000, "gpt2-64tok": 124_000_000}


@pytest.mark.parametrize(
    "name", [*SMALL, *(pytest.param(n, marks=pytest.mark.slow) for n in LARGE)]
)
def test_build__benchmark_model__faithful_and_bounded(name: str) -> None:
    model = build(name)
    assert Graph.from_bytes(model.graph.to_bytes()) == model.graph
    verify_ranges(model.graph, model.weights)
    fidelity = measure_fidelity(model)
    assert fidelity.cosine >= 0.998
    assert fidelity.agreement >= 0.85
    assert sum(w.size for w in model.weights.values()) >= SIZES.get(name, 0)


@pytest.mark.parametrize("name", SMALL)
def test_fast__benchmark_model__equals_the_reference(name: str) -> None:
    model = build(name)
    for x in model.inputs[:2]:
        expected = reference.run_traced(model.graph, model.weights, x).values
        found = fast.run_traced(model.graph, model.weights, x).values
        assert all((expected[name] == found[name]).all() for name in expected)


def test_build__twice__the_same_model() -> None:
    first, second = build("block-64"), build("block-64")
    assert first.graph == second.graph
    assert all((first.weights[name] == second.weights[name]).all() for name in first.weights)
    assert all((a == b).all() for a, b in zip(first.inputs, second.inputs, strict=True))
