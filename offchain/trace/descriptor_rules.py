"""Which descriptors mean something: shapes that fit, operands that exist (TRACE.md 3)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from offchain.errors import DescriptorError
from offchain.model.operators import (
    COEFFICIENT_LIMIT,
    MAX_EPSILON,
    MAX_NORM_F,
    MAX_SOFTMAX_G,
    MULTIPLIERS,
    SATURATED_WIDTH,
    WIDE,
    WIDTHS,
)
from offchain.trace.descriptor import (
    LAYER_INPUT,
    MAX_DIMS,
    MAX_INPUTS,
    MAX_WEIGHTS,
    WEIGHT,
    AddUp,
    Contract,
    Convolve,
    Descriptor,
    Embed,
    Greatest,
    IndexMap,
    Loop,
    Multiply,
    Norm,
    Operand,
    Pick,
    Pool,
    Reduce,
    Relu,
    Rescale,
    SoftmaxRow,
    Turn,
    View,
)

ACTIVATION: Final = (1, 2)  # bytes of an element
ANY: Final = (1, 2, 4)
INDEX: Final = (4,)
MAX_SHIFT: Final = 32
MAX_TERMS: Final = 16
MAX_TILES: Final = 1 << 32


def verify_descriptor(d: Descriptor) -> None:
    """Raise DescriptorError unless every index that the operator can make lies in its tensor."""
    require(0 <= d.position < d.layer_ops, f"position {d.position} of {d.layer_ops} operators")
    require(1 <= len(d.inputs) <= MAX_INPUTS, f"{len(d.inputs)} inputs")
    require(len(d.weights) <= MAX_WEIGHTS, f"{len(d.weights)} weights")
    require(len(d.op_key) == len(d.row_key) == 32, "a key is 32 bytes")
    for number, x in enumerate(d.inputs):
        known = x.ref == LAYER_INPUT or x.ref < d.position
        require(known, f"input {number} comes from position {x.ref}, which is not before")
        good = x.spec.element_bytes in ANY and x.spec.count > 0 and x.spec.tiles <= MAX_TILES
        require(good, f"input {number} is no tensor")
    for number, w in enumerate(d.weights):
        good = w.element_bytes in ANY and w.elements > 0 and w.tiles <= MAX_TILES
        require(good and len(w.tile_root) == 32, f"weight {number} is no tensor")
    output = INDEX if isinstance(d.params, Greatest) else ACTIVATION
    good = d.out.element_bytes in output and d.out.count > 0 and d.out.tiles <= MAX_TILES
    require(good, "the output is no tensor")
    _RULES[type(d.params)](d, d.params)
    needs_rescale = type(d.params) not in (Pool, Relu, View, Pick, Greatest)
    require(needs_rescale == (d.rescale is not None), "a rescale follows accumulators only")
    if d.rescale is not None:
        _rescale(d, d.rescale)


def require(condition: bool, reason: str) -> None:
    """Raise DescriptorError, with the reason, unless the condition holds."""
    if not condition:
        raise DescriptorError(reason)


def _operand(d: Descriptor, operand: Operand, element_bytes: tuple[int, ...] = ACTIVATION) -> int:
    """Return an operand's elements, or refuse one that is not there or of another width."""
    is_weight = operand >= WEIGHT
    count = len(d.weights) if is_weight else len(d.inputs)
    require(operand - (WEIGHT if is_weight else 0) < count, f"no operand {operand:#04x}")
    found = d.element_bytes(operand)
    require(found in element_bytes, f"operand {operand:#04x} has {found} bytes an element")
    return d.count(operand)


def _sized(
    d: Descriptor, operand: Operand, count: int, element_bytes: tuple[int, ...] = ACTIVATION
) -> None:
    found = _operand(d, operand, element_bytes)
    require(found == count, f"operand {operand:#04x} has {found} elements, expected {count}")


def _weight(
    d: Descriptor, operand: Operand, count: int, element_bytes: tuple[int, ...] = ACTIVATION
) -> None:
    require(operand >= WEIGHT, f"operand {operand:#04x} has to be a weight")
    _sized(d, operand, count, element_bytes)


