"""Ends of quorums that no drill plays: refused, split, audited, ended by the refund mode."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from offchain.cli.demo.ledger import Ledger, Snapshot, find_leaks
from offchain.cli.demo.world import World
from offchain.cli.drill.company import FEE_WEI, STAKE_WEI, Offer, instant_blocks
from offchain.cli.drill.quorum_company import QuorumCompany
from offchain.roles.base import BaseRole
from offchain.roles.quorum_book import name_quorum
from offchain.roles.quorum_order import place_quorum
from offchain.types import (
    ETH,
    Amount,
    Digest,
    GuardianAction,
    JobId,
    QuorumAssurance,
    QuorumState,
    QuorumTerms,
    ReplicaState,
)
from tests.e2e.agents import Agents

pytestmark = pytest.mark.slow


class Watched(QuorumCompany):
    """Remembers the states that its quorum went through."""

    def __init__(self, world: World, folder: Path, offer: Offer) -> None:
        super().__init__(world, folder, offer)
        self.states: list[QuorumState] = []

    def tick(self, name: str) -> bool:
        changed = super().tick(name)
        if self.quorum is not None and (state := self.read_quorum().state) not in self.states:
            self.states.append(state)
        return changed


@dataclass
class Stage:
    """A quorum's parties, and what they owned before it was ordered."""

    world: World
    company: Watched
    hired: tuple[BaseRole, ...]
    ledger: Ledger
    before: Snapshot

    def check_money(self) -> None:
        """Check that every wei is somewhere, and none with a job that is over."""
        assert self.company.quorum is not None
        jobs = [JobId(self.company.quorum), *self.company.list_replica_jobs()]
        after = self.ledger.take_snapshot(jobs)
        assert after.in_jobs_wei == 0
        sent = self.ledger.read_transactions(self.before, after)
        assert find_leaks(self.before, after, sent) == {}

    def get_replicas(self) -> dict[str, ReplicaState]:
        """Return the replicas' states by their owner's name."""
        assert self.company.quorum is not None
        names = {address: name for name, address in self.company.addresses.items()}
        replicas = self.world.contracts.quorum.get_replicas(self.company.quorum)
        return {names[replica.operator]: replica.state for replica in replicas}

    def get_credit(self, name: str) -> int:
        return self.world.contracts.vault.get_account(self.company.addresses[name]).credit

    def get_stake(self, name: str) -> tuple[int, int]:
        account = self.world.contracts.vault.get_account(self.company.addresses[name])
        return account.free, account.locked


@pytest.fixture
def hire(world: World, residual_net: Offer, tmp_path: Path) -> Iterator[Callable[..., Stage]]:
    """Hire operators for a quorum; the chain is put back afterwards, its candidates included."""

    def run(*faults: str) -> Stage:
        company = Watched(world, tmp_path, residual_net)
        hired = company.hire_all(faults)
        company.create("client")
        ledger = company.open_ledger()
        return Stage(world, company, hired, ledger, ledger.take_snapshot())

    with instant_blocks(world):
        snapshot = world.anvil.rpc.request("evm_snapshot")
        yield run
        world.anvil.rpc.request("evm_revert", snapshot)


def test_an_input_that_nobody_has__the_drawn_operator_refuses__everybody_has_its_own(
    hire: Callable[..., Stage], residual_net: Offer
) -> None:
    stage = hire("")
    company = stage.company
    terms = QuorumTerms(
        client=company.open_account("client").address, version=residual_net.version,
        in_digest=Digest(b"\7" * 32), token=ETH, fee=FEE_WEI, count=1, insured=Amount(0),
        is_audited=False, salt=7,
    )  # fmt: skip
    company.quorum, _ = place_quorum(company.open_account("client"), terms)
    company.jobs.add(name_quorum(company.quorum))
    wait_for(stage, QuorumState.COMMITTING)
    refusable = stage.world.parameters.exec_seconds // 8 + 1
    stage.world.anvil.jump_to(stage.world.client.get_head().timestamp + refusable)
    company.play()
    assert [step for _, step in company.done].count("refuse-replica") == 1
    assert stage.get_replicas() == {"firstowner": ReplicaState.RELEASED}
    assert company.read_quorum().state is QuorumState.FAILED
    assert stage.get_stake("firstowner") == (STAKE_WEI, 0)
    assert stage.get_credit("client") == FEE_WEI
    standing = stage.world.contracts.vault.get_standing(company.addresses["firstowner"])
    assert (standing.misses, standing.jailed_until) == (0, 0)
    stage.check_money()


