"""The integer graph: data types, canonical bytes, hash, and a parser that reports all problems at once.

Canonical bytes are ASCII JSON with sorted keys, no spaces, integers and strings only. Source: runtime.md 1.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, Final

from eth_hash.auto import keccak

from offchain.errors import GraphError

FORMAT: Final = "zkdps-graph/1"
TABLES: Final = ("identity", "relu")
DIGIT_WIDTHS: Final = (8, 12, 16)
MIN_WIDTH: Final = 4
MAX_WIDTH: Final = 16
MAX_MULTIPLIER: Final = (1 << 15) - 1
ACTIVATION_BITS: Final = (8, 16)
WEIGHT_BITS: Final = (8, 16, 32)
MAX_CELLS: Final = 1 << 40  # bounds what a parser may be asked to hold


@dataclass(frozen=True)
class TensorSpec:
    """The graph's input: (rows, cols) integers of `bits` bits in [lo, hi]."""

    name: str
    shape: tuple[int, ...]
    bits: int
    lo: int
    hi: int


@dataclass(frozen=True)
class WeightSpec:
    """A weight tensor: [out, in] for a linear operator, [out] for its bias."""

    name: str
    shape: tuple[int, ...]
    bits: int


@dataclass(frozen=True)
class Linear:
    """acc[r, j] = sum_k x[r, k] w[j, k] + b[j]; x (rows, in), w [out, in], acc (rows, out)."""

    name: str
    x: str
    w: str
    b: str | None


@dataclass(frozen=True)
class Requant:
    """t = (acc m + 2^(s-1)) >> s, y = clamp(f(t), lo, hi); f is `table`, t fits `width` signed bits."""

    name: str
    x: str
    m: int
    s: int
    digits: tuple[int, ...]
    width: int
    table: str
    bits: int
    lo: int
    hi: int


Operator = Linear | Requant


@dataclass(frozen=True)
class Graph:
    """A directed graph of integer operators in execution order."""

    input: TensorSpec
    output: str
    weights: tuple[WeightSpec, ...]
    ops: tuple[Operator, ...]

    def to_bytes(self) -> bytes:
        """Return the canonical bytes."""
        document = {
            "format": FORMAT,
            "input": vars(self.input),
            "output": self.output,
            "weights": [vars(w) for w in self.weights],
            "ops": [{"op": type(op).__name__.lower(), **vars(op)} for op in self.ops],
        }
        return json.dumps(document, sort_keys=True, separators=(",", ":")).encode("ascii")

    @classmethod
    def from_bytes(cls, encoded: bytes) -> Graph:
        """Parse canonical bytes; raise GraphError naming every problem."""
        graph = _parse(encoded)
        problems = find_problems(graph)
        if problems:
            raise GraphError("graph refused: " + "; ".join(problems))
        if graph.to_bytes() != encoded:
            raise GraphError("graph is not in canonical form")
        return graph

    def hash(self) -> bytes:
        """Return graph_hash = keccak256(canonical bytes)."""
        return keccak(self.to_bytes())


def find_problems(graph: Graph) -> list[str]:
    """Return everything that is wrong with a graph's names, shapes and parameters."""
    problems = _input_problems(graph.input)
    weights: dict[str, WeightSpec] = {}
    for weight in graph.weights:
        if weight.name in weights:
            problems.append(f"{weight.name}: weight named twice")
        if weight.bits not in WEIGHT_BITS or not weight.shape or min(weight.shape) < 1:
            problems.append(
                f"{weight.name}: shape {weight.shape} or bits {weight.bits} not allowed"
            )
        elif prod(weight.shape) > MAX_CELLS:
            problems.append(f"{weight.name}: {prod(weight.shape)} cells are too many")
        weights[weight.name] = weight
    shapes = {graph.input.name: graph.input.shape}
    for op in graph.ops:
        if op.name in shapes:
            problems.append(f"{op.name}: name used twice")
        if op.x not in shapes:
            problems.append(f"{op.name}: reads {op.x}, which is not computed before it")
        shape = shapes.get(op.x, graph.input.shape)
        if isinstance(op, Linear):
            problems += _linear_problems(op, shape, weights)
            if op.w in weights and len(weights[op.w].shape) == 2:
                shape = (shape[0], weights[op.w].shape[0])
        else:
            problems += _requant_problems(op)
        shapes[op.name] = shape
    if graph.output not in shapes or graph.output == graph.input.name:
        problems.append(f"output {graph.output} is not computed")
    return problems


def _input_problems(spec: TensorSpec) -> list[str]:
    if len(spec.shape) != 2 or min(spec.shape) < 1:
        return [f"{spec.name}: input shape {spec.shape} is not (rows, cols)"]
    return _range_problems(spec.name, spec.bits, spec.lo, spec.hi)


def _range_problems(name: str, bits: int, lo: int, hi: int) -> list[str]:
    if bits not in ACTIVATION_BITS:
        return [f"{name}: {bits} bits, expected one of {ACTIVATION_BITS}"]
    half = 1 << (bits - 1)
    if not -half <= lo <= hi < half:
        return [f"{name}: range [{lo}, {hi}] does not fit {bits} bits"]
    return []


