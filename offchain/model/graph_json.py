"""Canonical JSON of the integer graph: one byte string per graph, and its strict parser.

Keys: format, inputs [{name, shape, bits, lo, hi}], output, weights [{name, shape, bits}] and ops,
each with `op` (the operator's name in lower case) and the fields of its record in operators.py.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any, Final, get_args

from offchain.errors import GraphError
from offchain.model.operators import Accumulator, Activation, Op, TensorSpec, WeightSpec
from offchain.model.strict_json import parse_json

FORMAT: Final = "zkdps-graph/2"
SUBJECT: Final = "integer graph"

# What a record's field says it is -> kind of its value in JSON.
_KINDS: Final = {
    "int": "int",
    "str": "str",
    "bool": "bool",
    "str | None": "str?",
    "tuple[int, ...]": "ints",
    "tuple[int, int]": "ints",
    "tuple[tuple[str, int], ...]": "terms",
}


def _kinds(record: type) -> dict[str, str]:
    # Annotations are strings there; each is a key of _KINDS, or this module does not load.
    return {field.name: _KINDS[str(field.type)] for field in fields(record)}


_TENSOR: Final = _kinds(TensorSpec)
_WEIGHT: Final = _kinds(WeightSpec)
_RECORDS: Final = {
    record.__name__.lower(): record for record in (*get_args(Accumulator), *get_args(Activation))
}
_OPERATORS: Final = {name: {"op": "str", **_kinds(record)} for name, record in _RECORDS.items()}

Parts = tuple[tuple[TensorSpec, ...], str, tuple[WeightSpec, ...], tuple[Op, ...]]


def encode_graph(
    inputs: Sequence[TensorSpec], output: str, weights: Sequence[WeightSpec], ops: Sequence[Op]
) -> bytes:
    """Return the canonical bytes of a graph with these parts."""
    document = {
        "format": FORMAT,
        "inputs": [_fields(spec, _TENSOR) for spec in inputs],
        "output": output,
        "weights": [_fields(spec, _WEIGHT) for spec in weights],
        "ops": [_operator_fields(op) for op in ops],
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


def _operator_fields(op: Op) -> dict[str, Any]:
    name = type(op).__name__.lower()
    return {"op": name, **_fields(op, _OPERATORS[name])}


def _fields(record: object, kinds: Mapping[str, str]) -> dict[str, Any]:
    return {name: _to_lists(getattr(record, name)) for name in kinds if name != "op"}


def _to_lists(value: Any) -> Any:
    return [_to_lists(item) for item in value] if isinstance(value, tuple) else value


class _Parser:
    """Reads a document into a graph and keeps a list of everything that does not fit."""

    def __init__(self) -> None:
        self.problems: list[str] = []

    def parse(self, document: object) -> Parts:
        """Return the parts, or raise GraphError with all problems of form."""
        top = self._object(
            "graph",
            document,
            {"format": "str", "inputs": "any", "output": "str", "weights": "any", "ops": "any"},
        )
        if top.get("format", FORMAT) != FORMAT:
            self.problems.append(f"format is {top['format']!r}, expected {FORMAT!r}")
        inputs = [
            self._object(f"inputs[{k}]", entry, _TENSOR)
            for k, entry in enumerate(self._list("inputs", top.get("inputs", [])))
        ]
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
            tuple(TensorSpec(**source) for source in inputs),
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
            name: _to_tuples(field) if kinds.get(name) in {"ints", "terms"} else field
            for name, field in value.items()
        }


def _to_tuples(value: Any) -> Any:
    return tuple(_to_tuples(item) for item in value) if isinstance(value, list) else value


_ARTICLES: Final = {
    "int": "an integer",
    "str": "a string",
    "bool": "true or false",
    "str?": "a string or null",
    "ints": "a list of integers",
    "terms": "a list of pairs of a string and an integer",
}


def _is_kind(value: object, kind: str) -> bool:
    if kind == "any":
        return True
    if kind == "ints":
        return isinstance(value, list) and all(_is_kind(item, "int") for item in value)
    if kind == "terms":
        return isinstance(value, list) and all(_is_term(item) for item in value)
    if kind == "int":
        return type(value) is int  # bool is an int to Python but not to the format
    if kind == "bool":
        return type(value) is bool
    return isinstance(value, str) or (kind == "str?" and value is None)


def _is_term(value: object) -> bool:
    return (
        isinstance(value, list)
        and len(value) == 2
        and _is_kind(value[0], "str")
        and _is_kind(value[1], "int")
    )


def _build(fields_of_op: dict[str, Any]) -> Op:
    values = {name: value for name, value in fields_of_op.items() if name != "op"}
    op: Op = _RECORDS[fields_of_op["op"]](**values)
    return op
