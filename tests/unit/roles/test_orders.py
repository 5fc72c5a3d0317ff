"""An operator takes signed orders that pay enough, when they do; what goes wrong costs nothing."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from offchain.chain.contracts.order_book import build_order_terms, compute_price
from offchain.chain.journal import StepStatus
from offchain.chain.typed_data import hash_order
from offchain.errors import ContractRevert, OrderRefused, VersionMismatch
from offchain.params.presets import LOCAL
from offchain.roles.money import ACCEPT_GAS, TAKE_ORDER_GAS, compute_fee_floor
from offchain.roles.operator import Operator
from offchain.roles.order_rules import (
    LOOK_AGAIN_S,
    choose_next_look,
    find_second_of,
    is_open,
    verify_order,
)
from offchain.roles.orders import ORDER, TAKE
from offchain.submit.content import compute_digest
from offchain.submit.gateway import SignedOrder
from offchain.types import ETH, Address, Amount, Digest, JobId, Order, OrderHash, Seconds, VersionId
from tests.unit.roles.conftest import CHAIN_ID, JOB_ID, NOW, OTHER, FakeWorld
from tests.unit.roles.session_world import SessionWorld

ORDERS = Address("0x" + "33" * 20)
RAW = bytes(range(8))
CHEAP, DEAR = Amount(10**12), Amount(10**15)
PLAIN = Order(
    client=OTHER,
    version=VersionId(b"\x09" * 32),
    in_digest=compute_digest(RAW, 8, (1, 8)),
    token=ETH,
    min_fee=CHEAP,
    max_fee=DEAR,
    ramp_start=NOW,
    ramp_end=Seconds(NOW + 100),
    take_until=Seconds(NOW + 200),
    verify_mask=0,
    salt=5,
)


class OrderWorld(SessionWorld):
    """A gateway with orders, and the contract's word on each."""

    def __init__(self, chain: FakeWorld) -> None:
        super().__init__(chain)
        self.job_of: dict[str, JobId] = {}
        self.cancelled: set[str] = set()
        (chain.home / "content").mkdir(exist_ok=True)
        (chain.home / "content" / f"{PLAIN.in_digest.hex()}.bin").write_bytes(RAW)

    def offer(self, order: Order = PLAIN) -> str:
        self.gateway.orders.append(SignedOrder(order, b"\6" * 65))
        return hash_order(CHAIN_ID, ORDERS, order)

    def build_context(self, role: str, journal: Any = None) -> Any:
        context = super().build_context(role, journal)
        context.contracts.orders.__dict__.update(
            address=ORDERS,
            hash_order=lambda order: hash_order(CHAIN_ID, ORDERS, order),
            find_job=self.job_of.get,
            is_cancelled=lambda order: order in self.cancelled,
            build_take_order=lambda order, signature, uri: ("take", order, signature, uri),
        )
        context.cursor.__dict__.update(get_live_jobs=lambda: ())
        return context

    def submit(self, key: Any, call: Any, gas_limit: int | None = None) -> Any:
        receipt = super().submit(key, call, gas_limit)
        if call[0] == "take":
            self.job_of.setdefault(hash_order(CHAIN_ID, ORDERS, call[1]), JOB_ID)
        return receipt

    @property
    def taken(self) -> list[Order]:
        return [call[1] for call in self.chain.sent if call[0] == "take"]


@pytest.fixture
def world(chain: FakeWorld) -> OrderWorld:
    chain.settings["min_fee_wei"] = 5 * 10**14
    return OrderWorld(chain)


def tick(operator: Operator) -> list[str]:
    due = [key for key in operator.compute_due_steps() if key.step == TAKE]
    for key in due:
        operator.perform(key)
    return [key.job for key in due]


# Rules


