"""Descriptors of every operator: their bytes go both ways, and nothing else is read."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from offchain.errors import DescriptorError
from offchain.trace.descriptor import Contract, Descriptor, Dim, IndexMap, Loop, Rescale
from offchain.trace.descriptor_bytes import LAYOUTS, decode_descriptor, encode_descriptor, opcode_of
from tests.unit.trace.runs import KINDS, graph_run, operator_run


def all_encoded() -> list[bytes]:
    """Return descriptors of every kind of operator."""
    runs = [operator_run(kind, seed) for kind in KINDS for seed in range(3)]
    return [op.encoded for run in runs for op in run.plan.ops]


def linear_descriptor() -> Descriptor:
    run = operator_run("linear", 1)
    return next(o.descriptor for o in run.plan.ops if isinstance(o.descriptor.params, Contract))


def test_bytes__every_operator__go_both_ways() -> None:
    found = set()
    for raw in all_encoded():
        descriptor = decode_descriptor(raw)
        assert encode_descriptor(descriptor) == raw
        found.add(opcode_of(descriptor.params))
    assert found == {opcode for opcode, _, _ in LAYOUTS}


def test_bytes__random_graphs__decode_to_what_was_written() -> None:
    for seed in range(40):
        for op in graph_run(seed).plan.ops:
            assert decode_descriptor(op.encoded) == op.descriptor


def test_decode__cut_or_extended__refused() -> None:
    for raw in all_encoded()[::7]:
        for end in range(len(raw)):
            with pytest.raises(DescriptorError):
                decode_descriptor(raw[:end])
        with pytest.raises(DescriptorError, match="1 bytes are left over"):
            decode_descriptor(raw + b"\0")


def test_decode__any_byte_changed__refused_or_another_descriptor() -> None:
    rng, refused = random.Random(3), 0
    for raw in all_encoded():
        for _ in range(40):
            place = rng.randrange(len(raw))
            changed = raw[:place] + bytes([raw[place] ^ rng.randint(1, 255)]) + raw[place + 1 :]
            try:
                descriptor = decode_descriptor(changed)
            except DescriptorError:
                refused += 1
            else:
                assert encode_descriptor(descriptor) == changed
    assert refused > 1000


@pytest.mark.parametrize(
    ("place", "value", "reason"),
    [(0, 2, "format 2"), (1, 0, "unknown opcode 0x00"), (1, 15, "unknown opcode 0x0f")],
)
def test_decode__unknown_head__named(place: int, value: int, reason: str) -> None:
    raw = bytearray(encode_descriptor(linear_descriptor()))
    raw[place] = value
    with pytest.raises(DescriptorError, match=reason):
        decode_descriptor(bytes(raw))


def test_map__grouped_and_broadcast__indices_as_defined() -> None:
    index_map = IndexMap((Dim(4, 10, 2), Dim(3, 0), Dim(5, 1)))
    found = [index_map.locate(e) for e in range(60)]
    assert found == [h // 2 * 10 + k for h in range(4) for _ in range(3) for k in range(5)]
    assert (index_map.count, index_map.largest) == (60, max(found))


def rescale(**changes: int | None) -> Descriptor:
    descriptor = linear_descriptor()
    block = descriptor.rescale
    assert isinstance(block, Rescale)
    return replace(descriptor, rescale=replace(block, **changes))


def contract(**changes: object) -> Descriptor:
    descriptor = linear_descriptor()
    params = descriptor.params
    assert isinstance(params, Contract)
    return replace(descriptor, params=replace(params, **changes))


@pytest.mark.parametrize(
    ("descriptor", "reason"),
    [
        (rescale(m=0), "m 0"),
        (rescale(s=33), "s 33"),
        (rescale(width=33), "width 33"),
        (rescale(table=2, table_weight=None), "a table that is a weight names it"),
        (rescale(lo=5, hi=4), r"\[5, 4\]"),
        (rescale(lo=-(1 << 40)), "does not fit the result"),
        (rescale(scale=0), "operand 0x00 has to be a weight"),
        (contract(a=3), "no operand 0x03"),
        (contract(b=0x88), "no operand 0x88"),
        (contract(loops=()), "0 loops"),
        (contract(loops=(Loop(1 << 20, (1, 1)),)), "index 10485.. of"),
        (contract(map_a=IndexMap((Dim(1, 0),))), "a map does not cover the result"),
        (contract(map_a=IndexMap(())), "0 dimensions"),
        (replace(linear_descriptor(), rescale=None), "a rescale follows accumulators only"),
        (replace(linear_descriptor(), position=9), "position 9 of"),
        (replace(linear_descriptor(), op_key=b""), "a key is 32 bytes"),
        (replace(linear_descriptor(), layer=1 << 32), "does not fit its field"),
    ],
)
def test_encode__what_no_model_has__refused(descriptor: Descriptor, reason: str) -> None:
    with pytest.raises(DescriptorError, match=reason):
        encode_descriptor(descriptor)
