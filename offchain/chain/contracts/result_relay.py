"""ResultRelay: results into contracts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from offchain.chain.binding import Binding, checksum
from offchain.chain.client import Call
from offchain.chain.job_ids import id_bytes
from offchain.types import NOBODY, Address, JobId


@dataclass(frozen=True)
class Subscription:
    """Who is to be told of a job's result."""

    consumer: Address
    gas_limit: int  # of its call, exactly
    is_delivered: bool


class ResultRelay(Binding):
    """Hands the outputs of final results to contracts."""

    NAME: ClassVar[str] = "ResultRelay"

    def find_subscription(self, job_id: JobId) -> Subscription | None:
        """Return who is to be told of a job's result, or None."""
        found = self.read_struct("getSubscription", id_bytes(job_id))
        consumer = checksum(found["consumer"])
        if consumer == NOBODY:
            return None
        return Subscription(consumer, found["gasLimit"], bool(found["isDelivered"]))

    def build_subscribe(self, job_id: JobId, consumer: Address, gas_limit: int) -> Call:
        """Name, once, the contract that is told of the result; the sender is the job's client."""
        return self.build("subscribe", id_bytes(job_id), consumer, gas_limit)

    def build_deliver(
        self, job_id: JobId, bytes_per_element: int, dims: Sequence[int], output: bytes
    ) -> Call:
        """Tell the consumer the result of a FINAL or PROVEN job; anybody may.

        `dims` are the tensor's as its digest has them (offchain.commit.digest.as_matrix).
        """
        return self.build("deliver", id_bytes(job_id), bytes_per_element, list(dims), output)
