"""Quorums: ids, jobs of replicas, commitments, lots, and locks that make cheating unprofitable."""

from __future__ import annotations

import random
from typing import Any, Final

from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak

from offchain.chain.job_ids import compute_job_id
from offchain.chain.quorum_ids import (
    build_replica_terms,
    compute_lot,
    compute_minus_log2,
    compute_quorum_id,
    hash_commitment,
)
from offchain.params.economics import (
    BPS,
    is_challenge_paid,
    is_defence_paid,
    minimum_lock,
    minimum_slash,
    quorum_detection_rate,
)
from offchain.types import Address, Amount, Digest, QuorumTerms, VersionId
from tests.vectors.encoding import hexed

SEED: Final = 6
CHAIN_ID: Final = 31337
QUORUMS: Final = Address(to_checksum_address("0x" + "51" * 20))
MARKET: Final = Address(to_checksum_address("0x" + "52" * 20))
CASES: Final = 12
# Numbers whose logarithms lie at the edges: least, most, powers of two and their neighbours.
EDGES: Final = (1, 2, 3, 2**127, 2**128 - 1, 2**128, 2**255 - 1, 2**255, 2**256 - 2, 2**256 - 1)


def quorum_vectors() -> dict[str, Any]:
    """Return the same cases on every run."""
    draw = random.Random(SEED)
    return {
        "chainId": CHAIN_ID,
        "quorums": QUORUMS,
        "market": MARKET,
        "ids": [_id_vector(draw) for _ in range(CASES)],
        "logs": [{"u": hex(u), "log": compute_minus_log2(u)} for u in EDGES],
        "lots": [_lot_vector(draw) for _ in range(CASES)],
        "locks": [_lock_vector(draw, i) for i in range(2 * CASES)],
        "rates": [_rate_vector(n, a, bps) for n, a in _shapes() for bps in (0, 20, 500, 5000, BPS)],
    }


def _id_vector(draw: random.Random) -> dict[str, Any]:
    terms = QuorumTerms(
        client=_address(draw),
        version=VersionId(draw.randbytes(32)),
        in_digest=Digest(draw.randbytes(32)),
        token=_address(draw),
        fee=Amount(draw.randrange(2**96)),
        count=draw.choice((1, 3, 5)),
        insured=Amount(draw.randrange(2**96)),
        is_audited=draw.random() < 0.5,
        salt=draw.randrange(2**64),
    )
    quorum = compute_quorum_id(CHAIN_ID, QUORUMS, terms)
    index = draw.randrange(5)
    job = compute_job_id(CHAIN_ID, MARKET, build_replica_terms(quorum, terms, index))
    operator, result, salt = _address(draw), Digest(draw.randbytes(32)), draw.randbytes(32)
    commitment = hash_commitment(CHAIN_ID, QUORUMS, job, operator, result, salt)
    return {
        "client": terms.client,
        "version": hexed(terms.version),
        "inDigest": hexed(terms.in_digest),
        "token": terms.token,
        "fee": str(terms.fee),
        "count": terms.count,
        "insured": str(terms.insured),
        "isAudited": terms.is_audited,
        "salt": str(terms.salt),
        "quorumId": quorum,
        "replica": index,
        "jobId": job,
        "operator": operator,
        "outDigest": hexed(result),
        "blinding": hexed(salt),
        "commitment": hexed(commitment),
    }


def _lot_vector(draw: random.Random) -> dict[str, Any]:
    seed, operator, weight = draw.randbytes(32), _address(draw), draw.randrange(1, 2**88)
    lot = compute_lot(seed, operator, weight)
    return {"seed": hexed(seed), "operator": operator, "weight": str(weight), "lot": hex(lot)}


def _lock_vector(draw: random.Random, index: int) -> dict[str, Any]:
    fee, insured, saved = (draw.randrange(2 ** draw.randrange(1, 80)) for _ in range(3))
    rate = (1, 450, BPS)[index] if index < 3 else draw.randrange(1, BPS + 1)
    slash, lock = minimum_slash(fee, insured, saved, rate), minimum_lock(fee, insured, saved, rate)
    cost = draw.randrange(2**60)
    return {
        "fee": str(fee),
        "insured": str(insured),
        "saved": str(saved),
        "detectionBps": rate,
        "slash": str(slash),
        "lock": str(lock),
        "bond": str(fee),
        "cost": str(cost),
        "isChallengePaid": is_challenge_paid(fee, cost),
        "isDefencePaid": is_defence_paid(fee, cost),
    }


def _rate_vector(count: int, is_audited: bool, audit_bps: int) -> dict[str, Any]:
    rate = quorum_detection_rate(count, is_audited, audit_bps)
    return {"count": count, "isAudited": is_audited, "auditBps": audit_bps, "rate": rate}


def _shapes() -> tuple[tuple[int, bool], ...]:
    return ((1, False), (1, True), (3, False), (5, False))


def _address(draw: random.Random) -> Address:
    return Address(to_checksum_address(keccak(draw.randbytes(8))[12:]))
