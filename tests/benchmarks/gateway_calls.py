"""The requests of the gateway's load test: real signatures by accounts with real credit."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from offchain.chain.job_ids import compute_job_id, id_bytes
from offchain.chain.keys import Signer, load_signer
from offchain.chain.session_ids import build_job_terms, compute_session_id
from offchain.chain.typed_data import build_order, build_request, build_result_receipt
from offchain.cli.demo.narrator import ETHER
from offchain.cli.demo.world import World
from offchain.roles.account import Account
from offchain.submit.content import compute_digest
from offchain.submit.gateway import order_to_json
from offchain.types import (
    ETH,
    Address,
    Amount,
    Digest,
    Order,
    Seconds,
    SessionId,
    SessionRequest,
    SessionTerms,
    VersionId,
)

ORDERS_PER_CLIENT: Final = 60  # the gateway keeps 64 open ones of an account
FEE: Final = Amount(10**15)
HOUR_S: Final = 3600
JSON: Final = {"Content-Type": "application/json"}


@dataclass(frozen=True)
class Call:
    """One request, and what counts as its answer."""

    method: str
    path: str
    body: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    status: int = 200
    expected: bytes | None = None

    def is_good(self, status: int, body: bytes) -> bool:
        """Whether this is the answer; bytes are compared."""
        return status == self.status and (self.expected is None or self.expected == body)


@dataclass(frozen=True)
class Cast:
    """Accounts with credit, a session, and the chain's clock."""

    world: World
    version: str
    clients: Sequence[Signer]
    operator: Signer
    session: SessionId
    terms: SessionTerms
    now: int

    @classmethod
    def hire(cls, world: World, folder: Path, amount: int) -> Cast:
        """Fund as many clients as it takes, and open a session."""
        clients = [
            _fund(world, folder, f"client-{k}") for k in range(-(-amount // ORDERS_PER_CLIENT))
        ]
        key_file, _ = world.create_account(folder, "operator")
        operator = load_signer(key_file)
        version = VersionId(bytes.fromhex(world.version[2:]))
        first, sessions = clients[0], world.contracts.sessions
        account = _open_account(world, folder, "client-0")
        terms = SessionTerms(
            Address(first.address), Address(first.address), Address(operator.address), version,
            ETH, FEE, 1,
        )  # fmt: skip
        account.send(
            sessions.build_open_session(
                terms.signer, terms.operator, version, ETH, int(FEE), terms.salt, int(FEE)
            )
        )
        session = compute_session_id(world.client.chain_id, sessions.address, terms)
        now = int(world.contracts.market.get_time().now)
        return cls(world, world.version, clients, operator, session, terms, now)


def build_orders(cast: Cast, amount: int) -> Sequence[Call]:
    """Return posts of signed orders."""
    calls = []
    chain_id, book = cast.world.client.chain_id, cast.world.contracts.orders.address
    for number in range(amount):
        signer = cast.clients[number % len(cast.clients)]
        order = Order(
            client=Address(signer.address),
            version=cast.terms.version,
            in_digest=Digest(number.to_bytes(32, "big")),
            token=ETH,
            min_fee=FEE,
            max_fee=FEE,
            ramp_start=Seconds(cast.now),
            ramp_end=Seconds(cast.now),
            take_until=Seconds(cast.now + HOUR_S),
            verify_mask=0,
            salt=number,
        )
        signature = signer.sign_typed(build_order(chain_id, book, order))
        calls.append(_post("/orders", {**order_to_json(order), "signature": _hex(signature)}))
    return calls


def build_requests(cast: Cast, inputs: Sequence[bytes]) -> Sequence[Call]:
    """Return posts of signed requests about inputs that were uploaded."""
    calls = []
    chain_id, sessions = cast.world.client.chain_id, cast.world.contracts.sessions.address
    for nonce, raw in enumerate(inputs):
        digest = compute_digest(raw, 8, (4, 1024))
        request = SessionRequest(cast.session, nonce, digest, Seconds(cast.now + HOUR_S))
        signature = cast.clients[0].sign_typed(build_request(chain_id, sessions, request))
        body = {
            "nonce": nonce, "inDigest": _hex(digest), "validUntil": cast.now + HOUR_S,
            "signature": _hex(signature),
        }  # fmt: skip
        calls.append(_post(f"/sessions/{cast.session}/requests", body))
    return calls


def build_results(cast: Cast, inputs: Sequence[bytes]) -> Sequence[Call]:
    """Return posts of the operator's signed results of those requests."""
    calls = []
    chain_id, market = cast.world.client.chain_id, cast.world.contracts.market.address
    for nonce, raw in enumerate(inputs):
        digest = compute_digest(raw, 8, (4, 1024))
        terms = build_job_terms(cast.session, cast.terms, nonce, digest)
        job = compute_job_id(chain_id, market, terms)
        message = build_result_receipt(chain_id, market, id_bytes(job), digest)
        signature = cast.operator.sign_typed(message)
        body = {"nonce": nonce, "outDigest": _hex(digest), "signature": _hex(signature)}
        calls.append(_post(f"/sessions/{cast.session}/results", body))
    return calls


def _post(path: str, body: Mapping[str, object]) -> Call:
    return Call("POST", path, json.dumps(body).encode(), JSON, status=201)


def _fund(world: World, folder: Path, name: str) -> Signer:
    key_file, _ = world.create_account(folder, name)
    _open_account(world, folder, name).send(world.contracts.vault.build_fund(ETHER))
    return load_signer(key_file)


def _open_account(world: World, folder: Path, name: str) -> Account:
    key_file = folder / f"{name}.key"
    return Account(world.anvil.url, world.manifest_file, key_file, None, folder / "state")


def _hex(raw: bytes) -> str:
    return "0x" + raw.hex()
