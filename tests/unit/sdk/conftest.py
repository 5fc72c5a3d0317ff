"""An SDK's world without a chain: contracts, store and gateway answer from memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from eth_account import Account

from offchain.chain.client import Call
from offchain.chain.job_ids import compute_job_id
from offchain.chain.journal import Journal
from offchain.chain.keys import LocalSigner
from offchain.chain.typed_data import build_order, build_request, hash_order
from offchain.errors import ContractRevert, GatewayRefused
from offchain.params.presets import LOCAL
from offchain.sdk.connection import Connection
from offchain.submit.content import FolderStore
from offchain.submit.gateway import SignedOrder, SignedRequest
from offchain.submit.models import Model
from offchain.types import (
    ETH,
    NOBODY,
    Address,
    Amount,
    Digest,
    Job,
    JobId,
    JobState,
    JobTerms,
    Order,
    OrderHash,
    ProtocolTime,
    Seconds,
    SessionId,
    SessionRequest,
    VersionId,
)
from tests.small_mlp import tiny

CHAIN_ID, MARKET, BOOK = 31337, Address("0x" + "11" * 20), Address("0x" + "12" * 20)
SESSIONS, OPERATOR = Address("0x" + "13" * 20), Address("0x" + "14" * 20)
VERSION = VersionId(b"\5" * 32)
NOW = 1_000
MLP = tiny()
MODEL = Model(Path(), MLP.graph, MLP.weights)
CLIENT = LocalSigner(Account.from_key(b"\x01" * 32))
WORKER = LocalSigner(Account.from_key(b"\x02" * 32))
STRANGER = LocalSigner(Account.from_key(b"\x03" * 32))


def refuse(name: str) -> ContractRevert:
    return ContractRevert(name, {}, "call", b"")


@dataclass
class World:
    """What the chain says, and what was sent to it."""

    now: int = NOW
    jobs: dict[JobId, Job] = field(default_factory=dict)
    sent: list[str] = field(default_factory=list)
    credit: int = 0
    base_fee: int = 10**9
    taken: dict[OrderHash, JobId] = field(default_factory=dict)
    cancelled: set[OrderHash] = field(default_factory=set)
    used_nonces: set[int] = field(default_factory=set)
    known_nonces: set[int] = field(default_factory=set)  # that the gateway has for other inputs
    shown_by: LocalSigner = CLIENT  # who signed what the gateway has
    shown_shift: int = 0  # by how much the nonce that it shows is another one
    posted_orders: list[SignedOrder] = field(default_factory=list)
    posted_requests: list[SignedRequest] = field(default_factory=list)
    challengers: tuple[str, ...] = ()
    dispute: Any = None

    def find(self, job_id: JobId) -> Job:
        if job_id not in self.jobs:
            raise refuse("UnknownJob")
        return self.jobs[job_id]

    def put(self, terms: JobTerms, state: JobState, **facts: Any) -> JobId:
        job_id = compute_job_id(CHAIN_ID, MARKET, terms)
        self.jobs[job_id] = replace(
            Job(
                id=job_id,
                state=state,
                client=terms.client,
                token=terms.token,
                fee=terms.fee,
                operator=NOBODY,
                deadline=Seconds(NOW + 100),
                version=terms.version,
                out_digest=Digest(bytes(32)),
                proof_required=terms.proof_required,
                deliver_by=Seconds(0),
            ),
            **facts,
        )
        return job_id

    def post_request(self, signed: SignedRequest) -> None:
        if signed.request.nonce in self.known_nonces:
            raise GatewayRefused("gateway", 409, "Conflict", "another request has the nonce")
        self.posted_requests.append(signed)

    def get_request(self, session: SessionId, nonce: int) -> dict[str, Any]:
        """Tell what the gateway has under a nonce: a request for another input."""
        if nonce not in self.known_nonces:
            raise GatewayRefused("gateway", 404, "Unknown", "no such request")
        shown = nonce + self.shown_shift
        other = SessionRequest(session, shown, Digest(b"\x0e" * 32), Seconds(NOW + 9))
        signature = self.shown_by.sign_typed(build_request(CHAIN_ID, SESSIONS, other))
        return {
            "nonce": shown,
            "inDigest": "0x" + other.in_digest.hex(),
            "validUntil": int(other.valid_until),
            "signature": "0x" + signature.hex(),
        }


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def connection(world: World, tmp_path: Path) -> Iterator[Connection]:
    """A client's; every call that is built is named by its function."""
    names = SimpleNamespace

    def build(function: str) -> Any:
        return lambda *_, **__: Call("Fake", function, MARKET, function.encode())

    market = names(
        address=MARKET,
        get_time=lambda: ProtocolTime(Seconds(world.now)),
        get_job=world.find,
        get_assurance=lambda _: 0,
        compute_job_id=lambda terms: compute_job_id(CHAIN_ID, MARKET, terms),
        compute_proof_fee=lambda _: 10**16,
        **{
            f"build_{name}_job": build(f"{name}Job")
            for name in ("expire", "fail", "cancel", "void")
        },
        build_finalise=build("finalise"),
    )
    game = names(
        get_challengers=lambda _: world.challengers,
        get_required_bond=lambda _: 100,
        get_dispute_of=lambda _: world.dispute,
        build_challenge=lambda job, digest, bond: Call(
            "Game", f"challenge-{bond}", MARKET, bytes(digest)
        ),
        build_request_proof=build("requestProof"),
        build_claim_default=build("claimDefault"),
        build_distribute_slash=build("distributeSlash"),
    )
    vault = names(
        get_withdrawable=lambda _account, _token: Amount(world.credit),
        get_served_owner=lambda signer: OPERATOR if signer == WORKER.address else None,
        build_fund=build("fund"),
        build_withdraw_credit=build("withdrawCredit"),
    )
    orders = names(
        address=BOOK,
        hash_order=lambda order: hash_order(CHAIN_ID, BOOK, order),
        build_message=lambda order: build_order(CHAIN_ID, BOOK, order),
        find_job=world.taken.get,
        is_cancelled=lambda name: name in world.cancelled,
        build_cancel_order=build("cancelOrder"),
    )
    sessions = names(
        address=SESSIONS, is_nonce_used=lambda _session, nonce: nonce in world.used_nonces
    )
    registry = names(get_version=lambda _: names(proof_gas=10**6, royalty_bps=500))

    class Submitter:
        account = CLIENT.address

        def wait_for_pool(self) -> None:
            pass

        def submit(self, key: Any, call: Call) -> Any:
            journalled = f"{call.function} {key.job} {key.step}"
            if journalled not in world.sent:
                world.sent.append(journalled)
            return names(tx_hash="0x")

    journal = Journal(tmp_path / "journal.sqlite3")
    fakes = {
        "client": names(
            chain_id=CHAIN_ID, get_head=lambda: names(base_fee_wei=world.base_fee, number=9)
        ),
        "manifest": names(first_block=1),
        "contracts": names(
            market=market, game=game, vault=vault, orders=orders, sessions=sessions,
            registry=registry,
        ),
        "versions": names(reproduce=lambda _: names(model=MODEL)),
        "submitter": Submitter(),
        "own_gateway": names(
            post_order=world.posted_orders.append,
            post_request=world.post_request,
            get_request=world.get_request,
        ),
    }  # fmt: skip
    yield Connection(
        **cast(Any, fakes),
        parameters=LOCAL,
        journal=journal,
        poll_s=0.0,
        own_signer=CLIENT,
        store=FolderStore(tmp_path / "content"),
    )
    journal.close()


def make_terms(**terms: Any) -> JobTerms:
    given = {
        "client": Address(CLIENT.address), "version": VERSION, "in_digest": Digest(b"\1" * 32),
        "token": ETH, "fee": Amount(5), "verify_mask": 0, "privacy_mask": 0, "salt": 7,
    }  # fmt: skip
    return JobTerms(**{**given, **terms})


def make_order(**fields: Any) -> Order:
    given = {
        "client": Address(CLIENT.address), "version": VERSION, "in_digest": Digest(b"\1" * 32),
        "token": ETH, "min_fee": Amount(10), "max_fee": Amount(20),
        "ramp_start": Seconds(NOW), "ramp_end": Seconds(NOW + 10),
        "take_until": Seconds(NOW + 30), "verify_mask": 0, "salt": 1,
    }  # fmt: skip
    return Order(**{**given, **fields})
