"""Plans of random models: every operator once, layers that hand over one value."""

from __future__ import annotations

from dataclasses import replace

import pytest

from offchain.errors import PlanError
from offchain.model.graph import Graph
from offchain.model.operators import Accumulator, Op, Requant, Sum, TensorSpec
from offchain.prove.part_names import list_reads
from offchain.trace.descriptor import LAYER_INPUT
from offchain.trace.plan import MAX_LAYER, PartKeys, Plan, build_plan, cut_layers, weight_roots
from tests.random_models import draw_graph, draw_model
from tests.unit.trace.runs import graph_run

GRAPHS = range(60)


def names_read(op: Op, accumulator: Op | None) -> set[str]:
    return (set(list_reads(op)) | set(list_reads(accumulator) if accumulator else ())) - {
        accumulator.name if accumulator else ""
    }


def legal_cuts(graph: Graph, plan: Plan) -> set[int]:
    """Return where only one value is handed over, straight from the definition."""
    activations = {graph.input.name, *(op.name for op in plan.ops)}
    cuts = set()
    for t, op in enumerate(plan.ops):
        later = {
            name for o in plan.ops[t + 1 :] for name in names_read(o.op, o.accumulator)
        } & activations
        made = {graph.input.name, *(o.name for o in plan.ops[: t + 1])}
        if later & made == {op.name} or t == len(plan.ops) - 1:
            cuts.add(t)
    return cuts


def test_plan__random_graphs__every_operator_that_leads_to_the_output_once() -> None:
    for seed in GRAPHS:
        run = graph_run(seed)
        traced = [op.name for op in run.plan.ops]
        accumulators = [op.accumulator.name for op in run.plan.ops if op.accumulator]
        made = traced + accumulators
        assert len(set(made)) == len(made)
        dead = {op.name for op in run.model.graph.ops} - set(made)
        read = {n for op in run.model.graph.ops if op.name not in dead for n in list_reads(op)}
        assert not dead & read
        assert traced[-1] == run.model.graph.output
        order = [op.name for op in run.model.graph.ops if op.name in traced]
        assert traced == order


def test_layers__random_graphs__cut_greedily_where_one_value_is_handed_over() -> None:
    for seed in GRAPHS:
        run = graph_run(seed, operators=4 + seed % 20)
        plan, cuts = run.plan, legal_cuts(run.model.graph, run.plan)
        assert [t for layer in plan.layers for t in layer] == list(range(len(plan.ops)))
        for number, layer in enumerate(plan.layers):
            assert layer[-1] in cuts
            inside = [t for t in cuts if t in layer]
            assert len(layer) <= MAX_LAYER or inside == [layer[-1]]
            if number + 1 < len(plan.layers):  # one more segment would be too many
                following = plan.layers[number + 1]
                segment = min(t for t in cuts if t in following) - following[0] + 1
                assert len(layer) + segment > MAX_LAYER


def test_inputs__random_graphs__from_the_same_layer_or_its_beginning() -> None:
    for seed in GRAPHS:
        plan = graph_run(seed, operators=12).plan
        for op in plan.ops:
            layer = plan.layers[op.layer]
            begins = plan.input.name if op.layer == 0 else plan.ops[layer[0] - 1].name
            for name, x in zip(op.inputs, op.descriptor.inputs, strict=True):
                source = begins if x.ref == LAYER_INPUT else plan.ops[layer[x.ref]].name
                assert source == name
            assert (op.position, op.descriptor.layer_ops) == (op.index - layer[0], len(layer))


def test_layers__a_long_chain__eight_operators_each() -> None:
    model = draw_model(5, sizes=(4,) * 19)
    layers = cut_layers(model.graph, [op for op in model.graph.ops if isinstance(op, Requant)])
    assert layers == [range(8), range(8, 16), range(16, 18)]


def test_layers__the_input_read_by_the_last_operator__one_layer() -> None:
    x = TensorSpec("x", (4,), 8, -100, 100)
    ops: list[Op] = []
    last = "x"
    for k in range(12):
        terms = ((last, 1), ("x", 1)) if k == 11 else ((last, 1),)
        ops += [
            Sum(f"a{k}", terms),
            Requant(f"y{k}", f"a{k}", 1, 8, (8,), 8, "identity", 8, -128, 127),
        ]
        last = f"y{k}"
    graph = Graph((x,), last, (), tuple(ops))
    graph.verify()
    assert build_plan(graph, {}).layers == (range(12),)


def test_plan__an_operator_after_the_output__has_no_place() -> None:
    model = draw_model(7, sizes=(4, 4, 4, 4))
    shorter = replace(model.graph, output="y1")
    plan = build_plan(shorter, weight_roots(model.graph, model.weights))
    assert [op.name for op in plan.ops] == ["y0", "y1"]


def test_plan__a_sum_of_five_activations__named() -> None:
    x = TensorSpec("x", (4,), 8, -10, 10)
    step = (1, 8, (8,), 8, "identity", 8, -128, 127)
    ops: list[Op] = []
    for k in range(5):
        ops += [Sum(f"a{k}", (("x", k + 1),)), Requant(f"y{k}", f"a{k}", *step)]
    ops += [Sum("all", tuple((f"y{k}", 1) for k in range(5))), Requant("y", "all", *step)]
    graph = Graph((x,), "y", (), tuple(ops))
    graph.verify()
    with pytest.raises(PlanError, match="y: reads 5 activations and 0 weights, at most 4 and 8"):
        build_plan(graph, {})


def test_root__a_key_or_a_weight_changed__another() -> None:
    model = draw_graph(3)
    roots = weight_roots(model.graph, model.weights)
    plan = build_plan(model.graph, roots)
    keyed = build_plan(model.graph, roots, {plan.ops[0].name: PartKeys(op_key=b"k" * 32)})
    assert keyed.root != plan.root
    assert keyed.ops[0].descriptor.op_key == b"k" * 32
    used = {name for op in plan.ops for name in op.weights}
    for name in used:
        assert build_plan(model.graph, {**roots, name: bytes(32)}).root != plan.root


def test_accumulators__belong_to_their_requants() -> None:
    for op in graph_run(11).plan.ops:
        assert (op.accumulator is not None) == isinstance(op.op, Requant)
        assert op.accumulator is None or isinstance(op.accumulator, Accumulator)
