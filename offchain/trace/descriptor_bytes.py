"""Bytes of descriptors: one table of fields for writing and for strict reading (TRACE.md 3)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from offchain.errors import DescriptorError
from offchain.trace.descriptor import (
    MAX_DIMS,
    MAX_INPUTS,
    MAX_WEIGHTS,
    AddUp,
    Contract,
    Convolve,
    Descriptor,
    Dim,
    Embed,
    Greatest,
    IndexMap,
    InputSpec,
    Loop,
    MatrixSpec,
    Multiply,
    Norm,
    Params,
    Pick,
    Pool,
    Reduce,
    Relu,
    Rescale,
    SoftmaxRow,
    Term,
    Turn,
    View,
    WeightRef,
)
from offchain.trace.descriptor_rules import MAX_TERMS, verify_descriptor

FORMAT: Final = 1
NO_OPERAND: Final = 0xFF


class Cursor:
    """Reads a descriptor from the front."""

    def __init__(self, raw: bytes) -> None:
        self._raw = raw
        self._at = 0

    def take(self, size: int) -> bytes:
        """Return the next bytes; raise DescriptorError where there are too few."""
        piece = self._raw[self._at : self._at + size]
        if len(piece) != size:
            raise DescriptorError(f"ends at byte {len(self._raw)}, within a field")
        self._at += size
        return piece

    def number(self, size: int, is_signed: bool = False) -> int:
        """Return a big-endian integer of `size` bytes."""
        return int.from_bytes(self.take(size), "big", signed=is_signed)

    def end(self) -> None:
        """Raise DescriptorError unless everything is read."""
        if self._at != len(self._raw):
            raise DescriptorError(f"{len(self._raw) - self._at} bytes are left over")


@dataclass(frozen=True)
class Field:
    """How one field is written, and read again; `read` sees the fields before it."""

    name: str
    write: Callable[[Any], bytes]
    read: Callable[[Cursor, Mapping[str, Any]], Any]


def _number(name: str, size: int, is_signed: bool = False) -> Field:
    return Field(
        name,
        lambda value: value.to_bytes(size, "big", signed=is_signed),
        lambda cursor, _: cursor.number(size, is_signed),
    )


def _operand(name: str) -> Field:
    return _number(name, 1)


def _optional(name: str) -> Field:
    def read(cursor: Cursor, _: Mapping[str, Any]) -> int | None:
        operand = cursor.number(1)
        return None if operand == NO_OPERAND else operand

    return Field(name, lambda v: bytes([NO_OPERAND if v is None else v]), read)


def _write_map(index_map: IndexMap) -> bytes:
    dims = index_map.dims
    return bytes([len(dims)]) + b"".join(
        d.size.to_bytes(4, "big") + d.stride.to_bytes(4, "big") + d.div.to_bytes(2, "big")
        for d in dims
    )


def _read_map(cursor: Cursor) -> IndexMap:
    count = _count(cursor, 1, MAX_DIMS, "dimensions")
    return IndexMap(
        tuple(Dim(cursor.number(4), cursor.number(4), cursor.number(2)) for _ in range(count))
    )


def _map(name: str) -> Field:
    return Field(name, _write_map, lambda cursor, _: _read_map(cursor))


def _map_of_bias(name: str) -> Field:
    return Field(
        name,
        lambda value: b"" if value is None else _write_map(value),
        lambda cursor, seen: None if seen["bias"] is None else _read_map(cursor),
    )


def _loops(name: str, operands: int) -> Field:
    def write(loops: tuple[Loop, ...]) -> bytes:
        return bytes([len(loops)]) + b"".join(
            number.to_bytes(4, "big") for loop in loops for number in (loop.size, *loop.strides)
        )

    def read(cursor: Cursor, _: Mapping[str, Any]) -> tuple[Loop, ...]:
        count = _count(cursor, 1, MAX_DIMS, "loops")
        return tuple(
            Loop(cursor.number(4), tuple(cursor.number(4) for _ in range(operands)))
            for _ in range(count)
        )

    return Field(name, write, read)


def _terms(name: str) -> Field:
    def write(terms: tuple[Term, ...]) -> bytes:
        return bytes([len(terms)]) + b"".join(
            bytes([t.x]) + t.coefficient.to_bytes(4, "big", signed=True) + _write_map(t.map)
            for t in terms
        )

    def read(cursor: Cursor, _: Mapping[str, Any]) -> tuple[Term, ...]:
        count = _count(cursor, 1, MAX_TERMS, "terms")
        return tuple(
            Term(cursor.number(1), cursor.number(4, is_signed=True), _read_map(cursor))
            for _ in range(count)
        )

    return Field(name, write, read)


def _count(cursor: Cursor, low: int, high: int, what: str) -> int:
    count = cursor.number(1)
    if not low <= count <= high:
        raise DescriptorError(f"{count} {what}, expected {low} to {high}")
    return count


def _words(*names: str) -> tuple[Field, ...]:
    return tuple(_number(name, 4) for name in names)


_CONVOLVE: Final = _words(
    "height", "width", "channels", "outputs", "kernel_height", "kernel_width",
    "stride", "padding", "groups",
)  # fmt: skip
_POOL: Final = _words("height", "width", "channels", "kernel_height", "kernel_width")

# Opcode, record, fields in the order of their bytes.
LAYOUTS: Final[tuple[tuple[int, type, tuple[Field, ...]], ...]] = (
    (
        0x01,
        Contract,
        (
            *(_operand("a"), _operand("b"), _optional("bias")),
            *(_map("map_a"), _map("map_b"), _map_of_bias("map_bias"), _loops("loops", 2)),
        ),
    ),
    (0x02, Convolve, (_operand("x"), _operand("w"), _optional("bias"), *_CONVOLVE)),
    (0x03, AddUp, (_terms("terms"),)),
    (0x04, Multiply, (_operand("a"), _operand("b"), _map("map_a"), _map("map_b"))),
    (0x05, Reduce, (_operand("a"), _map("map_a"), _loops("loops", 1))),
    (
        0x06,
        Turn,
        (_operand("x"), _operand("cos"), _operand("sin"), *_words("steps", "inner", "columns")),
    ),
    (
        0x07,
        Embed,
        (_operand("tokens"), _operand("table"), _optional("position"), *_words("columns")),
    ),
    (
        0x08,
        Norm,
        (
            *(_operand("x"), _operand("gamma"), _optional("beta"), _number("kind", 1)),
            *(_number("n", 4), _number("epsilon", 4), _number("f", 1)),
        ),
    ),
    (
        0x09,
        SoftmaxRow,
        (
            *(_operand("x"), _operand("table"), _number("width", 1), _number("g", 1)),
            *(_number("causal", 1), *_words("queries", "keys")),
        ),
    ),
    (0x0A, Pool, (_operand("x"), *_POOL)),
    (0x0B, Relu, (_operand("x"),)),
    (0x0C, View, (_operand("x"), _number("offset", 8), _map("map"))),
    (0x0D, Pick, (_operand("x"), _operand("index"))),
    (0x0E, Greatest, (_operand("x"),)),
)
LAST_ACCUMULATING: Final = 0x09  # these opcodes are followed by a rescale
_RESCALE: Final = (
    *(_number("m", 4), _number("s", 1), _number("width", 1), _number("table", 1)),
    *(_optional("table_weight"), _optional("scale")),
    *(_number("lo", 4, is_signed=True), _number("hi", 4, is_signed=True)),
)
_BY_OPCODE: Final = {opcode: (kind, fields) for opcode, kind, fields in LAYOUTS}
_BY_TYPE: Final = {kind: (opcode, fields) for opcode, kind, fields in LAYOUTS}


def opcode_of(params: Params) -> int:
    """Return the opcode of an operator's parameters."""
    return _BY_TYPE[type(params)][0]


