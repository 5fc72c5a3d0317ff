"""Strict decoding of programs (FORMAT.md 3.1): whatever is not exactly one encoding is refused."""

from __future__ import annotations

import struct
from collections.abc import Callable
from enum import IntEnum
from typing import Final, TypeVar

from offchain.errors import ProgramError
from offchain.prove.program import (
    FLIP,
    VERSION,
    Atom,
    Axis,
    Block,
    Coefficient,
    Expression,
    Factor,
    FactorKind,
    Form,
    Function,
    Instance,
    LinearTerm,
    Link,
    Lookup,
    Monomial,
    Opcode,
    Opening,
    Origin,
    ProductTerm,
    Program,
    PublicTensor,
    Relation,
    Residual,
    Segment,
    Slot,
    SlotCounts,
    SlotKind,
    Source,
    Tensor,
    TensorKind,
    Tie,
)
from offchain.prove.program_bytes import encode_program

T = TypeVar("T")
E = TypeVar("E", bound=IntEnum)
CHALLENGED: Final = (Source.ZETA, Source.PRODUCT, Source.CONTRACTION, Source.LINK)
MAX_BITS: Final = 8  # coordinates of a segment of constant bits


def decode_program(encoded: bytes) -> Program:
    """Return the program of canonical bytes; raise ProgramError for any others."""
    reader = Reader(encoded)
    program = _decode(reader)
    reader.finish()
    # INVARIANT: one program has one byte string; unused fields that hold something end here.
    if encode_program(program) != encoded:
        raise ProgramError("program is not canonically encoded")
    return program


class Reader:
    """Sequential reader of an encoding that refuses to read past its end."""

    def __init__(self, encoded: bytes) -> None:
        self._encoded = encoded
        self._at = 0

    def take(self, count: int) -> bytes:
        """Return the next `count` bytes; raise ProgramError where they are not there."""
        piece = self._encoded[self._at : self._at + count]
        if len(piece) != count:
            raise ProgramError(f"truncated: {count} bytes wanted at {self._at}, {len(piece)} left")
        self._at += count
        return piece

    def unpack(self, layout: str) -> tuple[int, ...]:
        """Return the next big-endian integers of a struct layout."""
        return struct.unpack(f">{layout}", self.take(struct.calcsize(f">{layout}")))

    def one(self, width: str) -> int:
        """Return the next integer of one width."""
        return self.unpack(width)[0]

    def enum(self, kind: type[E]) -> E:
        """Return the next byte as a member of `kind`."""
        value = self.one("B")
        try:
            return kind(value)
        except ValueError as error:
            raise ProgramError(f"unknown {kind.__name__} {value} at {self._at - 1}") from error

    def expect(self, opcode: Opcode) -> None:
        """Read one opcode; raise ProgramError for another one."""
        found = self.one("B")
        if found != opcode:
            raise ProgramError(f"opcode {found} at {self._at - 1}, expected {opcode.name}")

    def many(self, count: int, decode: Callable[[Reader], T]) -> tuple[T, ...]:
        """Return `count` decoded items."""
        return tuple(decode(self) for _ in range(count))

    def listed(self, width: str, decode: Callable[[Reader], T]) -> tuple[T, ...]:
        """Return the items that follow their count."""
        return self.many(self.one(width), decode)

    def finish(self) -> None:
        """Raise ProgramError if anything is left."""
        if self._at != len(self._encoded):
            raise ProgramError(f"{len(self._encoded) - self._at} trailing bytes")


def _decode(reader: Reader) -> Program:
    version, c = reader.unpack("BB")
    if version != VERSION:
        raise ProgramError(f"program version {version}, expected {VERSION}")
    lookup, opening = reader.enum(Lookup), reader.enum(Opening)
    fixed, proof, late, op_count, tensor_count = reader.unpack("HHHHH")
    tensors = reader.many(tensor_count, _tensor)
    inputs, output = reader.listed("B", _public), _public(reader)
    functions = reader.listed("H", _function)
    counts = SlotCounts(*reader.unpack("HHHHH"))
    slots = reader.many(counts.total, _slot)
    reader.expect(Opcode.COMMIT)
    reader.expect(Opcode.LOGUP)
    lam, blocks = reader.one("B"), reader.listed("H", _block)
    reader.expect(Opcode.RELATE)
    relations = reader.listed("H", _relation)
    reader.expect(Opcode.PRODUCT)
    product_rounds, terms = reader.one("B"), reader.listed("H", _product)
    reader.expect(Opcode.CONTRACT)
    contraction_rounds, degree = reader.unpack("BB")
    instances = reader.listed("H", _instance)
    reader.expect(Opcode.LINK)
    link_rounds, links = reader.one("B"), reader.listed("H", _link)
    reader.expect(Opcode.REDUCE)
    reader.expect(Opcode.OPEN)
    return Program(
        c=c,
        lookup=lookup,
        opening=opening,
        fixed_chunks=fixed,
        proof_chunks=proof,
        late_chunks=late,
        op_count=op_count,
        tensors=tensors,
        inputs=inputs,
        output=output,
        functions=functions,
        counts=counts,
        slots=slots,
        lam=lam,
        blocks=blocks,
        relations=relations,
        product_rounds=product_rounds,
        terms=terms,
        contraction_rounds=contraction_rounds,
        degree=degree,
        instances=instances,
        link_rounds=link_rounds,
        links=links,
    )


