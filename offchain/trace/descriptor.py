"""What a descriptor says of one operator (TRACE.md 3). Its bytes: `descriptor_bytes`."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import prod
from typing import Final

from offchain.commit.digest import TILE_BYTES
from offchain.trace.tree import depth_of

LAYER_INPUT: Final = 0xFFFF  # an input's reference to what the layer begins with
WEIGHT: Final = 0x80  # operands from here on are weights
NO_KEY: Final = bytes(32)
MAX_INPUTS: Final = 4
MAX_WEIGHTS: Final = 8
MAX_DIMS: Final = 4

Operand = int  # 0..3 an input, 0x80 + k weight k


@dataclass(frozen=True)
class MatrixSpec:
    """An activation as its digest sees it: bytes an element, rows, columns."""

    element_bytes: int
    rows: int
    cols: int

    @property
    def count(self) -> int:
        """Elements."""
        return self.rows * self.cols

    @property
    def tiles(self) -> int:
        """Leaves of its tile tree."""
        return count_tiles(self.count * self.element_bytes)


@dataclass(frozen=True)
class InputSpec:
    """An input: where it comes from within the layer, and its form."""

    ref: int
    spec: MatrixSpec


@dataclass(frozen=True)
class WeightRef:
    """A weight: its form, and the root over the tiles of its bytes."""

    element_bytes: int
    elements: int
    tile_root: bytes

    @property
    def tiles(self) -> int:
        """Leaves of its tile tree."""
        return count_tiles(self.elements * self.element_bytes)


@dataclass(frozen=True)
class Dim:
    """One dimension of an index map: index i of `size` adds (i // div) * stride."""

    size: int
    stride: int
    div: int = 1


@dataclass(frozen=True)
class IndexMap:
    """Row-major indices of the result over `dims`, sent to indices of an operand."""

    dims: tuple[Dim, ...]

    def locate(self, element: int) -> int:
        """Return the operand's index for an element of the result."""
        index = 0
        for dim in reversed(self.dims):
            element, i = divmod(element, dim.size)
            index += i // dim.div * dim.stride
        return index

    @property
    def count(self) -> int:
        """Elements of the result."""
        return prod(dim.size for dim in self.dims)

    @property
    def largest(self) -> int:
        """Return the largest index that the map reaches."""
        return sum((dim.size - 1) // dim.div * dim.stride for dim in self.dims)


@dataclass(frozen=True)
class Loop:
    """A summed index: its size and its stride in each operand."""

    size: int
    strides: tuple[int, ...]


@dataclass(frozen=True)
class Contract:
    """acc = bias + sum over the loops of a * b."""

    a: Operand
    b: Operand
    bias: Operand | None
    map_a: IndexMap
    map_b: IndexMap
    map_bias: IndexMap | None
    loops: tuple[Loop, ...]  # strides (a, b)


@dataclass(frozen=True)
class Convolve:
    """A convolution of x (H, W, C) with w (O, KH, KW, C / groups)."""

    x: Operand
    w: Operand
    bias: Operand | None
    height: int
    width: int
    channels: int
    outputs: int
    kernel_height: int
    kernel_width: int
    stride: int
    padding: int
    groups: int

    @property
    def rows(self) -> int:
        """Rows of the result; 0 or less where the kernel is larger than its input."""
        return (self.height + 2 * self.padding - self.kernel_height) // self.stride + 1

    @property
    def columns(self) -> int:
        """Columns of the result."""
        return (self.width + 2 * self.padding - self.kernel_width) // self.stride + 1


@dataclass(frozen=True)
class Term:
    """One term of a sum."""

    x: Operand
    coefficient: int
    map: IndexMap


@dataclass(frozen=True)
class AddUp:
    """acc = the sum of the terms."""

    terms: tuple[Term, ...]


@dataclass(frozen=True)
class Multiply:
    """acc = a * b."""

    a: Operand
    b: Operand
    map_a: IndexMap
    map_b: IndexMap


@dataclass(frozen=True)
class Reduce:
    """acc = sum of a over the loops."""

    a: Operand
    map_a: IndexMap
    loops: tuple[Loop, ...]  # strides (a,)


@dataclass(frozen=True)
class Turn:
    """Rotary embedding of x (T, inner, D) with cos and sin (T, D)."""

    x: Operand
    cos: Operand
    sin: Operand
    steps: int
    inner: int
    columns: int


@dataclass(frozen=True)
class Embed:
    """acc[t, d] = table[tokens[t], d] (+ position[t, d]), d < columns."""

    tokens: Operand
    table: Operand
    position: Operand | None
    columns: int


@dataclass(frozen=True)
class Norm:
    """A normalization over rows of n elements; kind 0 layer, 1 rms."""

    x: Operand
    gamma: Operand
    beta: Operand | None
    kind: int
    n: int
    epsilon: int
    f: int


@dataclass(frozen=True)
class SoftmaxRow:
    """A softmax over rows of `keys` elements; row i is query i mod `queries`."""

    x: Operand
    table: Operand
    width: int
    g: int
    causal: int
    queries: int
    keys: int


@dataclass(frozen=True)
class Pool:
    """Maxima of x (H, W, C) over aligned windows."""

    x: Operand
    height: int
    width: int
    channels: int
    kernel_height: int
    kernel_width: int


@dataclass(frozen=True)
class Relu:
    """y = max(x, 0)."""

    x: Operand


@dataclass(frozen=True)
class View:
    """y[e] = x[offset + map(e)]."""

    x: Operand
    offset: int
    map: IndexMap


@dataclass(frozen=True)
class Pick:
    """y[e] = x[index[e]]."""

    x: Operand
    index: Operand


@dataclass(frozen=True)
class Greatest:
    """y = the lowest index of the greatest element of x."""

    x: Operand


Accumulating = Contract | Convolve | AddUp | Multiply | Reduce | Turn | Embed | Norm | SoftmaxRow
Params = Accumulating | Pool | Relu | View | Pick | Greatest


@dataclass(frozen=True)
class Rescale:
    """The requantization of an accumulator; table 0 identity, 1 relu, 2 a weight."""

    m: int
    s: int
    width: int
    table: int
    table_weight: Operand | None
    scale: Operand | None
    lo: int
    hi: int


@dataclass(frozen=True)
class Descriptor:
    """One trace operator: its place, its tensors, its arithmetic."""

    layer: int
    position: int
    layer_ops: int
    out: MatrixSpec
    inputs: tuple[InputSpec, ...]
    weights: tuple[WeightRef, ...]
    params: Params
    rescale: Rescale | None = None
    op_key: bytes = field(default=NO_KEY)
    row_key: bytes = field(default=NO_KEY)

    def count(self, operand: Operand) -> int:
        """Return an operand's elements; raise IndexError for one that is not there."""
        if operand >= WEIGHT:
            return self.weights[operand - WEIGHT].elements
        return self.inputs[operand].spec.count

    def element_bytes(self, operand: Operand) -> int:
        """Return the bytes of an operand's elements; raise IndexError as `count`."""
        if operand >= WEIGHT:
            return self.weights[operand - WEIGHT].element_bytes
        return self.inputs[operand].spec.element_bytes


def count_tiles(size: int) -> int:
    """Return how many tiles so many bytes have; no bytes at all are one tile."""
    return max(1, -(-size // TILE_BYTES))


def tile_depth(tiles: int) -> int:
    """Return the depth of a tile tree."""
    return depth_of(tiles)
