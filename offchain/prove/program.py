"""The verification program and the key blob: types and their one encoding (FORMAT.md 3.5, 4).

The program is what the verifiers interpret. It is derived from the integer graph alone (compile.py)
and everybody recomputes it, so the decoder below only has to be strict, never clever.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from eth_hash.auto import keccak

from offchain.errors import ProgramError

VERSION: Final = 1
NO_TENSOR: Final = 0xFFFF
INPUT_ID: Final = 0
OUTPUT_ID: Final = 1
POINT_BYTES: Final = 64


class Opcode(IntEnum):
    """Coarse opcodes: one for each phase of the proof."""

    COMMIT = 1
    LOGUP = 2
    REQUANT = 3
    CONTRACT = 4
    REDUCE = 5
    OPEN = 6


class TensorKind(IntEnum):
    """Where a tensor's values come from."""

    FIXED = 0  # weights and table columns, committed once per model
    PROOF = 1  # committed in every proof
    INPUT = 2
    OUTPUT = 3


class Source(IntEnum):
    """Challenge vectors from which claim points are cut."""

    ZETA = 0
    CONTRACTION = 1


@dataclass(frozen=True)
class Tensor:
    """A padded tensor of 2^n cells; block `addr` of chunk `chunk` unless it is public."""

    kind: TensorKind
    n: int
    chunk: int = 0
    addr: int = 0

    @property
    def is_public(self) -> bool:
        """Whether the verifier evaluates the tensor itself instead of opening a commitment."""
        return self.kind in (TensorKind.INPUT, TensorKind.OUTPUT)


@dataclass(frozen=True)
class PublicTensor:
    """A (rows, cols) tensor given as bytes; elements lie in [lo, hi]."""

    bytes_per_element: int
    rows: int
    cols: int
    lo: int
    hi: int

    @property
    def byte_length(self) -> int:
        """Length of the tensor's bytes."""
        return self.bytes_per_element * self.rows * self.cols


@dataclass(frozen=True)
class Column:
    """A looked-up column: tensor + addend."""

    tensor: int
    addend: int = 0


@dataclass(frozen=True)
class Block:
    """A LogUp leaf block of 2^n cells: a lookup's tuple, or a table (multiplicity[, value])."""

    is_table: bool
    n: int
    table_id: int
    columns: tuple[Column, ...]


@dataclass(frozen=True)
class RequantEntry:
    """The linear requantization identity of one operator (FORMAT.md 7.2)."""

    q_tensor: int
    q_addend: int
    s: int
    m: int
    digits: tuple[tuple[int, int], ...]  # (tensor, shift)
    bias_tensor: int
    rows_log: int
    cols_log: int
    rows: int


@dataclass(frozen=True)
class Segment:
    """src[N - end - length : N - end] of a challenge vector of N coordinates."""

    source: Source
    end: int
    length: int


@dataclass(frozen=True)
class Operand:
    """A factor of a contraction and the point at which its claim falls."""

    tensor: int
    segments: tuple[Segment, ...]


@dataclass(frozen=True)
class Instance:
    """One contraction sum over 2^variables inner cells."""

    requant: int
    variables: int
    a: Operand
    b: Operand


@dataclass(frozen=True)
class Program:
    """The verification program of a whole model."""

    c: int
    fixed_chunks: int
    proof_chunks: int
    op_count: int
    tensors: tuple[Tensor, ...]
    public: tuple[PublicTensor, PublicTensor]
    lam: int
    blocks: tuple[Block, ...]
    requants: tuple[RequantEntry, ...]
    rounds: int
    instances: tuple[Instance, ...]

    def to_bytes(self) -> bytes:
        """Return the canonical encoding."""
        out = [
            struct.pack(
                ">BBHHHH",
                VERSION,
                self.c,
                self.fixed_chunks,
                self.proof_chunks,
                self.op_count,
                len(self.tensors),
            )
        ]
        out += [struct.pack(">BBHI", t.kind, t.n, t.chunk, t.addr) for t in self.tensors]
        out += [
            struct.pack(">BIIii", p.bytes_per_element, p.rows, p.cols, p.lo, p.hi)
            for p in self.public
        ]
        out.append(struct.pack(">BBBH", Opcode.COMMIT, Opcode.LOGUP, self.lam, len(self.blocks)))
        out += [_encode_block(b) for b in self.blocks]
        out.append(struct.pack(">BH", Opcode.REQUANT, len(self.requants)))
        out += [_encode_requant(e) for e in self.requants]
        out.append(struct.pack(">BBBH", Opcode.CONTRACT, self.rounds, 2, len(self.instances)))
        out += [_encode_instance(i) for i in self.instances]
        out.append(struct.pack(">BB", Opcode.REDUCE, Opcode.OPEN))
        return b"".join(out)

    @classmethod
    def from_bytes(cls, encoded: bytes) -> Program:
        """Decode; raise ProgramError unless `encoded` is exactly a canonical encoding."""
        reader = _Reader(encoded)
        version, c, fixed, proof, ops, count = reader.unpack(">BBHHHH")
        if version != VERSION:
            raise ProgramError(f"program version {version}, expected {VERSION}")
        tensors = tuple(_decode_tensor(reader) for _ in range(count))
        public_in, public_out = (PublicTensor(*reader.unpack(">BIIii")) for _ in range(2))
        reader.expect(Opcode.COMMIT)
        reader.expect(Opcode.LOGUP)
        lam, count = reader.unpack(">BH")
        blocks = tuple(_decode_block(reader) for _ in range(count))
        reader.expect(Opcode.REQUANT)
        requants = tuple(_decode_requant(reader) for _ in range(reader.unpack(">H")[0]))
        reader.expect(Opcode.CONTRACT)
        rounds, degree, count = reader.unpack(">BBH")
        if degree != 2:
            raise ProgramError(f"contraction degree {degree}, expected 2")
        instances = tuple(_decode_instance(reader) for _ in range(count))
        reader.expect(Opcode.REDUCE)
        reader.expect(Opcode.OPEN)
        reader.finish()
        public = (public_in, public_out)
        program = cls(
            c, fixed, proof, ops, tensors, public, lam, blocks, requants, rounds, instances
        )
        if program.to_bytes() != encoded:
            raise ProgramError("program is not canonically encoded")
        return program

    def hash(self) -> bytes:
        """Return keccak256 of the encoding."""
        return keccak(self.to_bytes())


