"""An order is shown to workers only when its client signed it and could pay for it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from offchain.chain.typed_data import build_order, hash_order
from offchain.errors import RpcUnavailable
from offchain.gateway.config import Limits
from offchain.gateway.faults import OutOfSpace, Refused, SignatureRefused, Unknown
from offchain.gateway.references import UNUSED, OrderFate, Use
from offchain.types import ETH, Amount, Order, Seconds
from tests.unit.gateway.fakes import (
    CHAIN_ID,
    CLIENT,
    DAY,
    HOUR,
    JOB,
    MARKET,
    NOW,
    ORDER,
    ORDERS,
    OTHER_VERSION,
    STRANGER,
    TOKEN,
    WALLET,
    Scene,
    compact,
    open_scene,
    sign,
    sign_order,
)

NAME = hash_order(CHAIN_ID, ORDERS, ORDER)


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return open_scene(tmp_path)


def post(scene: Scene, order: Order = ORDER, signature: bytes | None = None) -> Any:
    return scene.boards.orders.post(order, signature or sign_order(order))


def pass_time(scene: Scene, seconds: int) -> None:
    scene.chain.now += seconds
    scene.boards.clock.refresh()


# Signatures


@pytest.mark.parametrize(
    "signature",
    [
        sign_order(ORDER, STRANGER),
        sign_order(replace(ORDER, max_fee=Amount(10**15))),
        sign(CLIENT, build_order(CHAIN_ID + 1, ORDERS, ORDER)),
        sign(CLIENT, build_order(CHAIN_ID, MARKET, ORDER)),
        sign_order(ORDER)[:64] + b"\x1d",
        bytes(65),
        bytes(64),
        b"\xff" * 65,
        sign_order(ORDER) + b"\0",
    ],
)
def test_post__not_the_clients_signature_on_this_order__refused(
    scene: Scene, signature: bytes
) -> None:
    with pytest.raises(SignatureRefused):
        post(scene, ORDER, signature)
    assert scene.boards.orders.list("open", None, 0, 9) == []


def test_post__high_s__refused_like_on_chain(scene: Scene) -> None:
    order = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
    good = sign_order(ORDER)
    s = order - int.from_bytes(good[32:64], "big")
    mirrored = good[:32] + s.to_bytes(32, "big") + bytes([55 - good[64]])
    with pytest.raises(SignatureRefused, match="half"):
        post(scene, ORDER, mirrored)


@pytest.mark.parametrize("form", [bytes, compact])
def test_post__both_forms_of_a_signature__kept_as_given(scene: Scene, form: Any) -> None:
    signature = form(sign_order(ORDER))
    known, is_added = post(scene, ORDER, signature)
    assert is_added and known.hash == NAME and known.state == "open"
    assert known.signature == "0x" + signature.hex()
    assert post(scene, ORDER, signature) == (known, False)


def test_post__contract_wallet__asked_and_nobody_elses_key_counts(scene: Scene) -> None:
    order = replace(ORDER, client=WALLET)
    scene.chain.codes[WALLET] = b"\x60\x80"
    scene.chain.credit[WALLET, ETH] = 10**18
    digest = build_order(CHAIN_ID, ORDERS, order).hash()
    with pytest.raises(SignatureRefused, match="does not accept"):
        post(scene, order, sign_order(order))
    scene.chain.accepted.add((WALLET, digest, b"\x01" * 100))
    _, is_added = post(scene, order, b"\x01" * 100)
    assert is_added


def test_post__contract_at_the_address_of_a_key__the_key_does_not_count(scene: Scene) -> None:
    scene.chain.codes[ORDER.client] = b"\x60\x80"
    with pytest.raises(SignatureRefused, match="does not accept"):
        post(scene)


@pytest.mark.parametrize("by_key", [True, False])
def test_post__delegated_account__by_key_or_by_code(scene: Scene, by_key: bool) -> None:
    scene.chain.codes[ORDER.client] = bytes.fromhex("ef0100") + b"\x77" * 20
    digest = build_order(CHAIN_ID, ORDERS, ORDER).hash()
    scene.chain.accepted.add((ORDER.client, digest, b"\x01" * 65))
    _, is_added = post(scene, ORDER, sign_order(ORDER) if by_key else b"\x01" * 65)
    assert is_added
    with pytest.raises(SignatureRefused):
        post(scene, replace(ORDER, salt=8), sign_order(ORDER, STRANGER))


# What no worker could take


@pytest.mark.parametrize(
    "change",
    [
        {"take_until": Seconds(NOW - 1)},
        {"take_until": Seconds(NOW + 31 * DAY)},
        {"min_fee": Amount(4 * 10**15)},
        {"ramp_start": Seconds(NOW + 101)},
        {"token": MARKET},
        {"token": TOKEN},  # no credit in it
        {"verify_mask": 2},
        {"min_fee": Amount(0), "max_fee": Amount(0)},
        {"verify_mask": 1, "min_fee": Amount(1), "max_fee": Amount(2 * 10**15 - 1)},
        {"version": OTHER_VERSION},
        {"max_fee": Amount(10**18 + 1)},
    ],
)
def test_post__order_that_cannot_be_taken__refused(scene: Scene, change: dict[str, Any]) -> None:
    with pytest.raises(Refused):
        post(scene, replace(ORDER, **change))
    assert scene.boards.orders.list("open", None, 0, 9) == []


@pytest.mark.parametrize("fate", [OrderFate(job=JOB), OrderFate(is_cancelled=True)])
def test_post__taken_or_cancelled_before__refused(scene: Scene, fate: OrderFate) -> None:
    scene.chain.fates[NAME] = fate
    with pytest.raises(Refused, match="before"):
        post(scene)


def test_post__node_does_not_answer__told_and_not_kept(scene: Scene) -> None:
    scene.chain.failure = RpcUnavailable("eth_call", 6, "timeout")
    with pytest.raises(RpcUnavailable):
        post(scene)
    scene.chain.failure = None
    assert scene.boards.orders.list("open", None, 0, 9) == []


def test_post__more_than_a_client_may_have_open__refused(tmp_path: Path) -> None:
    scene = open_scene(tmp_path, limits=Limits(orders_per_client=2))
    for salt in (1, 2):
        post(scene, replace(ORDER, salt=salt))
    with pytest.raises(Refused, match="2 open orders"):
        post(scene, replace(ORDER, salt=3))


def test_post__ever_more_that_expire_at_once__refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What has expired is kept for a day: nobody may fill the database with it."""
    monkeypatch.setattr("offchain.gateway.orders.KEPT", 3)
    scene = open_scene(tmp_path, limits=Limits(orders_per_client=1))
    for salt in range(3):
        post(scene, replace(ORDER, salt=salt, take_until=Seconds(scene.chain.now + 1)))
        pass_time(scene, 2)
        scene.boards.orders.follow(scene.index)
    with pytest.raises(Refused, match="3 orders that nobody took"):
        post(scene, replace(ORDER, salt=9, take_until=Seconds(scene.chain.now + 1)))


