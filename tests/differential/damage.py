"""Everything that may be wrong with a claim or with evidence: nothing of it has a verdict (I30)."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from offchain.commit.digest import digest_of_root
from offchain.trace.tensors import TiledTensor
from offchain.types import Digest
from tests.differential.element_chain import WHOLE, Claim
from tests.differential.elements import Subject
from tests.differential.evidence_fields import HASH, TILE, Field, read_tensors, split_evidence

NOTHING: Final = Digest(bytes(HASH))


@dataclass(frozen=True)
class Damage:
    """A claim with evidence that must not lead to a verdict."""

    name: str
    claim: Claim
    evidence: bytes


def list_damage(subject: Subject, element: int, seed: int) -> Iterator[Damage]:
    """Yield every kind of damage to the claim about an element and to its evidence."""
    claim, evidence = subject.claim(element), subject.evidence(element)
    fields = split_evidence(claim.desc, evidence)
    rng = np.random.default_rng(seed)
    yield from _of_length(claim, evidence, fields)
    yield from _of_bytes(claim, evidence, fields, rng)
    yield from _of_openings(claim, evidence, fields)
    yield from _of_ranges(subject, claim, evidence, fields)
    yield from _of_claim(subject, claim, evidence, element)
    yield from _of_descriptor(claim, evidence)


def _of_length(claim: Claim, evidence: bytes, fields: list[Field]) -> Iterator[Damage]:
    for field in fields:
        for at in sorted({field.start, (field.start + field.stop) // 2}):
            yield Damage(f"cut at {at}, in {field.name}", claim, evidence[:at])
    yield Damage("cut before the last byte", claim, evidence[:-1])
    yield Damage("a byte more", claim, evidence + b"\0")
    yield Damage("a word more", claim, evidence + bytes(HASH))
    yield Damage("a tile more", claim, evidence + bytes(TILE))
    yield Damage("twice", claim, evidence + evidence)


def _of_bytes(
    claim: Claim, evidence: bytes, fields: list[Field], rng: np.random.Generator
) -> Iterator[Damage]:
    for field in fields:
        places = {field.start, field.stop - 1, int(rng.integers(field.start, field.stop))}
        for at in sorted(places):
            flipped = bytearray(evidence)
            flipped[at] ^= 1 << int(rng.integers(8))
            yield Damage(f"a bit of byte {at}, in {field.name}", claim, bytes(flipped))


def _of_openings(claim: Claim, evidence: bytes, fields: list[Field]) -> Iterator[Damage]:
    for tensor in sorted({field.tensor for field in fields} - {-1}):
        own = [field for field in fields if field.tensor == tensor]
        if own[0].read(evidence) == 0:
            continue
        without = evidence[: own[0].start] + b"\0" + evidence[own[-1].stop :]
        yield Damage(f"tensor {tensor} not opened", claim, without)
        siblings = [field for field in own if field.name == "sibling"]
        for one in siblings:
            dropped = evidence[: one.start] + evidence[one.stop :]
            yield Damage(f"a sibling of tensor {tensor} missing", claim, dropped)
            doubled = evidence[: one.stop] + evidence[one.start :]
            yield Damage(f"a sibling of tensor {tensor} twice", claim, doubled)
        for left, right in itertools.pairwise(siblings):
            if _piece(evidence, left) != _piece(evidence, right):
                yield Damage(
                    f"siblings of tensor {tensor} swapped", claim, _swap(evidence, left, right)
                )
        for number in (field for field in own if field.name in ("ranges", "first", "count")):
            size = number.stop - number.start
            for value in {0, 1, number.read(evidence) + 1, (1 << 8 * size) - 1}:
                if value != number.read(evidence):
                    raw = _write(evidence, number, value)
                    yield Damage(f"{number.name} {value} of tensor {tensor}", claim, raw)


def _of_ranges(
    subject: Subject, claim: Claim, evidence: bytes, fields: list[Field]
) -> Iterator[Damage]:
    """Tiles of another place or another tensor; ranges that touch, overlap or descend."""
    tensors = read_tensors(claim.desc)
    tiled = [
        *(subject.tensors.get(name) for name in (*subject.op.inputs, *subject.op.weights)),
        subject.tensors.get(subject.op.name),
    ]
    for tensor, whole in enumerate(tiled):
        own = [field for field in fields if field.tensor == tensor]
        opened = [field for field in own if field.name == "tiles"]
        if not opened:
            continue
        start = own[1 if tensors[tensor].kind == "weight" else 2].start

        def reopened(
            ranges: list[tuple[int, int]], whole: TiledTensor = whole, own: list[Field] = own,
            start: int = start,
        ) -> bytes:  # fmt: skip
            parts = b"".join(_open(whole, first, count) for first, count in ranges)
            head = evidence[: own[0].start] + bytes([len(ranges)])
            return head + evidence[own[0].stop : start] + parts + evidence[own[-1].stop :]

        last = whole.tiles - 1
        firsts = [f.read(evidence) for f in own if f.name == "first"]
        counts = [f.read(evidence) for f in own if f.name == "count"]
        needed = {t for a, n in zip(firsts, counts, strict=True) for t in range(a, a + n)}
        others = sorted(set(range(last + 1)) - needed)
        for tile in {*others[:1], *others[-1:]}:
            yield Damage(f"only tile {tile} of {tensor}", claim, reopened([(tile, 1)]))
        yield Damage(f"tensor {tensor} opened twice", claim, reopened([(0, last + 1)] * 2))
        if last >= 1:
            yield Damage(f"touching ranges of {tensor}", claim, reopened([(0, 1), (1, last)]))
            yield Damage(f"descending ranges of {tensor}", claim, reopened([(last, 1), (0, 1)]))
            yield Damage(f"overlap in {tensor}", claim, reopened([(0, 2), (1, last)]))
            first = next(field for field in own if field.name == "first")
            moved = (first.read(evidence) + 1) % (last + 1)
            yield Damage(f"tiles of {tensor} moved", claim, _write(evidence, first, moved))
        tiles = bytearray(evidence)
        tiles[opened[0].start : opened[0].start + TILE] = bytes(
            b ^ 0x5A for b in evidence[opened[0].start : opened[0].start + TILE]
        )
        yield Damage(f"another tile in {tensor}", claim, bytes(tiles))


def _of_claim(subject: Subject, claim: Claim, evidence: bytes, element: int) -> Iterator[Damage]:
    count = len(subject.result)
    for other in {(element + 1) % count, count - 1 - element} - {element}:
        yield Damage("another element's evidence", replace(claim, elem=other), evidence)
    for beyond in (count, count + 1, 1 << 32, WHOLE - 1):
        raw = beyond.to_bytes(8, "big") + evidence[8:]
        yield Damage(f"element {beyond}", replace(claim, elem=beyond), raw)
        yield Damage(f"element {beyond} of the whole", replace(claim, elem=WHOLE), raw)
    yield Damage("element of the whole", replace(claim, elem=WHOLE), b"\xff" * 8 + evidence[8:])
    yield Damage("another result", replace(claim, out_digest=NOTHING), evidence)
    inputs = claim.in_digests
    opened = [k for k, digest in enumerate(inputs) if _is_opened(claim, evidence, k)]
    for k in opened:
        other_digests = (*inputs[:k], NOTHING, *inputs[k + 1 :])
        yield Damage("another input", replace(claim, in_digests=other_digests), evidence)
    yield Damage("an input too few", replace(claim, in_digests=inputs[:-1]), evidence)
    yield Damage("an input too many", replace(claim, in_digests=(*inputs, inputs[0])), evidence)
    out = subject.op.descriptor.out
    root = subject.tensors.get(subject.op.name).root
    turned = digest_of_root(root, (out.cols, out.rows + 1), subject.bits)
    yield Damage("a result of another shape", replace(claim, out_digest=turned), evidence)


def _of_descriptor(claim: Claim, evidence: bytes) -> Iterator[Damage]:
    desc = claim.desc
    for size in {0, 1, 2, 11, 12, 76, 85, len(desc) // 2, len(desc) - 4, len(desc) - 1}:
        yield Damage(f"descriptor of {size} bytes", replace(claim, desc=desc[:size]), evidence)
    yield Damage("descriptor with more", replace(claim, desc=desc + b"\0"), evidence)
    for at, value in ((0, 0), (0, 2), (2, 0), (2, 5), (3, 9), (3, 255)):
        changed = desc[:at] + bytes([value]) + desc[at + 1 :]
        yield Damage(f"{value} in byte {at}", replace(claim, desc=changed), evidence)


def _is_opened(claim: Claim, evidence: bytes, tensor: int) -> bool:
    fields = split_evidence(claim.desc, evidence)
    own = next(f for f in fields if f.tensor == tensor)
    return own.read(evidence) > 0


def _open(whole: TiledTensor, first: int, count: int) -> bytes:
    tiles, siblings = whole.open(first, count)
    return first.to_bytes(4, "big") + count.to_bytes(2, "big") + tiles + b"".join(siblings)


def _piece(evidence: bytes, field: Field) -> bytes:
    return evidence[field.start : field.stop]


def _write(evidence: bytes, field: Field, value: int) -> bytes:
    size = field.stop - field.start
    raw = (value % (1 << 8 * size)).to_bytes(size, "big")
    return evidence[: field.start] + raw + evidence[field.stop :]


def _swap(evidence: bytes, left: Field, right: Field) -> bytes:
    between = evidence[left.stop : right.start]
    ends = evidence[: left.start], evidence[right.stop :]
    return ends[0] + _piece(evidence, right) + between + _piece(evidence, left) + ends[1]
