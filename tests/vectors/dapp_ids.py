"""Vectors of digests, ids, batches and typed data for the web page (dapp.py)."""

from __future__ import annotations

from typing import Any

import numpy as np

from offchain.chain.job_ids import compute_job_id
from offchain.chain.session_ids import build_job_terms, compute_batch_id, compute_session_id
from offchain.chain.typed_data import build_order, build_request, build_result_receipt
from offchain.commit.batch_tree import compute_leaf, compute_path, compute_root
from offchain.commit.digest import as_matrix, encode_tensor, tensor_digest, weight_root
from offchain.types import (
    Address,
    Amount,
    Digest,
    JobTerms,
    Order,
    Seconds,
    SessionId,
    SessionRequest,
    SessionTerms,
    VersionId,
)
from tests.vectors.encoding import hexed


def word(rng: np.random.Generator) -> bytes:
    """Draw 32 bytes."""
    return rng.bytes(32)


def address(rng: np.random.Generator) -> Address:
    """Draw an account, in lower case."""
    return Address("0x" + rng.bytes(20).hex())


def digest_vectors(rng: np.random.Generator) -> list[dict[str, Any]]:
    """Return tensors of every width, also at the borders of tiles (1,024 bytes)."""
    shapes = ((1,), (64,), (1, 10), (3, 5), (2, 3, 4), (1023,), (1024,), (1025,), (5, 1024))
    found = []
    for bits in (8, 16, 32):
        half = 1 << (bits - 1)
        for shape in shapes:
            values = rng.integers(-half, half, shape, dtype=np.int64)
            values.reshape(-1)[0] = -half
            values.reshape(-1)[-1] = half - 1
            entry = {
                "bits": bits,
                "shape": list(shape),
                "bytes": hexed(encode_tensor(values, bits)),
                "ends": [int(values.reshape(-1)[0]), int(values.reshape(-1)[-1])],
                "digest": hexed(tensor_digest(values, bits)),
                "jobDigest": hexed(tensor_digest(values.reshape(as_matrix(shape)), bits)),
            }
            found.append(entry)
    return found


def weight_root_vectors(rng: np.random.Generator) -> list[dict[str, Any]]:
    """Return roots over lists of digests."""
    lists = [[word(rng) for _ in range(count)] for count in (1, 2, 7)]
    return [
        {"digests": [hexed(d) for d in digests], "root": hexed(weight_root(digests))}
        for digests in lists
    ]


def terms_vector(terms: JobTerms) -> dict[str, Any]:
    """Return terms as JSON."""
    return {
        "client": terms.client,
        "version": hexed(terms.version),
        "inDigest": hexed(terms.in_digest),
        "token": terms.token,
        "fee": str(terms.fee),
        "verifyMask": terms.verify_mask,
        "privacyMask": terms.privacy_mask,
        "salt": str(terms.salt),
    }


def draw_terms(rng: np.random.Generator, salt_bytes: int) -> JobTerms:
    """Draw the terms of a job."""
    return JobTerms(
        client=address(rng),
        version=VersionId(word(rng)),
        in_digest=Digest(word(rng)),
        token=address(rng),
        fee=Amount(int(rng.integers(1, 1 << 62))),
        verify_mask=int(rng.integers(0, 2)),
        privacy_mask=0,
        salt=int.from_bytes(rng.bytes(salt_bytes), "big"),
    )


def job_vectors(rng: np.random.Generator) -> list[dict[str, Any]]:
    """Return jobs with short and long salts, on several chains."""
    found = []
    for chain_id, salt_bytes in ((1, 8), (31337, 8), (11155111, 32)):
        market, terms = address(rng), draw_terms(rng, salt_bytes)
        found.append(
            {
                "chainId": chain_id,
                "market": market,
                "terms": terms_vector(terms),
                "id": compute_job_id(chain_id, market, terms),
            }
        )
    return found