@pytest.mark.parametrize("fee", [1, CHEAP, CHEAP + 1, 5 * 10**14, DEAR - 1, DEAR])
def test_find_second_of__first_second_that_pays_so_much(fee: int) -> None:
    second = find_second_of(PLAIN, fee)
    assert second is not None
    if second > 0:
        assert compute_price(PLAIN, second) >= fee
        assert compute_price(PLAIN, Seconds(second - 1)) < fee
    else:
        assert fee <= CHEAP


def test_find_second_of__more_than_it_ever_pays__never() -> None:
    assert find_second_of(PLAIN, DEAR + 1) is None


def test_find_second_of__price_jumps__at_the_jump() -> None:
    order = replace(PLAIN, ramp_end=PLAIN.ramp_start)
    assert find_second_of(order, DEAR) == order.ramp_end
    assert compute_price(order, order.ramp_end) == DEAR


def test_choose_next_look__when_it_pays__or_a_little_later() -> None:
    soon = replace(PLAIN, ramp_end=Seconds(NOW + 5))
    assert choose_next_look(soon, DEAR, NOW) == NOW + 5
    assert choose_next_look(PLAIN, DEAR, NOW) == NOW + LOOK_AGAIN_S
    assert choose_next_look(PLAIN, DEAR + 1, NOW) == NOW + LOOK_AGAIN_S


@pytest.mark.parametrize(("left", "expected"), [(1, True), (0, False), (-1, False)])
def test_is_open__a_block_is_left(left: int, expected: bool) -> None:
    assert is_open(PLAIN, PLAIN.take_until - left) is expected


@pytest.mark.parametrize(
    "change", [{"min_fee": DEAR + 1}, {"ramp_start": NOW + 101}, {"verify_mask": 2}]
)
def test_verify_order__never_takeable__refused(change: dict[str, Any]) -> None:
    with pytest.raises(OrderRefused):
        verify_order(replace(PLAIN, **change))


# Taking


def test_take__price_below_the_floor__waited_for_and_taken_then(world: OrderWorld) -> None:
    name = world.offer()
    operator = world.build_operator()
    assert tick(operator) == [ORDER + name]
    assert world.taken == []
    assert tick(operator) == []
    second = find_second_of(PLAIN, 5 * 10**14)
    assert second is not None
    while world.chain.time.now < second:
        assert world.taken == []
        world.pass_time(1)
        tick(operator)
    assert world.taken == [PLAIN]


@pytest.mark.parametrize(
    ("order", "chain_"),
    [
        ({"take_until": NOW}, {}),
        ({"token": OTHER}, {}),
        ({"in_digest": Digest(b"\1" * 32)}, {}),
        ({}, {"balance": 0}),
        ({}, {"owner": None}),
    ],
    ids=["over", "token not accepted", "input missing", "no gas", "no owner"],
)
def test_take__not_to_be_served__left_alone(
    world: OrderWorld, order: dict[str, Any], chain_: dict[str, Any]
) -> None:
    for name, value in chain_.items():
        setattr(world.chain, name, value)
    world.offer(replace(PLAIN, min_fee=DEAR, **order))
    operator = world.build_operator()
    tick(operator)
    tick(operator)
    assert world.taken == []


def test_take__version_not_reproduced__never_looked_at_again(world: OrderWorld) -> None:
    world.offer(replace(PLAIN, min_fee=DEAR))
    operator = world.build_operator()

    def reproduce(_: object) -> None:
        raise VersionMismatch("graph hash", b"\1", b"\2")

    operator.context.versions.reproduce = reproduce  # type: ignore[assignment,method-assign]
    assert len(tick(operator)) == 1
    assert tick(operator) == []


def test_take__plan_that_only_whole_proofs_defend__never_looked_at_again(world: OrderWorld) -> None:
    world.chain.plan = SimpleNamespace(list_undefendable=lambda: ("y1",))
    world.offer(replace(PLAIN, min_fee=DEAR))
    operator = world.build_operator()
    assert len(tick(operator)) == 1
    assert tick(operator) == []
    assert world.taken == []


