"""A role's world without a chain: the market, game and vault answer from memory."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from offchain.chain.journal import Journal, StepKey
from offchain.roles.base import OF
from offchain.roles.context import Context
from offchain.types import (
    Address,
    Digest,
    Dispute,
    DisputeId,
    Job,
    JobId,
    JobState,
    Seconds,
    VersionId,
    Wei,
)

WORKER, OWNER = Address("0x" + "aa" * 20), Address("0x" + "bb" * 20)
NOW, FUNDS = Seconds(1_000), Wei(10**18)


class SilentLog:
    """Remembers events instead of printing them."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def event(self, name: str, **_: Any) -> None:
        self.names.append(name)


@dataclass
class FakeWorld:
    """What the chain says."""

    home: Path
    account: Address = WORKER
    now: Seconds = NOW
    challenge_always: bool = False
    balance: Wei = FUNDS
    job: Job = field(
        default_factory=lambda: Job(
            id=JobId(1),
            state=JobState.OPEN,
            client=WORKER,
            operator=OWNER,
            fee_wei=Wei(1_000),
            deadline=Seconds(NOW + 10),
            version=VersionId(bytes(32)),
            in_digest=Digest(b"\1" * 32),
            out_digest=Digest(b"\2" * 32),
        )
    )
    dispute: Dispute | None = None

    def set_state(self, state: JobState, deadline: int = NOW + 10) -> None:
        self.job = replace(self.job, state=state, deadline=Seconds(deadline))

    def open_dispute(self, challenger: Address, prove_until: int, seed: bytes = b"\3" * 32) -> None:
        self.set_state(JobState.DISPUTED)
        self.dispute = Dispute(
            id=DisputeId(1),
            job=JobId(1),
            challenger=challenger,
            operator=OWNER,
            bond_wei=Wei(5),
            prove_until=Seconds(prove_until),
            challenge_seed=seed,
            is_open=True,
        )

    def build_context(self, role: str) -> Context:
        """Return a context in which every role can be asked what is due."""
        created = SimpleNamespace(arguments={"jobId": 1})
        empty = SimpleNamespace(credit_wei=0, held_wei=0)
        return Context(  # type: ignore[arg-type]
            settings=SimpleNamespace(
                role=role, home=self.home, challenge_always=self.challenge_always
            ),
            log=SilentLog(),
            client=SimpleNamespace(
                get_head=lambda: SimpleNamespace(
                    timestamp=self.now, number=5, base_fee_wei=Wei(10**9)
                ),
                get_balance=lambda _: self.balance,
            ),
            manifest=SimpleNamespace(),
            contracts=SimpleNamespace(
                vault=SimpleNamespace(
                    get_owner_of=lambda _: OWNER,
                    get_withdrawable=lambda _: 0,
                    get_account=lambda _: empty,
                ),
                market=SimpleNamespace(get_job=lambda _: self.job),
                game=SimpleNamespace(
                    get_dispute_of=lambda _: self.dispute, get_required_bond=lambda _: Wei(5)
                ),
                registry=SimpleNamespace(),
            ),
            journal=Journal(self.home / "journal.sqlite3"),
            cursor=SimpleNamespace(
                advance=lambda: 5,
                get_events=lambda name: (created,) if name == "JobCreated" else (),
            ),
            submitter=SimpleNamespace(account=self.account),
            content=SimpleNamespace(),
            versions=SimpleNamespace(),
        )


@pytest.fixture
def chain(tmp_path: Path) -> FakeWorld:
    return FakeWorld(tmp_path)


def steps(keys: tuple[StepKey, ...]) -> list[str]:
    """Return the names of due steps."""
    return [key.step.partition(OF)[0] for key in keys]
