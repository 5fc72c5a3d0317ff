"""A gateway's surroundings in memory: a chain that answers, an index that knows what it is told.

Signatures are real: the keys are those of a development node, and whoever cheats signs wrongly.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from eth_account import Account

from offchain.chain.binding import checksum
from offchain.chain.database import Place
from offchain.chain.event_store import Position
from offchain.chain.job_ids import id_bytes
from offchain.chain.transaction import parse_signature
from offchain.chain.typed_data import TypedMessage, build_order, build_request, build_result_receipt
from offchain.errors import OffchainError
from offchain.gateway.chain_view import Moment
from offchain.gateway.config import GatewayConfig
from offchain.gateway.core import Boards, Gateway, open_boards
from offchain.gateway.database import SerialDatabase
from offchain.gateway.limits import ClientLimits
from offchain.gateway.models import Shelf
from offchain.gateway.references import UNUSED, LeafFate, OrderFate, Use
from offchain.gateway.storage import Backend, open_backend
from offchain.gateway.tables import SCHEMA
from offchain.params.presets import LOCAL
from offchain.roles.log import Log
from offchain.types import (
    ETH,
    Address,
    Amount,
    BlockNumber,
    BlockStamp,
    Digest,
    Job,
    JobId,
    JobState,
    Order,
    OrderHash,
    ProtocolTime,
    Seconds,
    Session,
    SessionId,
    SessionRequest,
    SessionState,
    SessionTerms,
    VersionId,
    Wei,
)

CHAIN_ID = 31337
MARKET, SESSIONS, ORDERS, TOKEN, WALLET = (
    checksum("0x" + f"{n:02x}" * 20) for n in (0x11, 0x22, 0x33, 0x44, 0x55)
)
CLIENT, SIGNER, OPERATOR, WORKER, STRANGER = (
    Account.from_key(bytes([n]) * 32) for n in (1, 2, 3, 4, 5)
)
VERSION, OTHER_VERSION = VersionId(b"\x07" * 32), VersionId(b"\x08" * 32)
NOW = Seconds(1_000_000)
HOUR, DAY = 3600, 24 * 3600
JOB = JobId("0x" + "aa" * 32)
SESSION = SessionId("0x" + "bb" * 32)
TERMS = SessionTerms(
    client=Address(CLIENT.address),
    signer=Address(SIGNER.address),
    operator=Address(OPERATOR.address),
    version=VERSION,
    token=ETH,
    fee=Amount(10**15),
    salt=1,
)
ORDER = Order(
    client=Address(CLIENT.address),
    version=VERSION,
    in_digest=Digest(b"\x01" * 32),
    token=ETH,
    min_fee=Amount(10**15),
    max_fee=Amount(3 * 10**15),
    ramp_start=Seconds(NOW),
    ramp_end=Seconds(NOW + 100),
    take_until=Seconds(NOW + HOUR),
    verify_mask=0,
    salt=7,
)


def job_of(operator: Address, state: JobState = JobState.COMMITTED) -> Job:
    return Job(
        id=JOB,
        state=state,
        client=Address(CLIENT.address),
        token=ETH,
        fee=Amount(10**15),
        operator=operator,
        deadline=Seconds(NOW + 60),
        version=VERSION,
        out_digest=Digest(b"\x09" * 32),
        proof_required=False,
        deliver_by=Seconds(0),
    )


@dataclass
class FakeChain:
    """Answers like a deployment; tests change its fields."""

    chain_id: int = CHAIN_ID
    market: Address = MARKET
    sessions: Address = SESSIONS
    orders: Address = ORDERS
    tokens: frozenset[Address] = frozenset({ETH, TOKEN})
    now: int = NOW
    number: int = 100
    jobs: dict[JobId, Job] = field(default_factory=dict)
    opened: dict[SessionId, Session] = field(default_factory=dict)
    fates: dict[OrderHash, OrderFate] = field(default_factory=dict)
    credit: dict[tuple[Address, Address], int] = field(default_factory=dict)
    served: dict[Address, Address] = field(default_factory=dict)
    codes: dict[Address, bytes] = field(default_factory=dict)
    accepted: set[tuple[Address, bytes, bytes]] = field(default_factory=set)
    used: set[tuple[SessionId, int]] = field(default_factory=set)
    versions: set[VersionId] = field(default_factory=lambda: {VERSION})
    proof_fee: int = 2 * 10**15
    failure: OffchainError | None = None
    calls: int = 0

    def _count(self) -> None:
        self.calls += 1
        if self.failure is not None:
            raise self.failure

    def read_moment(self) -> Moment:
        self._count()
        head = BlockStamp(
            BlockNumber(self.number), "0x" + f"{self.number:064x}", Seconds(self.now), Wei(1)
        )
        return Moment(head, ProtocolTime(Seconds(self.now)))

    def find_job(self, job_id: JobId) -> Job | None:
        self._count()
        return self.jobs.get(job_id)

    def find_session(self, session: SessionId) -> Session | None:
        self._count()
        return self.opened.get(session)

    def is_nonce_used(self, session: SessionId, nonce: int) -> bool:
        self._count()
        return (session, nonce) in self.used

    def find_order(self, order: OrderHash) -> OrderFate:
        self._count()
        return self.fates.get(order, OrderFate())

    def has_version(self, version: VersionId) -> bool:
        self._count()
        return version in self.versions

    def get_credit(self, account: Address, token: Address) -> Amount:
        self._count()
        return Amount(self.credit.get((account, token), 0))

    def get_proof_fee(self, version: VersionId) -> Wei:
        self._count()
        return Wei(self.proof_fee)

    def get_served_owner(self, account: Address) -> Address | None:
        self._count()
        return self.served.get(account)

    def get_code(self, account: Address) -> bytes:
        self._count()
        return self.codes.get(account, b"")

    def is_signed_by_code(self, account: Address, digest: bytes, signature: bytes) -> bool:
        self._count()
        return (account, digest, signature) in self.accepted

    # What tests set

    def open_session(self, **changes: Any) -> Session:
        terms = changes.pop("terms", TERMS)
        values = {"state": SessionState.OPEN, "deposit": Amount(10**17), "closes_at": Seconds(0)}
        session = Session(id=SESSION, terms=terms, **{**values, **changes})
        self.opened[SESSION] = session
        return session


@dataclass
class FakeIndex:
    """Knows what tests tell it."""

    uses: dict[Digest, Use] = field(default_factory=dict)
    orders: dict[OrderHash, OrderFate] = field(default_factory=dict)
    leaves: dict[tuple[SessionId, int], LeafFate] = field(default_factory=dict)
    is_stale: bool = False
    failure: OffchainError | None = None

    def find_use(self, digest: Digest) -> Use:
        if self.failure is not None:
            raise self.failure
        return self.uses.get(digest, UNUSED)

    def find_orders(self, hashes: Sequence[OrderHash]) -> Mapping[OrderHash, OrderFate]:
        return {name: self.orders[name] for name in hashes if name in self.orders}

    def find_leaves(self, session: SessionId, nonces: Sequence[int]) -> Mapping[int, LeafFate]:
        named = {nonce: self.leaves.get((session, nonce)) for nonce in nonces}
        return {nonce: leaf for nonce, leaf in named.items() if leaf is not None}

    def get_health(self) -> Any:
        return SimpleNamespace(position=Position(100, "0x", 0), is_stale=self.is_stale)


class FakeClock:
    """Monotonic seconds that only tests move."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class SilentLog(Log):
    """Remembers events instead of printing them."""

    def __init__(self) -> None:
        super().__init__("gateway")
        self.events: list[tuple[str, dict[str, Any]]] = []

    def event(self, name: str, **facts: Any) -> None:
        self.events.append((name, facts))

    @property
    def names(self) -> list[str]:
        return [name for name, _ in self.events]


