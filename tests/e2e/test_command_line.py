"""Every move that a person can make by hand, through the command line, on a real chain."""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account as KeyPair

from offchain.chain.job_ids import id_bytes
from offchain.chain.keys import load_signer, write_key_file
from offchain.chain.typed_data import build_result_receipt
from offchain.cli.demo.world import World
from offchain.cli.main import cli
from offchain.errors import ConfigError, ContractRevert, JobRefused
from offchain.types import Amount, Digest, JobId, JobTerms, SignedResult, VersionId
from tests.e2e.agents import ETHER, Agents, instant_blocks

FEE = Amount(ETHER // 1000)
LOCK = 35 * FEE
STAKE = ETHER
# Every development node's own, public; a local deployment's guardians are its accounts 7 to 9.
DEV_MNEMONIC = "test test test test test test test test test test test junk"
KeyPair.enable_unaudited_hdwallet_features()
RESULT, OTHER = Digest(b"\x09" * 32), Digest(b"\x08" * 32)


class Desk:
    """Somebody at a terminal, with a key for each part that they play."""

    def __init__(self, world: World, folder: Path) -> None:
        self.world, self.folder = world, folder
        self.agents = Agents(world, folder)
        self.agents.create("client", "owner", "worker", "watcher", "second")
        self._salt = 0

    def address(self, name: str) -> str:
        return self.agents.addresses[name]

    def call(self, *words: str, key: str | None = None) -> Any:
        """Run a command with --json; return its answer."""
        chain = ["--rpc", self.world.anvil.url, "--manifest", str(self.world.manifest_file)]
        signer = []
        if key is not None:
            signer = ["--key-file", str(self.agents.keys[key])]
            signer += ["--state", str(self.folder / "state")]
        answer = io.StringIO()
        with contextlib.redirect_stdout(answer):
            cli([*words, *chain, *signer, "--json"], standalone_mode=False)
        return json.loads(answer.getvalue())

    def hire(self) -> None:
        """Stake, propose, agree."""
        self.call(
            "operator", "stake", "--amount-wei", str(STAKE), "--worker", self.address("worker"),
            key="owner",
        )  # fmt: skip
        joined = self.call("operator", "join", "--owner", self.address("owner"), key="worker")
        assert joined["owner"] == self.address("owner")

    def order(self) -> JobId:
        self._salt += 1
        terms = JobTerms(
            client=self.agents.account("client").address,
            version=VersionId(bytes.fromhex(self.world.version[2:])),
            in_digest=Digest(b"\x01" * 32),
            token=self.world.contracts.vault.get_tokens()[0],
            fee=FEE,
            verify_mask=0,
            privacy_mask=0,
            salt=self._salt,
        )
        market = self.world.contracts.market
        self.agents.account("client").send(market.build_create_job(terms, "somewhere"))
        return market.compute_job_id(terms)

    def commit(self) -> JobId:
        """Order, accept and commit, as client's and operator's services do."""
        job_id, market = self.order(), self.world.contracts.market
        worker = self.agents.account("worker")
        worker.send(market.build_accept_job(job_id))
        worker.send(market.build_commit_result(job_id, RESULT, ""))
        return job_id

    def pass_deadline(self, job_id: JobId) -> None:
        self.agents.jump(self.world.contracts.market.get_job(job_id).deadline + 1)


@pytest.fixture
def desk(world: World, tmp_path: Path) -> Iterator[Desk]:
    with instant_blocks(world):
        snapshot = world.anvil.rpc.request("evm_snapshot")
        yield Desk(world, tmp_path)
        world.anvil.rpc.request("evm_revert", snapshot)


def test_stake__in_and_out_again(desk: Desk) -> None:
    desk.hire()
    again = desk.call("operator", "propose", "--worker", desk.address("worker"), key="owner")
    assert (again["worker"], again["transactions"]) == (desk.address("worker"), [])
    assert (
        desk.call("operator", "join", "--owner", desk.address("owner"), key="worker")["transaction"]
        is None
    )
    status = desk.call("operator", "status", "--account", desk.address("worker"))
    assert (status["owner"], status["ETH"]["free"]) == (desk.address("owner"), STAKE)

    unbonding = desk.call("operator", "unbond", "--amount-wei", str(STAKE), key="owner")
    assert (unbonding["free"], unbonding["unbonding"]) == (0, STAKE)
    with pytest.raises(ContractRevert, match="StillUnbonding"):
        desk.call("operator", "withdraw-stake", key="owner")
    desk.agents.jump(unbonding["unbond_ready_at"])
    assert desk.call("operator", "withdraw-stake", key="owner")["amount"] == STAKE
    again = desk.call("operator", "withdraw-stake", key="owner")
    assert (again["amount"], again["transaction"]) == (0, None)
    left = desk.call("operator", "join", "--leave", "--owner", desk.address("owner"), key="worker")
    assert left["owner"] is None


def test_job__cancelled_once__and_the_fee_withdrawn(desk: Desk) -> None:
    job_id = desk.order()
    cancelled = desk.call("job", "cancel", "--job", job_id[:12], key="client")
    assert (cancelled["job"], cancelled["state"]) == (job_id, "CANCELLED")
    assert desk.call("job", "cancel", "--job", job_id, key="client")["transaction"] is None
    with pytest.raises(JobRefused, match="CANCELLED"):
        desk.call("job", "finalise", "--job", job_id, key="client")
    assert desk.call("withdraw", key="client")["amount"] == FEE
    assert desk.call("withdraw", key="client")["transaction"] is None


def test_job__not_taken_or_not_done__expired_or_failed(desk: Desk) -> None:
    open_job = desk.order()
    with pytest.raises(ContractRevert, match="DeadlineNotReached"):
        desk.call("job", "expire", "--job", open_job, key="client")
    desk.hire()
    taken = desk.order()
    desk.agents.account("worker").send(desk.world.contracts.market.build_accept_job(taken))
    desk.pass_deadline(open_job)
    assert desk.call("job", "expire", "--job", open_job, key="client")["state"] == "EXPIRED"
    assert "expire" in desk.call("job", "show", "--job", taken)["next"]
    assert desk.call("job", "expire", "--job", taken, key="client")["state"] == "FAILED"


def test_job__listed_shown_watched_and_its_evidence_kept(desk: Desk) -> None:
    desk.hire()
    job_id = desk.commit()
    mine = desk.call("job", "list", "--client", desk.address("client"), "--live")
    assert [(row["job"], row["state"]) for row in mine] == [(job_id, "COMMITTED")]
    desk.pass_deadline(job_id)
    shown = desk.call("job", "show", "--job", job_id[:10])
    assert (shown["fee"], shown["escrow"], shown["lock"]) == (FEE, FEE, LOCK)
    assert "finalise" in shown["next"]
    assert desk.call("job", "finalise", "--job", job_id, key="watcher")["state"] == "FINAL"
    assert desk.call("job", "watch", "--job", job_id)["assurance"] == "UNCHALLENGED"
    assert desk.call("job", "list", "--client", desk.address("client"), "--live") == []

    out = desk.folder / "evidence.json"
    desk.call("job", "evidence", "--job", job_id, "--out", str(out))
    kept = json.loads(out.read_text())
    names = [event["event"] for event in kept["events"]]
    steps = ["JobCreated", "JobAccepted", "ResultCommitted", "JobFinalised"]
    assert [name for name in names if name in steps] == steps
    assert {"EscrowAdded", "StakeLocked", "LockReleased", "Credited", "Burned"} <= set(names)
    assert {event["transaction"][:2] for event in kept["events"]} == {"0x"}
    assert kept["terms"]["salt"] == 1
    with pytest.raises(ConfigError, match="never overwritten"):
        desk.call("job", "evidence", "--job", job_id, "--out", str(out))


def test_challenge__shared__claimed_and_divided(desk: Desk) -> None:
    desk.hire()
    job_id = desk.commit()
    with pytest.raises(JobRefused, match="no dispute to join"):
        desk.call("challenge", "join", "--job", job_id, key="second")
    opened = desk.call("challenge", "open", "--job", job_id, key="watcher")
    again = desk.call("challenge", "open", "--job", job_id, key="watcher")
    assert opened["bond_wei"] > 0 and again["transaction"] is None
    with pytest.raises(JobRefused, match="zkdps challenge join"):
        desk.call("challenge", "open", "--job", job_id, key="second")
    joined = desk.call("challenge", "join", "--job", job_id, key="second")
    assert joined["challengers"] == [desk.address("watcher"), desk.address("second")]
    with pytest.raises(ContractRevert, match="ProofStillDue"):
        desk.call("challenge", "claim", "--job", job_id, key="second")

    desk.agents.jump(opened["prove_until"] + 1)
    assert desk.call("challenge", "claim", "--job", job_id, key="client")["dispute"] == "DEFAULT"
    assert desk.call("challenge", "claim", "--job", job_id, key="client")["transaction"] is None
    with pytest.raises(ContractRevert, match="AirgapRunning"):
        desk.call("challenge", "distribute", "--job", job_id, key="client")
    desk.pass_deadline(job_id)
    divided = desk.call("challenge", "distribute", "--job", job_id, key="client")
    assert divided["dispute"] == "DISTRIBUTED"
    share = LOCK * 35 // 100 // 2
    for name, sent in (("watcher", opened["bond_wei"]), ("second", joined["bond_wei"])):
        assert desk.call("withdraw", key=name)["amount"] == share + sent
    assert desk.call("withdraw", key="client")["amount"] == FEE + LOCK * 40 // 100

    jailed = desk.call("operator", "status", "--account", desk.address("owner"))["jailed_until"]
    desk.agents.jump(jailed)
    assert desk.call("operator", "unjail", key="worker")["jailed_until"] is None
    assert desk.call("operator", "unjail", key="owner")["transaction"] is None


def test_evidence__two_signed_results__rejected(desk: Desk) -> None:
    desk.hire()
    job_id = desk.commit()
    market = desk.world.contracts.market.address
    message = build_result_receipt(desk.world.client.chain_id, market, id_bytes(job_id), OTHER)
    signed = SignedResult(OTHER, load_signer(desk.agents.keys["worker"]).sign_typed(message))
    results = [
        {"outDigest": "0x" + OTHER.hex(), "signature": "0x" + signed.signature.hex()},
        {"outDigest": "0x" + RESULT.hex()},
    ]
    file = desk.folder / "results.json"
    file.write_text(json.dumps(results))
    words = (
        "challenge", "evidence", "--job", job_id, "--results", str(file),
        "--salts", str(desk.folder / "salts"),
    )  # fmt: skip
    # The chain mines when somebody sends; the evidence waits for the block after.
    desk.world.anvil.start_clock(1)
    assert desk.call(*words, key="watcher")["state"] == "REJECTED"
    assert desk.call(*words, key="watcher")["transaction"] is None
    file.write_text("[]")
    with pytest.raises(ConfigError, match="not two signed results"):
        desk.call(*words, key="second")


def test_delivery__asked_for_once(desk: Desk) -> None:
    desk.hire()
    job_id = desk.commit()
    asked = desk.call("job", "request-delivery", "--job", job_id, key="client")
    assert asked["payment"] > 0 and asked["deliver_by"] > 0
    assert (
        desk.call("job", "request-delivery", "--job", job_id, key="client")["deliver_by"]
        == asked["deliver_by"]
    )
    desk.agents.jump(
        max(asked["deliver_by"], desk.world.contracts.market.get_job(job_id).deadline) + 1
    )
    assert desk.call("job", "expire", "--job", job_id, key="client")["state"] == "FAILED"


def test_guardian__status__and_strangers_refused(desk: Desk) -> None:
    status = desk.call("guardian", "status")
    assert status["members"] == list(desk.world.manifest.guardians)
    assert (status["paused"], status["refund_mode"], status["renounced"]) == (False,) * 3
    with pytest.raises(ContractRevert, match="NotMember"):
        desk.call("guardian", "approve", "pause", key="client")
    with pytest.raises(ConfigError, match="for ever"):
        desk.call("guardian", "approve", "refund", key="client")
    chain = desk.call("chain", "status")
    assert chain["contracts"]["Guardian"] == desk.world.manifest.get("Guardian").address


def test_guardian__two_members__pause_and_go_on(desk: Desk) -> None:
    for name, number in (("one", 7), ("two", 8)):
        member = KeyPair.from_mnemonic(DEV_MNEMONIC, account_path=f"m/44'/60'/0'/0/{number}")
        desk.agents.keys[name] = desk.folder / f"{name}.key"
        write_key_file(desk.agents.keys[name], bytes(member.key))
        desk.world.anvil.fund(member.address, ETHER)
    job_id = desk.order()
    assert not desk.call("guardian", "approve", "pause", key="one")["paused"]
    desk.call("guardian", "approve", "pause", "--take-back", key="one")
    assert not desk.call("guardian", "approve", "pause", key="two")["paused"]
    assert desk.call("guardian", "approve", "pause", key="one")["paused"]
    assert desk.call("chain", "status")["paused"]
    with pytest.raises(ContractRevert, match="ProtocolPaused"):
        desk.call("job", "cancel", "--job", job_id, key="client")
    desk.call("guardian", "approve", "unpause", key="one")
    assert not desk.call("guardian", "approve", "unpause", key="two")["paused"]
    assert desk.call("job", "cancel", "--job", job_id, key="client")["state"] == "CANCELLED"
    desk.call("guardian", "approve", "refund", "--yes", key="one")
    waiting = desk.order()
    assert desk.call("guardian", "approve", "refund", "--yes", key="two")["refund_mode"]
    assert "refund mode" in desk.call("job", "show", "--job", waiting)["next"]
    assert desk.call("job", "expire", "--job", waiting, key="client")["state"] == "VOIDED"


def test_model__registered_once__listed_and_shown(desk: Desk) -> None:
    folder = str(desk.world.models / "mlp-digits")
    first = desk.call("model", "register", "--model", folder, "--royalty-bps", "5", key="owner")
    again = desk.call("model", "register", "--model", folder, "--royalty-bps", "5", key="owner")
    assert again == {**first, "transaction": None}
    listed = {row["version"]: row for row in desk.call("model", "list")}
    assert listed[first["version"]]["royalty_bps"] == 5
    assert desk.world.version in listed
    shown = desk.call("model", "show", "--version", first["version"])
    assert shown["owner"] == desk.address("owner")
    assert shown["bond_wei"] > 0
