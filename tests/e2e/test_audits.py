"""Audits by proof on a real chain: drawn by the beacon, answered by a proof, or dear."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from eth_abi.abi import encode
from eth_utils.crypto import keccak

from offchain.chain.job_ids import id_bytes
from offchain.cli.demo.world import World
from offchain.roles.base import BaseRole
from offchain.roles.challenger import Challenger
from offchain.roles.drills import PerturbedOperator
from offchain.roles.operator import Operator
from offchain.types import NOBODY, Assurance, AuditState, Job, JobState
from tests.e2e.agents import ETHER, FEE, Agents, instant_blocks

BPS = 10_000
MOST_TRIES = 60
STAKE_FEES = 300  # of the operator's other stake, in fees, that silence costs beside the lock


@pytest.fixture
def agents(world: World, tmp_path: Path) -> Iterator[Agents]:
    with instant_blocks(world):
        yield Agents(world, tmp_path)


def ask(agents: Agents, kind: type[BaseRole]) -> tuple[BaseRole, BaseRole, Job]:
    """Return operator and auditor of a committed result about which the beacon was asked."""
    operator = agents.hire(kind, backend="numpy")
    client = agents.order(verify=False, may_challenge=False)
    agents.tick(client)
    agents.tick(operator), agents.tick(operator)
    agents.create("watcher")
    watcher = Challenger(agents.open("challenger", "watcher", audit=True, game="prove"))
    assert "request-audit" in agents.tick(watcher)
    return operator, watcher, agents.job(client)


def mine_seed(agents: Agents, job: Job, is_drawn: bool) -> None:
    """Mine blocks until the beacon would answer as wanted: each try has other hashes."""
    world = agents.world
    audits = world.contracts.audits
    bps = audits.read("PROOF_AUDIT_BPS")
    asked_at = world.contracts.beacon.get_request_block(audits.address, id_bytes(job.id))
    number = asked_at + world.contracts.beacon.read("DELAY")
    rpc = world.anvil.rpc
    for attempt in range(MOST_TRIES):
        snapshot = rpc.request("evm_snapshot")
        rpc.request("anvil_setCoinbase", f"0x{attempt + 1:040x}")
        world.anvil.mine(number - asked_at + 1, 1)
        rpc.request("anvil_setCoinbase", NOBODY)
        block = world.client.get_block(number)
        assert block is not None
        words = (bytes.fromhex(block.hash[2:]), audits.address, id_bytes(job.id))
        seed = keccak(encode(["bytes32", "address", "bytes32"], words))
        if (int.from_bytes(seed, "big") % BPS < bps) is is_drawn:
            return
        rpc.request("evm_revert", snapshot)
    raise AssertionError("no seed answers so")


def test_audit__not_drawn__nothing_happens(agents: Agents) -> None:
    _, watcher, job = ask(agents, Operator)
    mine_seed(agents, job, is_drawn=False)
    assert agents.tick(watcher)[-1] == "draw-audit"
    contracts = agents.world.contracts
    assert contracts.audits.get_audit(job.id) is AuditState.SPARED
    assert contracts.market.get_job(job.id).state is JobState.COMMITTED


@pytest.mark.slow
def test_audit__drawn__honest_operator_proves_it(agents: Agents) -> None:
    operator, watcher, job = ask(agents, Operator)
    mine_seed(agents, job, is_drawn=True)
    assert "draw-audit" in agents.tick(watcher)
    contracts = agents.world.contracts
    assert contracts.audits.get_audit(job.id) is AuditState.DRAWN
    assert "prove" in agents.tick(operator)
    assert contracts.market.get_job(job.id).state is JobState.PROVEN
    assert contracts.market.get_assurance(job.id) is Assurance.PROVEN


def test_audit__drawn_of_a_cheat__silence_costs_more_than_the_lock(agents: Agents) -> None:
    _, watcher, job = ask(agents, PerturbedOperator)
    mine_seed(agents, job, is_drawn=True)
    assert "draw-audit" in agents.tick(watcher)
    contracts, owner = agents.world.contracts, agents.addresses["owner"]
    dispute = contracts.game.get_dispute_of(job.id)
    assert dispute is not None
    agents.jump(dispute.prove_until + 1)
    agents.account("watcher").send(contracts.game.build_claim_default(job.id))
    lock = agents.world.parameters.lock_fees * FEE
    account = contracts.vault.get_account(owner)
    beyond = ETHER - lock - account.free
    assert STAKE_FEES * FEE <= beyond <= STAKE_FEES * FEE + ETHER // BPS  # rounded up to a share
