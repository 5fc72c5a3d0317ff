"""What the tensors of a program mean: how to fill each from weights and an execution."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from offchain.model.graph import Graph
from offchain.model.operators import (
    Argmax,
    Gather,
    MaxPool,
    Normalize,
    ReluBits,
    Requant,
    Softmax,
)
from offchain.prove.compile.points import View
from offchain.prove.program import Program

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Table:
    """A table of 2^width rows: key, columns of fixed tensors; `counts` are multiplicities."""

    id: int
    width: int
    columns: tuple[int, ...]
    counts: int


# Where fixed tensors come from.


@dataclass(frozen=True)
class WeightSource:
    """A weight's first cells along each axis; `scale`: times that weight along axis 0."""

    name: str
    shape: Shape
    scale: str | None = None


@dataclass(frozen=True)
class SineSource:
    """A rotation's sine with the sign of its half: minus for the lower one."""

    name: str
    shape: Shape


@dataclass(frozen=True)
class IndexSource:
    """A gather's index, of cells of a tensor of `source` shape, in padded row-major numbers."""

    name: str
    shape: Shape
    source: Shape


@dataclass(frozen=True)
class ClampSource:
    """The values clamp(f(key - half), lo, hi) of a built-in function."""

    function: str
    width: int
    lo: int
    hi: int


@dataclass(frozen=True)
class SaturationSource:
    """A column of the saturation table of quotients of `width` bits: a, or b."""

    width: int
    is_offset: bool


FixedSource = WeightSource | SineSource | IndexSource | ClampSource | SaturationSource


# How an operator's tensors are filled; numbers are tensor ids. Tables are indices of Layout.tables.


@dataclass(frozen=True)
class Digits:
    """Range-checked digits of an integer, low first: tensors, widths in bits, tables."""

    tensors: tuple[int, ...]
    widths: tuple[int, ...]
    tables: tuple[int, ...]


@dataclass(frozen=True)
class Wide:
    """The saturation of a wide quotient."""

    hi: int
    lo: int
    a: int
    b: int
    lo_table: int
    table: int


@dataclass(frozen=True)
class RequantFill:
    """q is None in range form, table None where the saturation alone bounds y."""

    op: Requant
    shape: Shape
    y: int
    q: int | None
    table: int | None
    digits: Digits
    wide: Wide | None


@dataclass(frozen=True)
class NormalizeFill:
    """Row tensors S, r, U and the digits of r, a, b; r may be its only digit."""

    op: Normalize
    shape: Shape
    total: int
    root: int
    square: int
    root_digits: Digits
    below: Digits
    above: Digits


@dataclass(frozen=True)
class SoftmaxFill:
    """Row tensors M and iota, cells e and sigma, digits of iota, r_1, r_2."""

    op: Softmax
    shape: Shape
    maximum: int
    e: int
    sigma: int
    iota: int
    iota_digits: Digits
    below: Digits
    above: Digits
    table: int


@dataclass(frozen=True)
class MaxPoolFill:
    """y, the counts of the cells that attain it, and the range table of y - x."""

    op: MaxPool
    shape: Shape
    source: Shape
    y: int
    counts: int
    table: int


@dataclass(frozen=True)
class ReluBitsFill:
    """Bits of x, least significant first, and y; table is None where x is looked up elsewhere."""

    op: ReluBits
    shape: Shape
    y: int
    bits: tuple[int, ...]
    table: int | None


@dataclass(frozen=True)
class GatherFill:
    """y and how often each cell of x is read."""

    op: Gather
    shape: Shape
    source: Shape
    y: int
    counts: int


@dataclass(frozen=True)
class ArgmaxFill:
    """The output and the range table of the distances from the maximum."""

    op: Argmax
    source: Shape
    y: int
    table: int


@dataclass(frozen=True)
class CommittedFill:
    """A committed input of form 1: range lookups of x - lo and hi - x."""

    name: str
    shape: Shape
    tensor: int
    lo: int
    hi: int
    table: int


OperatorFill = (
    RequantFill
    | NormalizeFill
    | SoftmaxFill
    | MaxPoolFill
    | ReluBitsFill
    | GatherFill
    | ArgmaxFill
    | CommittedFill
)


@dataclass(frozen=True)
class Layout:
    """A program and the meaning of its tensors.

    `zero_tables` names weights that are function tables and must map 0 to 0, because an operator
    (the value) reads padding cells that they fill. `whole_chunks` maps the tensor that stands for
    a whole chunk to the one that lies alone in it, `stacks` those that hold others of one size,
    one after another, to these.
    """

    graph: Graph
    program: Program
    views: Mapping[str, View]  # inputs and activations, by name
    fixed: Mapping[int, FixedSource]
    tables: tuple[Table, ...]
    fills: tuple[OperatorFill, ...]
    zero_tables: Mapping[str, str]
    whole_chunks: Mapping[int, int]
    stacks: Mapping[int, tuple[int, ...]]