@dataclass
class Scene:
    """A gateway on fakes, and the fakes."""

    config: GatewayConfig
    chain: FakeChain
    index: FakeIndex
    clock: FakeClock
    log: SilentLog
    boards: Boards
    gateway: Gateway


def open_scene(home: Path, backend: Backend | None = None, **changes: Any) -> Scene:
    """Return a gateway whose folder is `home`; what was stored there before is there again."""
    config = GatewayConfig(manifest=home / "none.json", rpc_url="", home=home, **changes)
    chain, index, clock, log = FakeChain(), FakeIndex(), FakeClock(), SilentLog()
    chain.credit[Address(CLIENT.address), ETH] = 10**18
    limits = ClientLimits(config.limits, config.trust_proxy, clock)
    database = SerialDatabase(Place(config.database), SCHEMA)
    used = backend or open_backend(config.storage, home)
    boards = open_boards(config, limits, database, used, chain, index, log)
    contracts = {"JobMarket": SimpleNamespace(address=MARKET, abi=SimpleNamespace(entries=()))}
    manifest: Any = SimpleNamespace(
        chain_id=CHAIN_ID, contracts=contracts, token=TOKEN, preset="local", first_block=1,
        srs_insecure=True,
    )  # fmt: skip
    nothing: Any = SimpleNamespace()
    gateway = Gateway(
        **vars(boards), config=config, log=log, client=nothing, manifest=manifest,
        contracts=nothing, parameters=LOCAL, index=cast(Any, index),
        models=Shelf(None, log), database=database,
    )  # fmt: skip
    return Scene(config, chain, index, clock, log, boards, gateway)


def sign(account: Any, message: TypedMessage) -> bytes:
    """Return 65 bytes."""
    return bytes(account.sign_message(message.to_signable()).signature)


def compact(signature: bytes) -> bytes:
    """Return 64 bytes (EIP-2098)."""
    return parse_signature(signature).to_compact()


def sign_order(order: Order, account: Any = CLIENT) -> bytes:
    return sign(account, build_order(CHAIN_ID, ORDERS, order))


def sign_request(request: SessionRequest, account: Any = SIGNER) -> bytes:
    return sign(account, build_request(CHAIN_ID, SESSIONS, request))


def sign_result(job: JobId, out_digest: bytes, account: Any = OPERATOR) -> bytes:
    return sign(account, build_result_receipt(CHAIN_ID, MARKET, id_bytes(job), out_digest))
