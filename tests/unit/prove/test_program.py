"""The program compiler and its encodings."""

from __future__ import annotations

import dataclasses

import pytest

from offchain.errors import ProgramError
from offchain.model.graph import Requant
from offchain.prove.compile import compile_graph, compile_layout
from offchain.prove.program import Program, TensorKind, VerificationKey
from tests.vectors.models import SmallModel, all_models, tiny

MODELS = {model.name: model for model in all_models()}


@pytest.fixture(params=sorted(MODELS))
def model(request: pytest.FixtureRequest) -> SmallModel:
    return MODELS[request.param]


def test_compile__same_graph_twice__same_bytes(model: SmallModel) -> None:
    graph = model.layout.graph
    assert compile_graph(graph).to_bytes() == compile_graph(graph).to_bytes()


def test_key__encoded_and_decoded__is_equal(model: SmallModel) -> None:
    assert VerificationKey.from_bytes(model.key.to_bytes()) == model.key


def test_program__every_truncation_and_one_more_byte__refused(model: SmallModel) -> None:
    encoded = model.key.program.to_bytes()
    for length in range(len(encoded)):
        with pytest.raises(ProgramError):
            Program.from_bytes(encoded[:length])
    with pytest.raises(ProgramError, match="trailing"):
        Program.from_bytes(encoded + b"\0")


def test_layout__blocks_of_one_kind__never_overlap(model: SmallModel) -> None:
    program = model.key.program
    taken: set[tuple[int, int]] = set()
    for tensor in program.tensors:
        if tensor.is_public:
            continue
        start = (tensor.chunk << program.c) + (tensor.addr << tensor.n)
        cells = {(start + i) for i in range(1 << tensor.n)}
        assert not taken & {(0, i) for i in cells}
        taken |= {(0, i) for i in cells}
        first_proof = program.fixed_chunks << program.c
        assert all((i >= first_proof) == (tensor.kind == TensorKind.PROOF) for i in cells)


def test_logup__every_committed_proof_tensor__is_looked_up_or_a_table(model: SmallModel) -> None:
    """Each committed tensor is covered by a lookup (proofs-spec.md 14)."""
    program = model.key.program
    covered = {column.tensor for block in program.blocks for column in block.columns}
    for index, tensor in enumerate(program.tensors):
        if tensor.kind in (TensorKind.PROOF, TensorKind.OUTPUT):
            assert index in covered


def test_compile__accumulator_without_requant__refused_by_name() -> None:
    graph = tiny().layout.graph
    linear, requant, *_ = graph.ops
    broken = dataclasses.replace(
        graph, ops=(linear, requant, dataclasses.replace(linear, name="lost"))
    )
    with pytest.raises(ProgramError, match="lost"):
        compile_graph(broken)


def test_compile__one_accumulator_requantized_twice__refused() -> None:
    graph = tiny().layout.graph
    again = dataclasses.replace(graph.ops[1], name="again")
    broken = dataclasses.replace(graph, ops=(*graph.ops, again))
    with pytest.raises(ProgramError, match="again"):
        compile_graph(broken)


def test_table_values__relu_with_clamp__are_the_meaning() -> None:
    layout = compile_layout(tiny().layout.graph)
    requant = next(op for op in layout.graph.ops if isinstance(op, Requant))
    (table,) = [t for t in layout.tables if t.function]
    half = 1 << (requant.width - 1)
    assert table.values() == [
        max(requant.lo, min(requant.hi, max(0, k - half))) for k in range(2 * half)
    ]
