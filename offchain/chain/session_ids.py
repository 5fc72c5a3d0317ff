"""Ids of sessions and batches, and the job that a session's request stands for (protocol.md A.22).

A session's id names its terms, a batch's id its session and its root, so no reorganisation puts
something else under either. The salt of a request's job is a hash: an ordinary job has 64 bits.
"""

from __future__ import annotations

from dataclasses import astuple
from typing import Final

from eth_abi.abi import encode
from eth_utils.crypto import keccak

from offchain.chain.job_ids import id_bytes, to_job_id
from offchain.types import BatchId, Digest, JobId, JobTerms, SessionId, SessionTerms

TERMS: Final = "(address,address,address,bytes32,address,uint96,uint64)"
SESSION_TAG: Final = "zkDPS session"
BATCH_TAG: Final = "zkDPS batch"


def compute_session_id(chain_id: int, sessions: str, terms: SessionTerms) -> SessionId:
    """Return keccak256(abi.encode("zkDPS session", chain id, sessions' market, terms))."""
    encoded = encode(
        ["string", "uint256", "address", TERMS], [SESSION_TAG, chain_id, sessions, astuple(terms)]
    )
    return SessionId(to_job_id(keccak(encoded)))


def compute_batch_id(session: SessionId, root: bytes) -> BatchId:
    """Return keccak256(abi.encode("zkDPS batch", session id, root))."""
    encoded = encode(["string", "bytes32", "bytes32"], [BATCH_TAG, id_bytes(JobId(session)), root])
    return BatchId(to_job_id(keccak(encoded)))


def build_job_terms(
    session: SessionId, terms: SessionTerms, nonce: int, in_digest: Digest
) -> JobTerms:
    """Return the terms of the job that a request of a session stands for."""
    salt = keccak(encode(["bytes32", "uint32"], [id_bytes(JobId(session)), nonce]))
    return JobTerms(
        client=terms.client,
        version=terms.version,
        in_digest=in_digest,
        token=terms.token,
        fee=terms.fee,
        verify_mask=0,
        privacy_mask=0,
        salt=int.from_bytes(salt, "big"),
    )
