"""A protocol in a few lines: blocks of events in the contracts' order, drawn from a seed.

It keeps books of its own, so that the index can be held against them; a branch is a copy.
"""

from __future__ import annotations

import copy
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from eth_utils.crypto import keccak

from offchain.chain.abi import DecodedEvent
from offchain.chain.event_store import Position
from offchain.chain.job_ids import compute_job_id, id_bytes
from offchain.chain.session_ids import build_job_terms, compute_batch_id, compute_session_id
from offchain.commit.batch_tree import compute_leaf, compute_root
from offchain.types import (
    ETH,
    Address,
    Amount,
    Digest,
    JobTerms,
    SessionId,
    SessionTerms,
    VersionId,
)

CHAIN = 31337
MARKET = Address("0x" + "aa" * 20)
SESSIONS = Address("0x" + "bb" * 20)
FEE, LOCK, BOND = 1000, 5000, 700


def account(number: int) -> str:
    """Return an address as events hold it: lower case."""
    return "0x" + f"{number + 1:02x}" * 20


OPERATORS = [account(i) for i in range(3)]
CLIENTS = [account(i) for i in range(3, 6)] + OPERATORS[:1]  # one orders from itself
CHALLENGERS = [account(i) for i in range(7, 10)] + CLIENTS[:1]
KEEPER = account(12)


