"""The bytes of a program (FORMAT.md 3.1): one program has one byte string, which its hash names."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from typing import TypeVar

from eth_hash.auto import keccak

from offchain.errors import ProgramError
from offchain.prove.program import (
    FLIP,
    VERSION,
    Axis,
    Block,
    Coefficient,
    Expression,
    Function,
    Instance,
    Link,
    Opcode,
    ProductTerm,
    Program,
    PublicTensor,
    Relation,
    Residual,
    Segment,
    Slot,
)

T = TypeVar("T")


def hash_program(program: Program) -> bytes:
    """Return programHash = keccak256 of the encoding (32 bytes)."""
    return keccak(encode_program(program))


def encode_program(program: Program) -> bytes:
    """Return the canonical bytes; raise ProgramError where a number leaves its field."""
    try:
        return b"".join((_encode_head(program), _encode_phases(program)))
    except struct.error as error:
        raise ProgramError(f"program does not fit the format: {error}") from error


def _encode_head(p: Program) -> bytes:
    header = struct.pack(
        ">BBBBHHHHH",
        VERSION,
        p.c,
        p.lookup,
        p.opening,
        p.fixed_chunks,
        p.proof_chunks,
        p.late_chunks,
        p.op_count,
        len(p.tensors),
    )
    counts = p.counts
    return b"".join(
        (
            header,
            *(struct.pack(">BBHI", t.kind, t.n, t.chunk, t.addr) for t in p.tensors),
            _listed("B", p.inputs, _encode_public),
            _encode_public(p.output),
            _listed("H", p.functions, _encode_function),
            struct.pack(
                ">HHHHH",
                counts.leaf,
                counts.direct,
                counts.product,
                counts.contraction,
                counts.link,
            ),
            *map(_encode_slot, p.slots),
        )
    )


def _encode_phases(p: Program) -> bytes:
    return b"".join(
        (
            struct.pack(">BBB", Opcode.COMMIT, Opcode.LOGUP, p.lam),
            _listed("H", p.blocks, _encode_block),
            struct.pack(">B", Opcode.RELATE),
            _listed("H", p.relations, _encode_relation),
            struct.pack(">BB", Opcode.PRODUCT, p.product_rounds),
            _listed("H", p.terms, _encode_product),
            struct.pack(">BBB", Opcode.CONTRACT, p.contraction_rounds, p.degree),
            _listed("H", p.instances, _encode_instance),
            struct.pack(">BB", Opcode.LINK, p.link_rounds),
            _listed("H", p.links, _encode_link),
            struct.pack(">BB", Opcode.REDUCE, Opcode.OPEN),
        )
    )


def _listed(width: str, items: Sequence[T], encode: Callable[[T], bytes]) -> bytes:
    """Return the count, as a `width` integer, and the encoded items."""
    return struct.pack(f">{width}", len(items)) + b"".join(map(encode, items))


def _encode_public(public: PublicTensor) -> bytes:
    head = struct.pack(
        ">HBBB", public.tensor, public.form, public.bytes_per_element, len(public.shape)
    )
    return head + struct.pack(f">{len(public.shape)}Iii", *public.shape, public.lo, public.hi)


def _encode_function(function: Function) -> bytes:
    return struct.pack(">B", len(function)) + b"".join(
        struct.pack(">BIBBBB", f.kind, f.value, f.end, f.length, f.end2, f.length2)
        for f in function
    )


def _encode_segment(segment: Segment | None) -> bytes:
    if segment is None:  # an axis of one cell (LINK only)
        return bytes(3)
    source = segment.source | (FLIP if segment.flip else 0)
    return struct.pack(">BBB", source, segment.end, segment.length)


def _encode_point(point: Sequence[Segment]) -> bytes:
    return _listed("B", point, _encode_segment)


def _encode_slot(slot: Slot) -> bytes:
    return struct.pack(">BH", slot.kind, slot.tensor) + _encode_point(slot.point)


def _encode_coefficient(coefficient: Coefficient) -> bytes:
    return struct.pack(">iB", coefficient.a, coefficient.b)


def _encode_expression(expression: Expression) -> bytes:
    return struct.pack(">B", len(expression)) + b"".join(
        _encode_coefficient(a.coefficient) + struct.pack(">HH", a.slot, a.function)
        for a in expression
    )


def _encode_block(block: Block) -> bytes:
    head = struct.pack(">BH", block.n, block.table_id)
    columns = _listed("B", block.columns, _encode_expression)
    return head + _encode_expression(block.numerator) + columns


def _encode_relation(relation: Relation) -> bytes:
    head = struct.pack(">B", relation.residual) + _encode_expression(relation.expression)
    if relation.residual != Residual.LINEAR:
        return head
    terms = [
        _encode_coefficient(t.coefficient) + struct.pack(">H", t.tensor) + _encode_point(t.point)
        for t in relation.terms
    ]
    return head + struct.pack(">B", len(terms)) + b"".join(terms)


def _encode_product(term: ProductTerm) -> bytes:
    return struct.pack(">BB", term.n, len(term.monomials)) + b"".join(
        _encode_coefficient(m.coefficient)
        + struct.pack(f">B{len(m.factors)}H", len(m.factors), *m.factors)
        for m in term.monomials
    )


def _encode_instance(instance: Instance) -> bytes:
    return b"".join(
        (
            struct.pack(">BBH", instance.variables, instance.origin, instance.index),
            _encode_coefficient(instance.coefficient),
            struct.pack(">HHHB", instance.a, instance.b, instance.function, len(instance.ties)),
            *(_encode_segment(t.segment) + struct.pack(">B", t.end) for t in instance.ties),
        )
    )


def _encode_axis(axis: Axis) -> bytes:
    return b"".join(
        (
            struct.pack(">HHBBB", axis.out, axis.size, axis.kernel, axis.stride, axis.pad),
            _encode_segment(axis.z),
            _encode_segment(axis.kappa),
            struct.pack(">B", axis.log_in),
        )
    )


def _encode_link(link: Link) -> bytes:
    head = struct.pack(">HH", link.window, link.tensor)
    return head + _encode_axis(link.height) + _encode_axis(link.width)
