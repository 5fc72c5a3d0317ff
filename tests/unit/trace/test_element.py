"""Every element of every operator: computed alone, opened, and judged."""

from __future__ import annotations

import numpy as np
import pytest

from offchain.errors import EvidenceError
from offchain.model.graph import Graph, Requant, TensorSpec, WeightSpec
from offchain.model.operators import Softmax, Sum
from offchain.model.weights import IntArray
from offchain.trace.descriptor import WEIGHT, Operand
from offchain.trace.element import compute_element
from offchain.trace.evidence import list_reads_of_element
from offchain.trace.plan import TraceOp
from offchain.trace.tensors import TiledTensor
from tests.random_models import RandomModel
from tests.unit.trace.runs import KINDS, Run, graph_run, operator_run


def tensors_of(run: Run, op: TraceOp) -> tuple[list[TiledTensor], list[TiledTensor]]:
    return [run.tensors.get(n) for n in op.inputs], [run.tensors.get(n) for n in op.weights]


class Everything:
    """Reads all tensors, as the reference does."""

    def __init__(self, run: Run, op: TraceOp) -> None:
        self.inputs, self.weights = tensors_of(run, op)

    def read(self, operand: Operand, indices: IntArray) -> IntArray:
        is_weight = operand >= WEIGHT
        tensor = self.weights[operand - WEIGHT] if is_weight else self.inputs[operand]
        return tensor.read(indices)


@pytest.mark.parametrize("kind", KINDS)
def test_elements__every_operator__equal_the_reference(kind: str) -> None:
    for seed in range(12):
        check_all_elements(operator_run(kind, seed))


def test_elements__random_graphs__equal_the_reference() -> None:
    for seed in range(15):
        check_all_elements(graph_run(seed))


def check_all_elements(run: Run) -> None:
    for op in run.plan.ops:
        reader = Everything(run, op)
        values = [compute_element(op.descriptor, e, reader) for e in range(run.value(op).size)]
        assert values == run.value(op).tolist(), op.op


def test_reads__change_of_anything_else__same_element() -> None:
    """What an element is said to read is all that it depends on."""
    for seed in range(6):
        run = graph_run(seed)
        for op in run.plan.ops:
            inputs, weights = tensors_of(run, op)
            element = run.value(op).size // 2
            reads = list_reads_of_element(op.descriptor, element, inputs, weights)
            blind = (
                [hide(x, reads.get(k, set())) for k, x in [*enumerate(inputs)]],
                [hide(w, reads.get(WEIGHT + k, set())) for k, w in enumerate(weights)],
            )
            again = list_reads_of_element(op.descriptor, element, *blind)
            assert again == reads


def hide(tensor: TiledTensor, kept: set[int]) -> TiledTensor:
    """Return a tensor that is zero where nothing was read."""
    values = tensor.read(np.arange(len(tensor.raw) // tensor.element_bytes))
    values[[k for k in range(len(values)) if k not in kept]] = 0
    return TiledTensor.of(values, 8 * tensor.element_bytes)


def test_element__outside_the_result__refused() -> None:
    run = operator_run("linear", 0)
    op = run.plan.ops[-1]
    for element in (-1, run.value(op).size):
        with pytest.raises(EvidenceError, match=f"element {element} of {run.value(op).size}"):
            compute_element(op.descriptor, element, Everything(run, op))


@pytest.mark.parametrize(("kind", "weight"), [("gather", 0), ("embedding", None)])
def test_element__an_index_that_leaves_its_tensor__refused(kind: str, weight: int | None) -> None:
    run = operator_run(kind, 2)
    op = next(o for o in run.plan.ops if kind in (type(o.op).__name__.lower(), opname(o)))
    inputs, weights = tensors_of(run, op)
    for index in (-1, 1 << 20):
        wild = TiledTensor.of(np.full(64, index), 32)
        if weight is None:
            inputs[0] = wild
        else:
            weights[weight] = wild
        with pytest.raises(EvidenceError, match="elements of"):
            list_reads_of_element(op.descriptor, 0, inputs, weights)


def opname(op: TraceOp) -> str:
    return type(op.accumulator).__name__.lower()


def test_elements__causal_with_more_keys_than_queries__equal_the_reference() -> None:
    rng = np.random.default_rng(4)
    x = TensorSpec("x", (2, 3, 5), 8, -5, 5)
    table = rng.integers(1, 100, 16)
    ops = (
        Softmax("a", "x", "e", 4, 16, True),
        Requant("y", "a", 1, 8, (8,), 16, "identity", 16, -(1 << 15), (1 << 15) - 1),
    )
    graph = Graph((x,), "y", (WeightSpec("e", (16,), 8),), ops)
    graph.verify()
    run = Run(RandomModel(graph, {"e": table}, rng.integers(-5, 6, x.shape)))
    assert 0 < np.count_nonzero(run.execution.output) < 30  # some cells take no part
    check_all_elements(run)


def test_elements__wide_quotients_into_a_table__saturate_first() -> None:
    x = TensorSpec("x", (4,), 16, -(1 << 15), (1 << 15) - 1)
    ops = (Sum("a", (("x", 2000),)), Requant("y", "a", 1, 8, (8,), 20, "f", 8, -100, 100))
    graph = Graph((x,), "y", (WeightSpec("f", (1 << 16,), 8),), ops)
    graph.verify()
    table = np.random.default_rng(5).integers(-100, 101, 1 << 16)
    table[1 << 15] = 0
    values = np.array([-(1 << 15), 0, 3, (1 << 15) - 1])
    run = Run(RandomModel(graph, {"f": table}, values))
    assert run.execution.steps["y"].t.max() >= 1 << 15
    check_all_elements(run)
