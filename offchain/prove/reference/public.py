"""Public tensors: bytes, digests, padded elements (FORMAT.md 8)."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import numpy as np
from eth_hash.auto import keccak

from offchain.commit.digest import tensor_digest_of_bytes
from offchain.errors import ProofError, RangeError
from offchain.prove.program import Form, Program, PublicTensor

COMMITTED: bytes = b"zkdps/committed/2"


def split_inputs(program: Program, raw: bytes) -> list[bytes]:
    """Cut the call's input bytes into tensors; raise ProofError for a wrong length."""
    expected = sum(spec.byte_length for spec in program.inputs)
    if len(raw) != expected:
        raise ProofError(f"public tensors have {len(raw)} bytes, expected {expected}")
    pieces, at = [], 0
    for spec in program.inputs:
        pieces.append(raw[at : at + spec.byte_length])
        at += spec.byte_length
    return pieces


def elements(spec: PublicTensor, raw: bytes) -> list[int]:
    """Decode a public tensor's bytes; raise ProofError for a wrong length."""
    width = spec.bytes_per_element
    if len(raw) != spec.byte_length:
        raise ProofError(f"public tensors have {len(raw)} bytes, expected {spec.byte_length}")
    return [
        int.from_bytes(raw[k : k + width], "big", signed=True) for k in range(0, len(raw), width)
    ]


def padded_elements(spec: PublicTensor, raw: bytes) -> list[int]:
    """Return a public tensor's elements, padded per axis to powers of two and flattened."""
    flat = np.array(elements(spec, raw), dtype=np.int64).reshape(spec.shape)
    widths = [(0, (1 << (size - 1).bit_length()) - size) for size in spec.shape]
    return [int(v) for v in np.pad(flat, widths).reshape(-1)]


def verify_range(spec: PublicTensor, raw: bytes) -> None:
    """Raise RangeError unless every element lies in [lo, hi]."""
    for k, v in enumerate(elements(spec, raw)):
        if not spec.lo <= v <= spec.hi:
            raise RangeError(f"element {k} is {v}, outside [{spec.lo}, {spec.hi}]")


def public_digest(spec: PublicTensor, raw: bytes) -> bytes:
    """Return the digest of a public tensor's bytes."""
    shape = (prod(spec.shape[:-1]), spec.shape[-1])
    return tensor_digest_of_bytes(raw, shape, 8 * spec.bytes_per_element)


def committed_digest(program: Program, spec: PublicTensor, commitments: Sequence[bytes]) -> bytes:
    """Return the digest of a committed tensor: that of the commitments of its own chunks."""
    tensor = program.tensors[spec.tensor]
    count = max(1, 1 << max(0, tensor.n - program.c))
    return keccak(COMMITTED + b"".join(commitments[tensor.chunk : tensor.chunk + count]))


def boundary_digests(
    program: Program, public_in: bytes, public_out: bytes, commitments: Sequence[bytes]
) -> tuple[bytes, bytes]:
    """Return (inDigest, outDigest); `commitments` are those of all chunks, encoded."""

    def digest(spec: PublicTensor, raw: bytes) -> bytes:
        if spec.form == Form.COMMITTED:
            return committed_digest(program, spec, commitments)
        return public_digest(spec, raw)

    pieces = split_inputs(program, public_in)
    inputs = [digest(spec, raw) for spec, raw in zip(program.inputs, pieces, strict=True)]
    in_digest = inputs[0] if len(inputs) == 1 else keccak(b"".join(inputs))
    return in_digest, digest(program.output, public_out)
