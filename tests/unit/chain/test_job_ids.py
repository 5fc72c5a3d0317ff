"""A job's id commits to everything that its client ordered, and to where."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest

from offchain.chain.abi import DecodedEvent
from offchain.chain.contracts.job_market import JobMarket
from offchain.chain.job_ids import compute_job_id, id_bytes, id_number, to_job_id
from offchain.errors import TermsMismatch
from offchain.types import ETH, Address, Amount, Digest, JobTerms, VersionId

CLIENT, MARKET = Address("0x" + "11" * 20), Address("0x" + "22" * 20)
TERMS = JobTerms(
    client=CLIENT,
    version=VersionId(b"\3" * 32),
    in_digest=Digest(b"\4" * 32),
    token=ETH,
    fee=Amount(5),
    verify_mask=1,
    privacy_mask=0,
    salt=6,
)
EXPECTED = "0x2cb7772120fbc2badb9c849b64ef2fa63c07afc4c87a39a257849565761a6f4b"
OTHERS = {
    "client": MARKET,
    "version": b"\5" * 32,
    "in_digest": b"\5" * 32,
    "token": MARKET,
    "fee": 6,
    "verify_mask": 0,
    "privacy_mask": 1,
    "salt": 7,
}


def test_compute_job_id__as_solidity_computes_it() -> None:
    # cast keccak (cast abi-encode "f(uint256,address,(address,bytes32,bytes32,address,uint96,
    # uint8,uint8,uint64))" 31337 MARKET "(CLIENT,VERSION,INPUT,ETH,5,1,0,6)")
    assert compute_job_id(31337, MARKET, TERMS) == EXPECTED


@pytest.mark.parametrize("field", OTHERS)
def test_compute_job_id__any_other_term__another_job(field: str) -> None:
    other = replace(TERMS, **{field: OTHERS[field]})  # type: ignore[arg-type]
    assert compute_job_id(31337, MARKET, other) != compute_job_id(31337, MARKET, TERMS)


def test_compute_job_id__another_chain_or_market__another_job() -> None:
    here = compute_job_id(31337, MARKET, TERMS)
    assert compute_job_id(1, MARKET, TERMS) != here
    assert compute_job_id(31337, CLIENT, TERMS) != here


def test_id__text_bytes_and_number__one_value() -> None:
    job_id = compute_job_id(31337, MARKET, TERMS)
    assert to_job_id(id_bytes(job_id)) == job_id
    assert id_number(job_id).to_bytes(32, "big") == id_bytes(job_id)


@pytest.mark.parametrize("field", ["fee", "client"])
def test_read_created__terms_that_do_not_hash_to_the_id__refused(field: str) -> None:
    market = JobMarket.__new__(JobMarket)
    market.address = MARKET
    market._client = SimpleNamespace(chain_id=31337)  # type: ignore[assignment]
    told = replace(TERMS, **{field: OTHERS[field]})  # type: ignore[arg-type]
    assert market.read_created(_event(TERMS)).terms == TERMS
    with pytest.raises(TermsMismatch):
        market.read_created(_event(told))


def _event(told: JobTerms) -> DecodedEvent:
    named = id_bytes(compute_job_id(31337, MARKET, TERMS))
    arguments = {"jobId": named, "terms": list(vars(told).values()), "inputUri": "there"}
    return DecodedEvent("JobMarket", "JobCreated", arguments, 7, "0x00", 0, "0x00")
