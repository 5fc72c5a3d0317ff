"""A request's result in a batch: found by its nonce, and shown to be in what was committed."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from offchain.chain.job_ids import compute_job_id, id_bytes
from offchain.chain.session_ids import build_job_terms, compute_batch_id
from offchain.commit.batch_tree import compute_leaf, compute_root, compute_root_of_path
from offchain.errors import JobEnded, TermsMismatch, WaitTimeout
from offchain.sdk.connection import Connection
from offchain.sdk.session import Session
from offchain.submit.content import compute_digest
from offchain.submit.models import encode_input
from offchain.types import (
    Assurance,
    BatchLeaf,
    BatchState,
    CommittedBatch,
    Digest,
    JobState,
    Seconds,
)
from tests.unit.sdk.conftest import CHAIN_ID, MARKET, MLP, MODEL, OPERATOR, World
from tests.unit.sdk.test_session import ID, OTHER, TERMS

ASKED = compute_digest(encode_input(MODEL, MLP.x), MODEL.input_bits, MODEL.input_shape)
LEAVES = tuple(
    BatchLeaf(index, nonce, asked, Digest(bytes([9 + index]) * 32))
    for index, (nonce, asked) in enumerate(((4, OTHER), (0, ASKED), (7, OTHER)))
)


def hash_leaf(leaf: BatchLeaf) -> bytes:
    job = compute_job_id(CHAIN_ID, MARKET, build_job_terms(ID, TERMS, leaf.nonce, leaf.in_digest))
    return compute_leaf(id_bytes(job), leaf.out_digest)


ROOT = compute_root([hash_leaf(leaf) for leaf in LEAVES])
BATCH = CommittedBatch(
    id=compute_batch_id(ID, ROOT),
    session=ID,
    operator=OPERATOR,
    root=ROOT,
    challenge_until=Seconds(2_000),
    leaves=LEAVES,
)


@pytest.fixture
def told(connection: Connection, world: World) -> dict[str, Any]:
    """A chain with one batch; its parts can be replaced by what a node might tell instead."""
    facts: dict[str, Any] = {"batch": BATCH, "state": BatchState.COMMITTED}
    cast("Any", connection.client).collect_logs = lambda *_: [facts]
    sessions = cast("Any", connection.sessions)
    sessions.abi = SimpleNamespace(get_topic=lambda _: "0x", decode_event=lambda log: log)
    sessions.read_committed = lambda log: log["batch"]
    sessions.get_batch = lambda _: SimpleNamespace(state=facts["state"])
    sessions.get_assurance = lambda *_: Assurance.UNCHALLENGED
    world.used_nonces = {leaf.nonce for leaf in LEAVES}
    return facts


def request(connection: Connection, world: World) -> Any:
    """Return the request of nonce 0, which is the second result of the batch."""
    used, world.used_nonces = world.used_nonces, set()
    pending = Session(connection, ID, TERMS).request(MLP.x)
    world.used_nonces = used
    return pending


@pytest.mark.usefixtures("told")
def test_find_inclusion__shown_by_its_path(connection: Connection, world: World) -> None:
    inclusion = request(connection, world).find_inclusion()
    assert inclusion.leaf == LEAVES[1]
    leaf = hash_leaf(inclusion.leaf)
    assert compute_root_of_path(leaf, inclusion.leaf.index, inclusion.path) == ROOT


def test_find_inclusion__nonce_not_used__not_even_looked_for(
    connection: Connection, world: World, told: dict[str, Any]
) -> None:
    world.used_nonces = set()
    pending = request(connection, world)
    assert pending.find_inclusion() is None
    assert pending.assurance is Assurance.NONE
    world.used_nonces = {0}
    assert pending.find_inclusion().batch == told["batch"]
    world.used_nonces = set()  # a reorganisation took it
    assert pending.find_inclusion() is None


def test_find_inclusion__results_that_are_not_the_batchs__refused(
    connection: Connection, world: World, told: dict[str, Any]
) -> None:
    pending = request(connection, world)
    forged = replace(LEAVES[0], out_digest=Digest(b"\7" * 32))
    for lie in (
        replace(BATCH, leaves=(forged, *LEAVES[1:])),
        replace(BATCH, leaves=LEAVES[:2]),
        replace(BATCH, root=b"\7" * 32),
    ):
        told["batch"] = lie
        with pytest.raises(TermsMismatch):
            pending.find_inclusion()


@pytest.mark.usefixtures("told")
def test_nonce_answered_for_another_input__no_result_and_nothing_to_challenge(
    connection: Connection, world: World
) -> None:
    """Two were signed under one nonce: what was answered says nothing about the other's input."""
    used, world.used_nonces = world.used_nonces, set()
    pending = Session(connection, ID, TERMS).request(np.roll(MLP.x, 1))
    world.used_nonces = used
    assert pending.nonce == 0
    assert pending.state() == "overtaken"
    with pytest.raises(JobEnded, match="another input"):
        pending.wait(0)
    for ask in ("out_digest", "output", "label", "assurance"):
        with pytest.raises(JobEnded, match="another input"):
            getattr(pending, ask)
    for move in (pending.verify, pending.challenge, pending.extract):
        with pytest.raises(JobEnded, match="another input"):
            move()
    assert world.sent == []


def test_state__follows_the_batch(
    connection: Connection, world: World, told: dict[str, Any]
) -> None:
    pending = request(connection, world)
    assert pending.state() == "committed"
    with pytest.raises(WaitTimeout):
        pending.wait(0, until="final")
    pending.wait(0, until="committed")
    told["state"] = BatchState.FINAL
    assert pending.wait(0, until="final").out_digest == LEAVES[1].out_digest
    assert pending.assurance is Assurance.UNCHALLENGED
    told["state"] = BatchState.VOIDED
    with pytest.raises(JobEnded, match="refund"):
        pending.wait(0)


@pytest.mark.usefixtures("told")
def test_state__extracted__is_that_of_its_job(connection: Connection, world: World) -> None:
    pending = request(connection, world)
    world.put(pending.terms, JobState.DISPUTED)
    assert pending.state() == "job"
    pending.wait(0, until="committed")
    with pytest.raises(WaitTimeout, match="DISPUTED"):
        pending.wait(0, until="final")
    world.put(pending.terms, JobState.PROVEN)
    pending.wait(0, until="final")
    world.put(pending.terms, JobState.REJECTED)
    with pytest.raises(JobEnded, match="REJECTED"):
        pending.wait(0, until="final")
