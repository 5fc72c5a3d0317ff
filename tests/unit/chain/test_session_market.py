"""SessionMarket: what is read out of events and views, and what calls carry."""

from __future__ import annotations

from dataclasses import astuple, replace
from types import SimpleNamespace
from typing import Any

import pytest
from eth_abi.abi import decode, encode

from offchain.chain.abi import DecodedEvent
from offchain.chain.artifacts import load_artifact
from offchain.chain.contracts.session_market import SessionMarket
from offchain.chain.job_ids import id_bytes
from offchain.chain.session_ids import build_job_terms, compute_batch_id, compute_session_id
from offchain.errors import MalformedAnswer, TermsMismatch
from offchain.types import (
    ETH,
    Address,
    Amount,
    BatchItem,
    BatchLeaf,
    Digest,
    JobId,
    Seconds,
    SessionState,
    SessionTerms,
    VersionId,
)

CHAIN_ID = 31337
SESSIONS = Address("0x" + "33" * 20)
TERMS = SessionTerms(
    client=Address("0x" + "11" * 20),
    signer=Address("0x" + "22" * 20),
    operator=Address("0x" + "44" * 20),
    version=VersionId(b"\5" * 32),
    token=ETH,
    fee=Amount(7),
    salt=8,
)
SESSION = compute_session_id(CHAIN_ID, SESSIONS, TERMS)
ROOT = b"\6" * 32
BATCH = compute_batch_id(SESSION, ROOT)
LEAVES = tuple(
    BatchLeaf(i, 2**32 - 2 + i, Digest(bytes([16 + i]) * 32), Digest(bytes([32 + i]) * 32))
    for i in range(2)
)
ITEMS = b"".join(x.nonce.to_bytes(4, "big") + x.in_digest + x.out_digest for x in LEAVES)
OTHERS = {
    "client": SESSIONS, "signer": SESSIONS, "operator": SESSIONS, "version": b"\7" * 32,
    "token": SESSIONS, "fee": 8, "salt": 9,
}  # fmt: skip


@pytest.fixture
def market() -> SessionMarket:
    market = SessionMarket.__new__(SessionMarket)
    market.address, market.abi = SESSIONS, load_artifact("SessionMarket").abi
    market._client = SimpleNamespace(chain_id=CHAIN_ID)  # type: ignore[assignment]
    return market


def test_compute_session_id__as_solidity_computes_it() -> None:
    # cast keccak (cast abi-encode "f(string,uint256,address,(address,address,address,bytes32,
    # address,uint96,uint64))" "zkDPS session" 31337 SESSIONS "(CLIENT,SIGNER,...,7,8)")
    assert SESSION == "0xc295a694aa9668e0c36aaa3d5481984a487e287fe77f0c6296d207e0bf8fbf53"
    assert BATCH == "0xf1a699dca62d6e89392c55ce676a3dbe2e11c72a7df23621158deeb9460512a5"


@pytest.mark.parametrize("field", OTHERS)
def test_read_opened__terms_that_do_not_hash_to_the_id__refused(
    market: SessionMarket, field: str
) -> None:
    assert market.read_opened(_opened(TERMS)) == (SESSION, TERMS)
    with pytest.raises(TermsMismatch):
        market.read_opened(_opened(replace(TERMS, **{field: OTHERS[field]})))  # type: ignore[arg-type]


def test_read_committed__results_in_order(market: SessionMarket) -> None:
    batch = market.read_committed(_committed())
    assert (batch.id, batch.session, batch.root) == (BATCH, SESSION, ROOT)
    assert (batch.operator, batch.challenge_until) == (TERMS.operator, 99)
    assert batch.leaves == LEAVES


@pytest.mark.parametrize("told", [{"root": bytes(32)}, {"batchId": bytes(32)}])
def test_read_committed__another_id__refused(market: SessionMarket, told: dict[str, Any]) -> None:
    with pytest.raises(TermsMismatch):
        market.read_committed(_committed(**told))


@pytest.mark.parametrize("told", [{"items": ITEMS[:-1]}, {"items": ITEMS[68:]}, {"count": 3}])
def test_read_committed__not_as_many_as_told__refused(
    market: SessionMarket, told: dict[str, Any]
) -> None:
    with pytest.raises(MalformedAnswer):
        market.read_committed(_committed(**told))


def test_build_commit_batch__signature_in_two_words(market: SessionMarket) -> None:
    signature = bytes(range(64))
    leaf = LEAVES[0]
    item = BatchItem(leaf.nonce, Seconds(5), leaf.in_digest, leaf.out_digest, signature)
    call = market.build_commit_batch(SESSION, [item])
    kinds = ["bytes32", "(uint32,uint40,bytes32,bytes32,bytes32,bytes32)[]"]
    session, items = decode(kinds, call.calldata[4:])
    assert session == id_bytes(JobId(SESSION))
    wanted = (leaf.nonce, 5, leaf.in_digest, leaf.out_digest, signature[:32], signature[32:])
    assert items == (wanted,)


def test_build_open_session__value_only_in_ether(market: SessionMarket) -> None:
    for token, value in ((ETH, 70), (SESSIONS, 0)):
        call = market.build_open_session(
            TERMS.signer, TERMS.operator, TERMS.version, token, 7, 8, 70
        )
        assert call.value_wei == value
        assert market.build_add_deposit(SESSION, 70, token).value_wei == value
    assert market.build_challenge(BATCH, LEAVES[0], [ROOT], 5).value_wei == 5


def test_build_job_terms__salt_beyond_what_a_client_can_choose() -> None:
    first, second = (build_job_terms(SESSION, TERMS, n, Digest(b"\1" * 32)) for n in (0, 1))
    assert first.salt != second.salt and min(first.salt, second.salt) >= 2**64
    assert replace(first, salt=0) == replace(second, salt=0)


def test_get_session__as_the_chain_tells_it(market: SessionMarket) -> None:
    told = (astuple(TERMS), 700, int(SessionState.CLOSING), 123, 456)
    kind = "((address,address,address,bytes32,address,uint96,uint64),uint16,uint8,uint40,uint96)"
    answer = encode([kind], [told])
    market._client = SimpleNamespace(call=lambda _call: answer)  # type: ignore[assignment]
    session = market.get_session(SESSION)
    assert (session.terms, session.state) == (TERMS, SessionState.CLOSING)
    assert (session.closes_at, session.deposit) == (123, 456)


def _opened(terms: SessionTerms) -> DecodedEvent:
    arguments = {"sessionId": id_bytes(JobId(SESSION)), "terms": astuple(terms)}
    return _event("SessionOpened", arguments)


def _committed(**told: Any) -> DecodedEvent:
    arguments = {
        "sessionId": id_bytes(JobId(SESSION)),
        "batchId": id_bytes(JobId(BATCH)),
        "operator": TERMS.operator,
        "root": ROOT,
        "count": 2,
        "challengeUntil": 99,
        "items": ITEMS,
    }
    return _event("BatchCommitted", arguments | told)


def _event(name: str, arguments: dict[str, Any]) -> DecodedEvent:
    return DecodedEvent("SessionMarket", name, arguments, 7, "0x00", 0, "0x00")