@pytest.mark.parametrize(
    ("name", "is_gone", "is_for_good"),
    [
        ("OrderTakenBefore", True, False),
        ("OrderWithdrawn", True, False),
        ("OrderExpired", False, False),
        ("InsufficientCredit", False, False),
        ("InsufficientStake", False, False),
        ("InvalidSignature", False, True),
        ("InvalidRamp", False, True),
    ],
)
def test_take__race_lost_or_refused__nothing_raised_and_nothing_lost(
    world: OrderWorld, name: str, is_gone: bool, is_for_good: bool
) -> None:
    order = replace(PLAIN, min_fee=DEAR)
    order_hash = world.offer(order)
    world.refusal = ContractRevert(name, {}, "OrderBook.takeOrder", b"")

    def overtake() -> None:
        if is_gone:
            world.job_of[order_hash] = JobId("0x" + "77" * 32)

    world.before_submit = overtake
    operator = world.build_operator()
    tick(operator)
    assert world.taken == []
    step = operator.context.journal.get_step(operator.context.key(ORDER + order_hash, TAKE))
    assert step is not None
    assert (step.status is StepStatus.GIVEN_UP) is is_for_good
    world.refusal = None
    tick(operator)
    assert len(world.taken) == (0 if is_gone or is_for_good else 1)


def test_take__no_floor_chosen__pays_for_the_gas_of_taking_an_order(world: OrderWorld) -> None:
    """Taking an order is making its job as well, which costs its worker more than taking a job."""
    world.chain.settings["min_fee_wei"] = None
    version = SimpleNamespace(royalty_bps=0, proof_gas=10**5)
    taken_bps = LOCAL.protocol_fee_bps + LOCAL.keeper_tip_bps
    terms = build_order_terms(PLAIN, OrderHash("0x00"), DEAR)
    floors = [
        compute_fee_floor(version, terms, 10**9, taken_bps, gas)  # type: ignore[arg-type]
        for gas in (ACCEPT_GAS, TAKE_ORDER_GAS - 1, TAKE_ORDER_GAS)
    ]
    for number, fee in enumerate(floors):
        world.offer(replace(PLAIN, min_fee=Amount(fee), max_fee=Amount(fee), salt=number))
    tick(world.build_operator())
    assert [order.salt for order in world.taken] == [2]


@pytest.mark.parametrize("how", ["taken", "cancelled"])
def test_take__gone_before_it_was_looked_at__not_sent(world: OrderWorld, how: str) -> None:
    order_hash = world.offer(replace(PLAIN, min_fee=DEAR))
    if how == "taken":
        world.job_of[order_hash] = JobId("0x" + "77" * 32)
    else:
        world.cancelled.add(order_hash)
    tick(world.build_operator())
    assert world.taken == []


def test_take__mined_and_seen_again__sent_once(world: OrderWorld) -> None:
    world.offer(replace(PLAIN, min_fee=DEAR))
    operator = world.build_operator()
    for _ in range(3):
        tick(operator)
    assert len(world.taken) == 1


def test_take__on_its_way__counted_until_its_job_is_read(world: OrderWorld) -> None:
    world.offer(replace(PLAIN, min_fee=DEAR))
    operator = world.build_operator()
    tick(operator)
    assert operator.list_promised_orders() == (PLAIN.version,)
    world.known.add(JOB_ID)
    assert operator.list_promised_orders() == ()


def test_take__gateway_forgets_it_while_it_is_on_its_way__followed_to_the_end(
    world: OrderWorld,
) -> None:
    order_hash = world.offer(replace(PLAIN, min_fee=DEAR))
    operator = world.build_operator()
    key = operator.context.key(ORDER + order_hash, TAKE)
    detail = {"order": {}, "signature": "0x"}
    operator.context.journal.put_step(key, StepStatus.BEGUN, detail)
    world.mined[key] = SimpleNamespace(tx_hash="0x00")
    world.gateway.is_away = True
    assert [k for k in operator.compute_due_steps() if k.step == TAKE] == [key]
