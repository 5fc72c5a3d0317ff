"""A receipt is an operator's word: nobody else's is kept."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from offchain.gateway.faults import Refused, SignatureRefused, Unknown
from offchain.types import NOBODY, Address, Digest, JobId
from tests.unit.gateway.fakes import (
    CLIENT,
    JOB,
    NOW,
    OPERATOR,
    STRANGER,
    WORKER,
    Scene,
    compact,
    job_of,
    open_scene,
    sign_result,
)

OUTPUT = Digest(b"\x02" * 32)


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    opened = open_scene(tmp_path)
    opened.chain.jobs[JOB] = job_of(Address(OPERATOR.address))
    opened.chain.served[Address(WORKER.address)] = Address(OPERATOR.address)
    opened.chain.served[Address(STRANGER.address)] = Address(CLIENT.address)
    return opened


@pytest.mark.parametrize("account", [OPERATOR, WORKER])
@pytest.mark.parametrize("form", [bytes, compact])
def test_put__operators_or_its_workers__kept_once_in_65_bytes(
    scene: Scene, account: Any, form: Any
) -> None:
    signature = sign_result(JOB, OUTPUT, account)
    assert scene.boards.receipts.put_for_job(JOB, OUTPUT, form(signature))
    assert not scene.boards.receipts.put_for_job(JOB, OUTPUT, form(signature))
    (receipt,) = scene.boards.receipts.get(JOB)
    assert receipt.signature == "0x" + signature.hex()
    assert receipt.signer == account.address


@pytest.mark.parametrize(
    "signature",
    [
        sign_result(JOB, OUTPUT, STRANGER),  # works for somebody else
        sign_result(JOB, OUTPUT, CLIENT),
        sign_result(JOB, b"\x03" * 32),
        sign_result(JobId("0x" + "ab" * 32), OUTPUT),
        bytes(65),
        b"\x01" * 64,
    ],
)
def test_put__anybody_elses__refused(scene: Scene, signature: bytes) -> None:
    with pytest.raises(SignatureRefused):
        scene.boards.receipts.put_for_job(JOB, OUTPUT, signature)
    assert scene.boards.receipts.get(JOB) == ()


def test_put__job_without_operator_or_none_at_all__refused(scene: Scene) -> None:
    scene.chain.jobs[JOB] = job_of(NOBODY)
    with pytest.raises(Refused):
        scene.boards.receipts.put_for_job(JOB, OUTPUT, sign_result(JOB, OUTPUT))
    del scene.chain.jobs[JOB]
    with pytest.raises(Unknown):
        scene.boards.receipts.put_for_job(JOB, OUTPUT, sign_result(JOB, OUTPUT))


def test_put__more_than_anybody_looks_at__refused(scene: Scene) -> None:
    for n in range(16):
        digest = Digest(bytes([n]) * 32)
        scene.boards.receipts.put_for_job(JOB, digest, sign_result(JOB, digest))
    with pytest.raises(Refused, match="16 receipts"):
        scene.boards.receipts.put_for_job(JOB, Digest(b"\xff" * 32), sign_result(JOB, b"\xff" * 32))
    assert len(scene.boards.receipts.get(JOB)) == 16


def test_purge__after_every_deadline__gone(scene: Scene) -> None:
    scene.boards.receipts.put_for_job(JOB, OUTPUT, sign_result(JOB, OUTPUT))
    assert scene.boards.receipts.purge(NOW) == 0
    assert scene.boards.receipts.purge(NOW + 1) == 1
    assert scene.boards.receipts.get(JOB) == ()
