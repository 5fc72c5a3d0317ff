"""A job ordered by signature: nothing is on chain until a worker takes it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from eth_utils.crypto import keccak

from offchain.chain.contracts.order_book import build_order_terms, compute_price
from offchain.errors import ConfigError, JobEnded
from offchain.roles.client import SALT_BYTES
from offchain.sdk.connection import Connection
from offchain.sdk.job import WAIT_S, Job
from offchain.sdk.waiting import wait_for
from offchain.submit.gateway import SignedOrder, order_to_json, parse_order
from offchain.types import Address, Amount, Digest, Order, OrderHash, Seconds, VerifyMask, VersionId

State = Literal["open", "taken", "cancelled", "expired"]
ORDER: Final = "order"  # journal step: the order that a name stands for, and its signature


class PlacedOrder:
    """A signed order, shown to workers by a gateway. Its fate is asked of the chain."""

    def __init__(
        self, connection: Connection, signed: SignedOrder, raw_input: bytes | None = None
    ) -> None:
        self.order: Order = signed.order
        self.signature = signed.signature
        self.hash: OrderHash = connection.orders.hash_order(signed.order)
        self._connection = connection
        self._raw_input = raw_input

    def __repr__(self) -> str:
        return f"PlacedOrder({self.hash})"

    @property
    def price(self) -> Amount:
        """Return what a worker gets for it now, whether it can still be taken or not."""
        now = self._connection.contracts.market.get_time().now
        return compute_price(self.order, now)

    def state(self) -> State:
        """Return what became of the order."""
        orders = self._connection.orders
        if orders.find_job(self.hash) is not None:
            return "taken"
        if orders.is_cancelled(self.hash):
            return "cancelled"
        now = self._connection.contracts.market.get_time().now
        return "expired" if now > self.order.take_until else "open"

    def find_job(self) -> Job | None:
        """Return the order's job, or None while nobody has taken it."""
        connection = self._connection
        job_id = connection.orders.find_job(self.hash)
        if job_id is None:
            return None
        fee = connection.contracts.market.get_job(job_id).fee
        terms = build_order_terms(self.order, self.hash, fee)
        if connection.contracts.market.compute_job_id(terms) != job_id:
            raise JobEnded(job_id, "another job", "it does not have the order's terms")
        return Job(connection, job_id, terms, self._raw_input)

    def wait(self, timeout: float = WAIT_S) -> Job:
        """Wait until a worker has taken the order; return its job.

        Raises WaitTimeout, or JobEnded where nobody can take it any more.
        """
        what = f"order {self.hash}"
        return wait_for(what, self._look, timeout, self._connection.poll_s)

    def _look(self) -> tuple[Job | None, str]:
        state = self.state()
        if state in ("cancelled", "expired"):
            raise JobEnded(self.hash, state, "nobody took the order; nothing was paid")
        return self.find_job(), state

    def show(self) -> None:
        """Hand the order to the gateway, which shows it to workers; again is no harm."""
        self._connection.gateway.post_order(SignedOrder(self.order, self.signature))

    def cancel(self) -> None:
        """Withdraw the order on chain; raise ContractRevert where somebody was first."""
        call = self._connection.orders.build_cancel_order(self.order)
        self._connection.send(self.hash, "cancel", call)


@dataclass(frozen=True)
class Wish:
    """What an order asks for, and between which prices."""

    version: VersionId
    in_digest: Digest
    token: Address
    min_fee: Amount
    max_fee: Amount
    mask: VerifyMask


def sign_order(
    connection: Connection,
    wish: Wish,
    name: str,
    ramp_seconds: int | None,
    valid_seconds: int | None,
) -> SignedOrder:
    """Sign an order whose ramp begins now, written down before anybody else sees it.

    Without other spans the price rises over T_assign, and the order can be taken T_assign longer.
    """
    assign = connection.parameters.assign_seconds
    ramp = assign if ramp_seconds is None else ramp_seconds
    span = ramp + assign if valid_seconds is None else valid_seconds
    now = connection.contracts.market.get_time().now
    order = Order(
        client=connection.account,
        version=wish.version,
        in_digest=wish.in_digest,
        token=wish.token,
        min_fee=wish.min_fee,
        max_fee=wish.max_fee,
        ramp_start=now,
        ramp_end=Seconds(now + ramp),
        take_until=Seconds(now + span),
        verify_mask=int(wish.mask),
        salt=compute_salt(name),
    )
    compute_price(order, now)  # raises RangeError for a price that falls
    signature = connection.signer.sign_typed(connection.orders.build_message(order))
    detail = {"order": order_to_json(order), "signature": signature.hex()}
    connection.remember(ORDER, name, detail)
    return SignedOrder(order, signature)


def recall_order(connection: Connection, name: str) -> SignedOrder | None:
    """Return the order that a name stands for already; raise ConfigError for a damaged one."""
    detail = connection.recall(ORDER, name)
    if detail is None:
        return None
    try:
        return SignedOrder(parse_order(detail["order"]), bytes.fromhex(detail["signature"]))
    except (KeyError, ValueError) as error:
        raise ConfigError(f"the journal's order {name!r}: {error}") from None


def compute_salt(name: str) -> int:
    """Return the salt that a name stands for, as ordinary jobs have it (`Request`)."""
    return int.from_bytes(keccak(text=name)[:SALT_BYTES], "big")
