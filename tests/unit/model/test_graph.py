"""The integer graph: one byte string per graph, and refusals that name every problem."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offchain.errors import GraphError
from offchain.model.graph import Graph, Linear, Requant, TensorSpec, WeightSpec
from tests.random_models import draw_model

GRAPH = Graph(
    (TensorSpec("x", (1, 64), 8, 0, 16),),
    "h0",
    (WeightSpec("fc0.w", (32, 64), 8), WeightSpec("fc0.b", (32,), 32)),
    (
        Linear("fc0", "x", "fc0.w", "fc0.b"),
        Requant("h0", "fc0", 123, 16, (8, 8), 10, "relu", 8, 0, 127),
    ),
)
CANONICAL = (
    b'{"format":"zkdps-graph/2","inputs":[{"bits":8,"hi":16,"lo":0,"name":"x","shape":[1,64]}],'
    b'"ops":[{"axes":1,"b":"fc0.b","name":"fc0","op":"linear","w":"fc0.w","x":"x"},'
    b'{"bits":8,"digits":[8,8],"hi":127,"lo":0,"m":123,"name":"h0","op":"requant",'
    b'"s":16,"scale":null,"table":"relu","width":10,"x":"fc0"}],"output":"h0",'
    b'"weights":[{"bits":8,"name":"fc0.w","shape":[32,64]},'
    b'{"bits":32,"name":"fc0.b","shape":[32]}]}'
)


def with_requant(**changes: Any) -> Graph:
    """Return the graph with a changed requantization."""
    linear, requant = GRAPH.ops
    return dataclasses.replace(GRAPH, ops=(linear, dataclasses.replace(requant, **changes)))


def document() -> dict[str, Any]:
    """Return the graph's JSON document, to be spoilt."""
    loaded: dict[str, Any] = json.loads(CANONICAL)
    return loaded


def encode(spoilt: object) -> bytes:
    return json.dumps(spoilt, sort_keys=True, separators=(",", ":")).encode()


def test_to_bytes__known_graph__is_the_canonical_string() -> None:
    assert GRAPH.to_bytes() == CANONICAL


def test_hash__known_graph__is_keccak_of_the_canonical_string() -> None:
    expected = "6468f327e22ddda44438bdda64b8e6693fc15ca6ba12f92e499d2a48991d6fce"
    assert GRAPH.hash().hex() == expected


@given(
    st.integers(0, 2**32), st.integers(1, 5), st.lists(st.integers(1, 9), min_size=2, max_size=5)
)
@settings(max_examples=30, deadline=None)
def test_from_bytes__random_graph__returns_it(seed: int, rows: int, sizes: list[int]) -> None:
    graph = draw_model(seed, rows, sizes).graph
    assert Graph.from_bytes(graph.to_bytes()) == graph


def test_from_bytes__unknown_operators__all_named_with_their_nodes() -> None:
    spoilt = document()
    spoilt["ops"][0]["op"] = "conv3d"
    spoilt["ops"][1] = {"op": "sparsemax", "name": "probabilities"}
    with pytest.raises(GraphError) as caught:
        Graph.from_bytes(encode(spoilt))
    assert len(caught.value.problems) == 2
    assert "'conv3d' of node 'fc0'" in caught.value.problems[0]
    assert "'sparsemax' of node 'probabilities'" in caught.value.problems[1]


def test_from_bytes__many_problems_of_form__told_at_once() -> None:
    spoilt = document()
    del spoilt["inputs"][0]["lo"]
    spoilt["weights"][0]["shape"] = [32, True]
    spoilt["ops"][1]["m"] = 1.5
    spoilt["extra"] = 1
    with pytest.raises(GraphError) as caught:
        Graph.from_bytes(encode(spoilt))
    text = str(caught.value)
    assert all(part in text for part in ("lo is missing", "weights[0]: shape", "m is not", "extra"))


