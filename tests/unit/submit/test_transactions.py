"""A step's transaction is sent at most once, whatever happens in between."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from eth_abi.abi import encode
from eth_utils.crypto import keccak

from offchain.chain.client import Call, ChainClient
from offchain.chain.fees import MOST_TIP_WEI, compute_reserve_wei
from offchain.chain.journal import Journal, StepKey, TxStatus
from offchain.chain.keys import Signer
from offchain.chain.rpc import RpcError
from offchain.errors import (
    ContractRevert,
    DatabaseUnavailable,
    SubmissionConflict,
    TransactionPending,
    TransactionReverted,
    UnknownPending,
)
from offchain.submit.transactions import REPLACE_AFTER_BLOCKS, UNKNOWN_BLOCKS, Submitter
from offchain.types import Wei
from tests.unit.chain.fake_node import FakeNode, nonce_of
from tests.unit.chain.losing import lose

KEY = StepKey("operator", "1", "commit")
TOO_SMALL = (
    "0x"
    + (
        keccak(text="TooSmall(uint256,bytes32)")[:4]
        + encode(["uint256", "bytes32"], [5, bytes(32)])
    ).hex()
)


class Crash(BaseException):
    """A process dies here."""


def build(client: ChainClient, journal: Journal, signer: Signer, sleep: object) -> Submitter:
    return Submitter(client, journal, signer, sleep=sleep)  # type: ignore[arg-type]


def mining(node: FakeNode) -> object:
    return lambda _: node.mine()


def crash(_: float) -> None:
    raise Crash


def test_submit__simulation_reverts__nothing_is_signed(
    node: FakeNode, client: ChainClient, journal: Journal, signer: Signer, call: Call
) -> None:
    node.revert_data = TOO_SMALL
    with pytest.raises(ContractRevert) as refused:
        build(client, journal, signer, mining(node)).submit(KEY, call)
    assert refused.value.arguments["sent"] == 5
    assert node.broadcasts == [] and journal.get_transactions(KEY) == ()


def test_submit__mined_but_reverted__typed_reason_and_status(
    node: FakeNode, client: ChainClient, journal: Journal, signer: Signer, call: Call
) -> None:
    node.revert_data, node.status = TOO_SMALL, 0
    with pytest.raises(TransactionReverted) as reverted:
        build(client, journal, signer, mining(node)).submit(KEY, call, gas_limit=100_000)
    assert reverted.value.name == "TooSmall"
    assert journal.get_transactions(KEY)[0].status is TxStatus.REVERTED


def test_submit__twice__one_transaction(
    node: FakeNode, client: ChainClient, journal: Journal, signer: Signer, call: Call
) -> None:
    submitter = build(client, journal, signer, mining(node))
    first = submitter.submit(KEY, call)
    again = submitter.submit(KEY, call)
    assert first == again and len(node.broadcasts) == 1
    assert first.cost_wei == 50_000 * 2 * 10**9


def test_submit__nonce_counted_before_the_receipt_is_there__not_lost(
    node: FakeNode, client: ChainClient, journal: Journal, signer: Signer, call: Call
) -> None:
    build(client, journal, signer, mining(node)).begin(KEY, call)
    node.mine()
    mined, node.mined = node.mined, {}

    def sleep(_: float) -> None:
        node.mined = mined

    assert build(client, journal, signer, sleep).submit(KEY, call).succeeded
    assert [tx.status for tx in journal.get_transactions(KEY)] == [TxStatus.MINED]
    assert len(set(node.broadcasts)) == 1


def test_begin__then_submit__one_transaction_and_a_receipt(
    node: FakeNode, client: ChainClient, journal: Journal, signer: Signer, call: Call
) -> None:
    submitter = build(client, journal, signer, mining(node))
    assert not submitter.is_under_way(KEY)
    submitter.begin(KEY, call)
    assert submitter.is_under_way(KEY)
    assert journal.get_sent_jobs(KEY.role, KEY.step) == {KEY.job}
    assert submitter.submit(KEY, call).succeeded
    assert len(set(node.broadcasts)) == 1


def test_submit__crash_after_broadcast__restart_sends_the_same_bytes(
    node: FakeNode, client: ChainClient, journal: Journal, signer: Signer, call: Call
) -> None:
    with pytest.raises(Crash):
        build(client, journal, signer, crash).submit(KEY, call)
    restarted = build(client, Journal(journal.place), signer, mining(node))
    assert restarted.submit(KEY, call).succeeded
    assert len(set(node.broadcasts)) == 1 and len(journal.get_transactions(KEY)) == 1


def test_submit__crash_before_broadcast__restart_sends_the_stored_bytes(
    node: FakeNode,
    client: ChainClient,
    journal: Journal,
    signer: Signer,
    call: Call,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    dying = build(client, journal, signer, crash)
    with monkeypatch.context() as patched, pytest.raises(Crash):
        patched.setattr(client, "broadcast", lambda raw: crash(0))
        dying.submit(KEY, call)
    (stored,) = journal.get_transactions(KEY)
    build(client, journal, signer, mining(node)).submit(KEY, call)
    assert node.broadcasts == ["0x" + stored.raw.hex()]


def test_submit__crash_after_mining__restart_finds_the_receipt(
    node: FakeNode, client: ChainClient, journal: Journal, signer: Signer, call: Call
) -> None:
    with pytest.raises(Crash):
        build(client, journal, signer, crash).submit(KEY, call)
    node.mine()
    assert build(client, journal, signer, crash).submit(KEY, call).succeeded
    assert len(node.broadcasts) == 1


def test_submit__reorg_takes_the_transaction__sent_again(
    node: FakeNode, client: ChainClient, journal: Journal, signer: Signer, call: Call
) -> None:
    submitter = build(client, journal, signer, mining(node))
    submitter.submit(KEY, call)
    node.fork(1)
    node.counted = {}
    assert submitter.submit(KEY, call).succeeded
    assert len(node.broadcasts) == 2 and len(set(node.broadcasts)) == 1


def test_submit__reorg_takes_another_steps_transaction__that_one_first(
    node: FakeNode, client: ChainClient, journal: Journal, signer: Signer, call: Call
) -> None:
    """Its nonce would be missing, and what it does decides whether this step is due at all."""
    submitter = build(client, journal, signer, mining(node))
    submitter.submit(KEY, call)
    node.fork(1)
    node.counted = {}
    other = StepKey("operator", "2", "accept")
    with pytest.raises(TransactionPending):
        submitter.submit(other, call)
    assert len(node.broadcasts) == 2 and len(set(node.broadcasts)) == 1
    node.mine()
    assert submitter.submit(other, call).succeeded
    assert [nonce_of(raw) for raw in node.broadcasts if raw != node.broadcasts[0]] == [1]


def test_submit__refused_by_the_node__nonce_is_used_again(
    node: FakeNode, client: ChainClient, journal: Journal, signer: Signer, call: Call
) -> None:
    submitter = build(client, journal, signer, mining(node))
    node.refusal = RpcError("eth_sendRawTransaction", -32003, "insufficient funds", None)
    with pytest.raises(RpcError):
        submitter.submit(KEY, call)
    node.refusal = None
    submitter.submit(KEY, call)
    assert [nonce_of(raw) for raw in node.broadcasts] == [0, 0]


def test_submit__two_steps__consecutive_nonces(
    node: FakeNode, client: ChainClient, journal: Journal, signer: Signer, call: Call
) -> None:
    submitter = build(client, journal, signer, mining(node))
    submitter.submit(KEY, call)
    submitter.submit(StepKey("operator", "1", "finalise"), call)
    assert [nonce_of(raw) for raw in node.broadcasts] == [0, 1]


def test_submit__stuck__replaced_at_the_same_nonce_with_higher_fees(
    node: FakeNode, client: ChainClient, journal: Journal, signer: Signer, call: Call
) -> None:
    def sleep(_: float) -> None:
        if len(node.broadcasts) == 1:
            pool, node.pool = node.pool, {}  # blocks pass, the transaction stays
            for _ in range(REPLACE_AFTER_BLOCKS):
                node.mine()
            node.pool = pool
        else:
            node.mine()

    assert build(client, journal, signer, sleep).submit(KEY, call).succeeded
    first, second = journal.get_transactions(KEY)
    assert first.nonce == second.nonce
    assert second.fees.max_fee_wei * 10 >= first.fees.max_fee_wei * 11
    assert (first.status, second.status) == (TxStatus.LOST, TxStatus.MINED)


def test_submit__not_mined__reported_pending_and_kept(
    node: FakeNode, client: ChainClient, journal: Journal, signer: Signer, call: Call
) -> None:
    with pytest.raises(TransactionPending):
        build(client, journal, signer, lambda _: None).submit(KEY, call)
    assert journal.get_transactions(KEY)[0].status is TxStatus.SIGNED


def test_submit__an_abandoned_step_was_never_broadcast__leaves_no_gap(
    node: FakeNode,
    client: ChainClient,
    journal: Journal,
    signer: Signer,
    call: Call,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    dying = build(client, journal, signer, crash)
    with monkeypatch.context() as patched, pytest.raises(Crash):
        patched.setattr(client, "broadcast", lambda raw: crash(0))
        dying.submit(KEY, call)
    # Somebody else finalised the job meanwhile: that step is not asked for again.
    build(client, journal, signer, mining(node)).submit(StepKey("operator", "2", "prove"), call)
    assert [nonce_of(raw) for raw in node.broadcasts] == [0, 1]


def test_submit__still_stuck_after_a_restart__replaced(
    node: FakeNode, client: ChainClient, journal: Journal, signer: Signer, call: Call
) -> None:
    with pytest.raises(TransactionPending):
        build(client, journal, signer, lambda _: None).submit(KEY, call)
    pool, node.pool = node.pool, {}
    for _ in range(REPLACE_AFTER_BLOCKS):
        node.mine()
    node.pool = pool

    def sleep(_: float) -> None:
        node.mine()

    assert build(client, journal, signer, sleep).submit(KEY, call).succeeded
    transactions = journal.get_transactions(KEY)
    assert {t.nonce for t in transactions} == {0} and len(transactions) == 2


def reopen(journal: Journal) -> Journal:
    """Take a journal's database away and open it again."""
    lose(journal.place)
    return Journal(journal.place)