def encode_descriptor(d: Descriptor) -> bytes:
    """Return the bytes; raise DescriptorError for what a descriptor cannot say."""
    try:
        verify_descriptor(d)
        opcode, fields = _BY_TYPE[type(d.params)]
        return b"".join(
            (
                bytes([FORMAT, opcode, len(d.inputs), len(d.weights)]),
                d.layer.to_bytes(4, "big"),
                d.position.to_bytes(2, "big"),
                d.layer_ops.to_bytes(2, "big"),
                d.op_key,
                d.row_key,
                _write_matrix(d.out),
                *(x.ref.to_bytes(2, "big") + _write_matrix(x.spec) for x in d.inputs),
                *(
                    bytes([w.element_bytes]) + w.elements.to_bytes(8, "big") + w.tile_root
                    for w in d.weights
                ),
                *(f.write(getattr(d.params, f.name)) for f in fields),
                *(f.write(getattr(d.rescale, f.name)) for f in _RESCALE if d.rescale),
            )
        )
    except OverflowError as error:
        raise DescriptorError(f"a number does not fit its field: {error}") from error


def decode_descriptor(raw: bytes) -> Descriptor:
    """Return the descriptor; raise DescriptorError for anything that no model has."""
    cursor = Cursor(raw)
    if (version := cursor.number(1)) != FORMAT:
        raise DescriptorError(f"format {version}, expected {FORMAT}")
    opcode = cursor.number(1)
    if opcode not in _BY_OPCODE:
        raise DescriptorError(f"unknown opcode {opcode:#04x}")
    inputs = _count(cursor, 1, MAX_INPUTS, "inputs")
    weights = _count(cursor, 0, MAX_WEIGHTS, "weights")
    layer, position, layer_ops = cursor.number(4), cursor.number(2), cursor.number(2)
    op_key, row_key = cursor.take(32), cursor.take(32)
    out = _read_matrix(cursor)
    input_specs = tuple(InputSpec(cursor.number(2), _read_matrix(cursor)) for _ in range(inputs))
    weight_refs = tuple(
        WeightRef(cursor.number(1), cursor.number(8), cursor.take(32)) for _ in range(weights)
    )
    kind, fields = _BY_OPCODE[opcode]
    params = kind(**_read_fields(cursor, fields))
    rescale = None
    if opcode <= LAST_ACCUMULATING:
        rescale = Rescale(**_read_fields(cursor, _RESCALE))
    cursor.end()
    descriptor = Descriptor(
        *(layer, position, layer_ops, out, input_specs, weight_refs, params, rescale),
        op_key=op_key,
        row_key=row_key,
    )
    verify_descriptor(descriptor)
    return descriptor


def _read_fields(cursor: Cursor, fields: tuple[Field, ...]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for field in fields:
        values[field.name] = field.read(cursor, values)
    return values


def _write_matrix(spec: MatrixSpec) -> bytes:
    return bytes([spec.element_bytes]) + spec.rows.to_bytes(4, "big") + spec.cols.to_bytes(4, "big")


def _read_matrix(cursor: Cursor) -> MatrixSpec:
    return MatrixSpec(cursor.number(1), cursor.number(4), cursor.number(4))