@pytest.mark.parametrize(
    "encoded",
    [
        CANONICAL + b" ",
        CANONICAL.replace(b",", b", ", 1),
        CANONICAL.replace(b'"bits":8,"hi":16', b'"hi":16,"bits":8'),
        CANONICAL.replace(b'"bits":8,"hi":16', b'"bits":8,"bits":8,"hi":16'),
        CANONICAL.replace(b'"name":"x"', b'"name":"\\u0078"'),
        CANONICAL[:-1],
        CANONICAL.replace(b"fc0.w", "f\N{LATIN SMALL LETTER C WITH CEDILLA}0.w".encode()),
        b"[" * 100_000,
        b"null",
        b"",
    ],
)
def test_from_bytes__other_bytes_of_the_same_graph__refused(encoded: bytes) -> None:
    with pytest.raises(GraphError):
        Graph.from_bytes(encoded)


@given(st.binary(max_size=40), st.integers(0, len(CANONICAL)))
@settings(max_examples=100, deadline=None)
def test_from_bytes__spoilt_somewhere__refused_or_equal_bytes(noise: bytes, at: int) -> None:
    spoilt = CANONICAL[:at] + noise + CANONICAL[at + len(noise) :]
    try:
        graph = Graph.from_bytes(spoilt)
    except GraphError:
        return
    assert graph.to_bytes() == spoilt


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"m": 0}, "m=0"),
        ({"m": 1 << 15}, "m=32768"),
        ({"digits": (8, 7), "s": 15}, "digits"),
        ({"digits": (8, 8, 8), "s": 24}, "digits"),
        ({"digits": (), "s": 0}, "digits"),
        ({"s": 15}, "do not sum"),
        ({"width": 3}, "width=3"),
        ({"width": 33}, "width=33"),
        ({"table": "gelu"}, "'gelu' is not declared"),
        ({"table": "fc0.b"}, r"'fc0.b' has shape \[32\], expected \[1024\]"),
        ({"scale": "lost"}, "'lost' is not declared"),
        ({"scale": "fc0.w"}, r"'fc0.w' has shape \[32, 64\], expected \[32\]"),
        ({"hi": 128}, r"\[0, 128\]"),
        ({"lo": 1}, "does not contain 0"),
        ({"bits": 32}, "32 bits"),
        ({"x": "x"}, "not an accumulator"),
        ({"x": "later"}, "'later'"),
        ({"name": "x"}, "used twice"),
        ({"name": "../h0"}, "is not a name"),
        ({"name": "h1"}, "output 'h0'"),
    ],
)
def test_verify__broken_requant__refused_by_name(changes: dict[str, Any], named: str) -> None:
    with pytest.raises(GraphError, match=named):
        with_requant(**changes).verify()


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"x": "h0"}, "no earlier operator"),
        ({"w": "lost"}, "'lost' is not declared"),
        ({"b": "lost"}, "weight 'lost' is not declared"),
        ({"b": "fc0.w"}, "has shape"),
        ({"w": "fc0.b"}, "has 32 bits"),
        ({"axes": 0}, "axes=0"),
        ({"axes": 2}, r"'fc0.w' has rank 2, expected 3"),
        ({"b": None}, "'fc0.b' is not used"),
    ],
)
def test_verify__broken_linear__refused_by_name(changes: dict[str, Any], named: str) -> None:
    linear = dataclasses.replace(GRAPH.ops[0], **changes)
    with pytest.raises(GraphError, match=named):
        dataclasses.replace(GRAPH, ops=(linear, GRAPH.ops[1])).verify()


def test_verify__columns_do_not_fit__refused() -> None:
    source = dataclasses.replace(GRAPH.input, shape=(1, 63))
    with pytest.raises(GraphError, match=r"takes \[64\], 'x' has \[63\]"):
        dataclasses.replace(GRAPH, inputs=(source,)).verify()


@pytest.mark.parametrize(
    "shape", [(0, 64), (), (1, 1, 1, 1, 64), (1 << 21, 64), (1 << 20, 1 << 11)]
)
def test_verify__input_shape_outside_the_language__refused(shape: tuple[int, ...]) -> None:
    source = dataclasses.replace(GRAPH.input, shape=shape)
    with pytest.raises(GraphError, match="'x'"):
        dataclasses.replace(GRAPH, inputs=(source,)).verify()
