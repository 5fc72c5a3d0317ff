"""The journal remembers steps, transactions and counters across processes."""

from __future__ import annotations

import multiprocessing
from pathlib import Path

import pytest

from offchain.chain.client import ChainClient
from offchain.chain.journal import Journal, StepKey, StepStatus
from offchain.chain.keys import Signer
from offchain.chain.nonce import NonceManager

KEY = StepKey("operator", "1", "commit")


def test_put_step__reopened__status_and_detail_stay(tmp_path: Path) -> None:
    Journal(tmp_path / "j").put_step(KEY, StepStatus.BEGUN, {"digest": "0x01"})
    journal = Journal(tmp_path / "j")
    journal.put_step(KEY, StepStatus.DONE)
    step = Journal(tmp_path / "j").get_step(KEY)
    assert step is not None
    assert (step.status, step.detail) == (StepStatus.DONE, {"digest": "0x01"})
    assert journal.is_done(KEY)
    assert not journal.is_done(StepKey("operator", "1", "accept"))


def test_atomic__exception_inside__nothing_changed(journal: Journal) -> None:
    with pytest.raises(RuntimeError), journal.atomic():
        journal.put_step(KEY, StepStatus.DONE)
        raise RuntimeError
    assert journal.get_step(KEY) is None


def _count(path: Path) -> None:
    journal = Journal(path)
    for _ in range(20):
        journal.increment("prover-entries")


def test_increment__several_processes__no_count_is_lost(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=_count, args=(tmp_path / "j",)) for _ in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert Journal(tmp_path / "j").get_counter("prover-entries") == 60


def test_reserve__fresh_account__starts_at_the_chains_count(
    client: ChainClient, journal: Journal, signer: Signer
) -> None:
    with NonceManager(client, journal, signer.address).reserve() as nonce:
        assert nonce == 0