def test_submit__journal_lost_while_pending__nothing_is_signed_until_it_is_mined(
    node: FakeNode, client: ChainClient, journal: Journal, signer: Signer, call: Call
) -> None:
    with pytest.raises(Crash):
        build(client, journal, signer, crash).submit(KEY, call)
    restarted = build(client, reopen(journal), signer, mining(node))
    with pytest.raises(UnknownPending) as waiting:
        restarted.submit(KEY, call)
    assert waiting.value.nonces == (0,)
    node.mine()
    # The contract says now that this step is done: its simulation is refused.
    node.revert_data = TOO_SMALL
    with pytest.raises(ContractRevert):
        restarted.submit(KEY, call)
    assert len(node.broadcasts) == 1
    node.revert_data = None
    assert restarted.submit(StepKey("operator", "1", "prove"), call).succeeded
    assert [nonce_of(raw) for raw in node.broadcasts] == [0, 1]


def test_submit__mined_between_the_look_at_the_pool_and_the_signature__simulation_comes_last(
    node: FakeNode,
    client: ChainClient,
    journal: Journal,
    signer: Signer,
    call: Call,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(Crash):
        build(client, journal, signer, crash).submit(KEY, call)
    get_mined_nonce = client.get_mined_nonce

    def mine_then_count(account: str) -> int:
        node.mine()
        node.revert_data = TOO_SMALL
        return get_mined_nonce(account)

    monkeypatch.setattr(client, "get_mined_nonce", mine_then_count)
    with pytest.raises(ContractRevert):
        build(client, reopen(journal), signer, mining(node)).submit(KEY, call)
    assert len(node.broadcasts) == 1


def test_submit__journal_lost_while_it_runs__the_pool_is_unknown_too(
    node: FakeNode, client: ChainClient, journal: Journal, signer: Signer, call: Call
) -> None:
    submitter = build(client, journal, signer, crash)
    with pytest.raises(Crash):
        submitter.submit(KEY, call)
    lose(journal.place)
    with suppress(DatabaseUnavailable):  # a server says so once; a file is made again at once
        journal.get_steps("operator")
    with pytest.raises(UnknownPending):
        submitter.submit(StepKey("operator", "2", "accept"), call)
    assert len(node.broadcasts) == 1


def test_submit__unknown_transaction_stuck_in_the_pool__queued_behind_it_in_the_end(
    node: FakeNode, client: ChainClient, journal: Journal, signer: Signer, call: Call
) -> None:
    with pytest.raises(Crash):
        build(client, journal, signer, crash).submit(KEY, call)
    submitter = build(client, reopen(journal), signer, crash)
    stuck = node.pool
    for _ in range(UNKNOWN_BLOCKS):
        with pytest.raises(UnknownPending):
            submitter.submit(KEY, call)
        node.pool = {}
        node.mine()
        node.pool = stuck
    with pytest.raises(Crash):  # sent, and waited for
        submitter.submit(StepKey("operator", "1", "prove"), call)
    assert [nonce_of(raw) for raw in node.broadcasts] == [0, 1]


def test_wait_for_pool__mined_meanwhile__returns(
    node: FakeNode, client: ChainClient, journal: Journal, signer: Signer, call: Call
) -> None:
    with pytest.raises(Crash):
        build(client, journal, signer, crash).submit(KEY, call)
    restarted = build(client, reopen(journal), signer, mining(node))
    restarted.wait_for_pool()
    assert node.pool == {}
    node.mined, node.pool = {}, {"0xff": (signer.address, 1)}
    with pytest.raises(UnknownPending):
        build(client, reopen(journal), signer, lambda _: None).wait_for_pool()


def test_submit__another_machine_signed_for_the_step__refused_and_not_sent(
    node: FakeNode,
    client: ChainClient,
    journal: Journal,
    signer: Signer,
    call: Call,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Both looked before either signed, and no lock held them apart."""
    first, second = (build(client, Journal(journal.place), signer, crash) for _ in range(2))
    estimate = client.estimate_gas

    def overtaken(*arguments: Any) -> int:
        monkeypatch.setattr(client, "estimate_gas", estimate)
        with pytest.raises(Crash):
            second.submit(KEY, call)
        return estimate(*arguments)

    monkeypatch.setattr(client, "estimate_gas", overtaken)
    with pytest.raises(SubmissionConflict):
        first.submit(KEY, call)
    assert len(set(node.broadcasts)) == 1 and len(journal.get_transactions(KEY)) == 1


GAS = 100_000
FEE = 2 * 10**9 + 10**9  # two base fees and the tip


@pytest.mark.parametrize(
    ("balance", "can"),
    [(1_000 + GAS * FEE + 700 + 50, True), (1_000 + GAS * FEE + 700 + 49, False)],
)
def test_can_spend__obligations_and_reserve__stay_untouched(
    node: FakeNode,
    client: ChainClient,
    journal: Journal,
    signer: Signer,
    balance: int,
    can: bool,
) -> None:
    node.balance = balance
    submitter = Submitter(client, journal, signer, reserve_wei=Wei(50))
    assert submitter.can_spend(Wei(1_000), GAS, obligations_wei=Wei(700)) is can


def test_can_spend__a_transaction_under_way__counts_as_spent(
    node: FakeNode, client: ChainClient, journal: Journal, signer: Signer, call: Call
) -> None:
    submitter = build(client, journal, signer, crash)
    costly = replace(call, value_wei=Wei(10**18))
    with pytest.raises(Crash):
        submitter.submit(KEY, costly)
    gas_limit = 50_000  # the estimate and its margin
    node.balance = 10**18 + gas_limit * FEE + 5
    assert submitter.can_spend(Wei(5), 0, obligations_wei=Wei(0))
    assert not submitter.can_spend(Wei(6), 0, obligations_wei=Wei(0))
    node.mine()
    assert submitter.can_spend(Wei(10**18), 0, obligations_wei=Wei(0))


def test_compute_reserve_wei__three_base_fees_and_the_tip() -> None:
    assert compute_reserve_wei(100, Wei(7)) == 100 * (21 + 10**9)


def count_without_gaps(node: FakeNode) -> None:
    """Let the node count pending nonces as nodes do: up to the first that is missing."""

    def count(account: str, tag: str) -> str:
        pooled = node.pool.values() if tag == "pending" else ()
        used = {n for s, n in [*pooled, *node.counted.values()] if s == account}
        return hex(next(n for n in range(len(used) + 1) if n not in used))

    node.eth_getTransactionCount = count  # type: ignore[method-assign]


def test_submit__dropped_by_the_pool_and_refused_for_a_while__leaves_no_gap(
    node: FakeNode, client: ChainClient, journal: Journal, signer: Signer, call: Call
) -> None:
    """Another nonce for it, and nothing of this account would ever be mined again."""
    count_without_gaps(node)
    submitter = build(client, journal, signer, mining(node))
    other = StepKey("operator", "2", "commit")
    submitter.begin(KEY, call)
    submitter.begin(other, call)
    node.pool = {h: p for h, p in node.pool.items() if p[1] != 0}
    node.refusal = RpcError("eth_sendRawTransaction", -32000, "txpool is full", None)
    with pytest.raises(RpcError):
        submitter.submit(KEY, call)
    node.refusal = None
    assert submitter.submit(KEY, call).succeeded
    assert {nonce_of(raw) for raw in node.broadcasts} == {0, 1}


def test_submit__refused_at_first_while_another_is_under_way__its_nonce_is_taken(
    node: FakeNode, client: ChainClient, journal: Journal, signer: Signer, call: Call
) -> None:
    count_without_gaps(node)
    submitter = build(client, journal, signer, mining(node))
    submitter.begin(KEY, call)
    submitter.begin(StepKey("operator", "2", "commit"), call)
    (lost,) = journal.get_transactions(KEY)
    journal.set_transaction_status(lost.hash, TxStatus.LOST)
    node.pool = {h: p for h, p in node.pool.items() if p[1] != 0}
    submitter.submit(StepKey("operator", "3", "commit"), call)
    assert nonce_of(node.broadcasts[-1]) == 0


def test_submit__waits_for_another_steps_transaction__that_one_is_replaced_too(
    node: FakeNode, client: ChainClient, journal: Journal, signer: Signer, call: Call
) -> None:
    """Nobody may ask for that step any more, and a deadline may wait behind its nonce."""
    submitter = build(client, journal, signer, mining(node))
    submitter.begin(KEY, call)

    def sleep(_: float) -> None:
        if len({raw for raw in node.broadcasts if nonce_of(raw) == 0}) > 1:
            node.mine()
            return
        pool, node.pool = node.pool, {}  # blocks pass: the first one pays too little
        node.mine()
        node.pool = pool

    waiting = build(client, journal, signer, sleep)
    assert waiting.submit(StepKey("operator", "2", "prove"), call).succeeded
    first, second = journal.get_transactions(KEY)
    assert (first.nonce, second.nonce) == (0, 0)
    assert second.fees.max_fee_wei * 10 >= first.fees.max_fee_wei * 11
    assert build(client, journal, signer, mining(node)).submit(KEY, call).succeeded


def test_submit__held_up_for_hours__its_price_stays_below_a_bound(
    node: FakeNode, client: ChainClient, journal: Journal, signer: Signer, call: Call
) -> None:
    def sleep(_: float) -> None:
        pool, node.pool = node.pool, {}
        node.mine()
        node.pool = pool

    for _ in range(5):
        with pytest.raises(TransactionPending):
            build(client, journal, signer, sleep).submit(KEY, call)
    tips = [tx.fees.tip_wei for tx in journal.get_transactions(KEY)]
    assert len(node.blocks) > 50 * REPLACE_AFTER_BLOCKS
    assert MOST_TIP_WEI <= max(tips) <= 1.2 * MOST_TIP_WEI + 1
