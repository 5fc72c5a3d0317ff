"""Whether an order can be taken, and when an operator should look at it again. Pure.

The price is `offchain.chain.contracts.order_book.compute_price`: a straight line, rounded down.
"""

from __future__ import annotations

from typing import Final

from offchain.errors import OrderRefused
from offchain.types import Order, Seconds, VerifyMask

LOOK_AGAIN_S: Final = 15  # a floor that is above the highest price may come down with the base fee


def find_second_of(order: Order, fee: int) -> Seconds | None:
    """Return the first second in which the order pays `fee`, or None where it never does."""
    if fee > order.max_fee:
        return None
    if fee <= order.min_fee:
        return Seconds(0)
    rise, length = order.max_fee - order.min_fee, order.ramp_end - order.ramp_start
    if length <= 0:
        return order.ramp_end
    # The least t with min + floor(rise * t / length) >= fee.
    return Seconds(order.ramp_start + -(-(fee - order.min_fee) * length // rise))


def choose_next_look(order: Order, floor: int, now: int) -> Seconds:
    """Return when to look at an order again that pays less than the floor now."""
    second = find_second_of(order, floor)
    if second is None or second <= now:
        return Seconds(now + LOOK_AGAIN_S)
    return min(second, Seconds(now + LOOK_AGAIN_S))


def is_open(order: Order, now: int) -> bool:
    """Whether an order can be taken in the next block, as far as its own terms say."""
    return now < order.take_until


def verify_order(order: Order) -> None:
    """Raise OrderRefused for an order that the contract would never take."""
    if order.min_fee > order.max_fee or order.ramp_start > order.ramp_end:
        raise OrderRefused("its price falls, or its rise ends before it begins")
    if order.verify_mask not in (VerifyMask.NONE, VerifyMask.PROOF_REQUIRED):
        raise OrderRefused(f"verify mask {order.verify_mask} means nothing here")