def _reached(d: Descriptor, operand: Operand, largest: int, bits: tuple[int, ...]) -> None:
    found = _operand(d, operand, bits)
    require(largest < found, f"operand {operand:#04x}: index {largest} of {found} elements")


def _mapped(
    d: Descriptor,
    operand: Operand,
    index_map: IndexMap,
    beyond: int = 0,
    element_bytes: tuple[int, ...] = ACTIVATION,
) -> None:
    dims = index_map.dims
    require(1 <= len(dims) <= MAX_DIMS, f"{len(dims)} dimensions of a map")
    require(all(x.size >= 1 and x.div >= 1 for x in dims), "an empty dimension")
    require(index_map.count == d.out.count, "a map does not cover the result")
    _reached(d, operand, index_map.largest + beyond, element_bytes)


def _looped(loops: tuple[Loop, ...], operand: int) -> int:
    require(1 <= len(loops) <= MAX_DIMS, f"{len(loops)} loops")
    require(all(loop.size >= 1 for loop in loops), "an empty loop")
    return sum((loop.size - 1) * loop.strides[operand] for loop in loops)


def _contract(d: Descriptor, p: Contract) -> None:
    _mapped(d, p.a, p.map_a, _looped(p.loops, 0))
    _mapped(d, p.b, p.map_b, _looped(p.loops, 1))
    require((p.bias is None) == (p.map_bias is None), "a bias and its map belong together")
    if p.bias is not None and p.map_bias is not None:
        require(p.bias >= WEIGHT, "a bias is a weight")
        _mapped(d, p.bias, p.map_bias, 0, ANY)


