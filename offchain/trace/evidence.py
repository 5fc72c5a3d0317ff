"""Element evidence: made from tensors, and judged from claim and bytes alone (TRACE.md 4, 5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from offchain.commit.digest import TILE_BYTES, digest_of_root
from offchain.errors import EvidenceError, EvidenceTooLarge, TraceError
from offchain.model.weights import IntArray
from offchain.trace.descriptor import WEIGHT, Descriptor, MatrixSpec, Operand
from offchain.trace.descriptor_bytes import decode_descriptor
from offchain.trace.element import compute_element
from offchain.trace.openings import EvidenceReader, OpenedTensor, write_openings
from offchain.trace.tensors import Opened, TiledTensor
from offchain.types import Digest, Verdict

WHOLE: Final = (1 << 64) - 1  # the element of a claim about the whole operator
MAX_EVIDENCE: Final = 96 * 1024  # nodes accept transactions of 128 KiB; the rest holds the claim


@dataclass(frozen=True)
class ElementClaim:
    """What an operator's trace says: a descriptor, an element, the digests around it."""

    descriptor: bytes
    element: int  # or WHOLE
    in_digests: tuple[Digest, ...]
    out_digest: Digest


@dataclass
class RecordingReader:
    """Reads recorded tensors and remembers which elements were read."""

    inputs: Sequence[TiledTensor]
    weights: Sequence[TiledTensor]
    read_elements: dict[Operand, set[int]] = field(default_factory=dict)

    def read(self, operand: Operand, indices: IntArray) -> IntArray:
        """Return elements; see `Reader`."""
        self.read_elements.setdefault(operand, set()).update(int(k) for k in indices)
        is_weight = operand >= WEIGHT
        tensor = self.weights[operand - WEIGHT] if is_weight else self.inputs[operand]
        return tensor.read(indices)


@dataclass(frozen=True)
class OpenedReader:
    """Reads what evidence opens, by operand."""

    tensors: Mapping[Operand, OpenedTensor]

    def read(self, operand: Operand, indices: IntArray) -> IntArray:
        """Return elements; raise NotOpened for one that the evidence leaves out."""
        return self.tensors[operand].read(indices)


def list_reads_of_element(
    d: Descriptor, element: int, inputs: Sequence[TiledTensor], weights: Sequence[TiledTensor]
) -> dict[Operand, set[int]]:
    """Return which elements of which operands an element of the result depends on."""
    reader = RecordingReader(inputs, weights)
    compute_element(d, element, reader)
    return reader.read_elements


def build_evidence(
    d: Descriptor,
    element: int,
    inputs: Sequence[TiledTensor],
    weights: Sequence[TiledTensor],
    output: Opened,
    limit: int = MAX_EVIDENCE,
) -> bytes:
    """Return evidence about an element from the inputs, the weights and the claimed output.

    Raises EvidenceTooLarge where it does not fit a transaction, EvidenceError for an element that
    the operator does not have or cannot compute.
    """
    reads = list_reads_of_element(d, element, inputs, weights)
    tiles: dict[Operand, set[int]] = {
        operand: {k * d.element_bytes(operand) // TILE_BYTES for k in indices}
        for operand, indices in reads.items()
    }
    size = sum(len(found) for found in tiles.values()) * TILE_BYTES
    if size > limit:
        raise EvidenceTooLarge(size, limit)
    out_tile = element * d.out.element_bytes // TILE_BYTES
    evidence = b"".join(
        (
            element.to_bytes(8, "big"),
            *(write_openings(x, tiles.get(k, ()), False) for k, x in enumerate(inputs)),
            *(write_openings(w, tiles.get(WEIGHT + k, ()), True) for k, w in enumerate(weights)),
            write_openings(output, [out_tile], False),
        )
    )
    if len(evidence) > limit:
        raise EvidenceTooLarge(len(evidence), limit)
    return evidence


def judge_element(claim: ElementClaim, evidence: bytes) -> Verdict:
    """Return the on-chain check's verdict.

    Raises DescriptorError or EvidenceError (NotOpened) for everything on which the contract
    reverts; it never gives a verdict on what is malformed.
    """
    d = decode_descriptor(claim.descriptor)
    if len(claim.in_digests) != len(d.inputs):
        raise EvidenceError(f"{len(claim.in_digests)} digests of {len(d.inputs)} inputs")
    reader = EvidenceReader(evidence)
    element = reader.number(8)
    if claim.element not in (element, WHOLE):
        raise EvidenceError(f"evidence about element {element}, the claim names {claim.element}")
    try:
        tensors, output = _open(d, claim, reader)
    except TraceError as error:
        raise EvidenceError(str(error)) from error
    expected = compute_element(d, element, OpenedReader(tensors))
    found = _read_one(output, element)
    if found != expected:
        return Verdict.INCONSISTENT
    if claim.element == WHOLE and d.out.count > 1:
        raise EvidenceError("one element that agrees does not show the whole operator")
    return Verdict.CONSISTENT


def _open(
    d: Descriptor, claim: ElementClaim, reader: EvidenceReader
) -> tuple[dict[Operand, OpenedTensor], OpenedTensor]:
    tensors: dict[Operand, OpenedTensor] = {}
    for k, x in enumerate(d.inputs):
        opened = reader.tensor(k, x.spec.element_bytes, x.spec.count)
        _verify_digest(opened, x.spec, claim.in_digests[k])
        tensors[k] = opened
    for k, w in enumerate(d.weights):
        number = len(d.inputs) + k
        tensors[WEIGHT + k] = reader.tensor(number, w.element_bytes, w.elements, w.tile_root)
    output = reader.tensor(len(d.inputs) + len(d.weights), d.out.element_bytes, d.out.count)
    _verify_digest(output, d.out, claim.out_digest)
    reader.end()
    return tensors, output


def _verify_digest(opened: OpenedTensor, spec: MatrixSpec, digest: Digest) -> None:
    if opened.root is None:
        return
    if digest_of_root(opened.root, (spec.rows, spec.cols), spec.element_bytes * 8) != digest:
        raise EvidenceError(f"tensor {opened.number} is not the one of the claim's digest")


def _read_one(opened: OpenedTensor, element: int) -> int:
    return int(opened.read(np.array([element], dtype=np.int64))[0])
