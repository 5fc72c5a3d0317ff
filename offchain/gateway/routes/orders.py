"""Signed orders: jobs at a price that rises until a worker takes them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Depends, Query, Response
from fastapi import Path as PathParameter
from pydantic import Field

from offchain.gateway.core import Gateway, get_gateway
from offchain.gateway.faults import InvalidRequest
from offchain.gateway.orders import KnownOrder
from offchain.gateway.routes.content import parse_signature_text
from offchain.gateway.schema import (
    HEX32,
    WHOLE,
    AddressText,
    AsOf,
    DecimalText,
    Hex32,
    Model,
    describe_errors,
)
from offchain.submit.gateway import order_to_json, parse_order
from offchain.types import Order, OrderHash

router = APIRouter(tags=["orders"])

UINT40: Final = 2**40 - 1
MAX_PAGE: Final = 256
# Of a key 64 or 65 bytes; of a contract's code (EIP-1271) whatever it asks for, within reason.
SIGNATURE: Final = "^0x[0-9a-f]+$"
LEAST_SIGNATURE: Final = 2 + 2 * 64
MOST_SIGNATURE: Final = 2 + 2 * 1024
UINT96: Final = "^(0|[1-9][0-9]{0,28})$"  # all that are below 2^96, and few that are not
UINT64: Final = "^(0|[1-9][0-9]{0,19})$"

Door = Annotated[Gateway, Depends(get_gateway)]
State = Literal["open", "taken", "cancelled", "expired"]
Time = Annotated[int, Field(ge=0, le=UINT40, description="Protocol's clock, seconds."), WHOLE]
Fee = Annotated[str, Field(pattern=UINT96, examples=["1000000000000000"])]


class OrderFields(Model):
    """The EIP-712 struct Order, in the domain zkDPS/1 of the order book."""

    client: AddressText
    version: Hex32
    inDigest: Hex32
    token: AddressText = Field(description="Zero for ETH.")
    minFee: Fee
    maxFee: Fee
    rampStart: Time
    rampEnd: Time
    takeUntil: Time
    verifyMask: Annotated[int, Field(ge=0, le=255, description="1: a proof is required."), WHOLE]
    salt: Annotated[str, Field(pattern=UINT64, examples=["7"])]


class OrderBody(OrderFields):
    """A signed order."""

    signature: Annotated[
        str, Field(pattern=SIGNATURE, min_length=LEAST_SIGNATURE, max_length=MOST_SIGNATURE)
    ]


class PostedAnswer(Model):
    """An order that was taken in, and what a worker gets for it now."""

    orderHash: Hex32
    price: DecimalText


class OrderItem(Model):
    """An order with what became of it."""

    orderHash: Hex32
    order: OrderFields
    signature: str
    state: State
    price: DecimalText = Field(description="At asOf, whether it can still be taken or not.")
    jobId: Hex32 | None = Field(description="Of an order that was taken.")


class OrderAnswer(OrderItem):
    """One order as the chain has it."""

    asOf: AsOf


class OrdersAnswer(Model):
    """A page of orders, earliest first."""

    asOf: AsOf
    items: list[OrderItem]
    next: str | None = Field(description="`cursor` of the next page.")


@router.post(
    "/orders",
    status_code=201,
    responses={
        200: {"model": PostedAnswer, "description": "It was known"},
        **describe_errors(403, 408, 409, 413, 507),
    },
)
def post_order(body: OrderBody, response: Response, gateway: Door) -> PostedAnswer:
    """Show a signed order to workers.

    Checked first: the client's signature, by key or by contract (EIP-1271); its credit in the
    vault; the version; how long it is valid. Nobody can change an order, or take it twice.
    """
    fields = body.model_dump(exclude={"signature"})
    known, is_added = gateway.orders.post(read_order(fields), parse_signature_text(body.signature))
    if not is_added:
        response.status_code = 200
    price = known.compute_price(gateway.clock.now)
    return PostedAnswer(orderHash=known.hash, price=str(price))


@router.get("/orders")
def list_orders(
    gateway: Door,
    state: State = "open",
    version: Annotated[str | None, Query(pattern=HEX32)] = None,
    cursor: Annotated[str, Query(pattern="^(0|[1-9][0-9]{0,17})$")] = "0",
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = MAX_PAGE,
) -> OrdersAnswer:
    """List orders in one state, as far as the gateway has followed the chain."""
    found = gateway.orders.list(state, version, int(cursor), limit)
    return OrdersAnswer(
        asOf=gateway.get_as_of(),
        items=[OrderItem(**_describe(known, gateway)) for known in found],
        next=str(found[-1].number) if len(found) == limit else None,
    )


@router.get("/orders/{order_hash}", responses=describe_errors(404))
def get_order(
    order_hash: Annotated[str, PathParameter(pattern=HEX32)], gateway: Door
) -> OrderAnswer:
    """Return one order, with its fate as the chain has it now."""
    known = gateway.orders.get(OrderHash(order_hash))
    return OrderAnswer(**_describe(known, gateway), asOf=gateway.get_as_of())


def read_order(fields: Mapping[str, Any]) -> Order:
    """Return the order of a body's fields; raise InvalidRequest for a number that is too wide."""
    try:
        return parse_order(fields)
    except ValueError as error:
        raise InvalidRequest(str(error)) from None


def _describe(known: KnownOrder, gateway: Gateway) -> dict[str, Any]:
    return {
        "orderHash": known.hash,
        "order": OrderFields(**order_to_json(known.order)),
        "signature": known.signature,
        "state": known.state,
        "price": str(known.compute_price(gateway.clock.now)),
        "jobId": known.job,
    }
