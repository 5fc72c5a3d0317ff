"""Signed orders: checked before they are shown to anybody, and followed until their end."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import ColumnElement, delete, func, or_, select, update

from offchain.chain.contracts.order_book import compute_price
from offchain.chain.database import Database
from offchain.chain.typed_data import build_order
from offchain.errors import RangeError
from offchain.gateway.chain_view import ChainClock, ChainView
from offchain.gateway.config import Limits
from offchain.gateway.faults import OutOfSpace, Refused, Unknown
from offchain.gateway.references import UNUSED, IndexView, OrderFate, Use
from offchain.gateway.signatures import verify_account_signature
from offchain.gateway.tables import ORDERS
from offchain.submit.gateway import order_to_json, parse_order
from offchain.types import ETH, Digest, JobId, Order, OrderHash, Seconds, VerifyMask

OPEN: Final = "open"
TAKEN: Final = "taken"
CANCELLED: Final = "cancelled"
EXPIRED: Final = "expired"
# Expired and cancelled ones stay for a while, too: so many times as many that nobody took.
KEPT: Final = 16
CHUNK: Final = 500  # orders followed in one query
UNSETTLED_S: Final = 600  # protocol's clock: so long a reorganisation may change an end


@dataclass(frozen=True)
class KnownOrder:
    """An order with its client's signature and what became of it."""

    number: int  # order of arrival
    hash: OrderHash
    order: Order
    signature: str
    state: str
    job: JobId | None

    def compute_price(self, now: int) -> int:
        """Return what a worker gets for it now."""
        return int(compute_price(self.order, Seconds(now)))


