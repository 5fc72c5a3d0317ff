"""Job ids: the hash of chain, market and terms, as text and as bytes.

A job's id names its content, so a reorganisation can never put another job under it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import astuple
from typing import Final

from eth_abi.abi import encode
from eth_utils.crypto import keccak

from offchain.errors import AmbiguousJob, NoSuchJob
from offchain.types import JobId, JobTerms

TERMS: Final = "(address,bytes32,bytes32,address,uint96,uint8,uint8,uint64)"
ID_DIGITS: Final = 64
NAMED: Final = re.compile(r"(?:0x)?([0-9a-fA-F]{1,64})")


def compute_job_id(chain_id: int, market: str, terms: JobTerms) -> JobId:
    """Return keccak256(abi.encode(chain id, market, terms)) (`contracts/types/Job.sol`)."""
    encoded = encode(["uint256", "address", TERMS], [chain_id, market, astuple(terms)])
    return to_job_id(keccak(encoded))


def to_job_id(raw: bytes) -> JobId:
    """Return the id of 32 bytes."""
    return JobId("0x" + raw.hex())


def id_bytes(job_id: JobId) -> bytes:
    """Return the 32 bytes of an id, as the ABI takes them."""
    return bytes.fromhex(job_id[2:])


def id_number(job_id: JobId) -> int:
    """Return the id as a proof's statement holds it: a 256-bit number."""
    return int(job_id, 16)


def shorten(job_id: JobId) -> str:
    """Return the first digits of an id, for people."""
    return job_id[:10]


def resolve_job_id(named: str, known: Iterable[JobId]) -> JobId:
    """Return the job that a user names by its id or the beginning of one.

    A whole id needs not be among the known ones. Raises NoSuchJob or AmbiguousJob.
    """
    match = NAMED.fullmatch(named.strip())
    if match is None:
        raise NoSuchJob(named)
    digits = match[1].lower()
    if len(digits) == ID_DIGITS:
        return JobId("0x" + digits)
    found = sorted({job_id for job_id in known if job_id[2:].startswith(digits)})
    if not found:
        raise NoSuchJob(named)
    if len(found) > 1:
        raise AmbiguousJob(named, found)
    return found[0]
