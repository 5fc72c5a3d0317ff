"""What a model's numbers mean to a person: interface.json beside the published files.

A registration binds graph and weights, not these words: they are the publisher's, and as good as
the place they come from, unless the registered URI names the bundle by its hash (`bundle.py`).
What can be checked is checked: the input is the graph's, and there is a label for each class.

{"format": "zkdps-interface/1", "name", "title", "description",
 "input": {"kind": "image", "height", "width", "lo", "hi", "examples": [[...], ...]}
        | {"kind": "text", "encoding", "length", "lo", "hi", "examples": [...]}
        | {"kind": "numbers", "shape", "lo", "hi", "examples": [[...], ...]},
 "output": {"kind": "classes", "labels": [...]}}
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, Final

from offchain.errors import InterfaceError
from offchain.model.graph import Graph
from offchain.model.text_encoding import ENCODING, LENGTH

FORMAT: Final = "zkdps-interface/1"
NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
MAX_TITLE: Final = 120  # characters
MAX_DESCRIPTION: Final = 2000
MAX_LABELS: Final = 100_000
MAX_EXAMPLES: Final = 64
ENCODINGS: Final[Mapping[str, int]] = {ENCODING: LENGTH}  # of text -> length of its input


@dataclass(frozen=True)
class ImageInput:
    """A picture in shades of grey, row by row; `lo` is white, `hi` is black."""

    height: int
    width: int
    lo: int
    hi: int
    examples: tuple[tuple[int, ...], ...] = ()  # row by row

    @property
    def size(self) -> int:
        """Return the number of input elements."""
        return self.height * self.width

    def to_json(self) -> dict[str, Any]:
        """Return the JSON form."""
        sizes = {"height": self.height, "width": self.width, "lo": self.lo, "hi": self.hi}
        return {"kind": "image", **sizes, "examples": list(map(list, self.examples))}


@dataclass(frozen=True)
class TextInput:
    """A text under a named encoding; counts are capped at `hi`."""

    encoding: str
    length: int
    lo: int
    hi: int
    examples: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        """Return the number of input elements."""
        return self.length

    def to_json(self) -> dict[str, Any]:
        """Return the JSON form."""
        bounds = {"length": self.length, "lo": self.lo, "hi": self.hi}
        return {
            "kind": "text",
            "encoding": self.encoding,
            **bounds,
            "examples": list(self.examples),
        }


@dataclass(frozen=True)
class NumbersInput:
    """Integers of a shape, without a further meaning."""

    shape: tuple[int, ...]
    lo: int
    hi: int
    examples: tuple[tuple[int, ...], ...] = ()

    @property
    def size(self) -> int:
        """Return the number of input elements."""
        return prod(self.shape)

    def to_json(self) -> dict[str, Any]:
        """Return the JSON form."""
        bounds = {"shape": list(self.shape), "lo": self.lo, "hi": self.hi}
        return {"kind": "numbers", **bounds, "examples": list(map(list, self.examples))}


Input = ImageInput | TextInput | NumbersInput


@dataclass(frozen=True)
class Interface:
    """A model's name, title, description, input and classes for people."""

    name: str
    title: str
    description: str
    input: Input
    labels: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Return the document of interface.json."""
        return {
            "format": FORMAT,
            "name": self.name,
            "title": self.title,
            "description": self.description,
            "input": self.input.to_json(),
            "output": {"kind": "classes", "labels": list(self.labels)},
        }

    def verify_fits(self, graph: Graph) -> None:
        """Raise InterfaceError unless it describes this graph's input and output."""
        problems = []
        source = graph.input
        if self.input.size != prod(source.shape):
            problems.append(f"input has {self.input.size} elements, the graph's {source.shape}")
        if (self.input.lo, self.input.hi) != (source.lo, source.hi):
            problems.append(
                f"input in [{self.input.lo}, {self.input.hi}], the graph's in "
                f"[{source.lo}, {source.hi}]"
            )
        # An argmax has one column, which counts classes instead of scoring them.
        columns = graph.output_spec().shape[-1]
        if columns not in (1, len(self.labels)):
            problems.append(f"{len(self.labels)} labels for {columns} columns of the output")
        if problems:
            raise InterfaceError(self.name, problems)


