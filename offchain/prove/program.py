"""The verification program: what all verifiers interpret (FORMAT.md 3).

A program knows tensors, slots (values at points made of challenges), functions (public polynomials)
and the phases that relate them; it knows no operators. It is derived from the integer graph alone
(compile/) and everybody recomputes it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

VERSION: Final = 2
NONE: Final = 0xFFFF  # "no slot", "no function", "no tensor"
FUNCTION_FACTOR: Final = 0x8000
FLIP: Final = 0x80


class Opcode(IntEnum):
    """Coarse opcodes: one for each phase of the proof."""

    COMMIT = 1
    LOGUP = 2
    RELATE = 3
    PRODUCT = 4
    CONTRACT = 5
    LINK = 6
    REDUCE = 7
    OPEN = 8


class TensorKind(IntEnum):
    """Where a tensor's values come from."""

    FIXED = 0  # weights and table columns, committed once per model
    PROOF = 1  # committed in every proof
    LATE = 2  # inverse columns, committed after the lookup challenges
    INPUT = 3
    OUTPUT = 4


class Lookup(IntEnum):
    """Which lookup argument."""

    GKR = 0
    INVERSES = 1


class Opening(IntEnum):
    """Which polynomial opening (OPENINGS.md)."""

    HYPERKZG = 0
    MERCURY = 1


class Source(IntEnum):
    """Where a segment's coordinates come from (FORMAT.md 3.2)."""

    ZETA = 0
    PRODUCT = 1
    CONTRACTION = 2
    LINK = 3
    HALF = 4
    BITS = 5
    OUTPUT_BITS = 6


class Form(IntEnum):
    """How a public tensor is given."""

    BYTES = 0
    COMMITTED = 1


class SlotKind(IntEnum):
    """What a slot's value is (FORMAT.md 3.3)."""

    TENSOR = 0
    VIRTUAL = 1
    ONE_HOT = 2


class FactorKind(IntEnum):
    """Factors of public functions (FORMAT.md 3.4)."""

    ID = 0
    LT = 1
    CAUSAL = 2
    LT_OUTPUT = 3
    AT = 4


class Residual(IntEnum):
    """What equals a relation's expression (FORMAT.md 7.2)."""

    NONE = 0
    LINEAR = 1
    PRODUCT = 2
    CONTRACTION = 3


class Origin(IntEnum):
    """Whose value a contraction instance proves."""

    RELATION = 0
    SLOT = 1


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
    """An input or the output of the proof; elements lie in [lo, hi]."""

    tensor: int
    form: Form
    bytes_per_element: int
    shape: tuple[int, ...]
    lo: int
    hi: int

    @property
    def byte_length(self) -> int:
        """Length of the tensor's bytes in the call."""
        size = 0 if self.form == Form.COMMITTED else self.bytes_per_element
        for dimension in self.shape:
            size *= dimension
        return size


@dataclass(frozen=True)
class Segment:
    """Coordinates v[N - end - length : N - end] of a source; `flip` turns x into 1 - x."""

    source: Source
    end: int
    length: int
    flip: bool = False


@dataclass(frozen=True)
class Factor:
    """One factor of a public function, on segments of the phase's vector."""

    kind: FactorKind
    value: int
    end: int
    length: int
    end2: int = 0
    length2: int = 0


Function = tuple[Factor, ...]


@dataclass(frozen=True)
class Slot:
    """A value that the prover sends or the verifier evaluates."""

    kind: SlotKind
    tensor: int = NONE
    point: tuple[Segment, ...] = ()


@dataclass(frozen=True)
class Coefficient:
    """The integer a * 2^b with a an i32."""

    a: int
    b: int = 0

    @property
    def value(self) -> int:
        """The integer."""
        return self.a << self.b

    @classmethod
    def of(cls, value: int) -> Coefficient:
        """Return the canonical form: the smallest b with which a fits 32 bits."""
        b = 0
        while not -(1 << 31) <= value < 1 << 31:
            if value & 1:
                raise ValueError("an integer with more than 32 significant bits")
            value >>= 1
            b += 1
        return cls(value, b)


@dataclass(frozen=True)
class Atom:
    """coefficient * slot * function; NONE stands for 1."""

    coefficient: Coefficient
    slot: int = NONE
    function: int = NONE


Expression = tuple[Atom, ...]


@dataclass(frozen=True)
class Block:
    """A LogUp leaf block of 2^n cells: numerator / (beta - fingerprint of the columns)."""

    n: int
    table_id: int
    numerator: Expression
    columns: tuple[Expression, ...]


@dataclass(frozen=True)
class LinearTerm:
    """coefficient * tensor(point), a part of a linear claim."""

    coefficient: Coefficient
    tensor: int
    point: tuple[Segment, ...]


@dataclass(frozen=True)
class Relation:
    """An identity at suffixes of zeta: the residual equals the expression."""

    residual: Residual
    expression: Expression
    terms: tuple[LinearTerm, ...] = ()


@dataclass(frozen=True)
class Monomial:
    """coefficient * product of slots (index) and functions (FUNCTION_FACTOR | index)."""

    coefficient: Coefficient
    factors: tuple[int, ...]


@dataclass(frozen=True)
class ProductTerm:
    """sum over x of eq(suf_n(zeta), x) * (sum of monomials)(x)."""

    n: int
    monomials: tuple[Monomial, ...]


@dataclass(frozen=True)
class Tie:
    """eq(segment, r_C[N - end - length : N - end]) of a contraction's public factor."""

    segment: Segment
    end: int


@dataclass(frozen=True)
class Instance:
    """coefficient * sum over 2^variables cells of E A B."""

    variables: int
    origin: Origin
    index: int
    coefficient: Coefficient
    a: int
    b: int
    function: int = NONE
    ties: tuple[Tie, ...] = ()

    @property
    def is_weighted(self) -> bool:
        """Whether the public factor E is not 1."""
        return self.function != NONE or bool(self.ties)


@dataclass(frozen=True)
class Axis:
    """One spatial axis of a window view (FORMAT.md 7.5)."""

    out: int
    size: int
    kernel: int
    stride: int
    pad: int
    z: Segment | None  # None where the axis has one cell: a segment of length 0
    kappa: Segment | None
    log_in: int


@dataclass(frozen=True)
class Link:
    """A window slot proven from the tensor that it looks at."""

    window: int
    tensor: int  # slot of X
    height: Axis
    width: Axis


@dataclass(frozen=True)
class SlotCounts:
    """How many slots each phase sends."""

    leaf: int
    direct: int
    product: int
    contraction: int
    link: int

    @property
    def total(self) -> int:
        """The number of slots."""
        return self.leaf + self.direct + self.product + self.contraction + self.link


@dataclass(frozen=True)
class Program:
    """The verification program of a graph or of a part of one."""

    c: int
    lookup: Lookup
    opening: Opening
    fixed_chunks: int
    proof_chunks: int
    late_chunks: int
    op_count: int
    tensors: tuple[Tensor, ...]
    inputs: tuple[PublicTensor, ...]
    output: PublicTensor
    functions: tuple[Function, ...]
    counts: SlotCounts
    slots: tuple[Slot, ...]
    lam: int
    blocks: tuple[Block, ...]
    relations: tuple[Relation, ...]
    product_rounds: int
    terms: tuple[ProductTerm, ...]
    contraction_rounds: int
    degree: int
    instances: tuple[Instance, ...]
    link_rounds: int
    links: tuple[Link, ...]

    @property
    def chunks(self) -> int:
        """All chunks: F + P + L."""
        return self.fixed_chunks + self.proof_chunks + self.late_chunks
