"""Random moves of all parties on real contracts, and the contracts' word on what came of them.

A move that the contracts refuse is one that nobody made: what is tried need not be legal.
"""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Any

from eth_utils.crypto import keccak

from offchain.chain.client import Call
from offchain.chain.contracts.dispute_game import compute_evidence_commitment
from offchain.chain.contracts.guardian import Guardian
from offchain.chain.contracts.order_book import OrderBook
from offchain.chain.contracts.session_market import SessionMarket
from offchain.chain.job_ids import compute_job_id, id_bytes
from offchain.chain.keys import LocalSigner, create_key_file
from offchain.chain.rpc import RpcError
from offchain.chain.session_ids import build_job_terms, compute_batch_id, compute_session_id
from offchain.chain.transaction import parse_signature
from offchain.chain.typed_data import build_request, build_result_receipt
from offchain.cli.demo.world import World
from offchain.commit.batch_tree import compute_leaf, compute_path, compute_root
from offchain.errors import ContractRevert
from offchain.gateway.index.index import Index
from offchain.gateway.index.reader import View
from offchain.gateway.routes import explorer_views
from offchain.types import (
    ETH,
    Address,
    Amount,
    BatchId,
    BatchItem,
    BatchLeaf,
    Digest,
    DisputeState,
    Job,
    JobId,
    JobState,
    JobTerms,
    Order,
    Seconds,
    SessionId,
    SessionRequest,
    SessionTerms,
    SignedResult,
    VersionId,
)

