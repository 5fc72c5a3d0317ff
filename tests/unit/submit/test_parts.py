"""Parts of a model that can be proven alone: which, with which keys, and what evidence says."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from offchain import native
from offchain.errors import NativeProofError, UnprovablePart
from offchain.model.operators import TensorSpec
from offchain.prove.verification_key import VerificationKey
from offchain.submit import parts
from offchain.submit.parts import (
    PartBoundary,
    PartKind,
    Parts,
    build_operator_evidence,
    build_part_statement,
    build_row_evidence,
    choose_part,
    compile_parts,
    cut_execution,
    find_row,
    set_up_parts,
)
from offchain.trace.descriptor import NO_KEY
from offchain.trace.recorder import Tensors
from offchain.types import Address
from tests.unit.prove.graphs import EXAMPLES
from tests.vectors.parts import (
    CHAIN_ID,
    ELEMENT,
    PATH,
    SIZE,
    WHOLE,
    Case,
    build_graph,
    place_key,
    prove,
)
from tests.vectors.proofs import MARKET, VERIFIER

VECTORS = json.loads(PATH.read_text(encoding="utf-8"))["parts"]


@pytest.fixture(scope="module")
def case() -> Case:
    return Case(*build_graph())


def test_dense_layer__one_key_for_all_rows(case: Case) -> None:
    for row in range(3):
        cut = cut_execution(case.graph, "y1", PartKind.ROW, row * SIZE, case.execution)
        assert np.array_equal(cut.output, case.execution.values["y1"][row : row + 1])
    assert find_row(case.graph, "y1", 2 * SIZE - 1) == 1
    assert find_row(case.graph, "y1", 2 * SIZE) == 2


def test_equal_layers__other_weights__other_keys(case: Case) -> None:
    """Programs and shapes are one; commitments and names tell the layers apart."""
    first, second = (case.parts[name].get(PartKind.ROW).key for name in ("y0", "y1"))
    assert first.program == second.program
    assert first.hash() != second.hash()


def test_choose_part__a_row_for_an_element__what_can_be_sent(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    op, found = case.plan.find("y1"), case.parts["y1"]
    assert choose_part(None, op, 0) is None
    assert choose_part(found, op, 0) is PartKind.ROW
    assert choose_part(found, op, WHOLE) is PartKind.OPERATOR
    assert choose_part(replace(found, row=None), op, 0) is PartKind.OPERATOR
    assert choose_part(replace(found, operator=None), op, WHOLE) is None
    for kind in PartKind:
        (sent,) = [p["evidence"] for p in VECTORS if p["name"] == f"y1 {kind.name.lower()}"]
        monkeypatch.setattr(parts, "MAX_EVIDENCE", len(bytes.fromhex(sent[2:])) - 1)
        only = Parts(found.operator) if kind is PartKind.OPERATOR else Parts(None, found.row)
        assert choose_part(only, op, 0) is None
    monkeypatch.setattr(parts, "MAX_EVIDENCE", 1 << 20)
    monkeypatch.setattr(parts, "MAX_PROOF_GAS", 100_000)
    assert choose_part(found, op, 0) is None


def test_one_row__has_no_key_of_its_own(case: Case) -> None:
    spec = case.graph.input
    graph = replace(case.graph, inputs=(TensorSpec("x", (1, SIZE), spec.bits, spec.lo, spec.hi),))
    assert set(compile_parts(graph, "y0")) == {PartKind.OPERATOR}


def test_rows_that_cut_weights__have_no_key() -> None:
    """A flat linear layer's row is a row of its weights: every row would have another key."""
    example = EXAMPLES["linear_flattens"]()
    assert set(compile_parts(example.graph, example.graph.output)) == {PartKind.OPERATOR}


def test_part_without_key__says_so(case: Case) -> None:
    found = set_up_parts(case.weights, compile_parts(case.graph, "y0"))
    assert found.keys.op_key == found.get(PartKind.OPERATOR).key.hash()
    only = Parts(found.operator)
    assert only.keys.row_key == NO_KEY
    with pytest.raises(UnprovablePart):
        only.get(PartKind.ROW)


