"""A step's transaction is sent at most once, whatever happens in between."""

from __future__ import annotations

import pytest
from eth_abi.abi import encode
from eth_utils.crypto import keccak

from offchain.chain.client import Call, ChainClient
from offchain.chain.journal import Journal, StepKey, TxStatus
from offchain.chain.keys import Signer
from offchain.chain.rpc import RpcError
from offchain.errors import ContractRevert, TransactionPending, TransactionReverted
from offchain.submit.transactions import REPLACE_AFTER_BLOCKS, Submitter
from tests.unit.chain.fake_node import FakeNode, nonce_of

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
