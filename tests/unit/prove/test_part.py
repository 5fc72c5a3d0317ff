"""Parts of a graph are graphs of their own: operators, rows, layers, public or committed."""

from __future__ import annotations

import numpy as np
import pytest

from offchain.errors import ProgramError
from offchain.prove.compile import Choice
from offchain.prove.part import Part, compile_operator, compile_part
from offchain.prove.program import Form, Lookup, TensorKind
from offchain.prove.witness import Array, build_witness
from tests.unit.prove.check_relations import RelationBroken, check_relations
from tests.unit.prove.graphs import EXAMPLES, Example


def fill(part: Part, example: Example) -> dict[int, Array]:
    """Return the part's witness out of the whole model's execution."""
    weights = part.select_weights(example.weights)
    return build_witness(part.layout, weights, part.select_execution(example.execution))


def places(example: Example, *names: str) -> list[int]:
    order = [op.name for op in example.graph.ops]
    return [order.index(name) for name in names]


@pytest.mark.parametrize("committed", [False, True], ids=["public", "committed"])
@pytest.mark.parametrize("lookup", list(Lookup))
def test_every_operator_of_attention__proven_alone(lookup: Lookup, committed: bool) -> None:
    example = EXAMPLES["attention"]()
    for op in example.graph.ops:
        if type(op).__name__ in ("Requant", "Reshape"):
            continue
        names = [*example.graph.values] if committed else []
        part = compile_operator(
            example.graph, op.name, committed=names, choice=Choice(lookup=lookup)
        )
        forms = {spec.form for spec in (*part.layout.program.inputs, part.layout.program.output)}
        assert forms == {Form.COMMITTED if committed else Form.BYTES}
        check_relations(part.layout.program, fill(part, example))


def test_row_of_an_operator__equals_the_row_of_the_whole() -> None:
    example = EXAMPLES["attention"]()
    for op in example.graph.ops[:2]:
        part = compile_operator(example.graph, op.name, row=1)
        assert part.graph.output_spec().shape[0] == 1
        witness = fill(part, example)
        check_relations(part.layout.program, witness)
        whole = example.execution.values[part.graph.output]
        output = witness[part.layout.program.output.tensor]
        assert output[: whole.shape[1]].tolist() == whole[1].tolist()


def test_row_of_a_flat_linear__cuts_its_weights() -> None:
    example = EXAMPLES["linear_flattens"]()
    part = compile_operator(example.graph, "n0", row=2)
    assert part.graph.weights[0].shape == (1, 3, 2, 5)
    check_relations(part.layout.program, fill(part, example))


def test_rows_of_a_chain__proven_together() -> None:
    example = EXAMPLES["linear_batch"]()
    last = len(example.graph.ops) - 1
    part = compile_part(example.graph, 0, last, rows=range(1, 3))
    check_relations(part.layout.program, fill(part, example))


def test_layer_between_committed_boundaries__proven() -> None:
    """What one part commits to as its result, the next one takes as its input."""
    example = EXAMPLES["linear_batch"]()
    middle = example.graph.ops[1].name
    first = compile_part(example.graph, 0, 1, committed=[middle])
    second = compile_part(example.graph, 2, 3, committed=[middle])
    witnesses = [fill(p, example) for p in (first, second)]
    for part, witness in zip((first, second), witnesses, strict=True):
        check_relations(part.layout.program, witness)
    tensors = [first.layout.views[middle].tensor, second.layout.views[middle].tensor]
    assert (witnesses[0][tensors[0]] == witnesses[1][tensors[1]]).all()


def committed_linear(c: int = 7) -> tuple[Part, dict[int, Array]]:
    example = EXAMPLES["linear_batch"]()
    x = example.graph.input.name
    part = compile_operator(
        example.graph, example.graph.ops[0].name, committed=[x], choice=Choice(c)
    )
    return part, fill(part, example)


def test_rest_of_a_committed_chunk__is_zero() -> None:
    part, witness = committed_linear()
    ((chunk, tensor),) = part.layout.whole_chunks.items()
    assert part.layout.program.tensors[chunk].n == part.layout.program.c
    dirty = witness[chunk].astype(np.int64)
    dirty[len(witness[tensor]) + 3] = 1
    with pytest.raises(RelationBroken):
        check_relations(part.layout.program, {**witness, chunk: dirty})


@pytest.mark.parametrize(("cell", "value"), [(0, 128), (0, -129), (7, 1)], ids=str)
def test_committed_input__out_of_range_or_padded__breaks_a_relation(cell: int, value: int) -> None:
    part, witness = committed_linear()
    ((chunk, tensor),) = part.layout.whole_chunks.items()
    changed = {k: witness[k].astype(np.int64) for k in (chunk, tensor)}
    for values in changed.values():
        values[cell] = value
    with pytest.raises(RelationBroken):
        check_relations(part.layout.program, {**witness, **changed})


def test_committed_tensors__come_first_each_alone_in_its_chunks() -> None:
    example = EXAMPLES["attention"]()
    part = compile_operator(
        example.graph, "n9", committed=[*example.graph.values], choice=Choice(4)
    )
    program = part.layout.program
    own = [spec.tensor for spec in (*program.inputs, program.output)]
    skipped = {*own, *part.layout.whole_chunks}
    others = [
        t for k, t in enumerate(program.tensors) if k not in skipped and t.kind == TensorKind.PROOF
    ]
    last = max(program.tensors[k].chunk for k in own)
    assert program.tensors[own[0]].chunk == program.fixed_chunks
    assert last < min(t.chunk for t in others)


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda e: compile_part(e.graph, 3, 99), "no operators 3 to 99"),
        (lambda e: compile_part(e.graph, 1, 1), "begins before the accumulators"),
        (lambda e: compile_part(e.graph, 0, 5), "name the one to prove"),
        (lambda e: compile_part(e.graph, 0, 1, output="nowhere"), "no result of this part"),
        (lambda e: compile_operator(e.graph, "nowhere"), "no operator nowhere"),
        (lambda e: compile_operator(e.graph, "n9", row=0), "more than rows"),
        (lambda e: compile_operator(e.graph, "n0", row=9), "no rows"),
    ],
    ids=["range", "accumulator", "several", "output", "unknown", "inner batch", "row"],
)
def test_part_that_makes_no_sense__refused(make, reason: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ProgramError, match=reason):
        make(EXAMPLES["attention"]())
