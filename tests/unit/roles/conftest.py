"""A role's world without a chain: the market, game and vault answer from memory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from offchain.chain.binding import checksum
from offchain.chain.client import Call, Receipt
from offchain.chain.clock import HeadWatch
from offchain.chain.job_ids import compute_job_id, id_bytes
from offchain.chain.journal import Journal, StepKey
from offchain.errors import ContractRevert, PlanMismatch
from offchain.params.presets import LOCAL
from offchain.roles.base import OF
from offchain.roles.context import Context
from offchain.roles.log import Reminders
from offchain.submit.content import FolderStore
from offchain.types import (
    ETH,
    NOBODY,
    Address,
    Amount,
    BlockNumber,
    Digest,
    Dispute,
    DisputeState,
    Job,
    JobState,
    JobTerms,
    ProtocolTime,
    Seconds,
    Standing,
    VersionId,
    Wei,
)

WORKER, OWNER, OTHER = (checksum("0x" + byte * 20) for byte in ("aa", "bb", "ee"))
MARKET, CHAIN_ID = Address("0x" + "11" * 20), 31337
NOW, FUNDS, HEAD = Seconds(1_000), Wei(10**18), 50
PRESENT, FREE = ProtocolTime(NOW), Standing(Seconds(0), Seconds(0), 0)
SEED = b"\3" * 32
TERMS = JobTerms(
    client=WORKER,
    version=VersionId(bytes(32)),
    in_digest=Digest(b"\1" * 32),
    token=ETH,
    fee=Amount(10**15),
    verify_mask=0,
    privacy_mask=0,
    salt=7,
)
JOB_ID = compute_job_id(CHAIN_ID, MARKET, TERMS)


class SilentLog:
    """Remembers events instead of printing them."""

    def __init__(self) -> None:
        self.events: list[tuple[str, dict[str, Any]]] = []

    def event(self, name: str, **facts: Any) -> None:
        self.events.append((name, facts))

    @property
    def names(self) -> list[str]:
        return [name for name, _ in self.events]


@dataclass
class FakeWorld:
    """What the chain says, and what was sent to it."""

    home: Path
    account: Address = WORKER
    time: ProtocolTime = PRESENT
    settings: dict[str, Any] = field(default_factory=dict)
    balance: Wei = FUNDS
    block_s: int = 1
    terms: JobTerms = TERMS
    owner: Address | None = OWNER  # of the worker
    proposed: Address | None = None  # worker that the pinned owner proposes
    served: Address | None = None
    standing: Standing = FREE
    challengers: list[Address] = field(default_factory=list)
    announced: BlockNumber | None = None
    credit: int = 0
    delivered: bytes | None = None
    dispute: Dispute | None = None
    sent: list[Call] = field(default_factory=list)
    refusal: ContractRevert | None = None
    meanwhile: Callable[[], None] = field(default=lambda: None)  # happens before a submission
    exists: bool = True
    plan_lie: PlanMismatch | None = None  # what recomputing the version's plan finds
    plan: Any = None  # and otherwise this one
    job: Job = field(
        default_factory=lambda: Job(
            id=JOB_ID,
            state=JobState.OPEN,
            client=WORKER,
            token=ETH,
            fee=TERMS.fee,
            operator=OWNER,
            deadline=Seconds(NOW + 10),
            version=TERMS.version,
            out_digest=Digest(b"\2" * 32),
            proof_required=False,
            deliver_by=Seconds(0),
        )
    )

    def set_state(self, state: JobState, deadline: int = NOW + 10, **others: Any) -> None:
        self.job = replace(self.job, state=state, deadline=Seconds(deadline), **others)

    def find_plan(self, _: object) -> Any:
        if self.plan_lie is not None:
            raise self.plan_lie
        return self.plan

    def open_dispute(
        self,
        challenger: Address,
        prove_until: int,
        seed: bytes = SEED,
        state: DisputeState = DisputeState.OPEN,
        opened_at: int = HEAD,
    ) -> None:
        if state is DisputeState.OPEN:
            self.set_state(JobState.DISPUTED, self.job.deadline)
        self.challengers = [] if challenger == NOBODY else [challenger]
        self.dispute = Dispute(
            job=JOB_ID,
            state=state,
            challenger=challenger,
            operator=OWNER,
            bond_wei=Wei(5),
            prove_until=Seconds(prove_until),
            opened_at_block=BlockNumber(opened_at),
            challenge_seed=seed,
        )

    def build_context(self, role: str, journal: Any = None) -> Context:
        """Return a context in which every role can be asked what is due."""
        log = SilentLog()
        return Context(  # type: ignore[arg-type]
            settings=SimpleNamespace(
                **{
                    "role": role,
                    "home": self.home,
                    "challenge_always": False,
                    "game": "auto",
                    "collect": True,
                    "post_traces": False,
                    "rescue": False,
                    "whole_proofs": False,
                    "replicas": "",
                    "tag": "",
                    "watch_quorums": False,
                    "audit": False,
                    "owner": "",
                    "accept_token": False,
                    "min_fee_wei": None,
                    "min_fee_token": 0,
                    "request_delivery": False,
                    "backend": "numpy",
                    "workers": 1,
                    "batch_size": 64,
                    "batch_seconds": 10,
                    "min_session_fee_wei": None,
                    "prover_timeout_s": 60.0,
                    **self.settings,
                }
            ),
            log=log,
            client=SimpleNamespace(
                chain_id=CHAIN_ID,
                get_head=lambda: SimpleNamespace(
                    timestamp=self.time.now, number=HEAD, hash="0x00", base_fee_wei=Wei(10**9)
                ),
                get_block=lambda number: SimpleNamespace(
                    number=number, timestamp=self.time.now - self.block_s * (HEAD - number)
                ),
                get_block_gas_limit=lambda: 30_000_000,
            ),
            manifest=SimpleNamespace(),
            contracts=SimpleNamespace(
                vault=self._build_vault(),
                market=self._build_market(),
                game=self._build_game(),
                registry=SimpleNamespace(),
                sessions=SimpleNamespace(),
                orders=SimpleNamespace(),
                adjudicators=SimpleNamespace(get_plan=lambda _: None),
            ),
            journal=journal or Journal(self.home / "journal.sqlite3"),
            cursor=SimpleNamespace(
                advance=lambda: HEAD,
                get_live_jobs=lambda: (JOB_ID,),
                get_events=self._get_events,
                is_known=lambda _: False,
                rewinds=0,
            ),
            submitter=SimpleNamespace(
                account=self.account,
                can_spend=self._can_spend,
                submit=self._submit,
                begin=lambda *_: None,
                is_under_way=lambda _: False,
            ),
            content=FolderStore(self.home / "content"),
            versions=SimpleNamespace(),
            plans=SimpleNamespace(find=self.find_plan, verify=self.find_plan),
            signer=SimpleNamespace(address=self.account, sign_typed=lambda _: b"\7" * 65),
            parameters=LOCAL,
            reminders=Reminders(),
            heads=HeadWatch(),
        )

    def _build_vault(self) -> SimpleNamespace:
        return SimpleNamespace(
            get_owner_of=lambda _: self.owner,
            get_withdrawable=lambda *_: self.credit,
            get_tokens=lambda: (ETH,),
            get_standing=lambda _: self.standing,
            get_proposed_worker=lambda _: self.proposed,
            get_served_owner=lambda _: self.served,
            build_accept_owner=lambda owner: ("accept-owner", owner),
            build_unjail=lambda: ("unjail",),
            build_withdraw_credit=lambda token: ("withdraw", token),
        )

    def _build_market(self) -> SimpleNamespace:
        return SimpleNamespace(
            address=MARKET,
            get_job=self._get_job,
            get_time=lambda: self.time,
            read_created=lambda _: SimpleNamespace(id=JOB_ID, terms=self.terms),
            compute_job_id=lambda terms: compute_job_id(CHAIN_ID, MARKET, terms),
            compute_proof_fee=lambda _: Wei(10**15),
            compute_delivery_payment=lambda _: Amount(1_000),
            build_create_job=lambda *a: ("create", *a),
            build_accept_job=lambda *a: ("accept", *a),
            build_reject_job=lambda *a: ("refuse", *a),
            build_commit_result=lambda *a: ("commit", *a),
            build_deliver_output=lambda *a: ("deliver", *a),
            build_finalise=lambda *a: ("finalise", *a),
            build_expire_job=lambda *a: ("expire", *a),
            build_fail_job=lambda *a: ("fail", *a),
            build_void_job=lambda *a: ("void", *a),
            build_request_delivery=lambda *a: ("request-delivery", *a),
        )

    def _build_game(self) -> SimpleNamespace:
        return SimpleNamespace(
            get_dispute_of=lambda _: self.dispute,
            get_required_bond=lambda _: Wei(5),
            get_challengers=lambda _: tuple(self.challengers),
            get_announced_at=lambda _: self.announced,
            build_challenge=lambda *a: ("challenge", *a),
            build_claim_default=lambda *a: ("claim-default", *a),
            build_distribute_slash=lambda *a: ("distribute", *a),
            build_void_dispute=lambda *a: ("void-dispute", *a),
            build_announce_evidence=lambda *a: ("announce", *a),
            build_prove_equivocation=lambda *a: ("report", *a),
            build_prove=lambda *a: ("prove", *a),
            build_cure=lambda *a: ("cure", *a),
            build_request_proof=lambda *a: ("request-proof", *a),
        )

    def _get_job(self, _: object) -> Job:
        if not self.exists:
            raise ContractRevert("UnknownJob", {}, "JobMarket.getJob", b"")
        return self.job

    def _get_events(self, name: str, _: object = None) -> tuple[SimpleNamespace, ...]:
        job = {"jobId": id_bytes(JOB_ID)}
        if name == "JobCreated":
            return (SimpleNamespace(arguments=job),)
        if name == "OutputDelivered" and self.delivered is not None:
            return (SimpleNamespace(arguments={**job, "output": self.delivered}),)
        return ()

    def _can_spend(self, value_wei: int, gas: int, *, obligations_wei: int) -> bool:
        return self.balance >= value_wei + gas * 10**9 + obligations_wei

    def _submit(self, key: StepKey, call: Call, gas_limit: int | None = None) -> Receipt:
        self.meanwhile()
        if self.refusal is not None:
            raise self.refusal
        self.sent.append(call)
        return SimpleNamespace(tx_hash="0x00", block_number=HEAD)  # type: ignore[return-value]


@pytest.fixture
def chain(tmp_path: Path) -> FakeWorld:
    return FakeWorld(tmp_path)


def steps(keys: tuple[StepKey, ...]) -> list[str]:
    """Return the names of due steps."""
    return [key.step.partition(OF)[0] for key in keys]
