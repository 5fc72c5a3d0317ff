"""Requests and results reach each other only with the signatures that count on chain."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from offchain.chain.job_ids import compute_job_id
from offchain.chain.session_ids import build_job_terms
from offchain.chain.typed_data import build_request
from offchain.gateway import requests
from offchain.gateway.config import Limits
from offchain.gateway.faults import Refused, SignatureRefused, Unknown
from offchain.gateway.references import UNUSED, LeafFate
from offchain.gateway.requests import KnownRequest
from offchain.types import (
    Address,
    Amount,
    BatchId,
    Digest,
    Seconds,
    SessionId,
    SessionRequest,
    SessionState,
)
from tests.unit.gateway.fakes import (
    CHAIN_ID,
    CLIENT,
    DAY,
    HOUR,
    MARKET,
    NOW,
    OPERATOR,
    ORDERS,
    SESSION,
    SESSIONS,
    SIGNER,
    STRANGER,
    TERMS,
    WORKER,
    Scene,
    compact,
    open_scene,
    sign,
    sign_request,
    sign_result,
)

INPUT, OUTPUT, OTHER = (Digest(bytes([n]) * 32) for n in (1, 2, 3))
REQUEST = SessionRequest(SESSION, 0, INPUT, Seconds(NOW + HOUR))
JOB = compute_job_id(CHAIN_ID, MARKET, build_job_terms(SESSION, TERMS, 0, INPUT))
LEAF = LeafFate(BatchId("0x" + "cc" * 32), 0, OUTPUT, JOB)


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    opened = open_scene(tmp_path)
    opened.chain.open_session()
    opened.chain.served[Address(WORKER.address)] = Address(OPERATOR.address)
    return opened


def post(scene: Scene, request: SessionRequest = REQUEST, signature: bytes | None = None) -> Any:
    return scene.boards.requests.post(request, signature or sign_request(request))


def find(scene: Scene, state: str | None = None) -> list[KnownRequest]:
    return list(scene.boards.requests.list(SESSION, state, -1, 99))


def pass_time(scene: Scene, seconds: int) -> None:
    scene.chain.now += seconds
    scene.boards.clock.refresh()


# Requests


@pytest.mark.parametrize(
    "signature",
    [
        sign_request(REQUEST, CLIENT),  # the session names another key
        sign_request(REQUEST, STRANGER),
        sign_request(replace(REQUEST, nonce=1)),
        sign_request(replace(REQUEST, session=SessionId("0x" + "ee" * 32))),
        sign(SIGNER, build_request(CHAIN_ID, ORDERS, REQUEST)),
        sign(SIGNER, build_request(1, SESSIONS, REQUEST)),
        bytes(64),
        bytes(65),
    ],
)
def test_post__not_the_signers_signature__refused(scene: Scene, signature: bytes) -> None:
    with pytest.raises(SignatureRefused):
        post(scene, REQUEST, signature)
    assert find(scene) == []


@pytest.mark.parametrize("form", [bytes, compact])
def test_post__either_form__kept_as_batches_hold_it(scene: Scene, form: Any) -> None:
    known, is_added = post(scene, REQUEST, form(sign_request(REQUEST)))
    assert is_added and known.job == JOB and known.state == "open"
    assert known.signature == "0x" + compact(sign_request(REQUEST)).hex()
    assert post(scene) == (known, False)


def test_post__nonce_of_another_request__refused(scene: Scene) -> None:
    post(scene)
    with pytest.raises(Refused, match="nonce 0"):
        post(scene, replace(REQUEST, in_digest=OTHER))
    scene.chain.used.add((SESSION, 1))
    with pytest.raises(Refused, match="used on chain"):
        post(scene, replace(REQUEST, nonce=1))


def test_post__no_such_session__unknown(scene: Scene) -> None:
    with pytest.raises(Unknown):
        post(scene, replace(REQUEST, session=SessionId("0x" + "ee" * 32)))


@pytest.mark.parametrize(
    "change",
    [
        {"state": SessionState.CLOSED},
        {"state": SessionState.VOIDED},
        {"state": SessionState.CLOSING, "closes_at": Seconds(NOW - 1)},
        {"deposit": Amount(10**15 - 1)},
    ],
)
def test_post__session_that_takes_none__refused(scene: Scene, change: dict[str, Any]) -> None:
    scene.chain.open_session(**change)
    with pytest.raises(Refused):
        post(scene)


@pytest.mark.parametrize("valid_until", [NOW - 1, NOW + 31 * DAY])
def test_post__valid_too_short_or_too_long__refused(scene: Scene, valid_until: int) -> None:
    with pytest.raises(Refused, match="validUntil"):
        post(scene, replace(REQUEST, valid_until=Seconds(valid_until)))


def test_post__more_than_may_wait__refused(tmp_path: Path) -> None:
    scene = open_scene(tmp_path, limits=Limits(requests_per_session=2))
    scene.chain.open_session()
    for nonce in range(2):
        post(scene, replace(REQUEST, nonce=nonce))
    with pytest.raises(Refused, match="2 requests"):
        post(scene, replace(REQUEST, nonce=2))


def test_post__ever_more_that_expire_at_once__refused(tmp_path: Path) -> None:
    """What has expired is kept for days: nobody may fill the database with it."""
    scene = open_scene(tmp_path, limits=Limits(requests_per_session=2))
    scene.chain.open_session()
    board = scene.boards.requests
    for nonce in range(8):
        post(scene, replace(REQUEST, nonce=nonce, valid_until=Seconds(scene.chain.now)))
        pass_time(scene, 1)
        board.follow(scene.index)
    assert len(find(scene, "expired")) == 8
    with pytest.raises(Refused, match="8 requests of the session are in no batch"):
        post(scene, replace(REQUEST, nonce=9, valid_until=Seconds(scene.chain.now)))


def test_list__pages__by_nonce_and_after_a_restart(scene: Scene, tmp_path: Path) -> None:
    for nonce in (5, 0, 2**32 - 1, 3):
        post(scene, replace(REQUEST, nonce=nonce))
    board = open_scene(tmp_path).boards.requests
    first = board.list(SESSION, "open", -1, 2)
    rest = board.list(SESSION, "open", first[-1].nonce, 9)
    assert [known.nonce for known in (*first, *rest)] == [0, 3, 5, 2**32 - 1]


# Results


@pytest.mark.parametrize("account", [OPERATOR, WORKER])
def test_post_result__signed_by_operator_or_worker__served(scene: Scene, account: Any) -> None:
    post(scene)
    signature = sign_result(JOB, OUTPUT, account)
    known, is_added = scene.boards.requests.post_result(SESSION, 0, OUTPUT, signature)
    assert is_added and (known.state, known.out_digest) == ("served", "0x" + OUTPUT.hex())
    (receipt,) = scene.boards.receipts.get(JOB)
    assert receipt.signer == account.address and receipt.signature == "0x" + signature.hex()
    again = scene.boards.requests.post_result(SESSION, 0, OUTPUT, compact(signature))
    assert again == (known, False)


@pytest.mark.parametrize(
    "signature",
    [
        sign_result(JOB, OUTPUT, STRANGER),
        sign_result(JOB, OUTPUT, CLIENT),
        sign_result(JOB, OTHER),
        bytes(65),
    ],
)
def test_post_result__not_the_operators__refused_and_still_open(
    scene: Scene, signature: bytes
) -> None:
    post(scene)
    with pytest.raises(SignatureRefused):
        scene.boards.requests.post_result(SESSION, 0, OUTPUT, signature)
    assert [known.state for known in find(scene)] == ["open"]
    assert scene.boards.receipts.get(JOB) == ()


def test_post_result__nobody_asked__unknown(scene: Scene) -> None:
    with pytest.raises(Unknown):
        scene.boards.requests.post_result(SESSION, 0, OUTPUT, sign_result(JOB, OUTPUT))


def test_post_result__two_of_one_job__both_kept_as_evidence(scene: Scene) -> None:
    post(scene)
    for digest in (OUTPUT, OTHER):
        scene.boards.requests.post_result(SESSION, 0, digest, sign_result(JOB, digest))
    assert {receipt.out_digest for receipt in scene.boards.receipts.get(JOB)} == {
        "0x" + OUTPUT.hex(), "0x" + OTHER.hex(),
    }  # fmt: skip
    assert find(scene)[0].out_digest == "0x" + OUTPUT.hex()  # the first word


# What becomes of them


def test_follow__leaf_of_a_batch__served_by_it_until_the_block_goes(scene: Scene) -> None:
    board = scene.boards.requests
    post(scene)
    scene.index.leaves[SESSION, 0] = LEAF
    board.follow(scene.index)
    (known,) = find(scene, "served")
    assert (known.batch, known.out_digest) == (LEAF.batch, "0x" + OUTPUT.hex())
    scene.index.leaves.clear()  # a reorganisation
    board.follow(scene.index)
    assert [known.batch for known in find(scene, "open")] == [None]


def test_follow__batch_commits_another_result_than_was_signed__chain_counts(scene: Scene) -> None:
    board = scene.boards.requests
    post(scene)
    board.post_result(SESSION, 0, OTHER, sign_result(JOB, OTHER))
    scene.index.leaves[SESSION, 0] = LEAF
    board.follow(scene.index)
    assert find(scene)[0].out_digest == "0x" + OUTPUT.hex()
    scene.index.leaves.clear()
    board.follow(scene.index)
    (known,) = find(scene, "served")
    assert (known.batch, known.out_digest) == (None, "0x" + OTHER.hex())


def test_follow__nobody_served_it_in_time__expired_and_then_forgotten(scene: Scene) -> None:
    board = scene.boards.requests
    post(scene)
    pass_time(scene, HOUR + 1)
    assert find(scene, "open") == []
    board.follow(scene.index)
    assert len(find(scene, "expired")) == 1
    assert board.count(SESSION) == {"open": 0, "served": 0, "expired": 1}
    assert board.purge(REQUEST.valid_until + 1) == 1


def test_follow__more_than_one_chunk__all_of_them(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(requests, "CHUNK", 3)
    for nonce in range(7):
        post(scene, replace(REQUEST, nonce=nonce))
        scene.index.leaves[SESSION, nonce] = replace(LEAF, index=nonce)
    scene.boards.requests.follow(scene.index)
    assert scene.boards.requests.count(SESSION)["served"] == 7


def test_find_use__input_and_signed_output__needed_until_no_batch_can_hold_them(
    scene: Scene,
) -> None:
    board = scene.boards.requests
    assert board.find_use(INPUT) == UNUSED
    post(scene)
    board.post_result(SESSION, 0, OUTPUT, sign_result(JOB, OUTPUT))
    assert board.find_use(INPUT).is_live and board.find_use(OUTPUT).is_live
    pass_time(scene, HOUR + 1)
    assert not board.find_use(INPUT).is_live
    assert board.find_use(OUTPUT).ended_at == REQUEST.valid_until
    scene.index.leaves[SESSION, 0] = LEAF
    board.follow(scene.index)
    assert board.find_use(INPUT) == UNUSED  # the index knows how long
