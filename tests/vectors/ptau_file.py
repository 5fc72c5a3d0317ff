"""A .ptau file taken apart, so that tests can change any part of it."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

VECTORS: Final = Path(__file__).parent / "ptau"
NAMES: Final = {
    1: "header",
    2: "tauG1",
    3: "tauG2",
    4: "alphaTauG1",
    5: "betaTauG1",
    6: "betaG2",
    7: "contributions",
    12: "lagrangeTauG1",
    13: "lagrangeTauG2",
    14: "lagrangeAlphaTauG1",
    15: "lagrangeBetaTauG1",
}
G2_SECTIONS: Final = (3, 6, 13)
TABLE_START: Final = 12
ENTRY_BYTES: Final = 12
CONTRIBUTIONS: Final = 7
# Fields of a contribution before its parameters, in order.
FIELDS: Final = (
    ("tauG1", 64), ("tauG2", 128), ("alphaG1", 64), ("betaG1", 64), ("betaG2", 128),
    ("tau.s", 64), ("tau.sx", 64), ("alpha.s", 64), ("alpha.sx", 64), ("beta.s", 64),
    ("beta.sx", 64), ("tau.spx", 128), ("alpha.spx", 128), ("beta.spx", 128),
    ("saved.point", 32), ("saved.betaG2", 64), ("saved.stale", 32), ("saved.state", 64),
    ("saved.compressed", 8), ("saved.waiting", 8), ("saved.zero", 8),
    ("nextChallenge", 64), ("kind", 4), ("parametersLength", 4),
)  # fmt: skip
NAME_PARAMETER: Final = 1


@dataclass(frozen=True)
class Field:
    """Bytes of one contribution, counted from the file's start."""

    number: int  # of the contribution, from 1
    name: str
    start: int
    length: int


@dataclass(frozen=True)
class PtauBytes:
    """A whole file and where its sections lie."""

    content: bytes

    @classmethod
    def load(cls, name: str) -> PtauBytes:
        """Read a vector."""
        return cls((VECTORS / name).read_bytes())

    @classmethod
    def build(cls, sections: list[tuple[int, bytes]]) -> PtauBytes:
        """Assemble a file from (id, bytes)."""
        parts = [b"ptau", struct.pack("<II", 1, len(sections))]
        parts += [struct.pack("<IQ", number, len(body)) + body for number, body in sections]
        return cls(b"".join(parts))

    @property
    def spans(self) -> dict[int, tuple[int, int]]:
        """Return section -> (start, length)."""
        found, at = {}, TABLE_START
        while at < len(self.content):
            number, length = struct.unpack_from("<IQ", self.content, at)
            found[number] = (at + ENTRY_BYTES, length)
            at += ENTRY_BYTES + length
        return found

    @property
    def whole(self) -> bool:
        """Return whether the file was not cut from a larger one."""
        start, _ = self.spans[1]
        power, ceremony_power = struct.unpack_from("<II", self.content, start + 36)
        return bool(power == ceremony_power)

    def sections(self) -> list[tuple[int, bytes]]:
        """Return every (id, bytes)."""
        return [(number, self.get(number)) for number in self.spans]

    def get(self, number: int) -> bytes:
        """Return a section's bytes."""
        start, length = self.spans[number]
        return self.content[start : start + length]

    def point_bytes(self, number: int) -> int:
        """Return the bytes of one of a section's points."""
        return 128 if number in G2_SECTIONS else 64

    def count(self, number: int) -> int:
        """Return how many points a section has."""
        return self.spans[number][1] // self.point_bytes(number)

    def point(self, number: int, index: int) -> bytes:
        """Return one point."""
        size = self.point_bytes(number)
        return self.get(number)[index * size : (index + 1) * size]

    def with_point(self, number: int, index: int, point: bytes) -> PtauBytes:
        """Return the file with another point."""
        start = self.spans[number][0] + index * self.point_bytes(number)
        return self.with_bytes(start, point)

    def with_bytes(self, start: int, replacement: bytes) -> PtauBytes:
        """Return the file with other bytes at a place."""
        end = start + len(replacement)
        return PtauBytes(self.content[:start] + replacement + self.content[end:])

    def flipped(self, at: int, mask: int) -> PtauBytes:
        """Return the file with one other byte."""
        return self.with_bytes(at, bytes([self.content[at] ^ mask]))

    def with_section(self, number: int, body: bytes) -> PtauBytes:
        """Return the file with another section of any length."""
        return self.build([(n, body if n == number else old) for n, old in self.sections()])

    def fields(self) -> Iterator[Field]:
        """Yield every field of every contribution."""
        at, _ = self.spans[CONTRIBUTIONS]
        (count,) = struct.unpack_from("<I", self.content, at)
        yield Field(0, "count", at, 4)
        at += 4
        for number in range(1, count + 1):
            for name, length in FIELDS:
                yield Field(number, name, at, length)
                at += length
            (length,) = struct.unpack_from("<I", self.content, at - 4)
            end = at + length
            while at < end:
                kind, size = self.content[at], self.content[at + 1]
                if kind == 2:  # the exponent has no length before it
                    yield Field(number, "iterations", at, 2)
                    at += 2
                    continue
                yield Field(number, f"parameter{kind}.head", at, 2)
                yield Field(number, f"parameter{kind}.value", at + 2, size)
                at += 2 + size

    @property
    def contributors(self) -> int:
        """Return the number of contributions."""
        return int(struct.unpack_from("<I", self.get(CONTRIBUTIONS))[0])

    def is_uncovered(self, field: Field) -> bool:
        """Return whether no equation covers a field, but the file's own hash only."""
        if field.name in (f"parameter{NAME_PARAMETER}.value", "saved.stale"):
            return True
        last = field.number == self.contributors
        if field.name in ("saved.point", "saved.state"):
            return not (last and self.whole)
        return field.name == "nextChallenge" and last and not self.whole
