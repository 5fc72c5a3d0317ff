"""How large evidence can get: never beyond its bound, which is no larger than it has to be."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from offchain.model.graph import Graph
from offchain.model.operators import Conv2d, Linear, Requant, TensorSpec, WeightSpec
from offchain.trace.descriptor import (
    NO_KEY,
    WEIGHT,
    Descriptor,
    Dim,
    Greatest,
    IndexMap,
    InputSpec,
    Loop,
    MatrixSpec,
    Params,
    Reduce,
    SoftmaxRow,
    WeightRef,
)
from offchain.trace.evidence import MAX_EVIDENCE
from offchain.trace.plan import TraceOp
from offchain.trace.reach import bound_evidence
from tests.random_models import RandomModel
from tests.unit.trace.runs import KINDS, Run, graph_run, operator_run

BYTES = 1024


def measure(run: Run, op: TraceOp, most: int = 64) -> int:
    """Return the bytes of the largest evidence about up to so many elements of an operator."""
    size = run.value(op).size
    elements = {size - 1, *range(0, size, max(1, size // most))}
    return max(len(run.tensors.evidence(op, element)) for element in elements)


@pytest.mark.parametrize("kind", KINDS)
def test_bound__of_every_kind__is_never_exceeded(kind: str) -> None:
    for seed in range(40, 43):
        check(operator_run(kind, seed))


def test_bound__of_random_graphs__is_never_exceeded() -> None:
    for seed in range(40, 44):
        check(graph_run(seed, 8))


def check(run: Run) -> None:
    for op in run.plan.ops:
        assert measure(run, op, 256) <= bound_evidence(op.descriptor)


def large(op: Linear | Conv2d, x: tuple[int, ...], w: tuple[int, ...]) -> Run:
    """Return one operator with an input and weights of several tiles."""
    rng = np.random.default_rng(7)
    spec = TensorSpec("x", x, 8, -100, 100)
    requant = Requant("y", "a", 3, 16, (16,), 16, "identity", 16, -(1 << 15), (1 << 15) - 1)
    graph = Graph((spec,), "y", (WeightSpec("w", w, 8),), (op, requant))
    graph.verify()
    weights = {"w": rng.integers(-3, 4, w)}
    return Run(RandomModel(graph, weights, rng.integers(-100, 101, x)))


@pytest.mark.parametrize("inner", [1000, 1024, 3000])
def test_bound__of_long_rows__is_reached(inner: int) -> None:
    """No more than the siblings are reckoned above what the dearest element takes."""
    run = large(Linear("a", "x", "w", None), (9, inner), (32, inner))
    (op,) = run.plan.ops
    taken, bound = measure(run, op, 9 * 32), bound_evidence(op.descriptor)
    assert taken <= bound <= taken + 3 * 8 * 32


@pytest.mark.parametrize(("groups", "padding", "stride"), [(1, 1, 1), (1, 0, 2), (4, 2, 1)])
def test_bound__of_a_convolution__holds_within_and_at_its_edges(
    groups: int, padding: int, stride: int
) -> None:
    op = Conv2d("a", "x", "w", None, stride=stride, padding=padding, groups=groups)
    run = large(op, (9, 11, 64), (32, 3, 3, 64 // groups))
    (op_,) = run.plan.ops
    taken, bound = measure(run, op_, 9 * 11 * 32), bound_evidence(op_.descriptor)
    assert taken <= bound <= 1.5 * taken


def describe(params: Params, x: MatrixSpec, out: MatrixSpec, *weights: WeightRef) -> Descriptor:
    source = (InputSpec(0xFFFF, x),)
    return Descriptor(0, 0, 1, out, source, weights, params, None, NO_KEY, NO_KEY)


@pytest.mark.parametrize(
    ("cells", "is_too_large"), [(32_768, False), (47_104, False), (50_257, True)]
)
def test_bound__of_a_whole_tensor_that_is_read__follows_its_size(
    cells: int, is_too_large: bool
) -> None:
    """GPT-2's choice among 50,257 words of 16 bits is more than a transaction holds."""
    d = describe(Greatest(0), MatrixSpec(2, 1, cells), MatrixSpec(4, 1, 1))
    assert (bound_evidence(d) > MAX_EVIDENCE) is is_too_large
    assert bound_evidence(replace(d, inputs=(InputSpec(0, MatrixSpec(1, 1, cells)),))) < 60_000


def test_bound__of_scattered_cells__counts_a_tile_for_each() -> None:
    d = describe(
        Reduce(0, IndexMap((Dim(50, 1),)), (Loop(50, (BYTES,)),)),
        MatrixSpec(1, 50, BYTES),
        MatrixSpec(1, 1, 50),
    )
    assert 50 * BYTES < bound_evidence(d) < 2 * 50 * BYTES


@pytest.mark.parametrize(("keys", "tiles"), [(16, 16), (5_000, 256)])
def test_bound__of_a_softmax__takes_its_table_entries_from_anywhere(keys: int, tiles: int) -> None:
    """The values choose the entries: as many tiles as there are keys, or as the table has."""
    d = describe(
        SoftmaxRow(0, WEIGHT, 16, 8, 0, 1, keys),
        MatrixSpec(2, 1, keys),
        MatrixSpec(2, 1, keys),
        WeightRef(4, 1 << 16, bytes(32)),
    )
    row = 2 * keys
    assert (
        tiles * BYTES + row <= bound_evidence(d) <= tiles * (BYTES + 6 + 8 * 32) + row + 4 * BYTES
    )
