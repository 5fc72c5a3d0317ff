"""The encoding of programs and keys: one program, one byte string."""

from __future__ import annotations

import dataclasses
import random

import pytest

from offchain.errors import ProgramError
from offchain.prove.program import (
    NONE,
    Atom,
    Axis,
    Block,
    Coefficient,
    Expression,
    Factor,
    FactorKind,
    Form,
    Instance,
    LinearTerm,
    Link,
    Lookup,
    Monomial,
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
from offchain.prove.program_bytes import encode_program, hash_program
from offchain.prove.program_reader import decode_program
from offchain.prove.verification_key import VerificationKey


def draw_program(seed: int) -> Program:
    """Draw a program that uses every record; it means nothing."""
    rng = random.Random(seed)
    byte, short = (lambda: rng.randrange(256)), (lambda: rng.randrange(1 << 16))

    def coefficient() -> Coefficient:
        return Coefficient(rng.randrange(-(1 << 31), 1 << 31), byte())

    def segment() -> Segment:
        source = rng.choice(list(Source))
        length = rng.randrange(1, 9)
        end = {Source.HALF: 0, Source.BITS: rng.randrange(1 << length)}.get(source, byte())
        return Segment(source, end, length, source <= Source.LINK and rng.random() < 0.3)

    def point() -> tuple[Segment, ...]:
        return tuple(segment() for _ in range(rng.randrange(4)))

    def expression() -> Expression:
        return tuple(Atom(coefficient(), short(), short()) for _ in range(rng.randrange(4)))

    def public() -> PublicTensor:
        shape = tuple(rng.randrange(1, 1 << 32) for _ in range(rng.randrange(1, 5)))
        return PublicTensor(short(), rng.choice(list(Form)), byte(), shape, -byte(), byte())

    def relation() -> Relation:
        residual = rng.choice(list(Residual))
        terms = ()
        if residual == Residual.LINEAR:
            terms = tuple(LinearTerm(coefficient(), short(), point()) for _ in range(3))
        return Relation(residual, expression(), terms)

    def axis() -> Axis:
        optional = (None, Segment(Source.ZETA, 0, 3))
        return Axis(
            short(), short(), byte(), byte(), byte(), rng.choice(optional), rng.choice(optional), 5
        )

    counts = SlotCounts(*(rng.randrange(3) for _ in range(5)))
    return Program(
        c=byte(),
        lookup=rng.choice(list(Lookup)),
        opening=rng.choice(list(Opening)),
        fixed_chunks=1,
        proof_chunks=short(),
        late_chunks=short(),
        op_count=short(),
        tensors=tuple(Tensor(kind, byte(), short(), short()) for kind in TensorKind),
        inputs=tuple(public() for _ in range(rng.randrange(3))),
        output=public(),
        functions=tuple(
            tuple(Factor(kind, short(), byte(), byte(), byte(), byte()) for kind in FactorKind)
            for _ in range(rng.randrange(3))
        ),
        counts=counts,
        slots=tuple(
            Slot(rng.choice(list(SlotKind)), short(), point()) for _ in range(counts.total)
        ),
        lam=byte(),
        blocks=tuple(
            Block(byte(), short(), expression(), tuple(expression() for _ in range(k)))
            for k in (1, 2, 3)
        ),
        relations=tuple(relation() for _ in range(4)),
        product_rounds=byte(),
        terms=(ProductTerm(byte(), (Monomial(coefficient(), (short(), short())),)),),
        contraction_rounds=byte(),
        degree=3,
        instances=(
            Instance(3, Origin.SLOT, 1, coefficient(), 0, 1, NONE, (Tie(segment(), byte()),)),
        ),
        link_rounds=byte(),
        links=(Link(short(), short(), axis(), axis()),),
    )


@pytest.mark.parametrize("seed", range(20))
def test_program__encoded_and_decoded__is_equal(seed: int) -> None:
    program = draw_program(seed)
    assert decode_program(encode_program(program)) == program


def test_program__every_truncation_and_one_more_byte__refused() -> None:
    encoded = encode_program(draw_program(1))
    for length in range(len(encoded)):
        with pytest.raises(ProgramError):
            decode_program(encoded[:length])
    with pytest.raises(ProgramError, match="trailing"):
        decode_program(encoded + b"\0")


def test_program__every_changed_byte__refused_or_another_program() -> None:
    """No two byte strings are one program."""
    program = draw_program(2)
    encoded = encode_program(program)
    for at in range(len(encoded)):
        changed = encoded[:at] + bytes([encoded[at] ^ 1]) + encoded[at + 1 :]
        try:
            decoded = decode_program(changed)
        except ProgramError:
            continue
        assert decoded != program
        assert encode_program(decoded) == changed


@pytest.mark.parametrize(
    "segment",
    [
        Segment(Source.HALF, 1, 1),
        Segment(Source.BITS, 4, 2),
        Segment(Source.BITS, 0, 9),
        Segment(Source.ZETA, 0, 0),
        Segment(Source.HALF, 0, 1, flip=True),
    ],
    ids=["half with end", "bits beyond length", "nine bits", "empty", "flipped half"],
)
def test_segment_that_is_not_canonical__refused(segment: Segment) -> None:
    slot = Slot(SlotKind.TENSOR, 0, (segment,))
    program = dataclasses.replace(draw_program(3), counts=SlotCounts(1, 0, 0, 0, 0), slots=(slot,))
    with pytest.raises(ProgramError, match=r"segment|source"):
        decode_program(encode_program(program))


def test_number_beyond_its_field__refused() -> None:
    program = dataclasses.replace(draw_program(4), op_count=1 << 16)
    with pytest.raises(ProgramError, match="does not fit"):
        encode_program(program)


def test_key__encoded_and_decoded__is_equal_and_strict() -> None:
    program = draw_program(5)
    key = VerificationKey(b"g" * 32, b"s" * 32, program, (b"c" * 64,))
    blob = key.to_bytes()
    assert VerificationKey.from_bytes(blob) == key
    for wrong in (blob[:-1], blob + b"\0"):
        with pytest.raises(ProgramError):
            VerificationKey.from_bytes(wrong)


def test_program_hash__another_program__differs() -> None:
    assert hash_program(draw_program(6)) != hash_program(draw_program(7))


def test_coefficient__any_power_of_two_times_32_bits__is_exact() -> None:
    for value in (0, 1, -(1 << 31), (1 << 31) - 1, 1 << 31, -(1 << 40), 3 << 60, -5 << 200):
        assert Coefficient.of(value).value == value
    with pytest.raises(ValueError, match="32 significant bits"):
        Coefficient.of((1 << 32) + 1)
