"""Pins and layer ends: an operator of a trace with the openings that lead to its root."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from eth_abi.abi import encode
from eth_utils.crypto import keccak

from offchain.chain.contracts.pinpoint_types import LayerEnd, Pin, PinClaim
from offchain.chain.job_ids import id_bytes
from offchain.errors import DescriptorError, TraceError
from offchain.roles.known_trace import KnownTrace
from offchain.trace.descriptor import LAYER_INPUT
from offchain.trace.descriptor_bytes import decode_descriptor
from offchain.trace.plan import TraceOp
from offchain.trace.tree import EMPTY, layer_leaf, operator_leaf, plan_leaf, root_of_path
from offchain.types import (
    ETH,
    NOBODY,
    Amount,
    Digest,
    Job,
    JobId,
    JobTerms,
    RegisteredPlan,
    VersionId,
)

CLAIM_CORE: Final = (
    *("bytes32",) * 3,
    *("uint32", "uint64"),
    *("bytes32",) * 3,
)
NO_TERMS = JobTerms(NOBODY, VersionId(bytes(32)), Digest(bytes(32)), ETH, Amount(0), 0, 0, 0)
HEAD_BYTES: Final = 25  # of a hash that a dispute stores


def build_pin(known: KnownTrace, op: TraceOp, elem: int, terms: JobTerms) -> Pin:
    """Return the pin of an operator as its trace claims it."""
    plan, layer, tree = known.plan, op.layer, known.ops(op.layer)
    siblings = [*plan.path(op.index), *known.layers.path(layer), *tree.path(op.position)]
    refs = [spec.ref for spec in op.descriptor.inputs]
    reads_before = LAYER_INPUT in refs and layer > 0
    for k, ref in enumerate(refs):
        if ref != LAYER_INPUT:
            siblings += tree.path(ref)
        elif reads_before and k == refs.index(LAYER_INPUT):
            siblings += known.layers.path(layer - 1)
    return Pin(
        op=op.index,
        elem=elem,
        desc=op.encoded,
        layer_digest=known.layer_digest(layer),
        op_root=known.leaf_op_root(layer),
        input_op_root=known.leaf_op_root(layer - 1) if reads_before else EMPTY,
        out_digest=known.op_digest(layer, op.position),
        in_digests=list_inputs(known, op),
        siblings=tuple(siblings),
        # Only the job's input is read from them; zeros are cheaper to send.
        terms=terms if LAYER_INPUT in refs and layer == 0 else NO_TERMS,
    )


def list_inputs(known: KnownTrace, op: TraceOp) -> tuple[bytes, ...]:
    """Return the digests of an operator's inputs as the trace claims them."""
    return tuple(
        known.layer_input(op.layer)
        if spec.ref == LAYER_INPUT
        else known.op_digest(op.layer, spec.ref)
        for spec in op.descriptor.inputs
    )


def build_claim(known: KnownTrace, job: Job, op: TraceOp, elem: int, seed: bytes) -> PinClaim:
    """Return the claim that a pin makes; the account that it serves is left open."""
    return PinClaim(
        version=job.version,
        job_id=id_bytes(job.id),
        seed=seed,
        prover=NOBODY,
        op=op.index,
        elem=elem,
        out_digest=Digest(known.op_digest(op.layer, op.position)),
        in_digests=tuple(Digest(digest) for digest in list_inputs(known, op)),
        desc=op.encoded,
    )


def claim_pin(version: VersionId, job_id: JobId, pin: Pin, seed: bytes = EMPTY) -> PinClaim:
    """Return the claim that a pin makes; the account that it serves is left open."""
    return PinClaim(
        version=version,
        job_id=id_bytes(job_id),
        seed=seed,
        prover=NOBODY,
        op=pin.op,
        elem=pin.elem,
        out_digest=Digest(pin.out_digest),
        in_digests=tuple(Digest(digest) for digest in pin.in_digests),
        desc=pin.desc,
    )


def build_layer_end(known: KnownTrace, layer: int) -> LayerEnd:
    """Return the end of a layer as the trace claims it."""
    op = known.plan.ops[known.plan.layers[layer][-1]]
    siblings = (
        *known.plan.path(op.index),
        *known.layers.path(layer),
        *known.ops(layer).path(op.position),
    )
    return LayerEnd(
        op=op.index,
        desc=op.encoded,
        layer_digest=known.layer_digest(layer),
        op_root=known.op_root(layer),
        last_digest=known.op_digest(layer, op.position),
        siblings=siblings,
    )


def hash_claim(claim: PinClaim) -> bytes:
    """Return the hash of a claim, of which a dispute stores the upper 25 bytes.

    It is over all but the prover, and over the hashes of inputs and descriptor (ClaimCore of
    contracts/trace/TraceOpenings.sol).
    """
    words = [
        claim.version,
        claim.job_id,
        claim.seed,
        claim.op,
        claim.elem,
        claim.out_digest,
        keccak(b"".join(claim.in_digests)),
        keccak(claim.desc),
    ]
    return bytes(keccak(encode(CLAIM_CORE, words)))


def verify_pin(
    pin: Pin,
    plan: RegisteredPlan,
    trace_root: bytes,
    in_digest: Digest,
    expansions: Mapping[int, bytes] | None,
) -> None:
    """Raise TraceError unless a pin's openings lead to the plan's root and to the trace's.

    `expansions`: roots over the operators of layers, of a trace whose leaves hold none.
    """
    try:
        described = decode_descriptor(pin.desc)
    except DescriptorError as error:
        raise TraceError(str(error)) from None
    left = list(pin.siblings)

    def check(leaf: bytes, index: int, depth: int, root: bytes, what: str) -> None:
        if len(left) < depth or root_of_path(leaf, index, left[:depth]) != root:
            raise TraceError(f"{what} is not opened")
        del left[:depth]

    layer, is_op = described.layer, expansions is None
    op_root = pin.op_root if expansions is None else expansions.get(layer, EMPTY)
    leaf = layer_leaf(layer, pin.layer_digest, op_root if is_op else EMPTY)
    check(plan_leaf(pin.op, pin.desc), pin.op, plan.plan_depth, plan.root, "the descriptor")
    check(leaf, layer, plan.layer_depth, trace_root, "the layer")
    leaf = operator_leaf(described.position, pin.out_digest)
    check(leaf, described.position, plan.op_depth, op_root, "the output")
    before: bytes | None = None
    for spec, digest in zip(described.inputs, pin.in_digests, strict=True):
        if spec.ref != LAYER_INPUT:
            leaf = operator_leaf(spec.ref, digest)
            check(leaf, spec.ref, plan.op_depth, op_root, "an input")
            continue
        if before is None:
            before = digest if layer else in_digest
            if layer:
                leaf = layer_leaf(layer - 1, digest, pin.input_op_root if is_op else EMPTY)
                check(leaf, layer - 1, plan.layer_depth, trace_root, "the layer before")
        if digest != before:
            raise TraceError("an input is not what its layer begins with")
    if left:
        raise TraceError(f"{len(left)} siblings are left over")
