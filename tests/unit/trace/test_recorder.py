"""Traces: digests of every operator under one root, and where two of them part."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from offchain.commit.digest import as_matrix, tensor_digest
from offchain.errors import TraceError
from offchain.execute.backend import trace_graph
from offchain.execute.reference import run_traced
from offchain.trace.find import (
    find_difference,
    find_element,
    find_element_in_tile,
    find_layer,
    find_operator,
)
from offchain.trace.recorder import (
    Granularity,
    Trace,
    decode_trace,
    encode_trace,
    record_trace,
)
from offchain.trace.tree import EMPTY, layer_leaf, operator_leaf, root_of_path
from offchain.types import Digest
from tests.random_models import draw_model
from tests.unit.trace.runs import Run, graph_run


def chain(operators: int) -> Run:
    return Run(draw_model(9, sizes=(4,) * (operators + 1)))


def test_trace__random_graphs__ends_are_the_statements_digests() -> None:
    for seed in range(10):
        run = graph_run(seed)
        source, output = run.model.graph.input, run.model.graph.output_spec()
        x, y = run.model.x, run.execution.output
        expected = tensor_digest(x.reshape(as_matrix(x.shape)), source.bits)
        assert run.trace.in_digest == expected
        expected = tensor_digest(y.reshape(as_matrix(y.shape)), output.bits)
        assert run.trace.out_digest == expected


def test_trace__every_runtime__the_same() -> None:
    for seed in range(5):
        run = graph_run(seed)
        model = run.model
        for backend in ("numpy", "torch"):
            execution = trace_graph(model.graph, model.weights, model.x, backend)
            assert record_trace(run.plan, model.graph, execution) == run.trace


@pytest.mark.parametrize("granularity", Granularity)
def test_root__every_layer_and_operator__opens(granularity: Granularity) -> None:
    run = chain(19)
    trace, plan = run.trace, run.plan
    tree = trace.tree(granularity)
    assert (len(plan.layers), tree.depth, plan.op_depth) == (3, 2, 3)
    for layer, members in enumerate(plan.layers):
        op_root = trace.op_roots[layer] if granularity is Granularity.OP else EMPTY
        leaf = layer_leaf(layer, trace.layer_digest(layer), op_root)
        assert root_of_path(leaf, layer, tree.path(layer)) == trace.root(granularity)
        for position, t in enumerate(members):
            path = trace.layer_trees[layer].path(position)
            assert len(path) == plan.op_depth
            leaf = operator_leaf(position, trace.digests[t])
            assert root_of_path(leaf, position, path) == trace.op_roots[layer]


def test_layer_input__the_last_result_of_the_layer_before() -> None:
    trace = chain(19).trace
    assert trace.layer_input(0) == trace.in_digest
    assert trace.layer_input(1) == trace.digests[7]
    assert trace.layer_input(2) == trace.digests[15]


def test_file__goes_both_ways__and_nothing_else_is_read() -> None:
    run = graph_run(4)
    raw = encode_trace(run.trace)
    assert decode_trace(run.plan, raw) == run.trace
    for bad in (raw[:-1], raw + bytes(32), b"x" + raw[1:], raw[32:], b""):
        with pytest.raises(TraceError):
            decode_trace(run.plan, bad)


def test_find__one_operator_wrong__that_one_though_later_ones_differ_too() -> None:
    run = chain(19)
    digests = list(run.trace.digests)
    for t in range(10, 19):
        digests[t] = Digest(bytes([t]) * 32)
    theirs = replace(run.trace, digests=tuple(digests))
    assert find_operator(run.trace, theirs) == 10
    assert find_layer(run.trace, theirs) == 1
    assert find_operator(run.trace, run.trace) is None
    assert find_layer(run.trace, run.trace) is None


def test_find_difference__a_wrong_weight__the_operator_that_reads_it() -> None:
    run = chain(6)
    weights = {**run.model.weights, "w2": ~run.model.weights["w2"]}
    theirs = run_traced(run.model.graph, weights, run.model.x)
    found = find_difference(run.plan, run.execution, theirs)
    assert found is not None
    op, element = found
    assert run.plan.ops[op].name == "y2"
    assert run.value(run.plan.ops[op])[element] != theirs.values["y2"].reshape(-1)[element]
    assert find_operator(run.trace, record_trace(run.plan, run.model.graph, theirs)) == op
    assert find_difference(run.plan, run.execution, run.execution) is None


def test_find__other_inputs_or_plans__refused() -> None:
    run = chain(3)
    with pytest.raises(TraceError, match="begin with different inputs"):
        find_operator(run.trace, replace(run.trace, in_digest=Digest(bytes(32))))
    other = chain(4).trace
    with pytest.raises(TraceError, match="different plans"):
        find_operator(run.trace, other)


def test_find_element__first_difference() -> None:
    mine = np.arange(12).reshape(3, 4)
    theirs = mine.copy()
    theirs[1, 3] = theirs[2, 0] = 0
    assert find_element(mine, theirs) == 7
    assert find_element(mine, mine) is None
    with pytest.raises(TraceError, match="12 and 4 elements"):
        find_element(mine, mine[0])
    tile = bytes(1024)
    assert find_element_in_tile(tile, tile[:9] + b"\1" + tile[10:], 3, 2) == 3 * 512 + 4
    assert find_element_in_tile(tile, tile, 3, 2) is None


def test_trace__too_few_digests__refused() -> None:
    run = chain(3)
    with pytest.raises(TraceError, match="2 digests of 3 operators"):
        Trace(run.plan, run.trace.in_digest, run.trace.digests[:2])
