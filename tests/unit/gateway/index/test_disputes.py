"""Disputes over traces, audits and quorums: what the index tells of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from eth_utils.crypto import keccak

from offchain.chain.binding import checksum
from offchain.chain.job_ids import id_bytes
from offchain.types import ETH, NOBODY, DisputeState, JobId, JobState
from tests.unit.gateway.index.story import (
    BOND,
    CHALLENGERS,
    CLIENTS,
    FEE,
    KEEPER,
    LOCK,
    OPERATORS,
    Story,
    Tape,
    account,
)
from tests.unit.gateway.index.test_projection import Reading

FIRST, SECOND, THIRD = CHALLENGERS[:3]
TRACE_DISPUTE = JobId("0x" + keccak(text="a dispute over a trace").hex())
QUORUM = JobId("0x" + keccak(text="a quorum").hex())
REPLICA = JobId("0x" + keccak(text="its replica").hex())


class Script(Story):
    """A story of which each step is given; with a committed job to begin with."""

    def __init__(self) -> None:
        super().__init__(Tape(1))
        self._steps: list[Callable[[], None]] = []
        self.tell(self.register, *[self.deposit] * 30, self.create)
        (self.job,) = self.state.jobs
        while self.state.states[self.job] == "open":
            self.tell(lambda: self.accept(self.job, self.known))
        self.tell(lambda: self.commit(self.job, self.known))

    @property
    def known(self) -> dict[str, Any]:
        return self.state.jobs[self.job]

    @property
    def operator(self) -> str:
        return str(self.known["operator"])

    def tell(self, *steps: Callable[[], None]) -> None:
        """Mine a block with these steps."""
        self._steps = list(steps)
        self.mine(len(steps))

    def _act(self) -> None:
        self._steps.pop(0)()

    def hold(self, *challengers: str) -> None:
        """Somebody disputes an operator of the job, others join."""
        self.market("JobDisputed", self.job)
        for who in challengers:
            self.vault("BondAdded", jobId=id_bytes(TRACE_DISPUTE), challenger=who, amount=BOND)
            self.credit(TRACE_DISPUTE, who, 5)

    def demand(self, challenger: str) -> None:
        """Somebody demands a proof of all of it."""
        self.game(
            "ResultChallenged", self.job, challenger=challenger, operator=self.operator, bond=BOND,
            proveBy=50, challengeSeed=keccak(text=self.job),
        )  # fmt: skip

    def refute(self, is_curable: bool, *rewarded: str) -> None:
        """The order of `HeldJobs.rejectFor`."""
        self.game("ResultRefuted", self.job, operator=self.operator, isCurable=is_curable)
        for who in rewarded:
            self.game("RewardShared", self.job, account=who)
        self.market("JobRejected", self.job, operator=self.operator, airgapUntil=60)

    def settle_bonds(self, amount: int, *credited: str) -> None:
        self.vault("BondsSettled", jobId=id_bytes(TRACE_DISPUTE), amount=amount)
        for who in credited:
            self.credit(TRACE_DISPUTE, who, amount // len(credited))


@pytest.fixture
def script() -> Script:
    return Script()


@pytest.fixture
def reading(tmp_path: Path) -> Iterator[Reading]:
    opened = Reading(tmp_path / "index.sqlite3")
    yield opened
    opened.close()


def find(reading: Reading, script: Script, kind: str, key: str) -> dict[str, Any]:
    reading.follow(script, Tape(2))
    assert reading.told == []
    with reading.reader.view() as view:
        record = view.find(kind, key)
        assert record is not None
        return dict(record.body)


def find_titles(reading: Reading, script: Script, key: str) -> list[tuple[str, str, int]]:
    payments = find(reading, script, "funds", key)["payments"]
    return [(p["title"], p["account"], p["amount"]) for p in payments]


def test_refuted__a_job_that_only_traces_are_disputed_of__has_a_dispute(
    script: Script, reading: Reading
) -> None:
    script.tell(lambda: script.hold(FIRST, SECOND))
    script.tell(lambda: script.refute(False, FIRST, SECOND))
    dispute = find(reading, script, "dispute", script.job)
    assert dispute["state"] == DisputeState.FRAUD_PROVEN
    assert dispute["operator"] == checksum(script.operator)
    assert dispute["challengers"] == [checksum(FIRST), checksum(SECOND)]
    assert (dispute["proveBy"], dispute["bond"], dispute["airgapUntil"]) == (None, 0, 60)
    assert find(reading, script, "job", script.job)["state"] == JobState.REJECTED
    assert find(reading, script, "protocol", "counts")["disputes"] == {"fraud_proven": 1}
    version = find(reading, script, "version", script.known["version"])
    assert version["disputes"] == {"fraud_proven": 1}
    script.tell(lambda: script.game("SlashDistributed", script.job))
    dispute = find(reading, script, "dispute", script.job)
    assert dispute["state"] == DisputeState.DISTRIBUTED
    assert dispute["closedAt"] == script.blocks[-1].time


def test_refuted__while_a_proof_is_due__is_one_dispute_with_all_who_share(
    script: Script, reading: Reading
) -> None:
    script.tell(lambda: script.hold(SECOND), lambda: script.demand(FIRST))
    assert find(reading, script, "protocol", "counts")["disputes"] == {"open": 1}
    script.tell(lambda: script.refute(True, SECOND, FIRST))
    dispute = find(reading, script, "dispute", script.job)
    assert dispute["state"] == DisputeState.DEFAULT
    assert dispute["challengers"] == [checksum(FIRST), checksum(SECOND)]  # nobody twice
    assert (dispute["proveBy"], dispute["bond"]) == (50, BOND)
    assert find(reading, script, "protocol", "counts")["disputes"] == {"default": 1}
    assert find(reading, script, "account", checksum(script.operator))["disputes"] == {"default": 1}
    script.tell(lambda: script.game("SlashCured", script.job, prover=script.operator))
    dispute = find(reading, script, "dispute", script.job)
    assert dispute["state"] == DisputeState.CURED
    assert dispute["prover"] == checksum(script.operator)


def test_refuted__undone_by_a_reorganisation__is_gone(script: Script, reading: Reading) -> None:
    script.tell(lambda: script.hold(FIRST))
    script.tell(lambda: script.refute(False, FIRST))
    find(reading, script, "dispute", script.job)
    script.fork(1)
    script.tell()
    reading.follow(script, Tape(3))
    with reading.reader.view() as view:
        assert view.find("dispute", script.job) is None
    assert find(reading, script, "job", script.job)["state"] == JobState.DISPUTED
    assert find(reading, script, "protocol", "counts")["disputes"] == {}


def test_refuted_or_shared__of_an_unknown_job__is_passed_over(
    script: Script, reading: Reading
) -> None:
    script.job, job = "0x" + bytes(31).hex() + "07", script.job
    script.state.jobs[script.job] = {"operator": OPERATORS[0]}
    script.tell(lambda: script.refute(False, FIRST))
    script.job = job
    assert find(reading, script, "job", job)["state"] == JobState.COMMITTED
    with reading.reader.view() as view:
        assert view.list("dispute", 10).records == []


def test_audited__a_proof_is_due_without_a_challenger(script: Script, reading: Reading) -> None:
    def audit() -> None:
        script.game("ResultAudited", script.job)
        script.demand(NOBODY)

    script.tell(lambda: script.market("JobDisputed", script.job), audit)
    dispute = find(reading, script, "dispute", script.job)
    assert (dispute["state"], dispute["challengers"]) == (DisputeState.OPEN, [])
    script.tell(lambda: script.game("DisputeVoided", script.job))
    dispute = find(reading, script, "dispute", script.job)
    assert dispute["state"] == DisputeState.VOIDED
    assert find(reading, script, "protocol", "counts")["disputes"] == {"voided": 1}


def test_bonds__of_a_dispute_over_a_trace__go_back_or_are_won(
    script: Script, reading: Reading
) -> None:
    script.tell(lambda: script.hold(FIRST, SECOND))
    assert find(reading, script, "funds", TRACE_DISPUTE)["bonds"] == 2 * BOND
    script.tell(lambda: script.settle_bonds(2 * BOND, FIRST, SECOND))
    assert find_titles(reading, script, TRACE_DISPUTE) == [
        ("excess", checksum(FIRST), 5),
        ("excess", checksum(SECOND), 5),
        ("bondReturned", checksum(FIRST), BOND),
        ("bondReturned", checksum(SECOND), BOND),
    ]
    script.fork(1)
    script.tell(lambda: script.settle_bonds(2 * BOND, script.operator))
    assert find_titles(reading, script, TRACE_DISPUTE)[2:] == [
        ("bondWon", checksum(script.operator), 2 * BOND)
    ]
    assert find(reading, script, "funds", TRACE_DISPUTE)["bonds"] == 0


def test_quorum__fees_and_refunds_have_their_titles(script: Script, reading: Reading) -> None:
    client, operator = CLIENTS[0], OPERATORS[0]
    quorum, replica = id_bytes(QUORUM), id_bytes(REPLICA)

    def order() -> None:
        script.vault("EscrowAdded", token=ETH, jobId=quorum, payer=client, amount=2 * FEE)

    def draw() -> None:
        ends = {"from": quorum, "to": replica}
        script.vault("EscrowMoved", **ends, token=ETH, amount=FEE)
        script.vault("StakeLocked", token=ETH, jobId=replica, operator=operator, amount=LOCK)

    def settle() -> None:
        script.release(REPLICA, operator, LOCK)
        script.credit(REPLICA, operator, FEE - 10)
        script.credit(REPLICA, KEEPER, 10)
        script.credit(QUORUM, client, FEE)

    script.tell(order)
    assert find(reading, script, "funds", QUORUM)["escrow"] == 2 * FEE
    script.tell(draw)
    assert find(reading, script, "funds", REPLICA)["escrow"] == FEE
    script.tell(settle)
    assert find_titles(reading, script, REPLICA) == [
        ("fee", checksum(operator), FEE - 10),
        ("tip", checksum(KEEPER), 10),
    ]
    assert find_titles(reading, script, QUORUM) == [("refund", checksum(client), FEE)]
    for key in (QUORUM, REPLICA):
        assert find(reading, script, "funds", key)["escrow"] == 0
    assert find(reading, script, "account", checksum(client))["tokens"][ETH]["refund"] == FEE


def test_quorum__a_replica_that_missed__its_client_is_refunded(
    script: Script, reading: Reading
) -> None:
    client, operator = CLIENTS[0], OPERATORS[0]
    ends = {"from": id_bytes(QUORUM), "to": id_bytes(REPLICA)}

    def play() -> None:
        script.vault("EscrowAdded", token=ETH, jobId=ends["from"], payer=client, amount=FEE)
        script.vault("EscrowMoved", **ends, token=ETH, amount=FEE)
        script.vault("StakeLocked", token=ETH, jobId=ends["to"], operator=operator, amount=LOCK)
        script.release(REPLICA, operator, LOCK, 300)
        script.credit(REPLICA, client, FEE + 150)
        script.burn(REPLICA, 150)

    script.tell(play)
    assert find_titles(reading, script, REPLICA) == [("refund", checksum(client), FEE + 150)]
    assert account(0) == operator