def _linear_problems(
    op: Linear, shape: Sequence[int], weights: Mapping[str, WeightSpec]
) -> list[str]:
    problems = []
    w = weights.get(op.w)
    if w is None or len(w.shape) != 2 or w.bits == 32 or w.shape[1] != shape[1]:
        problems.append(
            f"{op.name}: weight {op.w} is not a matrix [out, {shape[1]}] of 8 or 16 bits"
        )
    elif op.b is not None:
        b = weights.get(op.b)
        if b is None or b.shape != w.shape[:1]:
            problems.append(f"{op.name}: bias {op.b} does not have shape {w.shape[:1]}")
    return problems


def _requant_problems(op: Requant) -> list[str]:
    problems = _range_problems(op.name, op.bits, op.lo, op.hi)
    if op.table not in TABLES:
        problems.append(f"{op.name}: table {op.table} is not one of {TABLES}")
    if not 1 <= op.m <= MAX_MULTIPLIER:
        problems.append(f"{op.name}: multiplier {op.m} is not in 1..{MAX_MULTIPLIER}")
    if len(op.digits) not in (1, 2) or any(d not in DIGIT_WIDTHS for d in op.digits):
        problems.append(f"{op.name}: digits {op.digits} are not one or two of {DIGIT_WIDTHS}")
    elif sum(op.digits) != op.s:
        problems.append(f"{op.name}: digits {op.digits} do not sum to s = {op.s}")
    if not MIN_WIDTH <= op.width <= MAX_WIDTH:
        problems.append(f"{op.name}: width {op.width} is not in {MIN_WIDTH}..{MAX_WIDTH}")
    if not op.lo <= 0 <= op.hi:  # f(0) = 0 for every table, and padding cells must stay 0
        problems.append(f"{op.name}: clamp [{op.lo}, {op.hi}] does not contain 0")
    return problems


def _parse(encoded: bytes) -> Graph:
    try:
        document = json.loads(encoded.decode("ascii"))
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise GraphError(f"graph is not ASCII JSON: {error}") from error
    top = _fields(document, "graph", ("format", "input", "ops", "output", "weights"))
    if top["format"] != FORMAT:
        raise GraphError(f"graph format {top['format']!r}, expected {FORMAT!r}")
    source = _fields(top["input"], "input", ("bits", "hi", "lo", "name", "shape"))
    weights = [
        _fields(w, "weight", ("bits", "name", "shape")) for w in _list(top["weights"], "weights")
    ]
    entries = _list(top["ops"], "ops")
    unknown = [
        f"{op.get('name')}: operator {op.get('op')!r} is not supported"
        for op in entries
        if isinstance(op, dict) and op.get("op") not in _OPERATORS
    ]
    if unknown:
        raise GraphError("graph refused: " + "; ".join(unknown))
    return Graph(
        TensorSpec(**_typed(source, "input")),
        _string(top["output"], "output"),
        tuple(WeightSpec(**_typed(w, "weight")) for w in weights),
        tuple(_parse_operator(op) for op in entries),
    )


def _parse_operator(entry: Any) -> Operator:
    kind = _OPERATORS.get(entry.get("op")) if isinstance(entry, dict) else None
    if kind is None:
        raise GraphError(f"{entry!r} is not an operator")
    make, names = kind
    fields = _fields(entry, str(entry.get("name")), ("op", *names))
    del fields["op"]
    return make(**_typed(fields, str(entry.get("name"))))


_OPERATORS: Final[dict[Any, tuple[Callable[..., Operator], tuple[str, ...]]]] = {
    "linear": (Linear, ("name", "x", "w", "b")),
    "requant": (
        Requant,
        ("name", "x", "m", "s", "digits", "width", "table", "bits", "lo", "hi"),
    ),
}
_STRINGS: Final = ("name", "x", "w", "table")
_LISTS: Final = ("shape", "digits")


def _typed(fields: dict[str, Any], where: str) -> dict[str, Any]:
    """Check every field's type; lists become tuples of integers."""
    typed: dict[str, Any] = {}
    for key, value in fields.items():
        if key in _STRINGS or (key == "b" and value is not None):
            typed[key] = _string(value, f"{where}.{key}")
        elif key == "b":
            typed[key] = None
        elif key in _LISTS:
            typed[key] = tuple(
                _integer(v, f"{where}.{key}") for v in _list(value, f"{where}.{key}")
            )
        else:
            typed[key] = _integer(value, f"{where}.{key}")
    return typed


def _fields(value: Any, where: str, names: Sequence[str]) -> dict[str, Any]:
    if not isinstance(value, dict) or set(value) != set(names):
        raise GraphError(f"{where}: expected an object with exactly {sorted(names)}")
    return dict(value)


def _list(value: Any, where: str) -> list[Any]:
    if not isinstance(value, list):
        raise GraphError(f"{where}: expected a list")
    return value


def _string(value: Any, where: str) -> str:
    if not isinstance(value, str):
        raise GraphError(f"{where}: expected a string")
    return value


def _integer(value: Any, where: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise GraphError(f"{where}: expected an integer")
    return value
