"""The verification key: what a proof is checked against (FORMAT.md 4)."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

from eth_hash.auto import keccak

from offchain.prove.program import Program
from offchain.prove.program_bytes import encode_program
from offchain.prove.program_reader import Reader, decode_program

POINT_BYTES: Final = 64
HASH_BYTES: Final = 32


@dataclass(frozen=True)
class VerificationKey:
    """Graph, reference string, program, and the commitments of the fixed chunks (64 bytes each)."""

    graph_hash: bytes
    srs_id: bytes
    program: Program
    commitments: tuple[bytes, ...]

    def to_bytes(self) -> bytes:
        """Return the key blob; raise ProgramError if the program does not fit the format."""
        program = encode_program(self.program)
        length = struct.pack(">I", len(program))
        return b"".join((self.graph_hash, self.srs_id, length, program, *self.commitments))

    @classmethod
    def from_bytes(cls, blob: bytes) -> VerificationKey:
        """Decode; raise ProgramError unless `blob` is exactly a key blob."""
        reader = Reader(blob)
        graph_hash, srs_id = reader.take(HASH_BYTES), reader.take(HASH_BYTES)
        program = decode_program(reader.take(reader.one("I")))
        commitments = tuple(reader.take(POINT_BYTES) for _ in range(program.fixed_chunks))
        reader.finish()
        return cls(graph_hash, srs_id, program, commitments)

    def hash(self) -> bytes:
        """Return vkHash = keccak256(blob), 32 bytes."""
        return keccak(self.to_bytes())
