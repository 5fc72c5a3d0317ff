"""Plans recomputed from a model's files, against a registry that says anything."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from offchain.chain.contracts.adjudicator_registry import AdjudicatorRegistry
from offchain.errors import EvidenceError, PlanError, PlanMismatch, UnprovablePart
from offchain.model.graph import Graph, Linear, Requant, TensorSpec, WeightSpec
from offchain.submit import parts, plans
from offchain.submit.models import Model
from offchain.submit.parts import choose_part
from offchain.submit.plans import (
    CONTRACTION,
    PROOF,
    ROW,
    URI,
    PlanBook,
    VersionPlan,
    build_version_plan,
    select_parts,
)
from offchain.submit.vectors import Vectors
from offchain.submit.versions import ReproducedVersion
from offchain.trace.evidence import WHOLE, ElementClaim, judge_element
from offchain.types import Address, RegisteredPlan, Verdict, VersionId
from tests.vectors.parts import build_graph
from tests.vectors.proofs import PROVER

VERSION = VersionId(b"version".ljust(32, b"\0"))


@pytest.fixture(scope="module")
def model() -> Model:
    return Model(Path(), *build_graph())


class Registry:
    """What the chain says, and how often it was asked."""

    def __init__(self, plan: RegisteredPlan | None, uri: str | None) -> None:
        self.plan, self.uri, self.asked = plan, uri, 0

    def get_plan(self, version: VersionId) -> RegisteredPlan | None:
        self.asked += 1
        return self.plan

    def number_adjudicators(self) -> dict[str, int]:
        return {CONTRACTION: 0, ROW: 1, PROOF: 2}

    def find_uri(self, version: VersionId, first_block: int) -> str | None:
        return self.uri


def register(plan: VersionPlan, **changed: Any) -> RegisteredPlan:
    params = plan.to_params(VERSION, 5)
    values = (params.root, params.ops, params.layers)
    depths = (params.plan_depth, params.layer_depth, params.op_depth)
    return replace(RegisteredPlan(*values, *depths, 5, 0), **changed)


def open_book(model: Model, registry: Registry) -> tuple[PlanBook, ReproducedVersion]:
    version = cast(Any, type("Version", (), {"id": VERSION})())
    return PlanBook(cast(AdjudicatorRegistry, registry), 0), ReproducedVersion(version, model)


@pytest.mark.parametrize("selection", ["none", "auto", "all", "y1", "y0,y2"])
def test_plan__of_any_part_keys__is_found_by_its_uri(model: Model, selection: str) -> None:
    plan = build_version_plan(model, selection)
    registry = Registry(register(plan), plan.uri)
    book, version = open_book(model, registry)
    found = book.find(version)
    assert found is not None and found.plan.root == plan.plan.root
    assert book.find(version) is found
    assert registry.asked == 1  # it never changes


def test_plan__without_the_log__is_found_by_trying(model: Model) -> None:
    for selection in ("auto", "none", "all"):
        book, version = open_book(
            model, Registry(register(build_version_plan(model, selection)), None)
        )
        assert book.find(version) is not None


def test_plan__not_there_yet__is_looked_for_again(model: Model) -> None:
    registry = Registry(None, None)
    book, version = open_book(model, registry)
    assert book.find(version) is None
    plan = build_version_plan(model, "none")
    registry.plan, registry.uri = register(plan), plan.uri
    assert book.find(version) is not None


@pytest.mark.parametrize(
    "changed",
    [
        {"root": b"\1" * 32},
        {"ops": 4},
        {"layers": 2},
        {"plan_depth": 3},
        {"layer_depth": 1},
        {"op_depth": 1},
        {"adjudicators": 0b110},  # nobody may decide about one element of it
    ],
)
def test_plan__with_any_lie__is_refused_for_good(model: Model, changed: dict[str, Any]) -> None:
    plan = build_version_plan(model, "none")
    book, version = open_book(model, Registry(register(plan, **changed), plan.uri))
    for _ in range(2):
        with pytest.raises(PlanMismatch):
            book.verify(version)


@pytest.mark.parametrize("uri", ["none", URI + "nowhere", URI, "ipfs://elsewhere", URI + "none"])
def test_plan__with_a_uri_that_leads_elsewhere__is_refused(model: Model, uri: str) -> None:
    plan = build_version_plan(model, "y1")
    book, version = open_book(model, Registry(register(plan), uri))
    with pytest.raises(PlanMismatch):
        book.verify(version)


def test_selection__of_operators_that_do_not_exist__says_so(model: Model) -> None:
    with pytest.raises(UnprovablePart, match="a0"):
        select_parts(model.graph, model.weights, "a0")  # an accumulator is part of its requant


def test_selection_auto__leaves_dear_keys_out(
    model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert set(select_parts(model.graph, model.weights, "auto")) == {"y0", "y1", "y2"}
    monkeypatch.setattr(plans, "CHEAP_CELLS", 127)  # a layer's weights, for operator and row: 128
    assert set(select_parts(model.graph, model.weights, "auto")) == {"y2"}
    assert set(select_parts(model.graph, model.weights, "all")) == {"y0", "y1", "y2"}


def test_undefendable__large_evidence_without_a_part_key_that_fits(
    model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert build_version_plan(model, "none").list_undefendable() == ()
    monkeypatch.setattr(plans, "MAX_EVIDENCE", 2_000)
    assert build_version_plan(model, "none").list_undefendable() == ("y0", "y1", "y2")
    assert build_version_plan(model, "y1,y2").list_undefendable() == ("y0",)
    monkeypatch.setattr(parts, "MAX_EVIDENCE", 500)
    assert build_version_plan(model, "y1,y2").list_undefendable() == ("y0", "y1", "y2")


def test_undefendable__key_of_an_operator_too_large_for_a_proof() -> None:
    """Anybody may pin it as a whole: elements, and rows, do not answer that."""
    rows, width = 128, 1024  # of bytes: more than a transaction holds
    ops = (
        Linear("a0", "x", "w0", None),
        Requant("y0", "a0", 120, 24, (12, 12), 8, "identity", 8, -128, 127),
    )
    source, weight = TensorSpec("x", (rows, width), 8, -128, 127), WeightSpec("w0", (8, width), 8)
    graph = Graph((source,), "y0", (weight,), ops)
    graph.verify()
    model = Model(Path(), graph, {"w0": np.ones((8, width), dtype=np.int64)})
    keyed = build_version_plan(model, "y0")
    (op,) = keyed.plan.ops
    assert choose_part(keyed.parts["y0"], op, element=0) is not None
    assert keyed.list_undefendable() == ("y0",)
    for selection in ("auto", "all", "none"):
        chosen = build_version_plan(model, selection)
        assert chosen.parts == {} and chosen.list_undefendable() == ()


def test_deciders__by_opcode_and_keys(model: Model) -> None:
    assert build_version_plan(model, "none").list_deciders() == (CONTRACTION,)
    assert build_version_plan(model, "y1").list_deciders() == (CONTRACTION, PROOF)


def test_element_vectors__judged_by_the_mirror__as_expected(model: Model) -> None:
    plan = build_version_plan(model, "none")
    vectors = Vectors(model, plan, VERSION, Address(PROVER), 2).build_element_vectors(CONTRACTION)
    assert [v.expected for v in vectors] == [Verdict.CONSISTENT] * 2 + [Verdict.INCONSISTENT] * 2
    assert len({(v.claim.op, v.claim.elem, v.expected) for v in vectors}) == 4
    for vector in vectors:
        claim = vector.claim
        said = ElementClaim(claim.desc, claim.elem, claim.in_digests, claim.out_digest)
        assert judge_element(said, vector.evidence) == vector.expected
        damaged = bytearray(vector.evidence)
        damaged[vector.mutate_at] ^= 1
        with pytest.raises(EvidenceError):
            judge_element(said, bytes(damaged))


def test_vectors__of_what_the_plan_lacks__are_an_error(model: Model) -> None:
    plan = build_version_plan(model, "none")
    vectors = Vectors(model, plan, VERSION, Address(PROVER), 2)
    with pytest.raises(PlanError, match="RowAdjudicator"):
        vectors.build_element_vectors(ROW)
    with pytest.raises(PlanError, match="nothing to prove"):
        vectors.build_proof_vectors(
            1, Address(PROVER), Address(PROVER), lambda _: Address(PROVER), lambda *_: b""
        )


def test_proof_vectors__one_proof_for_all_four(model: Model) -> None:
    plan = build_version_plan(model, "y1")
    proofs: list[bytes] = []

    def prove(*_: object) -> bytes:
        proofs.append(bytes(4096))
        return proofs[-1]

    kept: list[bytes] = []

    def keep(blob: bytes) -> Address:
        kept.append(blob)
        return Address(PROVER)

    vectors = Vectors(model, plan, VERSION, Address(PROVER), 2)
    made = vectors.build_proof_vectors(1, Address(PROVER), Address(PROVER), keep, prove)
    operator = plan.parts["y1"].operator
    assert operator is not None and kept == [operator.key.to_bytes()]
    assert len(proofs) == 1
    assert {(v.claim.elem, v.expected) for v in made} == {
        (element, verdict)
        for element in (0, WHOLE)
        for verdict in (Verdict.CONSISTENT, Verdict.INCONSISTENT)
    }
    right, *_, wrong = made
    assert right.claim.out_digest != wrong.claim.out_digest and right.evidence == wrong.evidence