@dataclass(frozen=True)
class VerificationKey:
    """What a proof is checked against: graph, SRS, program, commitments of the fixed chunks."""

    graph_hash: bytes
    srs_id: bytes
    program: Program
    commitments: tuple[bytes, ...]  # F x 64 bytes

    def to_bytes(self) -> bytes:
        """Return the key blob of FORMAT.md 4."""
        program = self.program.to_bytes()
        return b"".join(
            (
                self.graph_hash,
                self.srs_id,
                struct.pack(">H", len(program)),
                program,
                *self.commitments,
            )
        )

    @classmethod
    def from_bytes(cls, blob: bytes) -> VerificationKey:
        """Decode; raise ProgramError unless `blob` is exactly a key blob."""
        reader = _Reader(blob)
        graph_hash, srs_id = reader.take(32), reader.take(32)
        program = Program.from_bytes(reader.take(reader.unpack(">H")[0]))
        commitments = tuple(reader.take(POINT_BYTES) for _ in range(program.fixed_chunks))
        reader.finish()
        return cls(graph_hash, srs_id, program, commitments)

    def hash(self) -> bytes:
        """Return vkHash = keccak256(blob)."""
        return keccak(self.to_bytes())


class _Reader:
    """Strict sequential reader of an encoding."""

    def __init__(self, encoded: bytes) -> None:
        self._encoded = encoded
        self._at = 0

    def take(self, count: int) -> bytes:
        piece = self._encoded[self._at : self._at + count]
        if len(piece) != count:
            raise ProgramError(f"truncated: {count} bytes wanted at {self._at}, {len(piece)} left")
        self._at += count
        return piece

    def unpack(self, layout: str) -> tuple[int, ...]:
        return struct.unpack(layout, self.take(struct.calcsize(layout)))

    def expect(self, opcode: Opcode) -> None:
        found = self.unpack(">B")[0]
        if found != opcode:
            raise ProgramError(f"opcode {found} at {self._at - 1}, expected {opcode.name}")

    def finish(self) -> None:
        if self._at != len(self._encoded):
            raise ProgramError(f"{len(self._encoded) - self._at} trailing bytes")


def _encode_block(block: Block) -> bytes:
    head = struct.pack(">BBBB", block.is_table, block.n, block.table_id, len(block.columns))
    return head + b"".join(struct.pack(">Hi", c.tensor, c.addend) for c in block.columns)


def _decode_block(reader: _Reader) -> Block:
    kind, n, table_id, count = reader.unpack(">BBBB")
    columns = tuple(Column(*reader.unpack(">Hi")) for _ in range(count))
    return Block(kind == 1, n, table_id, columns)


def _encode_requant(entry: RequantEntry) -> bytes:
    head = struct.pack(
        ">HiBHB", entry.q_tensor, entry.q_addend, entry.s, entry.m, len(entry.digits)
    )
    digits = b"".join(struct.pack(">HB", tensor, shift) for tensor, shift in entry.digits)
    tail = struct.pack(">HBBI", entry.bias_tensor, entry.rows_log, entry.cols_log, entry.rows)
    return head + digits + tail


def _decode_requant(reader: _Reader) -> RequantEntry:
    q_tensor, q_addend, s, m, count = reader.unpack(">HiBHB")
    digits = tuple((t, shift) for t, shift in (reader.unpack(">HB") for _ in range(count)))
    return RequantEntry(q_tensor, q_addend, s, m, digits, *reader.unpack(">HBBI"))


def _encode_operand(operand: Operand) -> bytes:
    head = struct.pack(">HB", operand.tensor, len(operand.segments))
    return head + b"".join(struct.pack(">BBB", g.source, g.end, g.length) for g in operand.segments)


def _decode_operand(reader: _Reader) -> Operand:
    tensor, count = reader.unpack(">HB")
    segments = tuple(_decode_segment(reader) for _ in range(count))
    return Operand(tensor, segments)


def _decode_segment(reader: _Reader) -> Segment:
    source, end, length = reader.unpack(">BBB")
    if source > Source.CONTRACTION:
        raise ProgramError(f"unknown point source {source}")
    return Segment(Source(source), end, length)


def _encode_instance(instance: Instance) -> bytes:
    head = struct.pack(">HB", instance.requant, instance.variables)
    return head + _encode_operand(instance.a) + _encode_operand(instance.b)


def _decode_instance(reader: _Reader) -> Instance:
    requant, variables = reader.unpack(">HB")
    return Instance(requant, variables, _decode_operand(reader), _decode_operand(reader))


def _decode_tensor(reader: _Reader) -> Tensor:
    kind, n, chunk, addr = reader.unpack(">BBHI")
    if kind > TensorKind.OUTPUT:
        raise ProgramError(f"unknown tensor kind {kind}")
    return Tensor(TensorKind(kind), n, chunk, addr)