def _tensor(reader: Reader) -> Tensor:
    return Tensor(reader.enum(TensorKind), *reader.unpack("BHI"))


def _public(reader: Reader) -> PublicTensor:
    tensor, form, width = reader.one("H"), reader.enum(Form), reader.one("B")
    shape = reader.unpack(f"{reader.one('B')}I")
    return PublicTensor(tensor, form, width, shape, *reader.unpack("ii"))


def _function(reader: Reader) -> Function:
    return reader.listed("B", lambda r: Factor(r.enum(FactorKind), *r.unpack("IBBBB")))


def _segment(reader: Reader) -> Segment:
    source, end, length = reader.unpack("BBB")
    return _make_segment(source, end, length)


def _link_segment(reader: Reader) -> Segment | None:
    source, end, length = reader.unpack("BBB")
    return _make_segment(source, end, length) if source or end or length else None


def _make_segment(source: int, end: int, length: int) -> Segment:
    flip, kind = bool(source & FLIP), source & ~FLIP
    if kind > max(Source) or (flip and kind not in CHALLENGED):
        raise ProgramError(f"unknown point source {source}")
    if length < 1 or (kind == Source.BITS and length > MAX_BITS):
        raise ProgramError(f"a segment of {length} coordinates")
    if (kind == Source.HALF and end) or (kind == Source.BITS and end >> length):
        raise ProgramError("a constant segment is not canonical")
    return Segment(Source(kind), end, length, flip)


def _point(reader: Reader) -> tuple[Segment, ...]:
    return reader.listed("B", _segment)


def _slot(reader: Reader) -> Slot:
    return Slot(reader.enum(SlotKind), reader.one("H"), _point(reader))


def _coefficient(reader: Reader) -> Coefficient:
    return Coefficient(*reader.unpack("iB"))


def _expression(reader: Reader) -> Expression:
    return reader.listed("B", lambda r: Atom(_coefficient(r), *r.unpack("HH")))


def _block(reader: Reader) -> Block:
    n, table_id = reader.unpack("BH")
    numerator = _expression(reader)
    columns = reader.listed("B", _expression)
    if not 1 <= len(columns) <= 3:
        raise ProgramError(f"a block of {len(columns)} columns")
    return Block(n, table_id, numerator, columns)


def _relation(reader: Reader) -> Relation:
    residual, expression = reader.enum(Residual), _expression(reader)
    terms = reader.listed("B", _linear_term) if residual == Residual.LINEAR else ()
    return Relation(residual, expression, terms)


def _linear_term(reader: Reader) -> LinearTerm:
    return LinearTerm(_coefficient(reader), reader.one("H"), _point(reader))


def _product(reader: Reader) -> ProductTerm:
    n = reader.one("B")
    return ProductTerm(n, reader.listed("B", _monomial))


def _monomial(reader: Reader) -> Monomial:
    coefficient = _coefficient(reader)
    return Monomial(coefficient, reader.unpack(f"{reader.one('B')}H"))


def _instance(reader: Reader) -> Instance:
    variables, origin, index = reader.one("B"), reader.enum(Origin), reader.one("H")
    coefficient = _coefficient(reader)
    a, b, function = reader.unpack("HHH")
    ties = reader.listed("B", lambda r: Tie(_segment(r), r.one("B")))
    return Instance(variables, origin, index, coefficient, a, b, function, ties)


def _axis(reader: Reader) -> Axis:
    out, size, kernel, stride, pad = reader.unpack("HHBBB")
    return Axis(
        out,
        size,
        kernel,
        stride,
        pad,
        _link_segment(reader),
        _link_segment(reader),
        reader.one("B"),
    )


def _link(reader: Reader) -> Link:
    window, tensor = reader.unpack("HH")
    return Link(window, tensor, _axis(reader), _axis(reader))
