"""Ids and commitments of quorums, the jobs their replicas stand for, and the lots of a draw.

A commitment names chain, quorums' market, job and operator, so nobody can open another's; a lot
depends on its own operator alone, so nobody moves another's (`contracts/libraries/Lots.sol`).
"""

from __future__ import annotations

from dataclasses import astuple
from typing import Final

from eth_abi.abi import encode
from eth_utils.crypto import keccak

from offchain.chain.job_ids import id_bytes, to_job_id
from offchain.types import Digest, JobId, JobTerms, QuorumId, QuorumTerms

TERMS: Final = "(address,bytes32,bytes32,address,uint96,uint8,uint96,bool,uint64)"
QUORUM_TAG: Final = "zkDPS quorum"
REPLICA_TAG: Final = "zkDPS replica"
AUDIT_TAG: Final = "zkDPS audit"
WORD_BITS: Final = 256
FRACTION_BITS: Final = 32  # binary digits behind the point of a logarithm
MANTISSA_BITS: Final = 128


def compute_quorum_id(chain_id: int, market: str, terms: QuorumTerms) -> QuorumId:
    """Return keccak256(abi.encode("zkDPS quorum", chain id, quorums' market, terms))."""
    encoded = encode(
        ["string", "uint256", "address", TERMS], [QUORUM_TAG, chain_id, market, astuple(terms)]
    )
    return QuorumId(to_job_id(keccak(encoded)))


def build_replica_terms(quorum: QuorumId, terms: QuorumTerms, index: int) -> JobTerms:
    """Return the terms of the job that a replica becomes when it is taken out."""
    salt = keccak(encode(["bytes32", "uint256"], [id_bytes(JobId(quorum)), index]))
    return JobTerms(
        client=terms.client,
        version=terms.version,
        in_digest=terms.in_digest,
        token=terms.token,
        fee=terms.fee,
        verify_mask=0,
        privacy_mask=0,
        salt=int.from_bytes(salt, "big"),
    )


def hash_commitment(
    chain_id: int, market: str, job: JobId, operator: str, out_digest: Digest, salt: bytes
) -> bytes:
    """Return what a replica's operator commits to; `market` is the quorums', `salt` 32 bytes."""
    types = ["string", "uint256", "address", "bytes32", "address", "bytes32", "bytes32"]
    values = [REPLICA_TAG, chain_id, market, id_bytes(job), operator, out_digest, salt]
    return keccak(encode(types, values))


def compute_audit_key(quorum: QuorumId) -> bytes:
    """Return the beacon's key for whether a replica is audited; the draw's is the quorum's id."""
    return keccak(encode(["string", "bytes32"], [AUDIT_TAG, id_bytes(JobId(quorum))]))


def compute_lot(seed: bytes, operator: str, weight: int) -> int:
    """Return floor(2^128 L / weight), L of keccak256(abi.encode(seed, operator)); least wins."""
    u = int.from_bytes(keccak(encode(["bytes32", "address"], [seed, operator])), "big")
    return (compute_minus_log2(u) << MANTISSA_BITS) // weight


def compute_minus_log2(u: int) -> int:
    """Return -log2(u / 2^256) in units of 2^-32, digit by digit as the contract does."""
    log = u.bit_length() - 1
    y = (u << (WORD_BITS - 1 - log)) >> (WORD_BITS - MANTISSA_BITS)
    for _ in range(FRACTION_BITS):
        y = y * y >> (MANTISSA_BITS - 1)
        digit = y >> MANTISSA_BITS
        y >>= digit
        log = log << 1 | digit
    return (WORD_BITS << FRACTION_BITS) - log