ETHER = 10**18
FEE = Amount(ETHER // 10_000)
GAS = 8_000_000
FAR = Seconds(2**39)


class Moves:
    """Two operators, two clients, two challengers, a stranger."""

    def __init__(self, world: World, folder: Path, seed: int) -> None:
        self.world, self.random = world, Random(seed)
        self.rpc = world.anvil.rpc
        contracts = world.contracts
        self.vault, self.market, self.game = contracts.vault, contracts.market, contracts.game
        self.sessions = SessionMarket(world.client, world.manifest)
        self.orders = OrderBook(world.client, world.manifest)
        self.guardian = Guardian(world.client, world.manifest)
        names = ("owner0", "owner1", "worker0", "worker1", "client0", "client1", "first", "second")
        self.keys: dict[str, LocalSigner] = {
            name: create_key_file(folder / f"{name}-{seed}.key") for name in (*names, "stranger")
        }
        for signer in self.keys.values():
            world.anvil.fund(signer.address, 1000 * ETHER)
            self.rpc.request("anvil_impersonateAccount", signer.address)
        self.version = VersionId(bytes.fromhex(world.version[2:]))
        self.salt = seed << 32
        self.jobs: dict[JobId, JobTerms] = {}
        self.open_sessions: dict[SessionId, SessionTerms] = {}
        self.nonces: dict[SessionId, int] = {}
        self.batches: dict[BatchId, list[tuple[BatchLeaf, tuple[bytes, ...]]]] = {}
        self.origins: dict[JobId, str] = {}  # job -> batch
        self.placed: list[tuple[Order, bytes]] = []
        self.done: list[str] = []

    def address(self, name: str) -> Address:
        return Address(self.keys[name].address)

    def send(self, name: str, call: Call) -> bool:
        """Send a call in a block of its own; return whether the contracts took it."""
        fields = {
            "from": self.address(name), "to": call.to, "data": "0x" + call.calldata.hex(),
            "value": hex(call.value_wei), "gas": hex(GAS),
        }  # fmt: skip
        try:
            tx_hash = self.rpc.request("eth_sendTransaction", fields)
        except RpcError:
            return False
        receipt = self.world.client.get_receipt(tx_hash)
        if receipt is None:
            self.rpc.request("evm_mine")
            receipt = self.world.client.get_receipt(tx_hash)
        is_taken = receipt is not None and receipt.succeeded
        if is_taken:
            self.done.append(call.label)
        return is_taken

    def found(self) -> None:
        """Let both operators stake and hire."""
        for number in "01":
            owner, worker = f"owner{number}", f"worker{number}"
            assert self.send(owner, self.vault.build_deposit(5 * ETHER))
            assert self.send(owner, self.vault.build_propose_worker(self.address(worker)))
            assert self.send(worker, self.vault.build_accept_owner(self.address(owner)))

    def step(self) -> None:
        """Try one move; jobs move on most of the time."""
        rarely = [
            self.stake, self.withdraw, self.order, self.session, self.batch, self.batch,
            self.unbatch, self.unbatch, self.jump, self.unjail,
        ]  # fmt: skip
        self.random.choice([*[self.create] * 4, *[self.advance_job] * 16, *rarely])()

    def pick(self, *names: str) -> str:
        return self.random.choice(names)

    def jump(self, clock: int = 0) -> None:
        """Move the protocol's clock past a second, or a little."""
        now = self.market.get_time().now
        ahead = max(clock + 1 - now, 0) if clock else self.random.choice((3, 16))
        if ahead:
            self.world.anvil.jump_to(self.world.client.get_head().timestamp + ahead)

    def stake(self) -> None:
        owner = self.pick("owner0", "owner1")
        call = self.random.choice(
            (
                self.vault.build_deposit(ETHER),
                self.vault.build_request_unbond(ETHER // 3),
                self.vault.build_withdraw_unbonded(),
            )
        )
        self.send(owner, call)

    def withdraw(self) -> None:
        name = self.random.choice(list(self.keys))
        if self.random.random() < 0.5:
            self.send(name, self.vault.build_withdraw_credit())
        else:
            self.send(name, self.vault.build_fund(7 * FEE))

    def unjail(self) -> None:
        owner = self.pick("owner0", "owner1")
        self.jump(self.vault.get_standing(self.address(owner)).jailed_until)
        self.send(owner, self.vault.build_unjail())

    def create(self) -> None:
        client = self.pick("client0", "client1", "owner0")
        self.salt += 1
        digest = Digest(keccak(text=f"in {self.random.randrange(3)}"))
        terms = JobTerms(self.address(client), self.version, digest, ETH, FEE, 0, 0, self.salt)
        uri = self.pick("", "https://example/\u202einput", "x" * 3000)
        if self.send(client, self.market.build_create_job(terms, uri)):
            self.jobs[self.market.compute_job_id(terms)] = terms

    def advance_job(self) -> None:
        """Make the next move of a job that is not over."""
        live = [job for job_id in self.jobs if (job := self.find_live(job_id)) is not None]
        if not live:
            return self.create()
        job = self.random.choice(live)
        moves = {
            JobState.OPEN: (self.accept, self.accept, self.accept, self.leave),
            JobState.ASSIGNED: (self.commit, self.commit, self.commit, self.drop, self.evidence),
            JobState.COMMITTED: (self.challenge, self.challenge, self.finalise, self.deliver),
            JobState.DISPUTED: (self.challenge, self.default, self.default, self.evidence),
            JobState.REJECTED: (self.distribute,),
        }
        self.random.choice(moves[job.state])(job)
        return None

    def find_live(self, job_id: JobId) -> Job | None:
        """Return a job that asks for something yet."""
        try:
            job = self.market.get_job(job_id)
        except ContractRevert:
            return None
        if job.state is JobState.REJECTED:
            dispute = self.game.get_dispute_of(job_id)
            return job if dispute is not None and dispute.state.holds_slash else None
        return None if job.state.is_terminal else job

    def find_worker(self, job: Job) -> str:
        return "worker0" if job.operator == self.address("owner0") else "worker1"

    def accept(self, job: Job) -> None:
        worker = self.pick("worker0", "worker1")
        if not self.send(worker, self.market.build_accept_job(job.id)):
            self.unjail()

    def leave(self, job: Job) -> None:
        """Cancel or expire."""
        if self.random.random() < 0.5:
            for client in ("client0", "client1", "owner0"):
                self.send(client, self.market.build_cancel_job(job.id))
        else:
            self.jump(job.deadline + self.random.choice((0, 20)))
            self.send("stranger", self.market.build_expire_job(job.id))

    def commit(self, job: Job) -> None:
        digest = Digest(keccak(text=f"out {self.random.randrange(3)}"))
        call = self.market.build_commit_result(job.id, digest, "uri")
        self.send(self.find_worker(job), call)

    def drop(self, job: Job) -> None:
        """Refuse or fail."""
        if self.send(self.find_worker(job), self.market.build_reject_job(job.id)):
            return
        self.jump(job.deadline + self.random.choice((0, 20)))
        self.send("stranger", self.market.build_fail_job(job.id))

    def finalise(self, job: Job) -> None:
        self.jump(job.deadline + self.random.choice((0, 20)))
        self.send("stranger", self.market.build_finalise(job.id))

    def deliver(self, job: Job) -> None:
        """Ask for an output that never comes."""
        for client in ("client0", "client1", "owner0"):
            self.send(client, self.market.build_request_delivery(job.id, ETHER // 10))
        if (found := self.find_live(job.id)) is not None and found.deliver_by:
            self.jump(found.deliver_by)
            self.send("first", self.market.build_fail_job(job.id))

    def challenge(self, job: Job) -> None:
        name = self.pick("first", "second", "client0", "owner0")
        self.send(name, self.game.build_challenge(job.id, job.out_digest, ETHER // 5))

    def default(self, job: Job) -> None:
        dispute = self.game.get_dispute_of(job.id)
        assert dispute is not None
        self.jump(dispute.prove_until)
        self.send("first", self.game.build_claim_default(job.id))

    def distribute(self, job: Job) -> None:
        self.jump(job.deadline)
        self.send("stranger", self.game.build_distribute_slash(job.id))

    def evidence(self, job: Job) -> None:
        """Report two results that the worker signed."""
        signed = []
        for text in ("one", "two"):
            digest = Digest(keccak(text=text))
            message = build_result_receipt(
                self.world.client.chain_id, self.market.address, id_bytes(job.id), digest
            )
            signature = self.keys[self.find_worker(job)].sign_typed(message)
            signed.append(SignedResult(digest, signature))
        first, second, salt = *signed, self.random.randbytes(32)
        reporter = self.address("second")
        commitment = compute_evidence_commitment(reporter, job.id, first, second, salt)
        self.send("second", self.game.build_announce_evidence(commitment))
        self.send("second", self.game.build_prove_equivocation(job.id, first, second, salt))

    def order(self) -> None:
        if self.placed and self.random.random() < 0.6:
            order, signature = self.random.choice(self.placed)
            if self.random.random() < 0.3:
                client = "client0" if order.client == self.address("client0") else "client1"
                self.send(client, self.orders.build_cancel_order(order))
                return
            taken = self.orders.build_take_order(order, signature, "")
            if self.send(self.pick("worker0", "worker1"), taken):
                job = self.orders.find_job(self.orders.hash_order(order))
                assert job is not None
                self.jobs[job] = self.find_terms(order)
            return
        client = self.pick("client0", "client1")
        self.send(client, self.vault.build_fund(10 * FEE))
        self.salt += 1
        now = self.market.get_time().now
        order = Order(
            self.address(client), self.version, Digest(keccak(text="in 0")), ETH, FEE,
            Amount(2 * FEE), Seconds(now), Seconds(now + 100), FAR, 0, self.salt & 0xFFFFFFFF,
        )  # fmt: skip
        message = self.orders.build_message(order)
        self.placed.append((order, self.keys[client].sign_typed(message)))

    def find_terms(self, order: Order) -> JobTerms:
        """Return the terms of a taken order's job, whose fee the chain knows."""
        job_id = self.orders.find_job(self.orders.hash_order(order))
        assert job_id is not None
        return JobTerms(
            order.client, order.version, order.in_digest, order.token,
            self.market.get_job(job_id).fee, order.verify_mask, 0,
            int(self.orders.hash_order(order), 16),
        )  # fmt: skip

    def session(self) -> None:
        if self.open_sessions and self.random.random() < 0.4:
            session = self.random.choice(list(self.open_sessions))
            calls = [
                self.sessions.build_add_deposit(session, 2 * FEE),
                self.sessions.build_close_session(session),
                self.sessions.build_withdraw_session(session),
            ]
            self.send(self.pick("client0", "client1", "worker0"), self.random.choice(calls))
            return
        client, operator = self.pick("client0", "client1"), self.pick("owner0", "owner1")
        self.salt += 1
        terms = SessionTerms(
            self.address(client), self.address(client), self.address(operator), self.version, ETH,
            FEE, self.salt & 0xFFFFFFFF,
        )  # fmt: skip
        call = self.sessions.build_open_session(
            terms.signer, terms.operator, terms.version, ETH, FEE, terms.salt, 9 * FEE
        )
        if self.send(client, call):
            chain_id = self.world.client.chain_id
            session = compute_session_id(chain_id, self.sessions.address, terms)
            self.open_sessions[session] = terms

    def batch(self) -> None:
        if not self.open_sessions:
            return self.session()
        session = self.random.choice(list(self.open_sessions))
        terms = self.open_sessions[session]
        client = "client0" if terms.client == self.address("client0") else "client1"
        worker = "worker0" if terms.operator == self.address("owner0") else "worker1"
        items = []
        for _ in range(1 + self.random.randrange(4)):
            nonce = self.nonces[session] = self.nonces.get(session, -1) + 1
            inside = Digest(keccak(text=f"in {self.random.randrange(3)}"))
            request = SessionRequest(session, nonce, inside, FAR)
            message = build_request(self.world.client.chain_id, self.sessions.address, request)
            signature = parse_signature(self.keys[client].sign_typed(message)).to_compact()
            outside = Digest(keccak(text=f"out {self.random.randrange(3)}"))
            items.append(BatchItem(nonce, FAR, inside, outside, signature))
        if self.send(worker, self.sessions.build_commit_batch(session, items)):
            self._note_batch(session, terms, items)
        return None

    def _note_batch(self, session: SessionId, terms: SessionTerms, items: list[BatchItem]) -> None:
        nodes = []
        for item in items:
            job_terms = build_job_terms(session, terms, item.nonce, item.in_digest)
            job = compute_job_id(self.world.client.chain_id, self.market.address, job_terms)
            nodes.append(compute_leaf(id_bytes(job), item.out_digest))
        leaves = [
            (BatchLeaf(i, x.nonce, x.in_digest, x.out_digest), compute_path(nodes, i))
            for i, x in enumerate(items)
        ]
        self.batches[compute_batch_id(session, compute_root(nodes))] = leaves

    def unbatch(self) -> None:
        if not self.batches:
            return self.batch()
        batch = self.random.choice(list(self.batches))
        leaf, path = self.random.choice(self.batches[batch])
        call = self.random.choice(
            (
                self.sessions.build_extract(batch, leaf, path),
                self.sessions.build_challenge(batch, leaf, path, ETHER // 5),
                self.sessions.build_finalise_batch(batch),
            )
        )
        names = ["first", "client0", "client1"]
        if call.function == "finaliseBatch":
            try:
                self.jump(self.sessions.get_batch(batch).challenge_until)
            except ContractRevert:
                return None  # a reorganisation took it
            names = ["stranger"]
        if any(self.send(name, call) for name in names) and call.function != "finaliseBatch":
            self._note_extracted(batch, leaf)
        return None

    def _note_extracted(self, batch: BatchId, leaf: BatchLeaf) -> None:
        session = self.sessions.get_batch(batch).session
        terms = self.open_sessions[session]
        job_terms = build_job_terms(session, terms, leaf.nonce, leaf.in_digest)
        job = self.market.compute_job_id(job_terms)
        self.jobs[job], self.origins[job] = job_terms, batch

    def reorganise(self, depth: int) -> None:
        """Replace the newest blocks by empty ones; what they held is gone, not waiting."""
        self.rpc.request("evm_setAutomine", False)
        self.rpc.request("anvil_reorg", depth, [])
        self.rpc.request("anvil_dropAllTransactions")
        self.rpc.request("evm_setAutomine", True)
        self.rpc.request("evm_mine")


def compare_with_chain(moves: Moves, index: Index) -> None:
    """Hold every record of the index against what the contracts say at the same block."""
    with index.reader.view() as view:
        head = moves.world.client.get_head()
        assert (view.as_of.number, view.as_of.hash) == (head.number, head.hash)
        assert view.as_of.timestamp == head.timestamp
        assert explorer_views.read_clock(view) == moves.market.get_time().now
        _compare_jobs(moves, view)
        _compare_sessions(moves, view)
        _compare_accounts(moves, view)
        total = view.find("token", ETH)
        burned = 0 if total is None else total.body["sums"].get("burned", 0)
        assert burned == moves.vault.get_burned()
        for order, _ in moves.placed:
            key = moves.orders.hash_order(order)
            record = view.find("order", key)
            fate = (None, False) if record is None else (
                record.body["job"], record.body["state"] == "cancelled"
            )  # fmt: skip
            assert fate == (moves.orders.find_job(key), moves.orders.is_cancelled(key))


def _compare_jobs(moves: Moves, view: View) -> None:
    for job_id in moves.jobs:
        record = view.find("job", job_id)
        try:
            job = moves.market.get_job(job_id)
        except ContractRevert:
            assert record is None
            continue
        assert record is not None, job_id
        shown = explorer_views.find_job(view, job_id)
        assert shown is not None
        assert shown.state == job.state.name.lower()
        assert shown.batch == moves.origins.get(job_id)
        assert (shown.client, shown.token, int(shown.fee)) == (job.client, job.token, job.fee)
        assert (shown.operator or ETH) == job.operator
        assert shown.outDigest == ("0x" + job.out_digest.hex() if any(job.out_digest) else None)
        told = {
            JobState.OPEN: shown.deadlines.assignUntil,
            JobState.ASSIGNED: shown.deadlines.commitUntil,
            JobState.COMMITTED: shown.deadlines.challengeUntil,
            JobState.DISPUTED: shown.deadlines.challengeUntil,
            JobState.REJECTED: shown.deadlines.airgapUntil,
        }
        assert told.get(job.state, job.deadline) == job.deadline
        _compare_funds(moves, view, job_id)
        _compare_dispute(moves, view, job_id)


def _compare_funds(moves: Moves, view: View, key: JobId) -> None:
    chain, record = moves.vault.get_funds(key), view.find("funds", key)
    assert record is not None
    assert record.body["escrow"] == chain.escrow
    assert record.body["lock"] == chain.lock
    assert (record.body["lockStatus"] == "slashed") == chain.is_slashed
    assert record.body["bonds"] == moves.vault.get_bonds(key)


def _compare_dispute(moves: Moves, view: View, job_id: JobId) -> None:
    dispute, shown = moves.game.get_dispute_of(job_id), explorer_views.find_dispute(view, job_id)
    if dispute is None:
        assert shown is None
        return
    assert shown is not None
    assert shown.state == DisputeState(dispute.state).name.lower()
    assert tuple(shown.challengers) == moves.game.get_challengers(job_id)
    assert int(shown.bond) == dispute.bond_wei
    assert (shown.proveBy or 0) == dispute.prove_until
    assert shown.openedBlock == dispute.opened_at_block
    assert shown.challengeSeed in (None, "0x" + dispute.challenge_seed.hex())


def _compare_sessions(moves: Moves, view: View) -> None:
    known = {r.key: r for r in view.list("session", 10_000).records}
    for session in moves.open_sessions:
        try:
            found = moves.sessions.get_session(session)
        except ContractRevert:
            assert session not in known
            continue
        (shown,) = explorer_views.list_sessions(view, [known[session]])
        assert shown.state == found.state.name.lower()
        assert int(shown.deposit) == found.deposit
        assert (shown.closesAt or 0) == found.closes_at
    for batch, leaves in moves.batches.items():
        answer = explorer_views.find_batch(view, batch)
        try:
            stored = moves.sessions.get_batch(batch)
        except ContractRevert:
            assert answer is None
            continue
        assert answer is not None
        assert answer.state == stored.state.name.lower()
        assert (answer.count, answer.extracted) == (stored.count, stored.extracted)
        told = [(x.index, x.nonce, x.inDigest, x.outDigest) for x in answer.leaves]
        assert told == [
            (x.index, x.nonce, "0x" + x.in_digest.hex(), "0x" + x.out_digest.hex())
            for x, _ in leaves
        ]
        _compare_funds(moves, view, JobId(batch))


def _compare_accounts(moves: Moves, view: View) -> None:
    for signer in moves.keys.values():
        chain, record = (
            moves.vault.get_account(signer.address),
            view.find("account", signer.address),
        )
        body: dict[str, Any] = {} if record is None else record.body
        sums = body.get("tokens", {}).get(ETH, {})
        told = {name: sums.get(name, 0) for name in ("free", "locked", "credit", "unbonding")}
        assert told == {name: getattr(chain, name) for name in told}, signer.address
        standing = moves.vault.get_standing(signer.address)
        jail = (body.get("jailedUntil", 0), body.get("misses", 0), body.get("missWindowStart", 0))
        assert jail == (standing.jailed_until, standing.misses, standing.window_start)
        assert body.get("worker") == moves.vault.get_worker_of(signer.address)
        assert body.get("serves") == moves.vault.get_owner_of(signer.address)
