"""Sessions without a chain: the market of sessions, its events and a gateway answer from memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any

from eth_account import Account

from offchain.chain.job_ids import id_bytes
from offchain.chain.journal import StepKey
from offchain.chain.keys import LocalSigner
from offchain.chain.session_ids import build_job_terms, compute_batch_id, compute_session_id
from offchain.chain.transaction import parse_signature
from offchain.chain.typed_data import build_request
from offchain.commit.batch_tree import compute_leaf, compute_root
from offchain.errors import ContractRevert, GatewayUnavailable
from offchain.roles.context import Context
from offchain.roles.operator import Operator
from offchain.roles.session_book import name_batch, name_session
from offchain.submit.content import compute_digest
from offchain.submit.gateway import SignedOrder, SignedRequest
from offchain.types import (
    ETH,
    Address,
    Amount,
    Batch,
    BatchId,
    BatchItem,
    BatchLeaf,
    BatchState,
    CommittedBatch,
    Digest,
    JobId,
    Seconds,
    Session,
    SessionId,
    SessionRequest,
    SessionState,
    SessionTerms,
    VersionId,
)
from tests.unit.roles.conftest import CHAIN_ID, HEAD, OWNER, FakeWorld

SESSIONS = Address("0x" + "22" * 20)
SIGNER = LocalSigner(Account.from_key(b"\x05" * 32))
STRANGER = LocalSigner(Account.from_key(b"\x06" * 32))
FEE = Amount(10**15)
LOCK = 35 * FEE
WINDOW = 15


class TinyModel:
    """An input's first bytes are its output; a first byte of 255 is none."""

    __test__ = False
    input_bits = output_bits = 8
    input_shape, output_shape = (1, 8), (1, 4)
    output_bytes = 4
    cost = SimpleNamespace(seconds=1, gas=10**5, calldata_bytes=2_000)

    def __init__(self, flaw: int = 0) -> None:
        self.flaw = flaw
        self.runs = 0

    def check_input(self, raw: bytes) -> None:
        from offchain.errors import RangeError

        if raw[0] == 255:
            raise RangeError("255 is out of range")

    def run(self, raw: bytes, _: str) -> bytes:
        self.runs += 1
        return bytes([raw[0] ^ self.flaw]) + raw[1:4]


class FakeGateway:
    """What a gateway holds; it can be away, and lists what the test says."""

    def __init__(self) -> None:
        self.requests: dict[tuple[SessionId, int], SignedRequest] = {}
        self.results: dict[tuple[SessionId, int], tuple[Digest, bytes]] = {}
        self.orders: list[SignedOrder] = []
        self.is_away = False

    def get_requests(self, session: SessionId, state: str = "open") -> tuple[SignedRequest, ...]:
        self._answer()
        return tuple(
            signed
            for key, signed in self.requests.items()
            if key[0] == session and (key in self.results) == (state == "served")
        )

    def post_result(
        self, session: SessionId, nonce: int, out_digest: Digest, signature: bytes
    ) -> None:
        self._answer()
        known = self.results.setdefault((session, nonce), (out_digest, signature))
        assert known == (out_digest, signature), "two results were signed"

    def get_open_orders(self) -> tuple[SignedOrder, ...]:
        self._answer()
        return tuple(self.orders)

    def _answer(self) -> None:
        if self.is_away:
            raise GatewayUnavailable("gateway", "away")


