"""Requests of a session: nonces, names, signatures, and whose signed results count."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from offchain.chain.job_ids import id_bytes
from offchain.chain.keys import LocalSigner
from offchain.chain.typed_data import build_request, build_result_receipt, verify_typed_signature
from offchain.errors import ConfigError, GatewayRefused, JobEnded, JobRefused, WaitTimeout
from offchain.sdk.connection import Connection
from offchain.sdk.pending import PendingResult
from offchain.sdk.session import ATTEMPTS, Session
from offchain.submit.content import compute_digest
from offchain.submit.gateway import SignedRequest
from offchain.types import ETH, Address, Amount, Digest, SessionId, SessionTerms, SignedResult
from tests.unit.sdk.conftest import (
    CHAIN_ID,
    CLIENT,
    MARKET,
    MLP,
    MODEL,
    NOW,
    OPERATOR,
    SESSIONS,
    STRANGER,
    VERSION,
    WORKER,
    World,
)

ID = SessionId("0x" + "51" * 32)
TERMS = SessionTerms(
    client=Address(CLIENT.address),
    signer=Address(CLIENT.address),
    operator=OPERATOR,
    version=VERSION,
    token=ETH,
    fee=Amount(5),
    salt=1,
)
RIGHT = compute_digest(MLP.output_bytes(), MODEL.output_bits, MODEL.output_shape)
OTHER = Digest(b"\7" * 32)


@pytest.fixture
def session(connection: Connection) -> Session:
    return Session(connection, ID, TERMS)


def test_request__signed_compactly_for_the_sessions_market(world: World, session: Session) -> None:
    pending = session.request(MLP.x, valid_seconds=40)
    (posted,) = world.posted_requests
    assert len(posted.signature) == 64
    message = build_request(CHAIN_ID, SESSIONS, posted.request)
    verify_typed_signature(message, posted.signature, CLIENT.address)
    assert (posted.request.session, posted.request.nonce) == (ID, 0)
    assert posted.request.valid_until == NOW + 40
    assert pending.request == posted.request
    assert pending.terms.fee == TERMS.fee


def test_request__every_other_one__has_its_own_nonce_and_job(session: Session) -> None:
    first, second = session.request(MLP.x), session.request(MLP.x)
    assert (first.nonce, second.nonce) == (0, 1)
    assert first.job_id != second.job_id
    assert [known.nonce for known in session.results] == [0, 1]
    assert session.results[0].job_id == first.job_id


def test_request__nonces_that_count_already__are_skipped(world: World, session: Session) -> None:
    world.used_nonces, world.known_nonces = {0, 1}, {2, 4}
    assert session.request(MLP.x).nonce == 3
    assert session.request(MLP.x).nonce == 5


def test_request__a_gateway_that_refuses_every_nonce__is_believed_at_last(
    world: World, session: Session
) -> None:
    world.known_nonces = set(range(100))
    with pytest.raises(GatewayRefused):
        session.request(MLP.x)
    assert len(world.posted_requests) == 0
    world.known_nonces = set()
    assert session.request(MLP.x).nonce == ATTEMPTS


@pytest.mark.parametrize("lie", ["nothing", "a stranger's", "another nonce's", "the same one"])
def test_request__gateway_refuses_and_shows_no_other_of_this_nonce__signs_no_second(
    world: World, session: Session, lie: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each refused request is signed: it could be served, and paid, all the same."""
    refused: list[SignedRequest] = []

    def refuse(signed: SignedRequest) -> None:
        refused.append(signed)
        raise GatewayRefused("gateway", 409, "Refused", "the deposit is used up")

    gateway: Any = session._connection.gateway
    monkeypatch.setattr(gateway, "post_request", refuse)
    world.known_nonces = set() if lie == "nothing" else set(range(100))
    world.shown_by = STRANGER if lie == "a stranger's" else CLIENT
    world.shown_shift = 1 if lie == "another nonce's" else 0
    if lie == "the same one":
        monkeypatch.setattr(gateway, "get_request", lambda *_: _show(refused[-1]))
    with pytest.raises(GatewayRefused, match="deposit"):
        session.request(MLP.x)
    assert len(refused) == 1


def _show(signed: SignedRequest) -> dict[str, Any]:
    return {
        "nonce": signed.request.nonce,
        "inDigest": "0x" + signed.request.in_digest.hex(),
        "validUntil": int(signed.request.valid_until),
        "signature": "0x" + signed.signature.hex(),
    }


def test_request__same_name__same_request(world: World, session: Session) -> None:
    first = session.request(MLP.x, name="one")
    world.now += 5
    again = session.request(MLP.x, name="one")
    assert again.request == first.request
    assert world.posted_requests[0].signature == world.posted_requests[1].signature
    world.used_nonces = {0}
    assert session.request(MLP.x, name="one").request == first.request
    assert len(world.posted_requests) == 2  # it is on chain: nothing to hand over
    with pytest.raises(ConfigError, match="another input"):
        session.request(np.roll(MLP.x, 1), name="one")


def test_request__named_and_stopped_before_it_was_signed__goes_on(
    connection: Connection, world: World, session: Session
) -> None:
    connection.journal.increment(f"nonces:{ID}")
    connection.remember("named-request", f"{ID}:one", {"nonce": 0})
    assert session.request(MLP.x, name="one").nonce == 0
    assert [posted.request.nonce for posted in world.posted_requests] == [0]


# What comes back


def give_receipt(
    connection: Connection, pending: PendingResult, signer: LocalSigner, digest: Digest
) -> None:
    message = build_result_receipt(CHAIN_ID, MARKET, id_bytes(pending.job_id), digest)
    receipt = SignedResult(digest, signer.sign_typed(message))
    connection.content.put_receipt(pending.job_id, receipt)


def test_signed__by_the_operators_worker_alone__counts(
    connection: Connection, session: Session
) -> None:
    pending = session.request(MLP.x)
    assert (pending.state(), pending.find_signed()) == ("requested", None)
    give_receipt(connection, pending, STRANGER, OTHER)
    garbage = SignedResult(Digest(b"\6" * 32), bytes(65))
    connection.content.put_receipt(pending.job_id, garbage)
    assert (pending.state(), pending.find_signed()) == ("requested", None)
    with pytest.raises(JobRefused):
        _ = pending.out_digest
    give_receipt(connection, pending, WORKER, RIGHT)
    assert pending.wait(0).out_digest == RIGHT
    pending.verify()
    assert pending.label == MODEL.decide(MLP.output_bytes())


def test_signed__for_another_request__does_not_count(
    connection: Connection, session: Session
) -> None:
    first, second = session.request(MLP.x), session.request(MLP.x)
    message = build_result_receipt(CHAIN_ID, MARKET, id_bytes(first.job_id), RIGHT)
    replayed = SignedResult(RIGHT, WORKER.sign_typed(message))
    connection.content.put_receipt(second.job_id, replayed)
    assert second.find_signed() is None


def test_wait__not_there_yet_or_never__says_which(
    connection: Connection, world: World, session: Session
) -> None:
    pending = session.request(MLP.x, valid_seconds=40)
    with pytest.raises(WaitTimeout, match="requested"):
        pending.wait(0)
    give_receipt(connection, pending, WORKER, RIGHT)
    with pytest.raises(WaitTimeout, match="signed"):
        pending.wait(0, until="committed")
    world.now = NOW + 41
    with pytest.raises(JobEnded, match="in time"):
        pending.wait(0)


def test_challenge__before_it_is_on_chain__refused(session: Session) -> None:
    pending: Any = session.request(MLP.x)
    with pytest.raises(JobRefused, match="on chain"):
        pending.challenge()