def wait_for(stage: Stage, state: QuorumState) -> None:
    for _ in range(20):
        if stage.company.read_quorum().state is state:
            return
        if not stage.company.tick_all():
            stage.world.anvil.mine(3, 1)
    raise AssertionError(f"the quorum never came to {state}")


def test_three_results__split__the_honest_one_is_named_by_verdicts(
    hire: Callable[..., Stage],
) -> None:
    stage = hire("wrong-operator", "lazy", "")
    stage.company.order_quorum(3)
    stage.company.play()
    quorum = stage.company.read_quorum()
    assert QuorumState.SPLIT in stage.company.states
    assert quorum.state is QuorumState.FINAL
    replicas = stage.get_replicas()
    assert replicas["thirdowner"] is ReplicaState.PAID
    assert set(replicas.values()) == {ReplicaState.PAID, ReplicaState.OUT}
    vault = stage.world.contracts.vault
    for name in ("firstowner", "secondowner"):
        assert vault.get_standing(stage.company.addresses[name]).jailed_until > 0
    stage.check_money()


def test_three_wrong_results__split__each_refuted_by_the_others__the_client_is_refunded(
    hire: Callable[..., Stage],
) -> None:
    stage = hire("wrong-operator", "lazy", "perturbed-weights")
    stage.company.order_quorum(3)
    stage.company.play()
    assert QuorumState.SPLIT in stage.company.states
    assert stage.company.read_quorum().state is QuorumState.FAILED
    assert set(stage.get_replicas().values()) == {ReplicaState.OUT}
    lock = STAKE_WEI - stage.get_stake("firstowner")[0]
    assert lock > 0
    for name in ("firstowner", "secondowner", "thirdowner"):
        assert stage.get_stake(name) == (STAKE_WEI - lock, 0)
    # Each fee, and of each lock that was lost the client's part.
    assert 3 * FEE_WEI < stage.get_credit("client") < 3 * (FEE_WEI + lock)
    stage.check_money()


def test_one_audited_replica__the_audit_is_paid_where_it_was_drawn(
    hire: Callable[..., Stage],
) -> None:
    stage = hire("", "")
    stage.company.order_quorum(1, is_audited=True)
    stage.company.play()
    quorum = stage.company.read_quorum()
    assert quorum.state is QuorumState.FINAL
    assert QuorumState.AUDITING in stage.company.states
    replicas = stage.get_replicas()
    assert set(replicas.values()) == {ReplicaState.PAID}
    drawn = quorum.size == 2
    assert len(replicas) == quorum.size
    assurance = stage.world.contracts.quorum.get_assurance(quorum.id)
    assert assurance is (QuorumAssurance.AUDITED if drawn else QuorumAssurance.UNCHALLENGED)
    assert stage.get_credit("client") == (0 if drawn else FEE_WEI)
    paid = [name for name in replicas if stage.get_credit(name) > 0]
    assert sorted(paid) == sorted(replicas)
    stage.check_money()


def test_refund_mode__while_results_are_due__everybody_has_its_own(
    hire: Callable[..., Stage],
) -> None:
    stage = hire("", "", "")
    stage.company.order_quorum(3)
    wait_for(stage, QuorumState.COMMITTING)
    assert stage.get_stake("firstowner")[1] > 0
    Agents(stage.world, stage.company.folder).approve(GuardianAction.REFUND)
    stage.company.play()
    assert stage.company.read_quorum().state is QuorumState.VOIDED
    assert set(stage.get_replicas().values()) == {ReplicaState.VOIDED}
    assert stage.get_credit("client") == 3 * FEE_WEI
    for name in ("firstowner", "secondowner", "thirdowner"):
        assert stage.get_stake(name) == (STAKE_WEI, 0)
    stage.check_money()
