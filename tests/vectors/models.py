"""Small seeded models on which whole proofs and forgeries are made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import numpy.typing as npt

from offchain.commit.srs_file import srs_id
from offchain.prove.program import Lookup, Opening, Program, TensorKind
from offchain.prove.reference.curve import G1, encode, scale
from offchain.prove.reference.field import R
from offchain.prove.reference.public import elements, split_inputs
from offchain.prove.reference.srs import INSECURE_TAU, insecure_tau_g2
from offchain.prove.reference.univariate import horner
from offchain.prove.verification_key import VerificationKey
from tests.vectors.tiny import make_tiny

Array = npt.NDArray[np.int64]
Tensors = dict[int, list[int]]


@dataclass(frozen=True)
class SmallModel:
    """A key with an honest witness for one input."""

    name: str
    key: VerificationKey
    witness: Tensors  # every tensor but late ones, padded and flat
    public_in: bytes

    @property
    def program(self) -> Program:
        """The key's program."""
        return self.key.program

    def tensors(self) -> Tensors:
        """Return a copy of the honest witness, to be changed."""
        return {index: list(values) for index, values in self.witness.items()}

    def tokens(self) -> dict[int, list[int]]:
        """Return the elements of the inputs, by tensor."""
        return tokens_of(self.program, self.public_in)


def tokens_of(program: Program, public_in: bytes) -> dict[int, list[int]]:
    """Return the unpadded elements of the inputs that are given as bytes, by tensor."""
    pieces = split_inputs(program, public_in)
    return {
        spec.tensor: elements(spec, raw)
        for spec, raw in zip(program.inputs, pieces, strict=True)
        if raw
    }


def read_output(program: Program, tensors: Mapping[int, Sequence[int]]) -> Array:
    """Return the public output, read from its padded tensor."""
    spec = program.output
    padded = [1 << (size - 1).bit_length() for size in spec.shape]
    values = np.array(tensors[spec.tensor], dtype=np.int64).reshape(padded)
    return values[tuple(slice(size) for size in spec.shape)]


def output_bytes(program: Program, output: Array) -> bytes:
    """Return an output's bytes; none where it is committed."""
    if not program.output.byte_length:
        return b""
    return to_bytes(output, 8 * program.output.bytes_per_element)


def to_bytes(values: Array, bits: int) -> bytes:
    """Return row-major two's complement big-endian bytes."""
    return values.astype(f">i{bits // 8}").tobytes()


def commit(program: Program, tensors: Mapping[int, Sequence[int]]) -> list[bytes]:
    """Return the commitments of the fixed and the proof's chunks, made with the known tau."""
    size = 1 << program.c
    chunks = [[0] * size for _ in range(program.fixed_chunks + program.proof_chunks)]
    for index, tensor in enumerate(program.tensors):
        if tensor.kind not in (TensorKind.FIXED, TensorKind.PROOF):
            continue
        start = (tensor.addr << tensor.n) if tensor.n < program.c else 0
        values = tensors[index]
        for k in range(0, len(values), size):
            piece = [v % R for v in values[k : k + size]]
            chunks[tensor.chunk + k // size][start : start + len(piece)] = piece
    return [encode(scale(G1, horner(chunk, INSECURE_TAU))) for chunk in chunks]


# -------------------------------------------------------------------- written by hand


def handmade(lookup: Lookup, opening: Opening) -> SmallModel:
    """Return the program that needs no compiler (tests/vectors/tiny.py)."""
    tiny = make_tiny(lookup, opening)
    key = replace(tiny.key, srs_id=srs_id(insecure_tau_g2()))
    name = f"handmade-{lookup.name.lower()}-{opening.name.lower()}"
    return SmallModel(name, key, tiny.tensors, tiny.public_in)


@cache
def handmade_gkr() -> SmallModel:
    """LogUp-GKR and HyperKZG."""
    return handmade(Lookup.GKR, Opening.HYPERKZG)


@cache
def handmade_inverses() -> SmallModel:
    """Committed inverses and Mercury."""
    return handmade(Lookup.INVERSES, Opening.MERCURY)
