"""One quorum without a chain: its market, the beacon and the lists answer from memory."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any

from offchain.chain.client import Call
from offchain.chain.job_ids import id_bytes
from offchain.chain.journal import StepKey
from offchain.chain.quorum_ids import build_replica_terms, compute_quorum_id, hash_commitment
from offchain.errors import ContractRevert
from offchain.roles.base import OF, BaseRole
from offchain.roles.challenger import Challenger
from offchain.roles.context import Context
from offchain.roles.operator import Operator
from offchain.roles.quorum_book import name_quorum
from offchain.submit.content import FolderStore, compute_digest
from offchain.types import (
    ETH,
    Address,
    Amount,
    BlockNumber,
    Candidate,
    Digest,
    JobId,
    Quorum,
    QuorumId,
    QuorumState,
    QuorumTerms,
    Replica,
    ReplicaState,
    Seconds,
    SeedState,
    VersionId,
    Wei,
)
from tests.unit.roles.conftest import CHAIN_ID, NOW, OTHER, OWNER, FakeWorld
from tests.unit.roles.session_world import SIGNER, TinyModel

QUORUMS = Address("0x" + "33" * 20)
THIRD = Address("0x" + "CC" * 20)
VERSION = VersionId(b"\x09" * 32)
NOTHING = Digest(bytes(32))
RAW = b"\x05" * 8
RESULT = compute_digest(RAW[:4], 8, (1, 4))
WRONG = Digest(b"\x66" * 32)
STAKE = Amount(10**18)


@dataclass
class QuorumWorld:
    """One quorum in which this worker's owner has the first replica, unless said otherwise."""

    chain: FakeWorld
    model: TinyModel = field(default_factory=TinyModel)
    state: QuorumState = QuorumState.COMMITTING
    deadline: int = NOW + 20
    is_suspect: bool = False
    out_digest: Digest = NOTHING
    seed: SeedState = SeedState.READY
    replicas: list[Replica] = field(default_factory=list)
    jobs: dict[JobId, Any] = field(default_factory=dict)  # of the replicas taken out
    candidates: list[Candidate] = field(default_factory=list)
    entered: list[SimpleNamespace] = field(default_factory=list)  # events of entries
    is_active: bool = True  # the version's plan
    unbond_ready_at: int = 0
    are_reveals_confirmed: bool = True
    refusal: ContractRevert | None = None
    head: int = 50

    def __post_init__(self) -> None:
        self.terms = QuorumTerms(
            client=THIRD,
            version=VERSION,
            in_digest=compute_digest(RAW, 8, (1, 8)),
            token=ETH,
            fee=Amount(10**15),
            count=3,
            insured=Amount(0),
            is_audited=False,
            salt=1,
        )
        self.id = compute_quorum_id(CHAIN_ID, QUORUMS, self.terms)
        if not self.replicas:
            owners = (OWNER, OTHER, THIRD)
            self.replicas = [Replica(o, ReplicaState.DRAWN, bytes(32), NOTHING) for o in owners]

    def set_replica(self, index: int, state: ReplicaState, digest: Digest = NOTHING) -> None:
        self.replicas[index] = replace(self.replicas[index], state=state, out_digest=digest)

    def open_round(self, *digests: Digest, state: QuorumState = QuorumState.PROVISIONAL) -> None:
        """Reveal these results; the one that most say is provisional."""
        for index, digest in enumerate(digests):
            self.set_replica(index, ReplicaState.REVEALED, digest)
        self.state = state
        if state is QuorumState.PROVISIONAL:
            self.out_digest = max(digests, key=digests.count)

    def job_id(self, index: int) -> JobId:
        terms = build_replica_terms(self.id, self.terms, index)
        return self.chain.build_context("operator").contracts.market.compute_job_id(terms)

    def build_context(self, role: str = "operator", **settings: Any) -> Context:
        self.chain.settings |= settings
        context = self.chain.build_context(role)
        book: Any = context.contracts
        book.quorum = self._build_market()
        book.beacon = SimpleNamespace(
            get_state=lambda *_: self.seed, get_request_block=lambda *_: BlockNumber(40)
        )
        book.pool = SimpleNamespace(
            get_candidates=lambda *_: tuple(self.candidates),
            build_enlist=lambda *a: ("enlist", *a),
            build_leave=lambda *a: ("leave", *a),
        )
        book.game.get_bond = lambda _: Wei(5)
        book.vault.get_account = lambda *_: SimpleNamespace(
            free=STAKE, locked=Amount(0), unbond_ready_at=self.unbond_ready_at
        )
        book.market.get_job = self._get_job
        context.client.get_head = lambda: SimpleNamespace(  # type: ignore[method-assign]
            timestamp=self.chain.time.now,
            number=self.head,
            hash=f"0x{self.head}",
            base_fee_wei=Wei(10**9),
        )
        cursor: Any = context.cursor
        cursor.get_live_jobs = lambda: (name_quorum(self.id),)
        cursor.get_events = self._get_events
        versions: Any = context.versions
        versions.reproduce = lambda _: SimpleNamespace(
            model=self.model,
            version=SimpleNamespace(id=VERSION, royalty_bps=0, proof_gas=10**6, prove_seconds=5),
        )
        plans: Any = context.plans
        plans.verify, plans.is_active = lambda _: None, lambda _: self.is_active
        signer: Any = context.signer
        signer.sign_typed = SIGNER.sign_typed
        submitter: Any = context.submitter
        submitter.submit = self._submit
        FolderStore(self.chain.home / "content").put(RAW, 8, (1, 8))
        return context

    def challenger(self, **settings: Any) -> Challenger:
        return Challenger(self.build_context("challenger", **settings))

    def operator(self, kind: type[Operator] = Operator, **settings: Any) -> Operator:
        return kind(self.build_context(**settings))

    def find(self) -> Quorum:
        return Quorum(
            id=self.id,
            state=self.state,
            terms=self.terms,
            size=len(self.replicas),
            is_suspect=self.is_suspect,
            deadline=Seconds(self.deadline),
            out_digest=self.out_digest,
        )

    def _build_market(self) -> SimpleNamespace:
        return SimpleNamespace(
            address=QUORUMS,
            get_quorum=self._get_quorum,
            get_replicas=lambda _: tuple(self.replicas),
            hash_commitment=lambda *a: hash_commitment(CHAIN_ID, QUORUMS, *a),
            build_commit=lambda *a: ("commit", *a),
            build_refuse=lambda *a: ("refuse-replica", *a),
            build_reveal=lambda *a: ("reveal", *a),
            build_extract=lambda *a: ("extract", *a),
            build_challenge=lambda *a: ("challenge-replica", *a),
            build_draw=lambda *a: ("draw", *a),
            build_expire=lambda *a: ("expire", *a),
            build_draw_audit=lambda *a: ("draw-audit", *a),
            build_close_commits=lambda *a: ("close", *a),
            build_tally=lambda *a: ("tally", *a),
            build_settle=lambda *a: ("settle", *a),
            build_void=lambda *a: ("void", *a),
        )

    def _get_quorum(self, quorum: QuorumId) -> Quorum:
        if quorum != self.id:
            raise ContractRevert("UnknownQuorum", {}, "Quorum.getQuorum", b"")
        return self.find()

    def _get_job(self, job_id: JobId) -> Any:
        if job_id not in self.jobs:
            raise ContractRevert("UnknownJob", {}, "JobMarket.getJob", b"")
        return self.jobs[job_id]

    def _get_events(self, name: str, _: object = None) -> tuple[SimpleNamespace, ...]:
        if name == "RevealsOpened":
            return (SimpleNamespace(),) if self.are_reveals_confirmed else ()
        if name == "CandidateEnlisted":
            return tuple(self.entered)
        if name == "ReplicaExtracted":
            quorum = id_bytes(JobId(self.id))
            return tuple(
                SimpleNamespace(arguments={"jobId": id_bytes(job), "quorumId": quorum})
                for job in self.jobs
            )
        return ()

    def _submit(self, _: StepKey, call: Call, gas_limit: int | None = None) -> Any:
        if self.refusal is not None:
            raise self.refusal
        self.chain.sent.append(call)
        return SimpleNamespace(tx_hash="0x00", block_number=self.head)

    def tick(self, role: BaseRole) -> list[str]:
        """Do what is due of this quorum; return the names of the steps."""
        due = [k for k in role.compute_due_steps() if k.job in (name_quorum(self.id), "account")]
        for key in due:
            role.perform(key)
        return [key.step.partition(OF)[0] for key in due]