@dataclass
class SessionWorld:
    """One session of the worker's owner, and everything that happens in it."""

    chain: FakeWorld
    gateway: FakeGateway = field(default_factory=FakeGateway)
    model: TinyModel = field(default_factory=TinyModel)
    state: SessionState = SessionState.OPEN
    closes_at: int = 0
    deposit: int = 1_000 * FEE
    free: int = 1_000 * LOCK
    used: set[int] = field(default_factory=set)
    commits: list[list[int]] = field(default_factory=list)  # nonces, batch by batch
    batches: dict[BatchId, CommittedBatch] = field(default_factory=dict)
    states: dict[BatchId, BatchState] = field(default_factory=dict)
    known: set[str] = field(default_factory=set)  # names of which the cursor has read an event
    is_read_at_once: bool = True  # whether the cursor reads an event as soon as it is mined
    mined: dict[StepKey, object] = field(default_factory=dict)
    refusal: ContractRevert | None = None
    before_submit: Callable[[], None] = field(default=lambda: None)

    def __post_init__(self) -> None:
        self.terms = SessionTerms(
            client=Address(SIGNER.address),
            signer=Address(SIGNER.address),
            operator=OWNER,
            version=VersionId(b"\x09" * 32),
            token=ETH,
            fee=FEE,
            salt=3,
        )
        self.id = compute_session_id(CHAIN_ID, SESSIONS, self.terms)
        self.known.add(name_session(self.id))

    # What a client does

    def ask(
        self,
        nonce: int,
        first: int | None = None,
        valid_for: int = 100,
        signer: LocalSigner = SIGNER,
        is_stored: bool = True,
    ) -> SignedRequest:
        """Hand a request to the gateway; its input begins with `first`, or with the nonce."""
        raw = bytes([nonce % 250 if first is None else first]) + nonce.to_bytes(7, "big")
        digest = compute_digest(raw, 8, (1, 8))
        if is_stored:
            (self.chain.home / "content").mkdir(exist_ok=True)
            (self.chain.home / "content" / f"{digest.hex()}.bin").write_bytes(raw)
        until = Seconds(self.chain.time.now + valid_for)
        request = SessionRequest(self.id, nonce, digest, until)
        signature = signer.sign_typed(build_request(CHAIN_ID, SESSIONS, request))
        signed = SignedRequest(request, parse_signature(signature).to_compact())
        self.gateway.requests[(self.id, nonce)] = signed
        return signed

    def job_id(self, nonce: int, in_digest: Digest) -> JobId:
        terms = build_job_terms(self.id, self.terms, nonce, in_digest)
        return self.chain._build_market().compute_job_id(terms)

    # The roles' world

    def build_context(self, role: str, journal: Any = None) -> Context:
        context = self.chain.build_context(role, journal)
        object.__setattr__(context, "gateway", self.gateway)
        context.contracts.sessions.__dict__.update(
            address=SESSIONS,
            get_session=lambda _: self.get_session(),
            get_batch=self.get_batch,
            is_nonce_used=lambda _, nonce: nonce in self.used,
            read_opened=lambda _: (self.id, self.terms),
            read_committed=lambda event: self.batches[event.arguments["batch"]],
            build_commit_batch=lambda session, items: ("commit-batch", session, tuple(items)),
            build_finalise_batch=lambda batch: ("finalise-batch", batch),
            build_void_batch=lambda batch: ("void-batch", batch),
            build_challenge=lambda *a: ("challenge-result", *a),
        )
        context.contracts.market.__dict__.update(compute_lock=lambda *_: LOCK)
        context.contracts.vault.__dict__.update(
            get_account=lambda *_: SimpleNamespace(free=self.free)
        )
        context.contracts.game.__dict__.update(get_bond=lambda _: 6)
        context.cursor.__dict__.update(
            get_live_jobs=self.list_live, get_events=self.get_events, is_known=self.is_known
        )
        context.submitter.__dict__.update(
            submit=self.submit, begin=self.begin, is_under_way=lambda key: key in self.mined
        )
        version = SimpleNamespace(
            id=self.terms.version, prove_seconds=1, proof_gas=10**5, royalty_bps=0, output_bytes=4
        )
        found = SimpleNamespace(version=version, model=self.model)
        context.versions.reproduce = lambda _: found  # type: ignore[method-assign]
        return context

    def build_operator(self, journal: Any = None, kind: type[Operator] = Operator) -> Operator:
        """Return an operator that asks its gateway at every tick."""
        operator = kind(self.build_context("operator", journal))
        serving = operator._further._serving
        orders = operator._further._orders
        assert serving is not None and orders is not None
        ticks = iter(range(10**6))
        serving._clock = orders._clock = lambda: 100.0 * next(ticks)
        return operator

    # What the chain says

    def get_session(self) -> Session:
        deposit = Amount(self.deposit - FEE * len(self.used))
        return Session(self.id, self.state, self.terms, deposit, Seconds(self.closes_at))

    def get_batch(self, batch: BatchId) -> Batch:
        if batch not in self.batches:
            raise ContractRevert("UnknownBatch", {}, "SessionMarket.getBatch", b"")
        told = self.batches[batch]
        return Batch(
            id=batch,
            state=self.states[batch],
            session=self.id,
            operator=told.operator,
            count=len(told.leaves),
            extracted=0,
            challenge_until=told.challenge_until,
        )

    def list_live(self) -> tuple[str, ...]:
        closed = {name_batch(b) for b, s in self.states.items() if s is not BatchState.COMMITTED}
        return tuple(sorted(self.known - closed))

    def is_known(self, name: str) -> bool:
        return name in self.known

    def get_events(self, name: str, job: str | None = None) -> tuple[Any, ...]:
        if name == "SessionOpened" and job == name_session(self.id):
            return (SimpleNamespace(arguments={}),)
        if name == "BatchCommitted" and job in self.known:
            batch = BatchId(str(job).removeprefix("batch-"))
            return (SimpleNamespace(arguments={"batch": batch}),)
        return ()

    def read_events(self) -> None:
        """Let the cursor read everything that is mined."""
        self.known |= {name_batch(batch) for batch in self.batches}

    # What is sent

    def begin(self, key: StepKey, call: Any) -> None:
        self.submit(key, call)

    def submit(self, key: StepKey, call: Any, gas_limit: int | None = None) -> Any:
        self.before_submit()
        if key in self.mined:
            return self.mined[key]
        if self.refusal is not None:
            raise self.refusal
        if call[0] == "commit-batch":
            self.commit(call[2])
        elif call[0] == "finalise-batch":
            self.states[call[1]] = BatchState.FINAL
        elif call[0] == "void-batch":
            self.states[call[1]] = BatchState.VOIDED
        self.chain.sent.append(call)
        self.mined[key] = SimpleNamespace(tx_hash="0x00", block_number=HEAD)
        return self.mined[key]

    def commit(self, items: Sequence[BatchItem]) -> BatchId:
        """Take a batch as the contract does: each nonce once, nothing overdue."""
        now = self.chain.time.now
        for item in items:
            if item.nonce in self.used:
                raise ContractRevert("NonceUsed", {"nonce": item.nonce}, "commitBatch", b"")
            if item.valid_until < now:
                raise ContractRevert("RequestExpired", {}, "commitBatch", b"")
        nonces = [item.nonce for item in items]
        assert len(set(nonces)) == len(nonces)
        self.used |= set(nonces)
        self.commits.append(nonces)
        return self.add_batch([(i.nonce, i.in_digest, i.out_digest) for i in items])

    def add_batch(self, results: Sequence[tuple[int, Digest, Digest]]) -> BatchId:
        """Put a batch on the chain, whatever its results are."""
        leaves = tuple(BatchLeaf(i, *result) for i, result in enumerate(results))
        hashed = [
            compute_leaf(id_bytes(self.job_id(leaf.nonce, leaf.in_digest)), leaf.out_digest)
            for leaf in leaves
        ]
        root = compute_root(hashed)
        batch = compute_batch_id(self.id, root)
        until = Seconds(self.chain.time.now + WINDOW)
        self.batches[batch] = CommittedBatch(batch, self.id, OWNER, root, until, leaves)
        self.states[batch] = BatchState.COMMITTED
        if self.is_read_at_once:
            self.read_events()
        return batch

    def pass_time(self, seconds: int) -> None:
        now = Seconds(self.chain.time.now + seconds)
        self.chain.time = replace(self.chain.time, now=now)


def tick(role: Any) -> list[str]:
    """Perform what is due about sessions, batches and orders; return the steps' names."""
    due = [key for key in role.compute_due_steps() if key.job.startswith(("session", "batch"))]
    for key in due:
        role.perform(key)
    return [key.step.partition(":")[0] for key in due]
