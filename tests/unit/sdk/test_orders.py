"""Signed orders: prices, names, fates; and what a fee can be."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from offchain.chain.contracts.order_book import build_order_terms, compute_price
from offchain.chain.typed_data import build_order, verify_typed_signature
from offchain.errors import (
    ConfigError,
    InsufficientCredit,
    JobEnded,
    JobRefused,
    RangeError,
    TensorError,
    WaitTimeout,
)
from offchain.roles.client import Request
from offchain.sdk.client import Client, parse_version
from offchain.sdk.connection import Connection
from offchain.sdk.orders import PlacedOrder, compute_salt
from offchain.submit.gateway import SignedOrder
from offchain.types import Address, Amount, JobState, Seconds, VerifyMask
from tests.unit.sdk.conftest import BOOK, CHAIN_ID, CLIENT, MLP, NOW, VERSION, World, make_order

TEXT = "0x" + VERSION.hex()
PIXELS = MLP.x.tolist()


# The price, as tests/contracts/OrderBook.t.sol has it


@pytest.mark.parametrize(
    ("now", "price"),
    [(0, 10), (NOW, 10), (NOW + 1, 11), (NOW + 5, 15), (NOW + 9, 19), (NOW + 10, 20), (2**39, 20)],
)
def test_compute_price__follows_the_ramp(now: int, price: int) -> None:
    assert compute_price(make_order(), Seconds(now)) == price


def test_compute_price__rounds_down_and_steps() -> None:
    assert compute_price(make_order(max_fee=Amount(11)), Seconds(NOW + 9)) == 10
    step = make_order(ramp_end=Seconds(NOW))
    assert compute_price(step, Seconds(NOW - 1)) == 10
    assert compute_price(step, Seconds(NOW)) == 20


@pytest.mark.parametrize("wrong", [{"max_fee": Amount(9)}, {"ramp_end": Seconds(NOW - 1)}])
def test_compute_price__no_ramp__refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(RangeError):
        compute_price(make_order(**wrong), Seconds(NOW))


def test_compute_salt__as_ordinary_jobs_have_it() -> None:
    request = Request("a name", VERSION, b"", Amount(1))
    assert (
        compute_salt("a name") == request.build_terms(CLIENT.address, make_order().in_digest).salt
    )


# Ordering


def test_order__signs_what_it_posts(connection: Connection, world: World) -> None:
    world.credit = 40
    placed = Client(connection).order(TEXT, PIXELS, 20, ramp_seconds=10, valid_seconds=15)
    (posted,) = world.posted_orders
    assert (posted.order, posted.signature) == (placed.order, placed.signature)
    verify_typed_signature(
        build_order(CHAIN_ID, BOOK, placed.order), placed.signature, CLIENT.address
    )
    order = placed.order
    assert (order.min_fee, order.max_fee) == (20, 40)
    assert (order.ramp_start, order.ramp_end, order.take_until) == (NOW, NOW + 10, NOW + 15)
    assert (order.client, order.version, order.verify_mask) == (CLIENT.address, VERSION, 0)
    assert world.sent == []


def test_order__same_name__same_order_whatever_else_is_said(
    connection: Connection, world: World
) -> None:
    world.credit = 1000
    client = Client(connection)
    first = client.order(TEXT, PIXELS, 20, name="one")
    world.now += 50
    again = client.order(TEXT, PIXELS, 30, 300, name="one")
    assert (again.hash, again.signature) == (first.hash, first.signature)
    assert client.order(TEXT, PIXELS, 20, name="two").hash != first.hash
    with pytest.raises(ConfigError, match="another"):
        client.order(TEXT, np.roll(MLP.x, 1), 20, name="one")


def test_order__more_than_the_credit__nothing_is_signed(
    connection: Connection, world: World
) -> None:
    world.credit = 39
    with pytest.raises(InsufficientCredit) as poor:
        Client(connection).order(TEXT, PIXELS, 20, name="one")
    assert (poor.value.credit, poor.value.required) == (39, 40)
    assert world.posted_orders == []
    assert connection.recall("order", "one") is None


def test_order__falling_price__refused(connection: Connection, world: World) -> None:
    world.credit = 100
    with pytest.raises(RangeError):
        Client(connection).order(TEXT, PIXELS, 20, 19)
    assert world.posted_orders == []


def test_order__input_of_another_shape__refused(connection: Connection, world: World) -> None:
    world.credit = 100
    with pytest.raises(TensorError):
        Client(connection).order(TEXT, [1, 2, 3], 20)


# Fates


def place(connection: Connection) -> PlacedOrder:
    return PlacedOrder(connection, SignedOrder(make_order(), b""))


def test_state__taken_cancelled_expired(connection: Connection, world: World) -> None:
    placed = place(connection)
    assert (placed.state(), placed.price) == ("open", 10)
    world.now = NOW + 31
    assert placed.state() == "expired"
    world.cancelled.add(placed.hash)
    assert placed.state() == "cancelled"
    world.taken[placed.hash] = world.put(
        build_order_terms(placed.order, placed.hash, Amount(15)), JobState.ASSIGNED
    )
    assert placed.state() == "taken"


def test_wait__taken__is_its_job(connection: Connection, world: World) -> None:
    placed = place(connection)
    with pytest.raises(WaitTimeout):
        placed.wait(0)
    terms = build_order_terms(placed.order, placed.hash, Amount(15))
    world.taken[placed.hash] = world.put(terms, JobState.ASSIGNED)
    job = placed.wait(0)
    assert (job.id, job.terms) == (world.taken[placed.hash], terms)


def test_wait__a_node_names_another_job__refused(connection: Connection, world: World) -> None:
    placed = place(connection)
    terms = build_order_terms(placed.order, placed.hash, Amount(15))
    world.taken[placed.hash] = world.put(replace(terms, salt=1), JobState.ASSIGNED)
    with pytest.raises(JobEnded, match="terms"):
        placed.wait(0)


@pytest.mark.parametrize("end", ["expired", "cancelled"])
def test_wait__nobody_can_take_it__says_so(connection: Connection, world: World, end: str) -> None:
    placed = place(connection)
    if end == "expired":
        world.now = NOW + 31
    else:
        world.cancelled.add(placed.hash)
    with pytest.raises(JobEnded, match=end):
        placed.wait(0)


# Fees


@pytest.mark.parametrize("fee", [0, -1, True, 1.5, "cheap"])
def test_submit__a_fee_that_is_none__refused(connection: Connection, fee: Any) -> None:
    with pytest.raises(ConfigError, match="fee"):
        Client(connection).submit(TEXT, PIXELS, fee)


def test_price__follows_the_base_fee_and_pays_a_required_proof(
    connection: Connection, world: World
) -> None:
    client = Client(connection)
    low = client.price(TEXT)
    assert client.price(TEXT, proof_required=True) >= 15 * 10**15
    world.base_fee *= 10
    assert low < client.price(TEXT) < 10 * low
    with pytest.raises(ConfigError, match="name the fee"):
        client.price(TEXT, token=Address("0x" + "77" * 20))


def test_submit__fee_below_a_required_proof__refused_before_anything_is_sent(
    connection: Connection, world: World
) -> None:
    with pytest.raises(JobRefused, match="proof"):
        Client(connection).submit(TEXT, PIXELS, 5, proof_required=True)
    assert world.sent == []
    assert VerifyMask.PROOF_REQUIRED == 1


@pytest.mark.parametrize("text", ["", "0x12", "zz" * 32, 7, b"\1" * 31])
def test_parse_version__anything_else__refused(text: Any) -> None:
    with pytest.raises(ConfigError):
        parse_version(text)
    assert parse_version(TEXT.upper().replace("0X", "0x")) == VERSION
