"""Operators of real executions, and claims and evidence about their elements."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from offchain.commit.digest import TILE_BYTES, digest_of_root, tile_leaf
from offchain.errors import DescriptorError, EvidenceError
from offchain.execute.reference import run_traced
from offchain.model.weights import IntArray
from offchain.trace.descriptor import WEIGHT
from offchain.trace.evidence import ElementClaim, judge_element, list_reads_of_element
from offchain.trace.openings import write_openings
from offchain.trace.plan import TraceOp, build_plan, weight_roots
from offchain.trace.recorder import Tensors, Trace, record_trace
from offchain.trace.tensors import Opened, RevealedTile, TiledTensor
from offchain.trace.tree import EMPTY, MerkleTree, depth_of
from offchain.types import Digest, Verdict
from tests.differential.element_chain import Claim
from tests.random_models import RandomModel


@dataclass(frozen=True)
class Committed:
    """A result as somebody commits it: its tiles and its digest."""

    tiled: Opened
    digest: Digest


@dataclass(frozen=True)
class Subject:
    """One operator of one execution."""

    op: TraceOp
    trace: Trace
    tensors: Tensors
    result: IntArray  # (count,), row-major

    @property
    def opcode(self) -> int:
        """The descriptor's second byte."""
        return self.op.encoded[1]

    @property
    def bits(self) -> int:
        """Bits of an element of the result."""
        return self.op.descriptor.out.element_bytes * 8

    def commit(self, result: IntArray) -> Committed:
        """Return the commitment of whoever claims this result."""
        return self._committed(TiledTensor.of(result, self.bits))

    def _committed(self, tiled: Opened) -> Committed:
        out = self.op.descriptor.out
        return Committed(tiled, digest_of_root(tiled.root, (out.rows, out.cols), self.bits))

    def falsify(self, element: int, value: int) -> Committed:
        """Return a result that is wrong in one element, really committed."""
        assert value != self.result[element]
        wrong = self.result.copy()
        wrong[element] = value
        return self.commit(wrong)

    def commit_junk(self) -> Iterator[Committed]:
        """Yield commitments of no tensor: every element is right, but not what pads the tiles."""
        true = TiledTensor.of(self.result, self.bits)
        size, end = len(true.raw), true.tiles * TILE_BYTES
        if size < end:
            yield self._committed(TiledTensor(true.raw + b"\1", true.element_bytes))
            padded = true.raw + bytes(end - size - 1) + b"\1"
            yield self._committed(TiledTensor(padded, true.element_bytes))
        last, places = true.tiles - 1, 1 << depth_of(true.tiles)
        for place in range(true.tiles, places):
            leaves = [tile_leaf(k, true.tile(k)) for k in range(true.tiles)]
            leaves += [b"\1" * 32 if k == place else EMPTY for k in range(true.tiles, places)]
            path = MerkleTree(leaves).path(last)
            yield self._committed(RevealedTile(last, true.tile(last), path))

    def claim(self, element: int, output: Committed | None = None, named: int = -1) -> Claim:
        """Return the claim about an element of a result; `named` is what it says instead."""
        of_trace = self.trace.claim(self.op.index, element if named < 0 else named)
        digest = of_trace.out_digest if output is None else output.digest
        return Claim(of_trace.element, digest, of_trace.in_digests, self.op.encoded, self.op.index)

    def evidence(self, element: int, output: Committed | None = None) -> bytes:
        """Return the evidence about an element of a result, the execution's own by default."""
        tiled = None if output is None else output.tiled
        return self.tensors.evidence(self.op, element, tiled)

    def widen(self, element: int, rng: np.random.Generator) -> bytes:
        """Return evidence that opens more tiles than the element needs, in more ranges."""
        d, inputs = self.op.descriptor, [self.tensors.get(name) for name in self.op.inputs]
        weights = [self.tensors.get(name) for name in self.op.weights]
        reads = list_reads_of_element(d, element, inputs, weights)

        def open_wide(tensor: TiledTensor, needed: set[int], is_weight: bool) -> bytes:
            more = np.flatnonzero(rng.random(tensor.tiles) < 0.4).tolist()
            return write_openings(tensor, {*needed, *more}, is_weight)

        def tiles(operand: int) -> set[int]:
            size = d.element_bytes(operand)
            return {index * size // TILE_BYTES for index in reads.get(operand, ())}

        output = self.tensors.get(self.op.name)
        own = {element * output.element_bytes // TILE_BYTES}
        return b"".join(
            (
                element.to_bytes(8, "big"),
                *(open_wide(x, tiles(k), False) for k, x in enumerate(inputs)),
                *(open_wide(w, tiles(WEIGHT + k), True) for k, w in enumerate(weights)),
                open_wide(output, own, False),
            )
        )

    def other_values(self, element: int) -> list[int]:
        """Return false values: the neighbours and the furthest one that a result can hold."""
        low, high = -(1 << (self.bits - 1)), (1 << (self.bits - 1)) - 1
        true = int(self.result[element])
        near = [value for value in (true - 1, true + 1) if low <= value <= high]
        return [*near, low if true >= 0 else high]

    def pick(self, rng: np.random.Generator, most: int) -> list[int]:
        """Return the first and the last element and random ones between, `most` in all."""
        count = len(self.result)
        drawn = rng.permutation(count)[:most].tolist()
        return sorted({0, count - 1, *drawn})[:most] if most > 1 else drawn


def list_subjects(model: RandomModel) -> Iterator[Subject]:
    """Yield every trace operator of the model's execution."""
    execution = run_traced(model.graph, model.weights, model.x)
    plan = build_plan(model.graph, weight_roots(model.graph, model.weights))
    trace = record_trace(plan, model.graph, execution)
    tensors = Tensors(model.graph, model.weights, execution)
    for op in plan.ops:
        yield Subject(op, trace, tensors, execution.values[op.name].reshape(-1))


def ask_mirror(claim: Claim, evidence: bytes) -> str | None:
    """Return the verdict of the Python mirror, None where it refuses."""
    try:
        return judge(claim, evidence)
    except (DescriptorError, EvidenceError):
        return None


def judge(claim: Claim, evidence: bytes) -> str:
    """Return the verdict of the Python mirror; raise as it does."""
    mirrored = ElementClaim(claim.desc, claim.elem, claim.in_digests, claim.out_digest)
    return Verdict(judge_element(mirrored, evidence)).name