def parse_interface(document: object) -> Interface:
    """Return the interface of a JSON document; raise InterfaceError for any other document."""
    try:
        return _read(_mapping(document, "interface"))
    except (KeyError, TypeError, ValueError) as error:
        if isinstance(error, InterfaceError):
            raise
        said = f"lacks {error}" if isinstance(error, KeyError) else str(error)
        raise InterfaceError("interface.json", [said]) from None


def _read(document: Mapping[str, Any]) -> Interface:
    if document["format"] != FORMAT:
        raise ValueError(f"has format {document['format']!r}, expected {FORMAT}")
    name = _text(document["name"], "name", MAX_TITLE)
    if not NAME.fullmatch(name):
        raise ValueError(f"name {name!r}: lower-case letters, digits and hyphens")
    output = _mapping(document["output"], "output")
    if output["kind"] != "classes":
        raise ValueError(f"output of kind {output['kind']!r}, expected classes")
    labels = _texts(output["labels"], "labels", MAX_LABELS)
    if not labels:
        raise ValueError("has no labels")
    return Interface(
        name=name,
        title=_text(document["title"], "title", MAX_TITLE),
        description=_text(document["description"], "description", MAX_DESCRIPTION),
        input=_read_input(_mapping(document["input"], "input")),
        labels=labels,
    )


def _read_input(source: Mapping[str, Any]) -> Input:
    kind, lo, hi = source["kind"], _integer(source["lo"], "lo"), _integer(source["hi"], "hi")
    if kind == "image":
        height, width = (_size(source[side], side) for side in ("height", "width"))
        return ImageInput(height, width, lo, hi, _rows(source, height * width, lo, hi))
    if kind == "text":
        encoding, length = source["encoding"], _size(source["length"], "length")
        if ENCODINGS.get(encoding) != length:
            raise ValueError(f"text encoding {encoding!r} of length {length} is not known")
        examples = _texts(source.get("examples", []), "examples", MAX_EXAMPLES)
        return TextInput(encoding, length, lo, hi, examples)
    if kind == "numbers":
        shape = tuple(_size(side, "shape") for side in source["shape"])
        return NumbersInput(shape, lo, hi, _rows(source, prod(shape), lo, hi))
    raise ValueError(f"input of kind {kind!r}, expected image, text or numbers")


def _mapping(value: object, what: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise TypeError(f"{what} is not an object")
    return value


def _text(value: object, what: str, longest: int) -> str:
    if not isinstance(value, str) or len(value) > longest:
        raise ValueError(f"{what} is not a text of at most {longest} characters")
    return value


def _texts(value: object, what: str, most: int) -> tuple[str, ...]:
    if not isinstance(value, list) or len(value) > most:
        raise ValueError(f"{what} is not a list of at most {most} texts")
    items: Sequence[object] = value
    return tuple(_text(item, what, MAX_TITLE) for item in items)


def _rows(source: Mapping[str, Any], size: int, lo: int, hi: int) -> tuple[tuple[int, ...], ...]:
    """Return the examples of an input of numbers."""
    rows = source.get("examples", [])
    if not isinstance(rows, list) or len(rows) > MAX_EXAMPLES:
        raise ValueError(f"examples are not a list of at most {MAX_EXAMPLES} inputs")
    found = tuple(tuple(_integer(value, "example") for value in row) for row in rows)
    if not all(len(row) == size and lo <= min(row) and max(row) <= hi for row in found):
        raise ValueError(f"an example is not {size} integers in [{lo}, {hi}]")
    return found


def _integer(value: object, what: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"{what} is not an integer")
    return value


def _size(value: object, what: str) -> int:
    size = _integer(value, what)
    if size < 1:
        raise ValueError(f"{what} is {size}, expected at least 1")
    return size
