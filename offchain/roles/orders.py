"""Signed orders: an operator takes those that pay enough, if it is the first."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from math import inf
from typing import TYPE_CHECKING, Any, Final

from offchain.chain.contracts.order_book import build_order_terms, compute_price
from offchain.chain.journal import Step, StepKey, StepStatus
from offchain.errors import (
    ContentError,
    ContractRevert,
    GatewayRefused,
    GatewayUnavailable,
    ModelMissing,
)
from offchain.roles.base import REFUSALS
from offchain.roles.intake import find_obstacle, get_fee_floor, hold_intake, verify_wanted
from offchain.roles.money import TAKE_ORDER_GAS, is_in_eth
from offchain.roles.order_rules import choose_next_look, is_open, verify_order
from offchain.roles.plan_checks import verify_defensible
from offchain.submit.gateway import GatewayClient, SignedOrder, order_to_json, parse_signed_order
from offchain.submit.versions import ReproducedVersion, check_provable
from offchain.types import JobId, OrderHash, Seconds, VersionId

if TYPE_CHECKING:
    from offchain.chain.client import Call
    from offchain.roles.operator import Operator

ASK_S: Final = 1.0  # between two questions to a gateway, of the machine's clock
TAKE: Final = "take"
ORDER: Final = "order-"  # how the journal names them
LOOK: Final = "look"  # journal step: when to look at an order again
# What the contracts say of an order that somebody else took or its client withdrew or outlived.
GONE: Final = ("OrderTakenBefore", "OrderWithdrawn", "OrderExpired")
# And of one that they will never take.
HOPELESS: Final = ("InvalidSignature", "InvalidRamp", "UnknownModelVersion", "UnsupportedFeeToken")


class OrderMoves:
    """Takes signed orders from one gateway for one operator."""

    def __init__(
        self,
        operator: Operator,
        gateway: GatewayClient,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._operator = operator
        self._context = operator.context
        self._gateway = gateway
        self._clock = clock
        self._asked_at = -inf
        self._listed: tuple[SignedOrder, ...] = ()

    # What is due

    def compute_steps(self, now: Seconds) -> tuple[StepKey, ...]:
        """Return the open orders that are worth a look now."""
        asked_at = self._clock()
        if asked_at - self._asked_at >= ASK_S:
            self._asked_at = asked_at
            try:
                self._listed = self._gateway.get_open_orders()
            except (GatewayUnavailable, GatewayRefused) as error:
                self._context.put_off(self._context.key(ORDER, TAKE), str(error))
                self._listed = ()
        due = []
        for signed in self._listed:
            key = self._key(self._hash(signed))
            if not is_open(signed.order, now) or self._context.journal.is_given_up(key):
                continue
            look = self._context.journal.get_step(self._context.key(key.job, LOOK))
            if look is None or look.detail["at"] <= now:
                due.append(key)
        return (*due, *(key for key in self._list_under_way() if key not in due))

    def _list_under_way(self) -> tuple[StepKey, ...]:
        """Return what was sent and is not known to be mined: a gateway may stop listing it."""
        steps = self._context.journal.get_steps(
            self._context.settings.role, begins=TAKE, status=StepStatus.BEGUN
        )
        return tuple(
            step.key
            for step in steps
            if "order" in step.detail and self._context.submitter.is_under_way(step.key)
        )

    def list_promised(self) -> tuple[VersionId, ...]:
        """Return the versions of orders that are being taken and no confirmed event names yet."""
        found = []
        steps = self._context.journal.get_steps(self._context.settings.role, begins=TAKE)
        for step in steps:
            if "order" not in step.detail or not self._is_promised(step):
                continue
            found.append(parse_signed_order(step.detail).order.version)
        return tuple(found)

    def _is_promised(self, step: Step) -> bool:
        if step.status is StepStatus.DONE:
            return not self._context.cursor.is_known(str(step.detail.get("job", "")))
        return step.status is StepStatus.BEGUN and self._context.submitter.is_under_way(step.key)

    # What is done

    def take(self, _: JobId, key: StepKey) -> None:
        """Take an order if it is still there, pays enough and can be served."""
        order_hash = OrderHash(key.job.removeprefix(ORDER))
        if self._is_gone(order_hash):
            self._finish(order_hash, key)
            return
        signed = self._find(order_hash, key)
        if signed is None:
            return
        call = self._context.contracts.orders.build_take_order(
            signed.order, signed.signature, signed.order.in_digest.hex()
        )
        try:
            if self._may_take(signed, order_hash, key, call):
                self._send(order_hash, key, call)
        except (ContentError, ModelMissing) as error:
            self._context.put_off(key, str(error))  # it may come while the order is open
        except REFUSALS as error:
            self._context.give_up(key, str(error))

    def _may_take(
        self, signed: SignedOrder, order_hash: OrderHash, key: StepKey, call: Call
    ) -> bool:
        """Decide on an order and send for it; waiting for the block is left to `send`.

        Raises what makes it hopeless, and ContentError or ModelMissing for what may come yet.
        """
        context, order = self._context, signed.order
        if context.submitter.is_under_way(key):
            return True  # decided before
        verify_order(order)
        now = context.contracts.market.get_time().now
        price = compute_price(order, now)
        terms = build_order_terms(order, order_hash, price)
        verify_wanted(terms, context.settings)
        version = self._operator.load_version(order.version)
        check_provable(version.version, version.model, context.client.get_block_gas_limit())
        verify_defensible(context, order.version)
        if not self._pays(signed, order_hash, version, key, now):
            return False
        self._operator.read_input(order.version, order.in_digest)
        with hold_intake(context):
            obstacle = find_obstacle(self._operator, terms, version, TAKE_ORDER_GAS)
            if obstacle is not None:
                context.put_off(key, obstacle)
                return False
            context.journal.put_step(key, StepStatus.BEGUN, _to_detail(signed))
            with suppress(ContractRevert):  # `_send` finds out what it means
                context.submitter.begin(key, call)
        return True

    def _pays(
        self,
        signed: SignedOrder,
        order_hash: OrderHash,
        version: ReproducedVersion,
        key: StepKey,
        now: Seconds,
    ) -> bool:
        """Whether the price has reached the floor; notes when to look again where it has not."""
        context, order = self._context, signed.order
        price = compute_price(order, now)
        terms = build_order_terms(order, order_hash, price)
        if not is_in_eth(terms):
            return True  # compared with the token's own floor before
        base_fee = context.client.get_head().base_fee_wei
        floor = get_fee_floor(context, terms, version, base_fee, TAKE_ORDER_GAS)
        if price >= floor:
            return True
        at = choose_next_look(order, floor, now)
        look = context.key(key.job, LOOK)
        context.journal.put_step(look, StepStatus.DONE, {"at": int(at)})
        context.put_off(key, "the price is below the floor", price=int(price), floor=int(floor))
        return False

    def _send(self, order_hash: OrderHash, key: StepKey, call: Call) -> None:
        context = self._context
        try:
            receipt = context.submitter.submit(key, call)
        except ContractRevert as revert:
            if revert.name in GONE or self._is_gone(order_hash):
                context.log.event("overtaken", order=order_hash, reason=str(revert))
            elif revert.name in HOPELESS:
                context.give_up(key, str(revert))
            else:
                context.put_off(key, str(revert))  # the client's credit, our stake, jail: may pass
            return
        job_id = context.contracts.orders.find_job(order_hash)
        self._note_taken(key, job_id)
        context.log.event("order-taken", order=order_hash, job=job_id, tx=receipt.tx_hash)

    def _finish(self, order_hash: OrderHash, key: StepKey) -> None:
        """Note what became of an order that nobody can take any more."""
        job_id = self._context.contracts.orders.find_job(order_hash)
        if job_id is not None and self._context.submitter.is_under_way(key):
            self._note_taken(key, job_id)

    def _note_taken(self, key: StepKey, job_id: JobId | None) -> None:
        step = self._context.journal.get_step(key)
        detail = {} if step is None else dict(step.detail)
        self._context.journal.put_step(key, StepStatus.DONE, {**detail, "job": job_id or ""})

    def _is_gone(self, order_hash: OrderHash) -> bool:
        orders = self._context.contracts.orders
        return orders.find_job(order_hash) is not None or orders.is_cancelled(order_hash)

    def _find(self, order_hash: OrderHash, key: StepKey) -> SignedOrder | None:
        """Return an order from the journal, or from the gateway where it was not sent for yet."""
        step = self._context.journal.get_step(key)
        if step is not None and "order" in step.detail:
            return parse_signed_order(step.detail)
        for signed in self._gateway.get_open_orders():
            if self._hash(signed) == order_hash:
                return signed
        return None

    def _hash(self, signed: SignedOrder) -> OrderHash:
        return self._context.contracts.orders.hash_order(signed.order)

    def _key(self, order_hash: OrderHash) -> StepKey:
        return self._context.key(ORDER + order_hash, TAKE)


def _to_detail(signed: SignedOrder) -> dict[str, Any]:
    return {"order": order_to_json(signed.order), "signature": "0x" + signed.signature.hex()}