def test_post__more_than_all_may_have_open__refused(tmp_path: Path) -> None:
    scene = open_scene(tmp_path, limits=Limits(open_orders=1))
    post(scene)
    with pytest.raises(OutOfSpace):
        post(scene, replace(ORDER, salt=3))


# What becomes of them


def test_price__rises_with_the_protocols_clock(scene: Scene) -> None:
    known, _ = post(scene)
    prices = [known.compute_price(NOW + t) for t in (0, 50, 100, 1000)]
    assert prices == [10**15, 2 * 10**15, 3 * 10**15, 3 * 10**15]


@pytest.mark.parametrize(
    ("fate", "state"),
    [(OrderFate(job=JOB), "taken"), (OrderFate(is_cancelled=True), "cancelled")],
)
def test_follow__index_names_it__no_longer_open_until_the_block_goes(
    scene: Scene, fate: OrderFate, state: str
) -> None:
    orders = scene.boards.orders
    post(scene)
    scene.index.orders[NAME] = fate
    orders.follow(scene.index)
    assert orders.list("open", None, 0, 9) == []
    (ended,) = orders.list(state, None, 0, 9)
    assert ended.job == fate.job
    del scene.index.orders[NAME]  # a reorganisation
    orders.follow(scene.index)
    assert [order.hash for order in orders.list("open", None, 0, 9)] == [NAME]


def test_follow__nobody_took_it_in_time__expired_and_then_forgotten(scene: Scene) -> None:
    orders = scene.boards.orders
    post(scene)
    pass_time(scene, HOUR + 1)
    assert orders.list("open", None, 0, 9) == []
    orders.follow(scene.index)
    assert [order.hash for order in orders.list("expired", None, 0, 9)] == [NAME]
    assert orders.purge(ORDER.take_until) == 0
    assert orders.purge(ORDER.take_until + 1) == 1
    with pytest.raises(Unknown):
        orders.get(NAME)


def test_get__chain_knows_more_than_the_index__its_word_counts(scene: Scene) -> None:
    post(scene)
    scene.chain.fates[NAME] = OrderFate(job=JOB)
    known = scene.boards.orders.get(NAME)
    assert (known.state, known.job) == ("taken", JOB)


def test_list__pages_and_versions__each_order_once(scene: Scene, tmp_path: Path) -> None:
    scene.chain.versions.add(OTHER_VERSION)
    for salt in range(5):
        post(scene, replace(ORDER, salt=salt))
    post(scene, replace(ORDER, version=OTHER_VERSION))
    orders = open_scene(tmp_path).boards.orders  # after a restart
    first = orders.list("open", None, 0, 4)
    rest = orders.list("open", None, first[-1].number, 4)
    assert [order.number for order in (*first, *rest)] == [1, 2, 3, 4, 5, 6]
    (other,) = orders.list("open", "0x" + OTHER_VERSION.hex(), 0, 9)
    assert other.order.version == OTHER_VERSION


def test_find_use__input_of_an_open_order__needed(scene: Scene) -> None:
    orders = scene.boards.orders
    assert orders.find_use(ORDER.in_digest) == UNUSED
    post(scene)
    assert orders.find_use(ORDER.in_digest).is_live
    pass_time(scene, HOUR + 1)
    assert orders.find_use(ORDER.in_digest) == Use(ended_at=ORDER.take_until)


def test_find_use__order_just_taken__its_input_outlives_the_index_lag(scene: Scene) -> None:
    """Uploaded long ago, taken now: until the index knows the job, nobody else names the input."""
    boards, raw = scene.boards, bytes(64)
    digest, _ = boards.content.put(raw, 8, (1, 64), "10.0.0.1")
    order = replace(ORDER, in_digest=digest, take_until=Seconds(NOW + 2 * DAY))
    post(scene, order)
    pass_time(scene, DAY + HOUR)
    name = hash_order(CHAIN_ID, ORDERS, order)
    scene.chain.fates[name] = OrderFate(job=JOB)
    assert boards.orders.get(name).state == "taken"  # asked of the chain, ahead of the index
    assert boards.content.sweep() == 0
    assert boards.content.get(digest) == raw