class OrderBoard:
    """Orders that workers may take."""

    def __init__(
        self, database: Database, chain: ChainView, clock: ChainClock, limits: Limits
    ) -> None:
        self._database, self._chain, self._clock, self._limits = database, chain, clock, limits
        self._space = database.space

    def post(self, order: Order, signature: bytes) -> tuple[KnownOrder, bool]:
        """Keep an order; return it, and whether it was not known.

        Raises SignatureRefused, and Refused where no worker could take it.
        """
        message = build_order(self._chain.chain_id, self._chain.orders, order)
        name = OrderHash("0x" + message.hash().hex())
        known = self._find(name)
        if known is not None:
            return known, False
        self._check(order)
        verify_account_signature(self._chain, message, signature, order.client)
        if self._chain.find_order(name) != OrderFate():
            raise Refused("the order was taken or cancelled before", orderHash=name)
        credit = self._chain.get_credit(order.client, order.token)
        if credit < order.max_fee:
            told = f"the client's credit is {credit}, the order may cost {order.max_fee}"
            raise Refused(told, credit=str(credit), needed=str(order.max_fee))
        return self._insert(name, order, signature), True

    def get(self, name: OrderHash) -> KnownOrder:
        """Return an order as the chain has it now; raises Unknown."""
        known = self._find(name)
        if known is None:
            raise Unknown(f"no order {name}")
        self._settle([known], {name: self._chain.find_order(name)})
        return self._find(name) or known

    def list(self, state: str, version: str | None, after: int, limit: int) -> Sequence[KnownOrder]:
        """Return at most `limit` orders that came after a number, earliest first."""
        o = ORDERS.c
        query = select(ORDERS).where(o.space == self._space, o.state == state, o.number > after)
        if state == OPEN:
            query = query.where(o.take_until >= self._clock.now)
        if version is not None:
            query = query.where(o.version == version)
        with self._database.reading() as connection:
            return [
                _order(row) for row in connection.execute(query.order_by(o.number).limit(limit))
            ]

    def find_use(self, digest: Digest) -> Use:
        """Return whether an order that can be taken names a digest as its input.

        One that was taken ended then, and not earlier: the index may learn of its job some blocks
        later, and until then nobody else says that the input is needed.
        """
        o = ORDERS.c
        query = select(o.state, o.take_until, o.settled_at).where(
            o.space == self._space, o.in_digest == "0x" + digest.hex()
        )
        with self._database.reading() as connection:
            known = connection.execute(query).all()
        if not known:
            return UNUSED
        is_live = any(row.state == OPEN and row.take_until >= self._clock.now for row in known)
        ends = (row.take_until if row.state == OPEN else row.settled_at for row in known)
        return Use(is_live, Seconds(max(ends)))

    def follow(self, index: IndexView) -> None:
        """Learn from the chain what became of orders, and again where a block may yet go."""
        o, after, since = ORDERS.c, 0, self._clock.now - UNSETTLED_S
        is_due = or_(o.state == OPEN, o.settled_at > since)
        while True:
            known = self._read(is_due & (o.number > after), CHUNK)
            if not known:
                return
            self._settle(known, index.find_orders([order.hash for order in known]))
            after = known[-1].number

    def purge(self, before: int) -> int:
        """Drop orders that could be taken until before a time; return how many."""
        o = ORDERS.c
        is_over = (o.space == self._space) & (o.state != OPEN) & (o.take_until < before)
        with self._database.writing() as connection:
            return int(connection.execute(delete(ORDERS).where(is_over)).rowcount)

    def _check(self, order: Order) -> None:
        now = self._clock.now
        last = now + self._limits.longest_validity_s
        if order.take_until < now:
            raise Refused("the order can no longer be taken", takeUntil=order.take_until, now=now)
        if order.take_until > last:
            raise Refused("the order is valid for too long", takeUntil=order.take_until, last=last)
        try:
            compute_price(order, Seconds(now))
        except RangeError as error:
            raise Refused(str(error)) from None
        if order.max_fee == 0:
            raise Refused("nobody works for nothing", maxFee="0")
        if order.token not in self._chain.tokens:
            raise Refused(f"fees cannot be paid in {order.token}", token=order.token)
        if order.verify_mask & ~int(VerifyMask.PROOF_REQUIRED):
            raise Refused("verifyMask has bits that mean nothing", verifyMask=order.verify_mask)
        if not self._chain.has_version(order.version):
            raise Refused("the version is not registered", version="0x" + order.version.hex())
        if order.verify_mask & VerifyMask.PROOF_REQUIRED and order.token == ETH:
            needed = self._chain.get_proof_fee(order.version)
            if order.max_fee < needed:
                raise Refused(f"a job with a proof costs {needed} at least", needed=str(needed))

    def _insert(self, name: OrderHash, order: Order, signature: bytes) -> KnownOrder:
        o, most = ORDERS.c, self._limits.orders_per_client
        is_open = (o.space == self._space) & (o.state == OPEN)
        own = select(func.count()).where(is_open, o.client == order.client)
        is_untaken = (o.space == self._space) & (o.state != TAKEN)
        kept = select(func.count()).where(is_untaken, o.client == order.client)
        with self._database.writing() as connection:
            if connection.execute(own).scalar_one() >= most:
                raise Refused(f"{order.client} has {most} open orders", limit=most)
            if connection.execute(kept).scalar_one() >= KEPT * most:
                told = f"{order.client} has {KEPT * most} orders that nobody took"
                raise Refused(told, limit=KEPT * most)
            count = connection.execute(select(func.count()).where(is_open)).scalar_one()
            if count >= self._limits.open_orders:
                raise OutOfSpace("too many open orders", limit=self._limits.open_orders)
            last = select(func.max(o.number)).where(o.space == self._space)
            number = int(connection.execute(last).scalar() or 0) + 1
            connection.execute(
                self._database.insert(ORDERS)
                .values(
                    space=self._space,
                    hash=name,
                    number=number,
                    client=order.client,
                    version="0x" + order.version.hex(),
                    in_digest="0x" + order.in_digest.hex(),
                    take_until=int(order.take_until),
                    fields=json.dumps(order_to_json(order)),
                    signature="0x" + signature.hex(),
                    state=OPEN,
                    settled_at=0,
                )
                .on_conflict_do_nothing()
            )
        found = self._find(name)
        if found is None:
            raise Refused("the order was dropped while it came")
        return found

    def _settle(self, known: Sequence[KnownOrder], fates: Mapping[OrderHash, OrderFate]) -> None:
        """Store the states that changed."""
        now = self._clock.now
        changes = []
        for order in known:
            state, job = _compute_state(order.order, fates.get(order.hash, OrderFate()), now)
            if (state, job) != (order.state, order.job):
                settled = 0 if state == OPEN else now
                changes.append((order.hash, {"state": state, "job": job, "settled_at": settled}))
        if not changes:
            return
        o = ORDERS.c
        with self._database.writing() as connection:
            for name, values in changes:
                is_own = (o.space == self._space) & (o.hash == name)
                connection.execute(update(ORDERS).where(is_own).values(values))

    def _find(self, name: OrderHash) -> KnownOrder | None:
        found = self._read(ORDERS.c.hash == name, 1)
        return found[0] if found else None

    def _read(self, condition: ColumnElement[bool], limit: int) -> Sequence[KnownOrder]:
        o = ORDERS.c
        query = select(ORDERS).where(o.space == self._space, condition)
        with self._database.reading() as connection:
            return [
                _order(row) for row in connection.execute(query.order_by(o.number).limit(limit))
            ]


def _compute_state(order: Order, fate: OrderFate, now: int) -> tuple[str, JobId | None]:
    if fate.job is not None:
        return TAKEN, fate.job
    if fate.is_cancelled:
        return CANCELLED, None
    return (EXPIRED if order.take_until < now else OPEN), None


@lru_cache(maxsize=4096)
def _parse_fields(text: str) -> Order:
    return parse_order(json.loads(text))


def _order(row: Any) -> KnownOrder:
    return KnownOrder(
        number=row.number,
        hash=OrderHash(row.hash),
        order=_parse_fields(row.fields),
        signature=row.signature,
        state=row.state,
        job=None if row.job is None else JobId(row.job),
    )