def _convolve(d: Descriptor, p: Convolve) -> None:
    require(min(p.stride, p.groups, p.kernel_height, p.kernel_width) >= 1, "an empty convolution")
    require(p.padding < min(p.kernel_height, p.kernel_width), "padding as wide as the kernel")
    whole = p.channels % p.groups == 0 and p.outputs % p.groups == 0
    require(whole, f"{p.groups} groups of {p.channels} channels and {p.outputs} outputs")
    fits = p.height + 2 * p.padding >= p.kernel_height
    fits = fits and p.width + 2 * p.padding >= p.kernel_width
    require(fits, "the kernel is larger than its input")
    _sized(d, p.x, p.height * p.width * p.channels)
    per_output = p.kernel_height * p.kernel_width * (p.channels // p.groups)
    _sized(d, p.w, p.outputs * per_output)
    if p.bias is not None:
        _weight(d, p.bias, p.outputs, ANY)
    made = (p.rows * p.columns, p.outputs)
    require((d.out.rows, d.out.cols) == made, f"a result of {made} was expected")


def _add_up(d: Descriptor, p: AddUp) -> None:
    require(1 <= len(p.terms) <= MAX_TERMS, f"{len(p.terms)} terms")
    for term in p.terms:
        good = 1 <= abs(term.coefficient) < COEFFICIENT_LIMIT
        require(good, f"coefficient {term.coefficient}")
        _mapped(d, term.x, term.map)


def _multiply(d: Descriptor, p: Multiply) -> None:
    _mapped(d, p.a, p.map_a)
    _mapped(d, p.b, p.map_b)


def _reduce(d: Descriptor, p: Reduce) -> None:
    _mapped(d, p.a, p.map_a, _looped(p.loops, 0))


def _turn(d: Descriptor, p: Turn) -> None:
    require(p.columns >= 2 and p.columns % 2 == 0, f"{p.columns} columns to turn")
    _sized(d, p.x, p.steps * p.inner * p.columns)
    _weight(d, p.cos, p.steps * p.columns)
    _weight(d, p.sin, p.steps * p.columns)
    require(d.out.count == d.count(p.x), "as many elements come out as go in")


def _embed(d: Descriptor, p: Embed) -> None:
    tokens = _operand(d, p.tokens, INDEX)
    require(p.table >= WEIGHT, "a table is a weight")
    table = _operand(d, p.table)
    require(p.columns >= 1 and table % p.columns == 0, "the table has no whole rows")
    require(d.out.count == tokens * p.columns, "a row comes out for each token")
    if p.position is not None:
        require(p.position >= WEIGHT, "positions are a weight")
        _reached(d, p.position, d.out.count - 1, ACTIVATION)


def _norm(d: Descriptor, p: Norm) -> None:
    require(p.kind in (0, 1) and 1 <= p.f <= MAX_NORM_F, f"kind {p.kind}, f {p.f}")
    require(1 <= p.epsilon <= MAX_EPSILON, f"epsilon {p.epsilon}")
    require(p.n == d.out.cols, f"rows of {p.n}, {d.out.cols} columns")
    _sized(d, p.x, d.out.count)
    _weight(d, p.gamma, p.n)
    if p.beta is not None:
        _weight(d, p.beta, p.n, ANY)


def _softmax(d: Descriptor, p: SoftmaxRow) -> None:
    require(p.width in WIDTHS and 1 <= p.g <= MAX_SOFTMAX_G, f"width {p.width}, g {p.g}")
    require(p.causal in (0, 1) and p.queries >= 1, "causal is 0 or 1, queries are at least 1")
    require(p.keys == d.out.cols, f"rows of {p.keys}, {d.out.cols} columns")
    require(d.out.rows % p.queries == 0, f"{d.out.rows} rows of {p.queries} queries")
    require(not p.causal or p.queries <= p.keys, "more queries than keys")
    _sized(d, p.x, d.out.count)
    _weight(d, p.table, 1 << p.width, ANY)


def _pool(d: Descriptor, p: Pool) -> None:
    require(min(p.kernel_height, p.kernel_width) >= 1, "an empty window")
    whole = p.height % p.kernel_height == 0 and p.width % p.kernel_width == 0
    require(whole, "windows do not divide the input")
    _sized(d, p.x, p.height * p.width * p.channels)
    windows = (p.height // p.kernel_height) * (p.width // p.kernel_width)
    made = (windows, p.channels)
    require((d.out.rows, d.out.cols) == made, f"a result of {made} was expected")


def _relu(d: Descriptor, p: Relu) -> None:
    _sized(d, p.x, d.out.count)


def _view(d: Descriptor, p: View) -> None:
    _mapped(d, p.x, p.map, p.offset)


def _pick(d: Descriptor, p: Pick) -> None:
    _operand(d, p.x)
    _weight(d, p.index, d.out.count, INDEX)


def _greatest(d: Descriptor, p: Greatest) -> None:
    _operand(d, p.x)
    require(d.out.count == 1, "one index comes out")


def _rescale(d: Descriptor, r: Rescale) -> None:
    require(r.m in MULTIPLIERS, f"m {r.m}")
    require(1 <= r.s <= MAX_SHIFT, f"s {r.s}")
    require(r.width in WIDTHS or r.width in WIDE, f"width {r.width}")
    require(r.table in (0, 1, 2) and r.lo <= r.hi, f"table {r.table}, [{r.lo}, {r.hi}]")
    half = 1 << (8 * d.out.element_bytes - 1)
    require(-half <= r.lo and r.hi < half, f"[{r.lo}, {r.hi}] does not fit the result")
    require((r.table == 2) == (r.table_weight is not None), "a table that is a weight names it")
    if r.table_weight is not None:
        _weight(d, r.table_weight, 1 << min(r.width, SATURATED_WIDTH), ANY)
    if r.scale is not None:
        require(isinstance(d.params, Contract | Convolve), "a scale follows no such operator")
        _weight(d, r.scale, d.out.cols)


_RULES: Final[Mapping[type, Callable[[Descriptor, Any], None]]] = {
    Contract: _contract,
    Convolve: _convolve,
    AddUp: _add_up,
    Multiply: _multiply,
    Reduce: _reduce,
    Turn: _turn,
    Embed: _embed,
    Norm: _norm,
    SoftmaxRow: _softmax,
    Pool: _pool,
    Relu: _relu,
    View: _view,
    Pick: _pick,
    Greatest: _greatest,
}
