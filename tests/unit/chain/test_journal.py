"""The journal remembers steps, transactions and counters across processes."""

from __future__ import annotations

import multiprocessing
import time
from dataclasses import replace
from typing import Any

import pytest

from offchain.chain.client import ChainClient
from offchain.chain.database import Place
from offchain.chain.fees import Fees
from offchain.chain.journal import Journal, StepKey, StepStatus, StoredTransaction, TxStatus
from offchain.chain.keys import Signer
from offchain.chain.nonce import NonceManager
from offchain.errors import SubmissionConflict, UnknownPending
from offchain.types import AccountId, TxHash, Wei
from tests.unit.chain.fake_node import FakeNode

KEY = StepKey("operator", "1", "commit")
OTHER = StepKey("operator", "2", "commit")
ACCOUNT = AccountId("0x" + "aa" * 20)
HUGE = Wei(2**200)


def sign(key: StepKey = KEY, nonce: int = 0, salt: int = 0, **change: Any) -> StoredTransaction:
    return StoredTransaction(
        **{
            "key": key,
            "account": ACCOUNT,
            "nonce": nonce,
            "hash": TxHash(f"0x{key.job}-{nonce}-{salt}"),
            "raw": b"\0\xff",
            "label": "Box.put",
            "fees": Fees(HUGE, Wei(1)),
            "sent_block": 2**40,
            "status": TxStatus.SIGNED,
            "cost_wei": HUGE,
            **change,
        }
    )


def test_put_step__reopened__status_and_detail_stay(place: Place) -> None:
    Journal(place).put_step(KEY, StepStatus.BEGUN, {"digest": "0x01"})
    journal = Journal(place)
    journal.put_step(KEY, StepStatus.DONE)
    step = Journal(place).get_step(KEY)
    assert step is not None
    assert (step.status, step.detail) == (StepStatus.DONE, {"digest": "0x01"})
    assert journal.is_done(KEY)
    assert not journal.is_done(StepKey("operator", "1", "accept"))


def test_get_steps__of_a_role_or_a_job__in_the_order_they_were_begun(journal: Journal) -> None:
    keys = [StepKey("operator", job, step) for job, step in (("9", "b"), ("1", "a"), ("9", "a"))]
    for key in (*keys, keys[0], StepKey("client", "9", "c")):
        journal.put_step(key, StepStatus.BEGUN)
    assert [step.key for step in journal.get_steps("operator")] == keys
    assert [step.key for step in journal.get_steps("operator", "9")] == [keys[0], keys[2]]


def test_atomic__exception_inside__nothing_changed(journal: Journal) -> None:
    with pytest.raises(RuntimeError), journal.atomic():
        journal.put_step(KEY, StepStatus.DONE)
        journal.increment("withdraw")
        raise RuntimeError
    assert journal.get_step(KEY) is None
    assert journal.get_counter("withdraw") == 0
    with journal.atomic():
        journal.put_step(KEY, StepStatus.DONE)
    assert journal.is_done(KEY)


def test_put_transaction__reopened__every_field_stays(place: Place) -> None:
    tx = sign()
    Journal(place).put_transaction(tx)
    assert Journal(place).get_transactions(KEY) == (tx,)
    assert Journal(place).get_unsettled_transactions(ACCOUNT) == (tx,)


def test_put_transaction__nonce_of_another_step__refused_unless_that_one_is_lost(
    journal: Journal,
) -> None:
    first, second = sign(), sign(OTHER)
    journal.put_transaction(first)
    with pytest.raises(SubmissionConflict, match="commit of job 1 was signed with nonce 0"):
        journal.put_transaction(second)
    assert journal.get_transactions(OTHER) == ()
    journal.set_transaction_status(first.hash, TxStatus.LOST)
    journal.put_transaction(second)
    assert journal.get_highest_nonce(ACCOUNT) == 0