def test_inputs__in_the_descriptors_order(case: Case) -> None:
    for name, found in case.parts.items():
        part = found.get(PartKind.OPERATOR)
        assert tuple(x.name for x in part.layout.graph.inputs) == case.plan.find(name).inputs


def test_boundary_of_an_operator__has_the_claims_digests(case: Case) -> None:
    part = case.parts["y0"].get(PartKind.OPERATOR)
    execution = cut_execution(case.graph, "y0", PartKind.OPERATOR, 0, case.execution)
    boundary = PartBoundary.of(part, execution)
    claim = case.claim("y0", 0)
    assert (boundary.in_digest,) == claim.in_digests
    assert boundary.out_digest == claim.out_digest


def test_statement__another_seed_job_or_prover__proof_is_refused(case: Case) -> None:
    part = case.parts["y0"].get(PartKind.OPERATOR)
    execution = cut_execution(case.graph, "y0", PartKind.OPERATOR, 0, case.execution)
    boundary = PartBoundary.of(part, execution)
    claim = case.claim("y0", 0)

    def state(**changed: object) -> bytes:
        said = replace(claim, **changed)  # type: ignore[arg-type]
        places = (CHAIN_ID, Address(VERIFIER), Address(MARKET))
        return build_part_statement(part, boundary, said, *places).hash()

    places = (CHAIN_ID, Address(VERIFIER), Address(MARKET))
    proof = prove(part, build_part_statement(part, boundary, claim, *places), execution)

    def check(statement_hash: bytes) -> None:
        native.verify(
            part.key.to_bytes(), part.reference.tau_g2, statement_hash,
            b"".join(boundary.inputs), boundary.output, proof,
        )  # fmt: skip

    check(state())
    for changed in ({"seed": bytes(32)}, {"job_id": bytes(32)}, {"prover": Address(VERIFIER)}):
        with pytest.raises(NativeProofError):
            check(state(**changed))


def test_row_evidence__names_an_output_only_where_it_differs(case: Case) -> None:
    part = case.parts["y2"].get(PartKind.ROW)
    execution = cut_execution(case.graph, "y2", PartKind.ROW, ELEMENT, case.execution)
    boundary = PartBoundary.of(part, execution)
    op = case.plan.find("y2")
    tensors = Tensors(case.graph, case.weights, case.execution)
    inputs = [tensors.get(name) for name in op.inputs]
    place = place_key("y2", PartKind.ROW)
    changed, _ = case.change("y2", ELEMENT)
    same, other = (
        build_row_evidence(place, op, ELEMENT, inputs, output, boundary, b"proof")
        for output in (tensors.get("y2"), changed)
    )
    assert same.endswith(boundary.out_digest + bytes(4) + b"proof")
    size = SIZE.to_bytes(4, "big")
    assert other.endswith(boundary.out_digest + size + boundary.output + b"proof")
    elsewhere, _ = case.change("y2", ELEMENT - SIZE)  # another row is wrong: this one is not
    right = build_row_evidence(place, op, ELEMENT, inputs, elsewhere, boundary, b"proof")
    assert right.endswith(boundary.out_digest + bytes(4) + b"proof")


def test_operator_evidence__begins_with_kind_key_and_digest(case: Case) -> None:
    part = case.parts["y0"].get(PartKind.OPERATOR)
    execution = cut_execution(case.graph, "y0", PartKind.OPERATOR, 0, case.execution)
    boundary = PartBoundary.of(part, execution)
    place = place_key("y0", PartKind.OPERATOR)
    evidence = build_operator_evidence(place, boundary, b"proof")
    assert evidence[:21] == b"\0" + bytes.fromhex(place[2:])
    assert evidence[21:53] == boundary.out_digest
    assert evidence.endswith(boundary.inputs[0] + boundary.output + b"proof")
    assert VerificationKey.from_bytes(part.key.to_bytes()) == part.key