class Tape:
    """Choices that a seed determines."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)

    def draw(self, below: int) -> int:
        return self._random.randrange(below)

    def pick(self, items: Sequence[Any]) -> Any:
        return items[self.draw(len(items))]


@dataclass
class Block:
    number: int
    hash: str
    time: int
    events: list[DecodedEvent] = field(default_factory=list)

    @property
    def position(self) -> Position:
        return Position(self.number, self.hash, self.time)


@dataclass
class State:
    """What one branch has come to."""

    books: dict[tuple[str, str], int] = field(default_factory=lambda: defaultdict(int))
    states: dict[str, str] = field(default_factory=dict)  # job -> state
    jobs: dict[str, dict[str, Any]] = field(default_factory=dict)
    versions: list[str] = field(default_factory=list)
    owners: dict[str, str] = field(default_factory=dict)
    sessions: dict[str, dict[str, Any]] = field(default_factory=dict)
    batches: dict[str, dict[str, Any]] = field(default_factory=dict)
    salt: int = 0
    paused: bool = False
    misses: dict[str, int] = field(default_factory=lambda: defaultdict(int))


class Story:
    """A chain that grows and forks."""

    def __init__(self, tape: Tape) -> None:
        self.tape = tape
        self.blocks = [Block(0, "0x" + bytes(32).hex(), 1_000_000)]
        self._states = [State()]
        self._forks = 0
        self._draft: Block | None = None

    @property
    def state(self) -> State:
        return self._states[-1]

    def grow(self) -> None:
        """Mine a block with up to nine actions."""
        self.mine(self.tape.draw(10))

    def mine(self, actions: int = 0) -> None:
        """Mine a block."""
        number = len(self.blocks)
        digest = keccak(text=f"{number}/{self._forks}/{self.blocks[-1].hash}").hex()
        time = self.blocks[-1].time + 1 + self.tape.draw(12)
        self._draft = Block(number, "0x" + digest, time)
        self._states.append(copy.deepcopy(self.state))
        for _ in range(actions):
            self._act()
        self.blocks.append(self._draft)

    def fork(self, depth: int) -> None:
        """Drop the newest blocks."""
        depth = min(depth, len(self.blocks) - 1)
        if depth:
            del self.blocks[-depth:], self._states[-depth:]
            self._forks += 1

    def emit(self, contract: str, name: str, **arguments: Any) -> None:
        assert self._draft is not None
        log = len(self._draft.events)
        self._draft.events.append(
            DecodedEvent(
                contract, name, arguments, self._draft.number, self._draft.hash, log,
                "0x" + keccak(text=f"{self._draft.hash}/{log // 3}").hex(),
            )
        )  # fmt: skip

    def vault(self, name: str, **arguments: Any) -> None:
        self.emit("StakeVault", name, **arguments)

    def move(self, who: str, part: str, amount: int) -> None:
        self.state.books[who, part] += amount

    # Actions

    def _act(self) -> None:
        often = [self.create, self.advance_job, self.advance_job, self.advance_job, self.deposit]
        actions = [
            *often, *often, self.advance_batch, self.commit_batch, self.register, self.unbond,
            self.open_session, self.fund, self.work, self.pause,
        ]  # fmt: skip
        self.tape.pick(actions)()

    def register(self) -> None:
        self.state.salt += 1
        version = keccak(text=f"version {self.state.salt}")
        owner = self.tape.pick(OPERATORS)
        word = bytes(31) + b"\1"
        params = (
            word, word, word, word, account(20), account(21), word, 3, 10**6, 1, 40, 100, "u" * 3,
        )  # fmt: skip
        self.emit(
            "ModelRegistry", "VersionRegistered", versionId=version, owner=owner, params=params,
            opCount=3,
        )  # fmt: skip
        self.state.versions.append("0x" + version.hex())
        self.state.owners["0x" + version.hex()] = owner

    def deposit(self) -> None:
        owner = self.tape.pick(OPERATORS)
        self.vault("Deposited", token=ETH, owner=owner, amount=6 * LOCK)
        self.move(owner, "free", 6 * LOCK)

    def unbond(self) -> None:
        owner = self.tape.pick(OPERATORS)
        free, waiting = self.state.books[owner, "free"], self.state.books[owner, "unbonding"]
        if waiting and self.tape.draw(2):
            self.vault("UnbondedWithdrawn", token=ETH, owner=owner, amount=waiting)
            self.move(owner, "unbonding", -waiting)
        elif free:
            amount = 1 + self.tape.draw(free)
            self.vault("UnbondRequested", token=ETH, owner=owner, amount=amount, readyAt=77)
            self.move(owner, "free", -amount)
            self.move(owner, "unbonding", amount)

    def fund(self) -> None:
        who = self.tape.pick(CLIENTS)
        if self.tape.draw(3) == 0 and (held := self.state.books[who, "credit"]):
            self.vault("CreditWithdrawn", token=ETH, account=who, amount=held)
            self.move(who, "credit", -held)
        else:
            self.vault("Funded", token=ETH, account=who, amount=3 * FEE)
            self.move(who, "credit", 3 * FEE)

    def work(self) -> None:
        owner, worker = self.tape.pick(OPERATORS), account(30 + self.tape.draw(3))
        nobody = account(-1)
        if self.tape.draw(2):
            self.vault("WorkerProposed", owner=owner, worker=worker)
        else:
            self.vault("WorkerSet", owner=owner, worker=worker, previous=nobody)

    def pause(self) -> None:
        if self.state.paused:
            self.emit("JobMarket", "Unpaused", duration=5)
        else:
            assert self._draft is not None
            self.emit("JobMarket", "Paused", until=self._draft.time + 1000)
        self.state.paused = not self.state.paused

    def create(self) -> None:
        if not self.state.versions:
            return self.register()
        self.state.salt += 1
        version = self.tape.pick(self.state.versions)
        client = self.tape.pick(CLIENTS)
        terms = JobTerms(
            client=Address(client), version=VersionId(bytes.fromhex(version[2:])),
            in_digest=Digest(keccak(text=f"in {self.tape.draw(4)}")), token=ETH, fee=Amount(FEE),
            verify_mask=0, privacy_mask=0, salt=self.state.salt,
        )  # fmt: skip
        self._create(terms, "uri" * self.tape.draw(3))
        job = compute_job_id(CHAIN, MARKET, terms)
        if self.state.books[client, "credit"] >= FEE and self.tape.draw(2):
            self.vault("CreditCharged", token=ETH, jobId=id_bytes(job), account=client, amount=FEE)
            self.move(client, "credit", -FEE)
        else:
            self.vault("EscrowAdded", token=ETH, jobId=id_bytes(job), payer=client, amount=FEE)
        return None

    def _create(self, terms: JobTerms, uri: str) -> str:
        job = compute_job_id(CHAIN, MARKET, terms)
        values = (
            terms.client, terms.version, terms.in_digest, terms.token, terms.fee, 0, 0, terms.salt,
        )  # fmt: skip
        self.emit(
            "JobMarket", "JobCreated", jobId=id_bytes(job), client=terms.client,
            version=terms.version, terms=values, assignUntil=10, inputUri=uri,
        )  # fmt: skip
        self.state.states[job] = "open"
        self.state.jobs[job] = {
            "client": terms.client, "version": "0x" + terms.version.hex(), "lock": 0,
            "challengers": [], "operator": None,
        }  # fmt: skip
        return job

    def advance_job(self) -> None:
        waiting = [j for j, s in self.state.states.items() if s in STEPS]
        if waiting:
            job = self.tape.pick(waiting)
            step = self.tape.pick(STEPS[self.state.states[job]])
            getattr(self, step)(job, self.state.jobs[job])

    def accept(self, job: str, known: dict[str, Any]) -> None:
        operator = self.tape.pick(OPERATORS)
        if self.state.books[operator, "free"] < LOCK:
            return
        self.vault("StakeLocked", token=ETH, jobId=id_bytes(job), operator=operator, amount=LOCK)
        self.move(operator, "free", -LOCK)
        self.move(operator, "locked", LOCK)
        self.market("JobAccepted", job, operator=operator, commitUntil=20)
        known["operator"], known["lock"] = operator, LOCK
        self.state.states[job] = "assigned"

    def market(self, name: str, job: str, **arguments: Any) -> None:
        self.emit("JobMarket", name, jobId=id_bytes(job), **arguments)

    def game(self, name: str, job: str, **arguments: Any) -> None:
        self.emit("DisputeGame", name, jobId=id_bytes(job), **arguments)

    def commit(self, job: str, known: dict[str, Any]) -> None:
        self.market(
            "ResultCommitted", job, operator=known["operator"],
            outDigest=keccak(text=f"out {self.tape.draw(4)}"), challengeUntil=30, outputUri="",
        )  # fmt: skip
        self.state.states[job] = "committed"

    def credit(self, key: str, who: str, amount: int) -> None:
        if amount:
            self.vault("Credited", token=ETH, jobId=id_bytes(key), account=who, amount=amount)
            self.move(who, "credit", amount)

    def burn(self, key: str, amount: int) -> None:
        self.vault("Burned", token=ETH, jobId=id_bytes(key), amount=amount)
        self.move("burned", "burned", amount)

    def release(self, key: str, operator: str, lock: int, fined: int = 0) -> None:
        self.vault(
            "LockReleased", token=ETH, jobId=id_bytes(key), operator=operator,
            returned=lock - fined, fined=fined,
        )  # fmt: skip
        self.move(operator, "locked", -lock)
        self.move(operator, "free", lock - fined)

    def pay(self, key: str, known: dict[str, Any], fee: int) -> None:
        self.release(key, known["operator"], known["lock"])
        self.credit(key, known["operator"], fee * 96 // 100)
        self.credit(key, self.state.owners[known["version"]], fee // 100)
        self.credit(key, KEEPER, fee // 100)
        self.burn(key, fee * 2 // 100)

    def refund(self, job: str, known: dict[str, Any], name: str, state: str) -> None:
        named = {} if known["operator"] is None or name == "JobVoided" else {
            "operator": known["operator"]
        }  # fmt: skip
        self.market(name, job, **named)
        if known["lock"]:
            self.release(job, known["operator"], known["lock"])
        self.credit(job, known["client"], FEE)
        self.state.states[job] = state

    def cancel(self, job: str, known: dict[str, Any]) -> None:
        self.refund(job, known, "JobCancelled", "cancelled")

    def refuse(self, job: str, known: dict[str, Any]) -> None:
        self.refund(job, known, "JobRefused", "refused")

    def void(self, job: str, known: dict[str, Any]) -> None:
        self.refund(job, known, "JobVoided", "voided")

    def expire(self, job: str, known: dict[str, Any]) -> None:
        self.market("JobExpired", job)
        self.credit(job, known["client"], FEE - 10)
        self.credit(job, KEEPER, 10)
        self.state.states[job] = "expired"

    def fail(self, job: str, known: dict[str, Any]) -> None:
        operator = known["operator"]
        self.market("JobFailed", job, operator=operator)
        self.release(job, operator, LOCK, 300)
        self.credit(job, known["client"], FEE + 150)
        self.burn(job, 150)
        self.state.misses[operator] += 1
        misses = self.state.misses[operator]
        self.vault("MissRecorded", operator=operator, misses=misses, windowStart=5)
        if misses == 3:
            self.vault("Jailed", operator=operator, until=99)
            self.state.misses[operator] = 0
        self.state.states[job] = "failed"

    def finalise(self, job: str, known: dict[str, Any]) -> None:
        self.market("JobFinalised", job, operator=known["operator"])
        self.pay(job, known, FEE)
        self.state.states[job] = "final"

    def deliver(self, job: str, known: dict[str, Any]) -> None:
        if known.get("delivery"):
            self.market("OutputDelivered", job, output=b"\1\2")
            return
        known["delivery"] = True
        operator, client = known["operator"], known["client"]
        self.market("DeliveryRequested", job, operator=operator, payment=0, deliverBy=40)
        self.vault("EscrowAdded", token=ETH, jobId=id_bytes(job), payer=client, amount=0)

    def challenge(self, job: str, known: dict[str, Any]) -> None:
        who = self.tape.pick(CHALLENGERS)
        self.market("JobDisputed", job)
        self.game(
            "ResultChallenged", job, challenger=who, operator=known["operator"], bond=BOND,
            proveBy=50, challengeSeed=keccak(text=job),
        )  # fmt: skip
        self._add_bond(job, known, who)
        self.state.states[job] = "disputed"

    def _add_bond(self, job: str, known: dict[str, Any], who: str) -> None:
        self.vault("BondAdded", jobId=id_bytes(job), challenger=who, amount=BOND)
        self.credit(job, who, self.tape.draw(2) * 5)
        known["challengers"].append(who)

    def join(self, job: str, known: dict[str, Any]) -> None:
        left = [who for who in CHALLENGERS if who not in known["challengers"]]
        if left:
            who = self.tape.pick(left)
            self.game("ChallengeJoined", job, challenger=who, bond=BOND)
            self._add_bond(job, known, who)

    def prove(self, job: str, known: dict[str, Any]) -> None:
        operator, bonds = known["operator"], BOND * len(known["challengers"])
        self.game("ResultProven", job, prover=operator, beneficiary=operator)
        self.market("JobProven", job, operator=operator)
        self.pay(job, known, FEE)
        self.vault("BondsSettled", jobId=id_bytes(job), amount=bonds)
        self.credit(job, operator, bonds * 8 // 10)
        self.burn(job, bonds - bonds * 8 // 10)
        self.state.states[job] = "proven"

    def _reject(self, job: str, known: dict[str, Any], is_fraud: bool) -> None:
        operator = known["operator"]
        self.market("JobRejected", job, operator=operator, airgapUntil=60)
        self.vault("LockSlashed", token=ETH, jobId=id_bytes(job), operator=operator, amount=LOCK)
        self.move(operator, "locked", -LOCK)
        self.credit(job, known["client"], FEE)
        if is_fraud:
            free = self.state.books[operator, "free"] // 10
            waiting = self.state.books[operator, "unbonding"] // 10
            self.vault(
                "StakeSlashed", token=ETH, jobId=id_bytes(job), operator=operator, fromFree=free,
                fromUnbonding=waiting,
            )  # fmt: skip
            self.move(operator, "free", -free)
            self.move(operator, "unbonding", -waiting)
            self.burn(job, free + waiting)
        self.vault("Jailed", operator=operator, until=88)

    def _return_bonds(self, job: str, known: dict[str, Any], whom: Sequence[str]) -> None:
        self.vault("BondsSettled", jobId=id_bytes(job), amount=BOND * len(whom))
        for who in whom:
            self.credit(job, who, BOND)

    def default(self, job: str, known: dict[str, Any]) -> None:
        self.game("DefaultClaimed", job, operator=known["operator"])
        self._reject(job, known, is_fraud=False)
        self._return_bonds(job, known, known["challengers"])
        self.state.states[job] = "rejected"

    def equivocate(self, job: str, known: dict[str, Any]) -> None:
        reporter, before = self.tape.pick(CHALLENGERS), list(known["challengers"])
        if reporter not in before:
            known["challengers"].append(reporter)
        self.game(
            "EquivocationProven", job, operator=known["operator"], reporter=reporter,
            first=keccak(b"1"), second=keccak(b"2"),
        )  # fmt: skip
        self._reject(job, known, is_fraud=True)
        if before:
            self._return_bonds(job, known, before)
        known["fraud"] = True
        self.state.states[job] = "rejected"

    def divide(self, job: str, known: dict[str, Any]) -> None:
        if known.get("divided"):
            return
        known["divided"] = True
        is_cured = not known.get("fraud") and self.tape.draw(2)
        operator = known["operator"]
        if is_cured:
            self.game("SlashCured", job, prover=operator)
        else:
            self.game("SlashDistributed", job)
        returned = LOCK * 8 // 10 if is_cured else 0
        client, each = (500, 50) if is_cured else (2000, 300)
        self.vault(
            "SlashDivided", token=ETH, jobId=id_bytes(job), operator=operator, returned=returned
        )
        self.move(operator, "free", returned)
        self.credit(job, known["client"], client)
        for who in known["challengers"]:
            self.credit(job, who, each)
        self.burn(job, LOCK - returned - client - each * len(known["challengers"]))

    # Sessions

    def open_session(self) -> None:
        if not self.state.versions:
            return self.register()
        self.state.salt += 1
        client = self.tape.pick(CLIENTS)
        terms = SessionTerms(
            Address(client), Address(client), Address(self.tape.pick(OPERATORS)),
            VersionId(bytes.fromhex(self.tape.pick(self.state.versions)[2:])), ETH, Amount(FEE),
            self.state.salt,
        )  # fmt: skip
        session = compute_session_id(CHAIN, SESSIONS, terms)
        key = bytes.fromhex(session[2:])
        self.emit(
            "SessionMarket", "SessionOpened", sessionId=key, client=client,
            operator=terms.operator, royaltyBps=100,
            terms=(terms.client, terms.signer, terms.operator, terms.version, ETH, FEE, terms.salt),
        )  # fmt: skip
        self.vault("EscrowAdded", token=ETH, jobId=key, payer=client, amount=8 * FEE)
        self.state.sessions[session] = {"terms": terms, "left": 8, "nonce": 0, "open": True}
        return None

    def commit_batch(self) -> None:
        ready = [s for s, known in self.state.sessions.items() if known["left"] and known["open"]]
        if not ready:
            return self.open_session()
        session = self.tape.pick(ready)
        known = self.state.sessions[session]
        terms: SessionTerms = known["terms"]
        number = 1 + self.tape.draw(known["left"])
        if self.state.books[terms.operator, "free"] < number * LOCK:
            return self.deposit()
        items, leaves, jobs = b"", [], []
        for _ in range(number):
            nonce, known["nonce"] = known["nonce"], known["nonce"] + 1
            inside = Digest(keccak(text=f"in {self.tape.draw(4)}"))
            outside = Digest(keccak(text=f"out {self.tape.draw(4)}"))
            job = build_job_terms(SessionId(session), terms, nonce, inside)
            jobs.append(job)
            leaves.append(compute_leaf(id_bytes(compute_job_id(CHAIN, MARKET, job)), outside))
            items += nonce.to_bytes(4, "big") + inside + outside
        root = compute_root(leaves)
        batch = compute_batch_id(SessionId(session), root)
        source, key = bytes.fromhex(session[2:]), bytes.fromhex(batch[2:])
        amounts = {"token": ETH, "amount": number * FEE}
        self.vault("EscrowMoved", **{"from": source, "to": key}, **amounts)
        lock, operator = number * LOCK, terms.operator
        self.vault("StakeLocked", token=ETH, jobId=key, operator=operator, amount=lock)
        self.move(operator, "free", -lock)
        self.move(operator, "locked", lock)
        self.emit(
            "SessionMarket", "BatchCommitted", sessionId=source, batchId=key, operator=operator,
            root=root, count=number, challengeUntil=70, items=items,
        )  # fmt: skip
        known["left"] -= number
        self.state.batches[batch] = {
            "session": session, "jobs": jobs, "out": [None] * number, "left": number, "live": True,
            "operator": operator, "version": "0x" + terms.version.hex(), "client": terms.client,
        }  # fmt: skip
        return None

    def advance_batch(self) -> None:
        live = [b for b, known in self.state.batches.items() if known["live"]]
        if not live:
            return self.close_session()
        batch = self.tape.pick(live)
        known = self.state.batches[batch]
        if known["left"] and self.tape.draw(2):
            return self._extract(batch, known)
        self.emit(
            "SessionMarket", "BatchFinalised", batchId=bytes.fromhex(batch[2:]),
            operator=known["operator"], count=known["left"],
        )  # fmt: skip
        if known["left"]:
            settled = {**known, "lock": known["left"] * LOCK}
            self.pay(batch, settled, known["left"] * FEE)
        known["live"] = False
        return None

    def _extract(self, batch: str, known: dict[str, Any]) -> None:
        index = len(known["jobs"]) - known["left"]
        known["left"] -= 1
        key = bytes.fromhex(batch[2:])
        job = compute_job_id(CHAIN, MARKET, known["jobs"][index])
        self.emit(
            "SessionMarket", "ResultExtracted", batchId=key, jobId=id_bytes(job),
            sessionId=bytes.fromhex(known["session"][2:]), index=index,
        )  # fmt: skip
        ends = {"from": key, "to": id_bytes(job), "token": ETH}
        self.vault("EscrowMoved", **ends, amount=FEE)
        self.vault("LockMoved", **ends, amount=LOCK)
        self._create(known["jobs"][index], "")
        self.market("JobAccepted", job, operator=known["operator"], commitUntil=20)
        self.state.jobs[job].update(operator=known["operator"], lock=LOCK, batch=batch)
        self.commit(job, self.state.jobs[job])

    def close_session(self) -> None:
        ready = [s for s, known in self.state.sessions.items() if known["open"]]
        if not ready:
            return
        session = self.tape.pick(ready)
        known, key = self.state.sessions[session], bytes.fromhex(session[2:])
        rest = known["left"] * FEE
        self.emit("SessionMarket", "SessionClosed", sessionId=key, returned=rest)
        self.credit(session, known["terms"].client, rest)
        known["left"], known["open"] = 0, False


STEPS = {
    "open": ("accept", "accept", "accept", "cancel", "expire", "void"),
    "assigned": ("commit", "commit", "commit", "refuse", "fail", "equivocate"),
    "committed": ("finalise", "challenge", "challenge", "deliver", "equivocate", "void"),
    "disputed": ("join", "prove", "default", "equivocate"),
    "rejected": ("divide",),
}
