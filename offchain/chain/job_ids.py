"""Job ids: the hash of chain, market and terms, as text and as bytes.

A job's id names its content, so a reorganisation can never put another job under it.
"""

from __future__ import annotations

from dataclasses import astuple
from typing import Final

from eth_abi.abi import encode
from eth_utils.crypto import keccak

from offchain.types import JobId, JobTerms

TERMS: Final = "(address,bytes32,bytes32,address,uint96,uint8,uint8,uint256)"


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
