"""Pins and claims as calldata holds them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from offchain.chain.contracts.pinpoint_types import Pin, PinClaim
from offchain.types import NOBODY, Amount, Digest, JobTerms, VersionId


def read_pin(values: Sequence[Any]) -> Pin:
    """Return a pin as calldata holds it."""
    op, elem, desc, layer, op_root, input_root, out, ins, siblings, terms = values
    client, version, in_digest, token, fee, verify, privacy, salt = terms
    return Pin(
        op=int(op),
        elem=int(elem),
        desc=bytes(desc),
        layer_digest=bytes(layer),
        op_root=bytes(op_root),
        input_op_root=bytes(input_root),
        out_digest=bytes(out),
        in_digests=tuple(bytes(digest) for digest in ins),
        siblings=tuple(bytes(word) for word in siblings),
        terms=JobTerms(
            client, VersionId(version), Digest(in_digest), token, Amount(fee), verify, privacy, salt
        ),
    )


def read_claim_struct(values: Sequence[Any]) -> PinClaim:
    """Return a claim as calldata holds it; the account that it serves is left open."""
    version, job_id, seed, _, op, elem, out_digest, in_digests, desc = values
    return PinClaim(
        version=VersionId(bytes(version)),
        job_id=bytes(job_id),
        seed=bytes(seed),
        prover=NOBODY,
        op=int(op),
        elem=int(elem),
        out_digest=Digest(bytes(out_digest)),
        in_digests=tuple(Digest(bytes(digest)) for digest in in_digests),
        desc=bytes(desc),
    )