def session_vectors(rng: np.random.Generator) -> list[dict[str, Any]]:
    """Return sessions, jobs of their requests, batches of 1 to 11 results, every path."""
    found = []
    for chain_id, count in ((31337, 1), (31337, 2), (5, 11)):
        contract, market = address(rng), address(rng)
        terms = SessionTerms(
            client=address(rng),
            signer=address(rng),
            operator=address(rng),
            version=VersionId(word(rng)),
            token=address(rng),
            fee=Amount(int(rng.integers(1, 1 << 62))),
            salt=int.from_bytes(rng.bytes(8), "big"),
        )
        session = compute_session_id(chain_id, contract, terms)
        found.append(
            {
                "chainId": chain_id,
                "contract": contract,
                "market": market,
                "terms": {
                    "client": terms.client,
                    "signer": terms.signer,
                    "operator": terms.operator,
                    "version": hexed(terms.version),
                    "token": terms.token,
                    "fee": str(terms.fee),
                    "salt": str(terms.salt),
                },
                "id": session,
                "batch": batch_vector(rng, chain_id, market, session, terms, count),
            }
        )
    return found


def batch_vector(
    rng: np.random.Generator,
    chain_id: int,
    market: Address,
    session: SessionId,
    terms: SessionTerms,
    count: int,
) -> dict[str, Any]:
    """Return a batch of `count` results of a session."""
    leaves, items, packed = [], [], b""
    for _ in range(count):
        nonce, in_digest, out_digest = int(rng.integers(1 << 32)), word(rng), word(rng)
        job_terms = build_job_terms(session, terms, nonce, Digest(in_digest))
        job = compute_job_id(chain_id, market, job_terms)
        leaves.append(compute_leaf(bytes.fromhex(job[2:]), Digest(out_digest)))
        packed += nonce.to_bytes(4, "big") + in_digest + out_digest
        items.append(
            {
                "nonce": nonce,
                "inDigest": hexed(in_digest),
                "outDigest": hexed(out_digest),
                "salt": str(job_terms.salt),
                "jobId": job,
                "leaf": hexed(leaves[-1]),
            }
        )
    root = compute_root(leaves)
    return {
        "packed": hexed(packed),
        "items": items,
        "paths": [[hexed(s) for s in compute_path(leaves, k)] for k in range(count)],
        "root": hexed(root),
        "id": compute_batch_id(session, root),
    }


def typed_data_vectors(rng: np.random.Generator) -> dict[str, Any]:
    """Return one message of each kind with what is signed."""
    chain_id, contract = 31337, address(rng)
    job, out_digest = word(rng), word(rng)
    request = SessionRequest(
        session=SessionId(hexed(word(rng))),
        nonce=4_000_000_000,
        in_digest=Digest(word(rng)),
        valid_until=Seconds((1 << 40) - 1),
    )
    order = Order(
        client=address(rng),
        version=VersionId(word(rng)),
        in_digest=Digest(word(rng)),
        token=address(rng),
        min_fee=Amount(10**15),
        max_fee=Amount((1 << 96) - 1),
        ramp_start=Seconds(1_700_000_000),
        ramp_end=Seconds(1_700_000_600),
        take_until=Seconds(1_700_000_900),
        verify_mask=1,
        salt=(1 << 64) - 1,
    )
    return {
        "chainId": chain_id,
        "contract": contract,
        "result": {
            "jobId": hexed(job),
            "outDigest": hexed(out_digest),
            "hash": hexed(build_result_receipt(chain_id, contract, job, out_digest).hash()),
        },
        "request": {
            "sessionId": request.session,
            "nonce": request.nonce,
            "inDigest": hexed(request.in_digest),
            "validUntil": int(request.valid_until),
            "hash": hexed(build_request(chain_id, contract, request).hash()),
        },
        "order": {
            "client": order.client,
            "version": hexed(order.version),
            "inDigest": hexed(order.in_digest),
            "token": order.token,
            "minFee": str(order.min_fee),
            "maxFee": str(order.max_fee),
            "rampStart": int(order.ramp_start),
            "rampEnd": int(order.ramp_end),
            "takeUntil": int(order.take_until),
            "verifyMask": order.verify_mask,
            "salt": str(order.salt),
            "hash": hexed(build_order(chain_id, contract, order).hash()),
        },
    }
