"""Two signed results are found, announced, and a block later shown; nothing else is."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from eth_account import Account
from eth_account.messages import _hash_eip191_message

from offchain.chain.contracts.dispute_game import compute_evidence_commitment
from offchain.chain.job_ids import id_bytes
from offchain.chain.keys import LocalSigner
from offchain.chain.transaction import CURVE_ORDER, Signature, parse_signature
from offchain.chain.typed_data import build_result_receipt
from offchain.roles.client import Client, Request
from offchain.roles.context import Context
from offchain.roles.evidence import ANNOUNCE, REPORT
from offchain.roles.receipts import find_conflict, publish_receipt
from offchain.types import (
    Address,
    Amount,
    BlockNumber,
    Digest,
    JobId,
    JobState,
    SignedResult,
    VersionId,
)
from tests.unit.roles.conftest import CHAIN_ID, JOB_ID, MARKET, OTHER, OWNER, FakeWorld, steps
from tests.unit.roles.test_client import build

SIGNER = LocalSigner(Account.from_key(b"\x11" * 32))
SIGNED = Digest(b"\x99" * 32)
GENERATOR_X = 0x79BE667EF9DCBBAC55A06295CE870B07029BFCDB2DCE28D959F2815B16F81798


def sign(digest: Digest, job: JobId = JOB_ID, chain_id: int = CHAIN_ID) -> bytes:
    return SIGNER.sign_typed(build_result_receipt(chain_id, MARKET, id_bytes(job), digest))


def sign_for_nobody(digest: Digest) -> bytes:
    """Return a signature from which the point at infinity is recovered: R = G, s = hash."""
    message = build_result_receipt(CHAIN_ID, MARKET, id_bytes(JOB_ID), digest).to_signable()
    hashed = int.from_bytes(_hash_eip191_message(message), "big") % CURVE_ORDER
    s, parity = (hashed, 0) if hashed <= CURVE_ORDER // 2 else (CURVE_ORDER - hashed, 1)
    return Signature(parity, GENERATOR_X, s).to_bytes()


def leave(context: Context, digest: Digest, signature: bytes) -> None:
    context.content.put_receipt(JOB_ID, SignedResult(digest, signature))


@pytest.fixture
def committed(chain: FakeWorld) -> Context:
    """A committed result of an operator whose worker SIGNER is, or was."""
    chain.set_state(JobState.COMMITTED)
    chain.served = OWNER
    return chain.build_context("client")


def test_find_conflict__another_result_signed_by_a_worker_of_the_operator(
    chain: FakeWorld, committed: Context
) -> None:
    leave(committed, SIGNED, sign(SIGNED))
    found = find_conflict(committed, chain.job)
    assert found is not None
    assert found.out_digest == SIGNED


@pytest.mark.parametrize("form", ["plain parity", "compact"])
def test_find_conflict__signature_in_another_form__made_one_that_the_chain_reads(
    chain: FakeWorld, committed: Context, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The contract takes 65 bytes with v = 27 or 28 only: a cheat must not hide behind another."""
    signature = sign(SIGNED)
    other = signature[:64] + bytes([signature[64] - 27])
    if form == "compact":
        other = parse_signature(signature).to_compact()
    told = (SignedResult(SIGNED, other),)
    monkeypatch.setattr(type(committed.content), "get_receipts", lambda *_: told)
    assert find_conflict(committed, chain.job) == SignedResult(SIGNED, signature)


def test_find_conflict__signed_by_the_operator_itself(chain: FakeWorld, committed: Context) -> None:
    chain.served = None
    chain.job = replace(chain.job, operator=Address(SIGNER.address))
    leave(committed, SIGNED, sign(SIGNED))
    assert find_conflict(committed, chain.job) is not None


@pytest.mark.parametrize(
    "case",
    [
        "the committed one", "another job's", "another chain's", "forged", "no point", "no key",
        "no digest", "a stranger's",
    ],
)  # fmt: skip
def test_find_conflict__no_evidence(chain: FakeWorld, committed: Context, case: str) -> None:
    if case == "the committed one":
        leave(committed, chain.job.out_digest, sign(chain.job.out_digest))
    elif case == "another job's":
        leave(committed, SIGNED, sign(SIGNED, JobId("0x" + "12" * 32)))
    elif case == "another chain's":
        leave(committed, SIGNED, sign(SIGNED, chain_id=1))
    elif case == "forged":
        leave(committed, SIGNED, b"\xff" * 65)
    elif case == "no point":
        leave(committed, SIGNED, bytes(31) + b"\x05" + bytes(31) + b"\x01" + b"\x1b")
    elif case == "no key":
        leave(committed, SIGNED, sign_for_nobody(SIGNED))
    elif case == "no digest":
        leave(committed, Digest(b"\x99"), sign(SIGNED))
    else:
        chain.served = OTHER
        leave(committed, SIGNED, sign(SIGNED))
    # Another job's or chain's signature recovers to an address that served nobody.
    if case.startswith("another"):
        recovered = chain.served
        committed.contracts.vault.get_served_owner = (  # type: ignore[method-assign]
            lambda signer: recovered if signer == SIGNER.address else None
        )
    assert find_conflict(committed, chain.job) is None


def test_client__conflict__announced_then_reported_in_that_order(
    chain: FakeWorld, committed: Context
) -> None:
    leave(committed, SIGNED, sign(SIGNED))
    client = build(committed)
    (key,) = client.compute_due_steps()
    assert steps((key,)) == [ANNOUNCE]
    client.perform(key)
    assert client.compute_due_steps() == (key,)  # not shown before it is announced
    chain.announced = BlockNumber(49)
    (key,) = client.compute_due_steps()
    assert steps((key,)) == [REPORT]
    client.perform(key)
    (_, commitment), (name, job, first, second, salt) = chain.sent  # type: ignore[misc]
    assert (name, job, second) == ("report", JOB_ID, SignedResult(chain.job.out_digest))
    account = committed.submitter.account
    assert commitment == compute_evidence_commitment(account, JOB_ID, first, second, salt)
    assert first == SignedResult(SIGNED, sign(SIGNED))


def test_client__journal_lost__its_announcement_found_again(
    chain: FakeWorld, committed: Context
) -> None:
    leave(committed, SIGNED, sign(SIGNED))
    (key,) = build(committed).compute_due_steps()
    (chain.home / "journal.sqlite3").unlink()
    assert build(chain.build_context("client")).compute_due_steps() == (key,)


@pytest.mark.parametrize("state", [JobState.FINAL, JobState.REJECTED, JobState.PROVEN])
def test_client__settled__nothing_to_report(
    chain: FakeWorld, committed: Context, state: JobState
) -> None:
    leave(committed, SIGNED, sign(SIGNED))
    chain.set_state(state)
    request = Request("mine", VersionId(bytes(32)), bytes(8), Amount(1))
    assert Client(committed, request)._evidence.choose_step(chain.job) is None


def test_get_receipts__whatever_lies_in_the_folder__never_fatal(
    chain: FakeWorld, committed: Context, tmp_path: Path
) -> None:
    folder = tmp_path / "content" / "receipts"
    publish_receipt(committed, JOB_ID, SIGNED)
    (folder / f"{JOB_ID}-nonsense.sig").write_bytes(b"x" * 65)
    (folder / f"{JOB_ID}-{'ab' * 32}.sig").write_bytes(b"short")
    (folder / f"{JOB_ID}-{'cd' * 32}.sig").mkdir()
    assert [r.out_digest for r in committed.content.get_receipts(JOB_ID)] == [SIGNED]
