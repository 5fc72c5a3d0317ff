"""Replicas on a real chain: colluders outvote an honest operator, and lose all the same."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from offchain.cli.demo.ledger import find_leaks
from offchain.cli.demo.world import World
from offchain.cli.drill.company import FEE_WEI, STAKE_WEI, Offer, instant_blocks
from offchain.cli.drill.quorum_company import QuorumCompany
from offchain.cli.main import cli
from offchain.roles.account import Account
from offchain.submit.proofs import count_prover_entries
from offchain.types import ETH, JobId, QuorumAssurance, QuorumState, ReplicaState

WRONG = "wrong-operator"


@pytest.fixture
def play(
    world: World, residual_net: Offer, tmp_path: Path
) -> Iterator[Callable[..., QuorumCompany]]:
    """Play a quorum to its end; every wei has to be somewhere."""

    def run(*faults: str) -> QuorumCompany:
        company = QuorumCompany(world, tmp_path, residual_net)
        hired = company.hire_all(faults)
        company.create("client")
        ledger = company.open_ledger()
        before = ledger.take_snapshot()
        company.order_quorum(len(faults))
        company.play()
        assert company.quorum is not None
        jobs = [JobId(company.quorum), *company.list_replica_jobs()]
        after = ledger.take_snapshot(jobs)
        assert after.in_jobs_wei == 0
        sent = ledger.read_transactions(before, after)
        assert find_leaks(before, after, sent) == {}
        for role in hired:
            settings = role.context.settings
            pool = world.contracts.pool.build_leave(residual_net.version, ETH)
            Account(
                settings.rpc_url, settings.manifest, settings.key_file, None, tmp_path / "leave"
            ).send(pool)
        return company

    with instant_blocks(world):
        yield run


def test_two_colluders_outvote_one_honest__pinpointed__both_lose_their_locks(
    world: World, play: Callable[..., QuorumCompany]
) -> None:
    company = play(WRONG, WRONG, "")
    quorum = company.read_quorum()
    assert quorum.state is QuorumState.FINAL
    replicas = world.contracts.quorum.get_replicas(quorum.id)
    by_owner = {replica.operator: replica for replica in replicas}
    honest = by_owner[company.addresses["thirdowner"]]
    assert honest.state is ReplicaState.PAID
    assert honest.out_digest == quorum.out_digest
    assert world.contracts.quorum.get_assurance(quorum.id) is QuorumAssurance.UNCHALLENGED
    lock = world.contracts.quorum.get_replica_lock(quorum.terms.token, FEE_WEI, 3, 0, False)
    vault = world.contracts.vault
    for name in ("firstowner", "secondowner"):
        account = vault.get_account(company.addresses[name])
        assert (account.free, account.locked) == (STAKE_WEI - lock, 0)
        assert by_owner[company.addresses[name]].out_digest != quorum.out_digest
        assert vault.get_standing(company.addresses[name]).jailed_until > 0
    # The fee is the owner's; of each lock that it had slashed, the worker has its 35 %.
    assert vault.get_account(company.addresses["thirdowner"]).credit > 0
    done = [step for who, step in company.done if who == "thirdworker"]
    assert done.count("pinpoint") == 2
    assert count_prover_entries(company.folder / "thirdworker") == 0


def test_nobody_enlisted__ordered_and_refunded_on_the_command_line(
    world: World, residual_net: Offer, tmp_path: Path
) -> None:
    with instant_blocks(world):
        company = QuorumCompany(world, tmp_path, residual_net)
        company.create("client")
        sample = tmp_path / "sample.json"
        sample.write_text(json.dumps(residual_net.sample))
        keys = world.chain_arguments(tmp_path / "client.key")
        chain = keys[: keys.index("--key-file")]
        signing = (*keys, "--state", str(tmp_path / "state"))

        def run(*arguments: str) -> Any:
            done = CliRunner().invoke(cli, ["quorum", *arguments, "--json"])
            assert done.exit_code == 0, done.output
            return json.loads(done.stdout)

        order = (
            "create", "--version", "0x" + residual_net.version.hex(), "--input", str(sample),
            "--models", str(residual_net.models), "--content", str(tmp_path / "content"),
            "--fee-wei", str(FEE_WEI), "--salt", "5", *signing,
        )  # fmt: skip
        created = run(*order)
        assert (created["state"], created["next"], created["replicas"]) == ("OPEN", None, [])
        assert run(*order) == created | {"transaction": None, "clock": created["clock"]}
        named = ("--quorum", created["quorum"][:14])
        vault, client = world.contracts.vault, company.addresses["client"]
        assert vault.get_funds(JobId(created["quorum"])).escrow == 3 * FEE_WEI
        listed = run("list", "--client", client, *chain)
        assert [row["quorum"] for row in listed] == [created["quorum"]]

        told = CliRunner().invoke(
            cli, ["economics", "chain", "--fee-wei", str(FEE_WEI), "--insured-wei", str(10**18),
                  "--json", *chain]
        )  # fmt: skip
        assert [row["agrees"] for row in json.loads(told.stdout)] == [True, True, True]

        world.anvil.jump_to(world.client.get_head().timestamp + world.parameters.assign_seconds + 1)
        assert run("show", *named, *chain)["next"] == "expire-quorum"
        assert run("settle", *named, *signing)["state"] == "EXPIRED"
        assert run("settle", *named, *signing)["transaction"] is None
        assert vault.get_account(client).credit == 3 * FEE_WEI


@pytest.mark.slow  # the drill `copy` plays the same
def test_copied_commitment__is_refused_and_fined__the_others_are_paid(
    world: World, play: Callable[..., QuorumCompany]
) -> None:
    company = play("", "", "copy")
    quorum = company.read_quorum()
    assert quorum.state is QuorumState.FINAL
    states = {
        replica.operator: replica.state
        for replica in world.contracts.quorum.get_replicas(quorum.id)
    }
    copier = company.addresses["thirdowner"]
    assert states.pop(copier) is ReplicaState.MISSED
    assert set(states.values()) == {ReplicaState.PAID}
    account = world.contracts.vault.get_account(copier)
    assert (account.free, account.credit) == (STAKE_WEI - FEE_WEI, 0)
    assert world.contracts.quorum.get_assurance(quorum.id) is QuorumAssurance.QUORUM
