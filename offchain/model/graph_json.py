"""Canonical JSON of the integer graph: one byte string per graph, and its strict parser.

Keys: format, input {name, shape, bits, lo, hi}, output, weights [{name, shape, bits}], ops
[{op: linear, name, x, w, b} | {op: requant, name, x, m, s, digits, width, table, bits, lo, hi}];
the b of a linear without bias is null.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from offchain.errors import GraphError
from offchain.model.operators import Linear, Op, Requant, TensorSpec, WeightSpec
from offchain.model.strict_json import parse_json

FORMAT: Final = "zkdps-graph/1"
SUBJECT: Final = "integer graph"

# Field name -> kind of its value: "int", "str", "str?" (or null), "ints" (a list of integers).
_TENSOR: Final = {"name": "str", "shape": "ints", "bits": "int", "lo": "int", "hi": "int"}
_WEIGHT: Final = {"name": "str", "shape": "ints", "bits": "int"}
_LINEAR: Final = {"op": "str", "name": "str", "x": "str", "w": "str", "b": "str?"}
_REQUANT: Final = {
    "op": "str", "name": "str", "x": "str", "m": "int", "s": "int", "digits": "ints",
    "width": "int", "table": "str", "bits": "int", "lo": "int", "hi": "int",
}  # fmt: skip
_OPERATORS: Final = {"linear": _LINEAR, "requant": _REQUANT}


Parts = tuple[TensorSpec, str, tuple[WeightSpec, ...], tuple[Op, ...]]


def encode_graph(
    source: TensorSpec, output: str, weights: Sequence[WeightSpec], ops: Sequence[Op]
) -> bytes:
    """Return the canonical bytes of a graph with these parts."""
    document = {
        "format": FORMAT,
        "input": _fields(source, _TENSOR),
        "output": output,
        "weights": [_fields(spec, _WEIGHT) for spec in weights],
        "ops": [{"op": type(op).__name__.lower(), **_fields(op, _kinds(op))} for op in ops],
    }
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()


def decode_graph(encoded: bytes) -> Parts:
    """Return input, output, weights and operators; raise GraphError with every problem of form.

    Neither the rules of the language nor canonicity are checked here.
    """
    try:
        document = parse_json(encoded)
    except ValueError as error:
        raise GraphError(SUBJECT, [str(error)]) from error
    return _Parser().parse(document)


def _kinds(op: Op) -> Mapping[str, str]:
    return _LINEAR if isinstance(op, Linear) else _REQUANT


def _fields(record: object, kinds: Mapping[str, str]) -> dict[str, Any]:
    values = {name: getattr(record, name) for name in kinds if name != "op"}
    return {name: list(v) if isinstance(v, tuple) else v for name, v in values.items()}


class _Parser:
    """Reads a document into a graph and keeps a list of everything that does not fit."""

    def __init__(self) -> None:
        self.problems: list[str] = []

    def parse(self, document: object) -> Parts:
        """Return the parts, or raise GraphError with all problems of form."""
        top = self._object(
            "graph",
            document,
            {"format": "str", "input": "any", "output": "str", "weights": "any", "ops": "any"},
        )
        if top.get("format", FORMAT) != FORMAT:
            self.problems.append(f"format is {top['format']!r}, expected {FORMAT!r}")
        source = self._object("input", top.get("input", {}), _TENSOR)
        weights = [
            self._object(f"weights[{k}]", entry, _WEIGHT)
            for k, entry in enumerate(self._list("weights", top.get("weights", [])))
        ]
        ops = [
            self._operator(f"ops[{k}]", entry)
            for k, entry in enumerate(self._list("ops", top.get("ops", [])))
        ]
        if self.problems:
            raise GraphError(SUBJECT, self.problems)
        return (
            TensorSpec(**source),
            top["output"],
            tuple(WeightSpec(**weight) for weight in weights),
            tuple(_build(op) for op in ops),
        )

    def _operator(self, where: str, entry: object) -> dict[str, Any]:
        operator = entry.get("op") if isinstance(entry, dict) else None
        if not isinstance(operator, str) or operator not in _OPERATORS:
            name = entry.get("name") if isinstance(entry, dict) else None
            self.problems.append(
                f"{where}: operator {operator!r} of node {name!r} is not supported;"
                f" this format knows {', '.join(sorted(_OPERATORS))}"
            )
            return {}
        return self._object(where, entry, _OPERATORS[operator])

    def _list(self, where: str, value: object) -> list[object]:
        if isinstance(value, list):
            return value
        self.problems.append(f"{where} is not a list")
        return []

    def _object(self, where: str, value: object, kinds: Mapping[str, str]) -> dict[str, Any]:
        """Return the object's fields, lists as tuples; note what does not fit."""
        if not isinstance(value, dict):
            self.problems.append(f"{where} is not an object")
            return {}
        self.problems += [f"{where}: {name} is missing" for name in kinds if name not in value]
        self.problems += [f"{where}: unknown field {name!r}" for name in value if name not in kinds]
        self.problems += [
            f"{where}: {name} is not {_ARTICLES[kind]}"
            for name, kind in kinds.items()
            if name in value and not _is_kind(value[name], kind)
        ]
        return {
            name: tuple(field) if kinds.get(name) == "ints" and isinstance(field, list) else field
            for name, field in value.items()
        }


_ARTICLES: Final = {
    "int": "an integer",
    "str": "a string",
    "str?": "a string or null",
    "ints": "a list of integers",
}


def _is_kind(value: object, kind: str) -> bool:
    if kind == "any":
        return True
    if kind == "ints":
        return isinstance(value, list) and all(_is_kind(item, "int") for item in value)
    if kind == "int":
        return type(value) is int  # bool is an int to Python but not to the format
    return isinstance(value, str) or (kind == "str?" and value is None)


def _build(fields: dict[str, Any]) -> Op:
    values = {name: value for name, value in fields.items() if name != "op"}
    return Linear(**values) if fields["op"] == "linear" else Requant(**values)
