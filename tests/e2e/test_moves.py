"""Every move of every role on a real chain: what it does, and where the money is afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from offchain.cli.demo.world import World
from offchain.roles.challenger import Challenger
from offchain.roles.drills import EquivocatingOperator, PerturbedOperator, WithholdingOperator
from offchain.roles.operator import Operator
from offchain.types import (
    Amount,
    Assurance,
    GuardianAction,
    JobState,
    VerifyMask,
)
from tests.e2e.agents import ETHER, FEE, Agents, instant_blocks

LOCK_FEES = 35


@pytest.fixture
def agents(world: World, tmp_path: Path) -> Iterator[Agents]:
    with instant_blocks(world):
        yield Agents(world, tmp_path)


def test_required_proof__begun_and_given_by_the_operator__proven(agents: Agents) -> None:
    operator = agents.hire(Operator)
    client = agents.order(fee=Amount(ETHER // 50), verify_mask=VerifyMask.PROOF_REQUIRED)
    assert agents.tick(client) == ["create"]
    assert [agents.tick(operator) for _ in range(4)] == [
        ["accept"],
        ["commit"],
        ["request-proof"],
        ["prove"],
    ]
    job = agents.job(client)
    assert job.state is JobState.PROVEN
    assert agents.world.contracts.market.get_assurance(job.id) is Assurance.PROVEN
    assert agents.tick(client) == ["verify"]
    assert client.is_finished()


def test_output_withheld__paid_for_and_delivered_on_chain__final(agents: Agents) -> None:
    operator = agents.hire(WithholdingOperator)
    client = agents.order(verify=False, request_delivery=True)
    agents.tick(client)
    assert [agents.tick(operator) for _ in range(2)] == [["accept"], ["commit"]]
    assert agents.tick(client) == []  # the bytes may come yet
    agents.jump(agents.job(client).deadline - 2)
    assert agents.tick(client) == ["request-delivery"]
    assert agents.tick(operator) == ["deliver"]
    assert agents.tick(client) == []
    agents.jump(agents.job(client).deadline + 1)
    assert agents.tick(operator) == ["finalise"]
    assert agents.job(client).state is JobState.FINAL
    earned = agents.world.contracts.vault.get_account(agents.addresses["owner"]).credit
    assert earned > FEE  # the fee less the burned part, and the payment for the delivery


def test_output_withheld_and_not_delivered__failed_and_fined(agents: Agents) -> None:
    operator = agents.hire(WithholdingOperator)
    client = agents.order(verify=False, request_delivery=True)
    agents.tick(client)
    agents.tick(operator), agents.tick(operator)
    agents.jump(agents.job(client).deadline - 2)
    agents.tick(client)
    agents.jump(agents.job(client).deliver_by + 1)
    assert agents.tick(operator) == []
    assert agents.tick(client) == ["fail"]
    assert agents.job(client).state is JobState.FAILED
    assert agents.tick(client) == ["withdraw"]
    assert client.is_finished()
    account = agents.world.contracts.vault.get_account(agents.addresses["owner"])
    assert (account.free, account.locked) == (ETHER - FEE, 0)


def test_input_vanished__refused_without_a_fine(agents: Agents) -> None:
    operator = agents.hire(Operator)
    client = agents.order()
    agents.tick(client)
    agents.tick(operator)
    for folder in (agents.folder / "content", agents.folder / "worker" / "inputs"):
        for file in folder.glob("*.bin"):
            file.unlink()
    assert [agents.tick(operator) for _ in range(2)] == [["commit"], ["refuse"]]
    assert agents.job(client).state is JobState.REFUSED
    account = agents.world.contracts.vault.get_account(agents.addresses["owner"])
    assert (account.free, account.locked) == (ETHER, 0)
    assert agents.tick(client) == ["withdraw"]
    assert client.is_finished()


def test_two_results_signed__reported_and_slashed(agents: Agents) -> None:
    operator = agents.hire(EquivocatingOperator)
    client = agents.order()
    agents.tick(client)
    agents.tick(operator), agents.tick(operator)
    assert [agents.tick(client) for _ in range(2)] == [["announce-evidence"], ["report-fraud"]]
    job = agents.job(client)
    assert job.state is JobState.REJECTED
    assert agents.tick(operator) == []  # not curable
    vault = agents.world.contracts.vault
    assert vault.get_standing(agents.addresses["owner"]).jailed_until > 0
    assert agents.tick(client) == ["withdraw"]  # the fee
    agents.jump(job.deadline + 1)
    assert agents.tick(client) == ["distribute-slash"]
    lock = LOCK_FEES * FEE
    # As client 40 %, as reporter 35 %.
    assert vault.get_account(agents.addresses["client"]).credit == lock * 75 // 100
    assert agents.tick(client) == ["withdraw"]
    assert client.is_finished()


def test_wrong_result__two_challengers_and_the_client_share__each_a_third(agents: Agents) -> None:
    operator = agents.hire(PerturbedOperator)
    client = agents.order()
    agents.create("first", "second")
    first, second = (Challenger(agents.open("challenger", name)) for name in ("first", "second"))
    agents.tick(client)
    agents.tick(operator), agents.tick(operator)
    for watcher in (first, second):
        assert agents.tick(watcher) == ["check"]
    assert agents.tick(client) == ["verify"]
    assert agents.tick(first) == ["challenge"]
    assert agents.tick(second) == ["challenge"]
    assert agents.tick(client) == ["challenge"]
    game, job = agents.world.contracts.game, agents.job(client)
    named = [agents.addresses[name] for name in ("first", "second", "client")]
    assert [str(a) for a in game.get_challengers(job.id)] == named
    dispute = game.get_dispute_of(job.id)
    assert dispute is not None
    assert agents.world.contracts.vault.get_bonds(job.id) == 3 * dispute.bond_wei
    for party in (first, second, client):
        assert agents.tick(party) == ["withdraw"]  # what was sent beyond the bond
    agents.jump(dispute.prove_until + 1)
    assert agents.tick(operator) == []
    assert agents.tick(second) == ["claim-default"]
    for party in (first, second, client):
        assert agents.tick(party) == ["withdraw"]  # the bonds, and the client's fee
    agents.jump(agents.job(client).deadline + 1)
    assert agents.tick(first) == ["distribute-slash"]
    lock, vault = LOCK_FEES * FEE, agents.world.contracts.vault
    share = lock * 35 // 100 // 3
    credit = [vault.get_account(address).credit for address in named]
    assert credit == [share, share, share + lock * 40 // 100]
    for party in (first, second, client):
        assert agents.tick(party) == ["withdraw"]
        assert agents.tick(party) == []
    assert client.is_finished()


def test_overslept__default_claimed__cured_within_the_airgap(agents: Agents) -> None:
    operator = agents.hire(Operator)
    client = agents.order(may_challenge=False)
    agents.create("watcher")
    watcher = Challenger(agents.open("challenger", "watcher", challenge_always=True))
    agents.tick(client)
    agents.tick(operator), agents.tick(operator)
    assert [agents.tick(watcher) for _ in range(3)] == [["check"], ["challenge"], ["withdraw"]]
    dispute = agents.world.contracts.game.get_dispute_of(agents.job(client).id)
    assert dispute is not None
    agents.jump(dispute.prove_until + 1)
    assert agents.tick(watcher) == ["claim-default"]
    assert agents.tick(operator) == ["cure"]
    job = agents.job(client)
    assert job.state is JobState.REJECTED
    lock = LOCK_FEES * FEE
    vault = agents.world.contracts.vault
    owner = vault.get_account(agents.addresses["owner"])
    assert owner.free + owner.credit == ETHER - lock + lock * 80 // 100
    assert vault.get_account(agents.addresses["client"]).credit == FEE + lock * 10 // 100
    agents.jump(job.deadline + 1)
    assert "distribute-slash" not in agents.tick(watcher) + agents.tick(client)


def test_jail__left_when_the_term_is_served(agents: Agents) -> None:
    operator = agents.hire(EquivocatingOperator)
    client = agents.order()
    agents.tick(client)
    agents.tick(operator), agents.tick(operator)
    agents.tick(client), agents.tick(client)
    vault, owner = agents.world.contracts.vault, agents.addresses["owner"]
    agents.jump(vault.get_standing(owner).jailed_until - 1)
    assert agents.tick(operator) == []
    agents.jump(vault.get_standing(owner).jailed_until)
    assert agents.tick(operator) == ["unjail"]
    assert vault.get_standing(owner).jailed_until == 0


def test_refund_mode__everybody_gets_its_own_back(agents: Agents) -> None:
    rpc = agents.world.anvil.rpc
    operator = agents.hire(Operator)
    client = agents.order()
    agents.tick(client)
    agents.tick(operator), agents.tick(operator)
    snapshot = rpc.request("evm_snapshot")
    try:
        agents.approve(GuardianAction.PAUSE)
        agents.jump(agents.job(client).deadline + 100)
        assert agents.tick(operator) + agents.tick(client) == []
        agents.approve(GuardianAction.REFUND)
        assert agents.tick(operator) == ["void"]
        assert agents.tick(client) == ["withdraw"]
        assert client.is_finished()
        assert agents.job(client).state is JobState.VOIDED
        vault = agents.world.contracts.vault
        assert vault.get_account(agents.addresses["owner"]).free == ETHER
    finally:
        rpc.request("evm_revert", snapshot)
