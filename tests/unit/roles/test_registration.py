"""Nobody uses a version that its published files do not give: every declared fact is recomputed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from offchain.chain.contracts.model_registry import VersionParams
from offchain.chain.journal import StepStatus
from offchain.commit.model_folder import write_model_folder
from offchain.errors import PlanMismatch, VersionMismatch
from offchain.roles.account import build_version_params
from offchain.roles.challenger import Challenger
from offchain.roles.client import Client, Request
from offchain.roles.context import Context
from offchain.roles.operator import Operator
from offchain.roles.poison import POISONS
from offchain.submit.models import Model, load_model
from offchain.submit.plans import VersionPlan, build_version_plan
from offchain.submit.versions import VersionBook, compare_version, verify_version
from offchain.types import Address, Amount, JobState, Version, VersionId
from tests.small_mlp import tiny
from tests.unit.roles.conftest import OTHER, OWNER, TERMS, WORKER, FakeWorld

VERIFIER = OWNER
KEY_AT = WORKER


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    folder = tmp_path_factory.mktemp("models") / "tiny"
    small = tiny()
    write_model_folder(folder, small.graph, small.weights, {})
    return load_model(folder)


@pytest.fixture
def true(model: Model) -> VersionParams:
    return build_version_params(model, VERIFIER, "tiny")


def register(params: VersionParams, model: Model) -> Version:
    """Return the version as the chain would hold it: the operators are counted from the key."""
    return Version(
        id=VersionId(bytes(32)),
        owner=OTHER,
        number=1,
        op_count=model.layout.program.op_count,
        **{
            name: getattr(params, name)
            for name in (
                "prove_seconds", "proof_gas", "verifier", "digest_kind", "output_bytes",
                "royalty_bps", "graph_hash", "weight_root", "program_hash", "vk_hash", "srs_id",
            )
        },
        vk_data=KEY_AT,
    )  # fmt: skip


def open_book(model: Model, version: Version, blob: bytes) -> VersionBook:
    return VersionBook(
        model.folder.parent,
        SimpleNamespace(get_code=lambda _: b"\0" + blob),  # type: ignore[arg-type]
        SimpleNamespace(get_version=lambda _: version),  # type: ignore[arg-type]
        version.srs_id,
        VERIFIER,
    )


def test_reproduce__the_published_files__accepted(model: Model, true: VersionParams) -> None:
    version = register(true, model)
    found = open_book(model, version, model.vk_blob).reproduce(version.id)
    assert found.version == version


LIES: Mapping[str, object] = {
    "graph_hash": b"\1" * 32,
    "weight_root": b"\1" * 32,
    "program_hash": b"\1" * 32,
    "vk_hash": b"\1" * 32,
    "srs_id": b"\1" * 32,
    "verifier": Address("0x" + "12" * 20),
    "digest_kind": 2,
    "output_bytes": 10**6,
    "op_count": 77,
}


@pytest.mark.parametrize("field", LIES)
def test_verify_version__one_lie__found(model: Model, true: VersionParams, field: str) -> None:
    version = replace(register(true, model), **{field: LIES[field]})  # type: ignore[arg-type]
    with pytest.raises(VersionMismatch):
        verify_version(version, model, model.vk_blob, true.srs_id, VERIFIER)


@pytest.mark.parametrize("found", [None, b"", b"\1"], ids=["no key", "empty", "longer"])
def test_verify_version__another_key_on_chain__found(
    model: Model, true: VersionParams, found: bytes | None
) -> None:
    found = model.vk_blob + found if found else found
    with pytest.raises(VersionMismatch, match="on chain"):
        verify_version(register(true, model), model, found, true.srs_id, VERIFIER)


def test_reproduce__callable_code_with_the_key__found(model: Model, true: VersionParams) -> None:
    """Code that can be called could be another key's tomorrow."""
    version = register(true, model)
    book = VersionBook(
        model.folder.parent,
        SimpleNamespace(get_code=lambda _: b"\1" + model.vk_blob),  # type: ignore[arg-type]
        SimpleNamespace(get_version=lambda _: version),  # type: ignore[arg-type]
        version.srs_id,
        VERIFIER,
    )
    with pytest.raises(VersionMismatch, match="on chain"):
        book.reproduce(version.id)


def test_compare_version__the_truth__everything_agrees(model: Model, true: VersionParams) -> None:
    version = register(true, model)
    checks = compare_version(version, model, model.vk_blob, true.srs_id, VERIFIER)
    assert len(checks) == len(LIES) + 2  # the deployment's string, and the key's code
    assert all(check.agrees for check in checks)


# The three roles, against registrations that the chain would take


def build_context(
    chain: FakeWorld, role: str, model: Model, params: VersionParams, blob: bytes
) -> Context:
    """Return a role's context in which the one version is a lie about `model`."""
    context = chain.build_context(role)
    book = open_book(model, register(params, model), blob)
    raw = bytes(model.graph.input.shape[0] * model.graph.input.shape[1])
    digest = context.content.put(raw, model.input_bits, model.input_shape)
    chain.terms = replace(TERMS, in_digest=digest)
    return replace(context, versions=book)