@pytest.mark.parametrize("status", [TxStatus.SIGNED, TxStatus.MINED])
def test_put_transaction__step_under_way_with_another_nonce__refused(
    journal: Journal, status: TxStatus
) -> None:
    journal.put_transaction(sign(status=status))
    with pytest.raises(SubmissionConflict):
        journal.put_transaction(sign(nonce=1))
    journal.put_transaction(sign(salt=1))  # a replacement
    assert len(journal.get_transactions(KEY)) == 2


def test_put_transaction__step_reverted__signed_again_with_the_next_nonce(journal: Journal) -> None:
    journal.put_transaction(sign(status=TxStatus.REVERTED))
    journal.put_transaction(sign(nonce=1))
    assert journal.get_nonces(ACCOUNT, 0) == {0, 1} and journal.get_nonces(ACCOUNT, 1) == {1}


def test_open__file__for_its_owner_only(journal: Journal) -> None:
    journal.put_step(KEY, StepStatus.BEGUN)
    file = journal.place.file
    assert {oct(part.stat().st_mode & 0o777) for part in file.parent.glob(file.name + "*")} == {
        "0o600"
    }
    assert file.parent.stat().st_mode & 0o777 == 0o700


def _count(place: Place) -> None:
    journal = Journal(place)
    for _ in range(20):
        journal.increment("prover-entries")


def test_increment__several_processes__no_count_is_lost(place: Place) -> None:
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=_count, args=(place,)) for _ in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert Journal(place).get_counter("prover-entries") == 60


def test_reserve__fresh_account__starts_at_the_chains_count(
    client: ChainClient, journal: Journal, signer: Signer
) -> None:
    with NonceManager(client, journal, signer.address).reserve() as nonce:
        assert nonce == 0


def test_reserve__transactions_in_the_pool__never_overwritten(
    node: FakeNode, client: ChainClient, journal: Journal, signer: Signer
) -> None:
    node.pool = {"0x01": (signer.address, 0), "0x02": (signer.address, 1)}
    nonces = NonceManager(client, journal, signer.address)
    with nonces.reserve() as nonce:
        assert nonce == 2
    with pytest.raises(UnknownPending, match="nonces 0, 1"):
        nonces.verify_pool_is_known()
    journal.put_transaction(sign(nonce=0, account=signer.address))
    with pytest.raises(UnknownPending, match="nonces 1"):
        nonces.verify_pool_is_known()
    journal.put_transaction(sign(OTHER, nonce=1, account=signer.address))
    nonces.verify_pool_is_known()


def test_locks__held_by_another_session__waited_for_or_refused(place: Place) -> None:
    first, second = Journal(place).locks, Journal(place).locks
    with first.hold("a"), second.try_hold("a") as mine, second.try_hold("b") as other:
        assert (mine, other) == (False, True)
    with second.try_hold("a") as mine, first.try_hold("a") as too:
        assert (mine, too) == (True, False)
    with pytest.raises(RuntimeError), first.hold("a"):
        raise RuntimeError
    with second.hold("a"):
        pass


def _hold_for_ever(place: Place, held: Any) -> None:
    with Journal(place).locks.hold("step"):
        held.set()
        time.sleep(60)


def test_locks__holder_killed__free_again(place: Place) -> None:
    context = multiprocessing.get_context("spawn")
    held = context.Event()
    holder = context.Process(target=_hold_for_ever, args=(place, held))
    holder.start()
    try:
        assert held.wait(30)
        locks = Journal(place).locks
        with locks.try_hold("step") as mine:
            assert not mine
        holder.kill()
        holder.join()
        with locks.hold("step"):
            pass
    finally:
        holder.kill()


def test_open__elsewhere__nothing_is_shared(place: Place) -> None:
    other = replace(place, file=place.file.with_name("other.sqlite3"), space=place.space + "/other")
    Journal(place).put_transaction(sign())
    Journal(place).increment("withdraw")
    journal = Journal(other)
    assert journal.get_highest_nonce(ACCOUNT) is None
    assert journal.get_counter("withdraw") == 0
    journal.put_transaction(sign())
