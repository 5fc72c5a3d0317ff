"""Plans of versions on a real chain: tested, made active, verified by everybody; lies are found."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from offchain.chain.contracts.adjudicator_registry import AdjudicatorRegistry
from offchain.chain.contracts.pinpoint_types import Ruling
from offchain.chain.journal import StepKey
from offchain.cli.demo.world import World
from offchain.cli.drill.company import Company, Offer
from offchain.cli.output import ExitCode
from offchain.commit.model_folder import write_model_folder
from offchain.errors import ContractRevert, EvidenceTooLarge, PlanMismatch
from offchain.roles.account import ROLE, Account
from offchain.roles.plans import publish_plan
from offchain.roles.rulings import Rulings
from offchain.submit.models import Model, load_model
from offchain.submit.plans import PROOF, PlanBook, build_version_plan
from offchain.submit.proofs import count_prover_entries
from offchain.submit.vectors import Vectors
from offchain.submit.versions import ReproducedVersion
from offchain.types import JobState, Verdict, VersionId
from tests.e2e.agents import Agents, instant_blocks
from tests.vectors.parts import ROWS, SIZE, build_graph


@pytest.fixture
def agents(world: World, tmp_path: Path) -> Iterator[Agents]:
    with instant_blocks(world):
        yield Agents(world, tmp_path)


@pytest.fixture
def model(tmp_path: Path) -> Model:
    graph, weights = build_graph()
    write_model_folder(tmp_path / "parts", graph, weights, {})
    return load_model(tmp_path / "parts")


def register(account: Account, model: Model) -> VersionId:
    registered = account.register_version(model.folder, "parts")
    return VersionId(bytes.fromhex(registered["version"][2:]))


def open_book(
    agents: Agents, model: Model, version: VersionId
) -> tuple[PlanBook, ReproducedVersion]:
    world = agents.world
    registry = AdjudicatorRegistry(world.client, world.manifest)
    found = world.contracts.registry.get_version(version)
    return PlanBook(registry, world.manifest.first_block), ReproducedVersion(found, model)


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "offchain.cli.main", *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_plan__published_by_the_command__is_active_and_verified(
    agents: Agents, model: Model
) -> None:
    """Both adjudicators of this graph decide their vectors with real proofs and openings."""
    world = agents.world
    agents.create("registrant")
    version = register(agents.account("registrant"), model)
    chain = world.chain_arguments(agents.keys["registrant"])
    arguments = (
        "--model", str(model.folder), "--version", "0x" + version.hex(), "--part-keys", "all",
        "--state", str(model.folder.parent / "state"), "--json", *chain,
    )  # fmt: skip
    keyless = chain[: chain.index("--key-file")]
    first = run("model", "plan", *arguments)
    assert first.returncode == ExitCode.OK, first.stderr
    published = json.loads(first.stdout)
    assert published["active_at"] > 0
    assert published["part_keys"] == ["y0", "y1", "y2"]
    assert published["adjudicators"] == ["ContractionAdjudicator", "ProofAdjudicator"]
    assert len(published["transactions"]) == 2 + 2 * 4

    again = json.loads(run("model", "plan", *arguments).stdout)
    assert again == published | {"transactions": {}}

    book, reproduced = open_book(agents, model, version)
    found = book.find(reproduced)
    assert found is not None and found.plan.root.hex() == published["plan_root"][2:]
    checked = run("model", "verify", *arguments[:4], "--json", *keyless)
    assert checked.returncode == ExitCode.OK, checked.stderr
    verdicts = {row["digest"]: row["verdict"] for row in json.loads(checked.stdout)["digests"]}
    assert verdicts["plan root"] == "match"


def test_plan__of_other_weights__is_found_and_refused(
    agents: Agents, model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A registrant's plan fits its own vectors, but not the weights of its version."""
    agents.create("registrant")
    account = agents.account("registrant")
    version = register(account, model)
    weights = {name: values[::-1].copy() for name, values in model.weights.items()}
    liar = Model(model.folder, model.graph, weights)
    published = publish_plan(account, liar, version, "none")
    assert published["active_at"] > 0

    book, reproduced = open_book(agents, model, version)
    with pytest.raises(PlanMismatch, match="plan root"):
        book.verify(reproduced)
    with pytest.raises(PlanMismatch):  # the honest owner of the files cannot mend it either
        publish_plan(account, model, version, "none")


def test_plan__with_vectors_of_another_computation__never_becomes_active(
    agents: Agents, model: Model
) -> None:
    """What the adjudicators do not decide as claimed is refused on chain."""
    agents.create("registrant")
    account = agents.account("registrant")
    version = register(account, model)
    plan = build_version_plan(model, "none")
    registry = AdjudicatorRegistry(account.client, account.manifest)
    account.submit(
        StepKey(ROLE, "test", "submit"), registry.build_submit(plan.to_params(version, 1))
    )
    vectors = Vectors(model, plan, version, account.address, 2)
    consistent, _, wrong, _ = vectors.build_element_vectors("ContractionAdjudicator")
    swapped = replace(consistent, expected=wrong.expected)
    damaged = replace(consistent, evidence=consistent.evidence[:-1] + b"\1")
    careless = replace(consistent, mutate_at=len(consistent.evidence))
    for vector, error in (
        (swapped, "WrongVerdict"),
        (damaged, "WrongTiles"),
        (careless, "NothingToMutate"),
    ):
        with pytest.raises(ContractRevert) as refused:
            account.submit(StepKey(ROLE, "test", error), registry.build_test(version, 0, [vector]))
        assert refused.value.name == error
    with pytest.raises(ContractRevert, match="TooFewVectors"):
        account.submit(StepKey(ROLE, "test", "activate"), registry.build_activate(version))


def test_right_operator__too_large_to_recompute__defended_by_a_proof(
    world: World, model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One row is proven, nothing else: the griefer loses its bond and the job is paid."""

    def refuse(*_: object) -> Ruling:
        raise EvidenceTooLarge(1 << 20, 1 << 10)

    with instant_blocks(world):
        agents = Agents(world, tmp_path)
        agents.create("registrant")
        version = register(agents.account("registrant"), model)
        publish_plan(agents.account("registrant"), model, version, "all")
        wait = world.parameters.exec_seconds + world.parameters.challenge_seconds
        world.anvil.jump_to(world.client.get_head().timestamp + wait)
        monkeypatch.setattr(Rulings, "build_element", refuse)
        sample = [[k - 4 for k in range(SIZE)] for _ in range(ROWS)]
        company = Company(world, tmp_path / "company", Offer(version, tmp_path, sample))
        company.hire(post_traces=True)
        company.watch(challenge_always=True, game="pinpoint")
        company.order()
        company.play()
    assert company.job is not None
    assert world.contracts.market.get_job(company.job).state is JobState.FINAL
    assert count_prover_entries(company.folder / "worker") == 1
    events = world.contracts.pinpoint.find_events(world.manifest.first_block, company.job)
    (verdict,) = [e for e in events if e.name == "Adjudicated"]
    assert verdict.arguments["verdict"] == Verdict.CONSISTENT
    addresses = world.contracts.adjudicators.get_adjudicators()
    proof = world.manifest.get(PROOF).address
    assert verdict.arguments["adjudicator"] in (addresses.index(proof), proof, proof.lower())
