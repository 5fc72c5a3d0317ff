"""JSON from strangers: refused before it can hurt the process."""

from __future__ import annotations

import json
import sys

import pytest

from offchain.model.strict_json import MAX_BYTES, MAX_DEPTH, parse_json


@pytest.mark.parametrize(
    "encoded",
    [
        b"[" * 1_000_000,
        b'{"a":' * 1_000_000,
        b"[" * 500_000 + b"]" * 500_000,
        b'["]]]]]]]]]]]]",' * 200_000,
        b'["\\"]]]]]]]]",' * 200_000,
    ],
    ids=["arrays", "objects", "closed", "brackets-in-strings", "escapes-in-strings"],
)
def test_parse__deep_nesting_under_a_raised_recursion_limit__refused_without_a_crash(
    encoded: bytes,
) -> None:
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(1 << 30)
    try:
        with pytest.raises(ValueError, match=f"deeper than {MAX_DEPTH}"):
            parse_json(encoded)
    finally:
        sys.setrecursionlimit(limit)


def test_parse__deepest_allowed__returned() -> None:
    encoded = b"[" * MAX_DEPTH + b"]" * MAX_DEPTH
    assert parse_json(encoded) == json.loads(encoded)


def test_parse__brackets_inside_strings__are_not_depth() -> None:
    document = {"[" * 100: '{"\\' * 100}
    assert parse_json(json.dumps(document).encode()) == document


@pytest.mark.parametrize("encoded", [b"", b'"', b"\xff", b"[1", b'"\\"', b"{]", b"1" * 5000])
def test_parse__no_document__refused(encoded: bytes) -> None:
    with pytest.raises(ValueError, match="is not ASCII JSON"):
        parse_json(encoded)


def test_parse__one_byte_too_many__refused_unread() -> None:
    with pytest.raises(ValueError, match="at most"):
        parse_json(b" " * (MAX_BYTES + 1))