@pytest.fixture(params=sorted(POISONS))
def lie(request: pytest.FixtureRequest, model: Model, true: VersionParams):  # type: ignore[no-untyped-def]
    params, blob = POISONS[request.param](model, true)
    assert params != true
    return params, blob


def test_operator__poisoned__never_accepted(  # type: ignore[no-untyped-def]
    chain: FakeWorld, model: Model, lie
) -> None:
    role = Operator(build_context(chain, "operator", model, *lie))
    (key,) = role.compute_due_steps()
    role.perform(key)
    assert chain.sent == []
    assert role.compute_due_steps() == ()
    step = role.context.journal.get_step(key)
    assert step is not None
    assert "recomputed" in step.detail["reason"]


def test_client__poisoned__nothing_escrowed(  # type: ignore[no-untyped-def]
    chain: FakeWorld, model: Model, lie
) -> None:
    chain.exists = False
    context = build_context(chain, "client", model, *lie)
    client = Client(context, Request("mine", VersionId(bytes(32)), bytes(8), Amount(10**15)))
    (key,) = client.compute_due_steps()
    with pytest.raises(VersionMismatch):
        client.perform(key)
    assert chain.sent == []
    assert client.compute_due_steps() == ()


def test_challenger__poisoned__never_bonded(  # type: ignore[no-untyped-def]
    chain: FakeWorld, model: Model, lie
) -> None:
    """Whose result is wrong under a false registration, nobody can say: no bond is put on it."""
    chain.settings["challenge_always"] = True
    chain.set_state(JobState.COMMITTED)
    role = Challenger(build_context(chain, "challenger", model, *lie))
    (key,) = role.compute_due_steps()
    role.perform(key)
    assert chain.sent == []
    step = role.context.journal.get_step(key)
    assert step is not None
    assert step.status is StepStatus.GIVEN_UP
    assert role.compute_due_steps() == ()


def test_operator__the_truth__accepted(chain: FakeWorld, model: Model, true: VersionParams) -> None:
    """What the refusals above refuse is the lie alone."""
    role = Operator(build_context(chain, "operator", model, true, model.vk_blob))
    (key,) = role.compute_due_steps()
    role.perform(key)
    assert [call[0] for call in chain.sent] == ["accept"]  # type: ignore[index]


LIE = PlanMismatch("plan root", b"\1" * 32, b"\2" * 32)


def test_operator__poisoned_plan__never_accepted(
    chain: FakeWorld, model: Model, true: VersionParams
) -> None:
    """A dispute about an operator that the plan describes wrongly could not be won honestly."""
    chain.plan_lie = LIE
    role = Operator(build_context(chain, "operator", model, true, model.vk_blob))
    (key,) = role.compute_due_steps()
    role.perform(key)
    assert chain.sent == []
    step = role.context.journal.get_step(key)
    assert step is not None and "plan root" in step.detail["reason"]
    assert role.compute_due_steps() == ()


@pytest.mark.parametrize("may_prove_whole", [False, True])
def test_operator__plan_that_only_whole_proofs_defend__accepted_where_the_settings_say_so(
    chain: FakeWorld,
    model: Model,
    true: VersionParams,
    may_prove_whole: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(VersionPlan, "list_undefendable", lambda _: ("y1", "y7"))
    chain.plan = build_version_plan(model, "none")
    chain.settings["whole_proofs"] = may_prove_whole
    context: Any = build_context(chain, "operator", model, true, model.vk_blob)
    context.contracts.pinpoint = SimpleNamespace(trace_seconds=60)
    role = Operator(context)
    (key,) = role.compute_due_steps()
    role.perform(key)
    names = role.context.log.names  # type: ignore[attr-defined]
    assert ("whole-proofs-needed" in names) is may_prove_whole
    assert role.context.journal.is_given_up(key) is not may_prove_whole
    if not may_prove_whole:
        step = role.context.journal.get_step(key)
        assert step is not None and "about y1, y7 may take" in step.detail["reason"]


def test_client__poisoned_plan__warned_and_ordered(
    chain: FakeWorld, model: Model, true: VersionParams
) -> None:
    """It may still demand a proof of the whole result."""
    chain.exists, chain.plan_lie = False, LIE
    context = build_context(chain, "client", model, true, model.vk_blob)
    client = Client(context, Request("mine", VersionId(bytes(32)), bytes(8), Amount(10**15)))
    (key,) = client.compute_due_steps()
    client.perform(key)
    assert len(chain.sent) == 1
    assert "plan-mismatch" in context.log.names  # type: ignore[attr-defined]


def test_challenger__poisoned_plan__warned_once_and_recomputes(
    chain: FakeWorld, model: Model, true: VersionParams
) -> None:
    chain.plan_lie = LIE
    chain.set_state(JobState.COMMITTED)
    context = build_context(chain, "challenger", model, true, model.vk_blob)
    role = Challenger(context)
    (key,) = role.compute_due_steps()
    for _ in range(2):
        role.perform(key)
    assert role.context.journal.is_done(key)
    names = context.log.names  # type: ignore[attr-defined]
    assert names.count("plan-mismatch") == 1 and "result-recomputed" in names
