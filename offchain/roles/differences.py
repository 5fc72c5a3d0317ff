"""What differs between a trace as it is claimed and as it is computed here, and where to pin it."""

from __future__ import annotations

from offchain.chain.contracts.pinpoint_types import WHOLE, Pin, PostedTrace
from offchain.roles.known_trace import KnownTrace
from offchain.roles.pins import build_pin
from offchain.roles.trace_book import OwnTrace, TraceBook
from offchain.trace.find import find_element_in_tile
from offchain.trace.plan import TraceOp
from offchain.trace.tensors import TiledTensor
from offchain.types import Job, JobTerms


class Differences:
    """Finds, for one account, what to pin of others' traces."""

    def __init__(self, book: TraceBook) -> None:
        self._book = book

    def find_pin(self, own: OwnTrace, job: Job, terms: JobTerms, posted: PostedTrace) -> Pin | None:
        """Return the first operator that differs with an element, if all that can be told."""
        found = self.fetch(own, job, posted)
        if found is None:
            return None
        known, op = found
        elem = self.choose_element(own, op, known)
        if elem is None and any(op.descriptor.op_key):
            elem = WHOLE
        return None if elem is None else build_pin(known, op, elem, terms)

    def fetch(
        self, own: OwnTrace, job: Job, posted: PostedTrace
    ) -> tuple[KnownTrace, TraceOp] | None:
        """Return a posted trace that is to be had whole, and the first operator that differs.

        None also while that operator's layer was not expanded, or into others than are published:
        only what the chain holds the root of can be pinned.
        """
        known = self._book.fetch(own, job, posted)
        if known is None:
            return None
        op = self.find_operator(own, known)
        if not known.is_op_granular:
            expanded = self._book.game.get_op_root(job.id, op.layer)
            if expanded != known.op_root(op.layer):
                return None
        return known, op

    def find_operator(self, own: OwnTrace, known: KnownTrace) -> TraceOp:
        """Return the first operator whose result differs; one in the middle where none does.

        Without a difference only a drill goes on: it doubts what is right.
        """
        mine, theirs = own.trace.digests, known.own.digests
        differing = (k for k, (a, b) in enumerate(zip(mine, theirs, strict=True)) if a != b)
        return own.plan.plan.ops[next(differing, len(mine) // 2)]

    def choose_element(self, own: OwnTrace, op: TraceOp, known: KnownTrace) -> int | None:
        """Return the element to pin, None where the output as it is claimed is not to be had."""
        digest = known.op_digest(op.layer, op.position)
        if digest == own.trace.digests[op.index]:
            return 0
        theirs = self._book.fetch_output(op, digest)
        return None if theirs is None else compare_output(own, op, theirs)


def compare_output(own: OwnTrace, op: TraceOp, theirs: TiledTensor) -> int:
    """Return the first element that differs; the last one where only padding does."""
    mine, size = own.tensors.get(op.name), op.descriptor.out.element_bytes
    for k in range(mine.tiles):
        found = find_element_in_tile(mine.tile(k), theirs.tile(k), k, size)
        if found is not None:
            return min(found, op.descriptor.out.count - 1)
    return op.descriptor.out.count - 1
