"""An interface says of a graph only what the graph bears out."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from offchain.commit import digits, languages
from offchain.commit.interface import Interface, NumbersInput, parse_interface
from offchain.errors import InterfaceError
from tests.random_models import draw_model


@pytest.mark.parametrize("interface", [digits.INTERFACE, languages.INTERFACE])
def test_parse__own_documents__read_back(interface: Interface) -> None:
    assert parse_interface(interface.to_json()) == interface


def test_parse__numbers__read_back() -> None:
    interface = Interface("n", "N", "", NumbersInput((2, 3), -4, 4), ("a", "b"))
    assert parse_interface(interface.to_json()) == interface
    assert interface.input.size == 6


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (("format",), "zkdps-interface/2", "format"),
        (("name",), "../etc", "lower-case"),
        (("title",), "x" * 121, "title"),
        (("title",), 3, "title"),
        (("output", "kind"), "numbers", "classes"),
        (("output", "labels"), [], "no labels"),
        (("output", "labels"), "abc", "labels"),
        (("input", "kind"), "sound", "image, text or numbers"),
        (("input", "height"), 0, "height"),
        (("input", "lo"), True, "lo is not an integer"),
        (("input",), [], "not an object"),
    ],
)
def test_parse__malformed__refused(path: tuple[str, ...], value: object, said: str) -> None:
    document: Any = copy.deepcopy(digits.INTERFACE.to_json())
    holder = document
    for key in path[:-1]:
        holder = holder[key]
    holder[path[-1]] = value
    with pytest.raises(InterfaceError, match=said):
        parse_interface(document)


@pytest.mark.parametrize("missing", ["format", "name", "title", "description", "input", "output"])
def test_parse__entry_missing__refused(missing: str) -> None:
    document = digits.INTERFACE.to_json()
    del document[missing]
    with pytest.raises(InterfaceError, match=missing):
        parse_interface(document)


def test_parse__unknown_text_encoding__refused() -> None:
    document: Any = languages.INTERFACE.to_json()
    document["input"]["encoding"] = "letter-pairs-2"
    with pytest.raises(InterfaceError, match="not known"):
        parse_interface(document)


def test_verify_fits__another_graph__everything_that_differs_is_said() -> None:
    graph = draw_model(20, rows=1, sizes=(8, 4, 3)).graph
    source = graph.input
    fitting = Interface("n", "N", "", NumbersInput((8,), source.lo, source.hi), ("a", "b", "c"))
    fitting.verify_fits(graph)
    other = Interface("n", "N", "", NumbersInput((9,), source.lo - 1, source.hi), ("a", "b"))
    with pytest.raises(InterfaceError) as caught:
        other.verify_fits(graph)
    assert len(caught.value.problems) == 3
