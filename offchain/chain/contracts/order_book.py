"""OrderBook: jobs ordered by signature, at a price that rises until a worker takes them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass
from typing import ClassVar, Final

from offchain.chain.abi import DecodedEvent
from offchain.chain.binding import Binding, checksum
from offchain.chain.client import Call
from offchain.chain.job_ids import id_bytes, id_number, to_job_id
from offchain.chain.typed_data import TypedMessage, build_order, hash_order
from offchain.errors import RangeError
from offchain.types import (
    Address,
    Amount,
    BlockNumber,
    JobId,
    JobTerms,
    Order,
    OrderHash,
    Seconds,
)

ORDER_TAKEN: Final = "OrderTaken"
ORDER_CANCELLED: Final = "OrderCancelled"
NO_PRIVACY_MASK: Final = 0  # reserved for private jobs
NO_JOB: Final = JobId("0x" + "00" * 32)


@dataclass(frozen=True)
class TakenOrder:
    """An order that is a job, as its event told it."""

    order: OrderHash
    job: JobId
    client: Address
    operator: Address
    fee: Amount
    block_number: BlockNumber


class OrderBook(Binding):
    """Orders by signature."""

    NAME: ClassVar[str] = "OrderBook"

    # Orders

    def hash_order(self, order: Order) -> OrderHash:
        """Return what the client signs, which names the order, without asking the contract."""
        return hash_order(self._client.chain_id, self.address, order)

    def build_message(self, order: Order) -> TypedMessage:
        """Return the order as its client signs it."""
        return build_order(self._client.chain_id, self.address, order)

    def get_price(self, order: Order) -> Amount:
        """Return the order's price at the head; raise ContractRevert InvalidRamp if it has none."""
        return Amount(self.read("priceOf", astuple(order)))

    def find_job(self, order: OrderHash) -> JobId | None:
        """Return the job of an order that was taken, or None."""
        job = to_job_id(self.read("jobOf", id_bytes(JobId(order))))
        return None if job == NO_JOB else job

    def is_cancelled(self, order: OrderHash) -> bool:
        """Whether the client has withdrawn an order."""
        return bool(self.read("isCancelled", id_bytes(JobId(order))))

    # Events

    def read_taken(self, event: DecodedEvent) -> TakenOrder:
        """Return an OrderTaken event's facts."""
        told = event.arguments
        return TakenOrder(
            order=OrderHash("0x" + told["orderHash"].hex()),
            job=to_job_id(told["jobId"]),
            client=checksum(told["client"]),
            operator=checksum(told["operator"]),
            fee=Amount(told["fee"]),
            block_number=BlockNumber(event.block_number),
        )

    def find_taken(self, first_block: int, client: Address) -> Sequence[TakenOrder]:
        """Return a client's orders that were taken, as the chain's logs name them, oldest first."""
        padded = "0x" + client[2:].lower().rjust(64, "0")
        topics = [self.abi.get_topic(ORDER_TAKEN), None, None, padded]
        last = self._client.get_head().number
        logs = self._client.collect_logs([self.address], first_block, last, topics)
        events = map(self.abi.decode_event, logs)
        return tuple(self.read_taken(e) for e in events if e and e.name == ORDER_TAKEN)

    # Transactions

    def build_take_order(self, order: Order, signature: bytes, input_uri: str) -> Call:
        """Turn an order into a job and take it; the sender is a worker."""
        return self.build("takeOrder", astuple(order), signature, input_uri)

    def build_cancel_order(self, order: Order) -> Call:
        """Withdraw an order that nobody has taken; the sender is its client."""
        return self.build("cancelOrder", astuple(order))


def compute_price(order: Order, now: Seconds) -> Amount:
    """Return an order's price at a second of the protocol's clock, as `IOrderBook.priceOf` says.

    min_fee + floor((max_fee - min_fee) (now - ramp_start) / (ramp_end - ramp_start)), within
    [min_fee, max_fee]; raises RangeError where the price would fall or the rise end before it
    begins.
    """
    if order.min_fee > order.max_fee or order.ramp_start > order.ramp_end:
        raise RangeError("the order's price falls, or its rise ends before it begins")
    if now >= order.ramp_end:
        return order.max_fee
    if now <= order.ramp_start:
        return order.min_fee
    rise = (order.max_fee - order.min_fee) * (now - order.ramp_start)
    return Amount(order.min_fee + rise // (order.ramp_end - order.ramp_start))


def build_order_terms(order: Order, name: OrderHash, fee: Amount) -> JobTerms:
    """Return the terms of the job that an order becomes when it is taken for `fee`."""
    return JobTerms(
        client=order.client,
        version=order.version,
        in_digest=order.in_digest,
        token=order.token,
        fee=fee,
        verify_mask=order.verify_mask,
        privacy_mask=NO_PRIVACY_MASK,
        salt=id_number(JobId(name)),
    )
