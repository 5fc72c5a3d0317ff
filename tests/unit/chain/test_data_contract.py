"""Data contracts: what is split is read back as it was; nothing else counts as one."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from offchain.chain.binding import checksum
from offchain.chain.client import Call
from offchain.chain.data_contract import (
    MAX_CODE_BYTES,
    MAX_PIECE_BYTES,
    build_data_contract,
    build_index_contract,
    get_code_of,
    read_data,
    split_content,
)
from offchain.errors import ConfigError

CONTENT = bytes(range(1, 101))
INDEX = checksum("0x" + "ee" * 20)
PARTS = tuple(checksum("0x" + bytes([k + 1] * 20).hex()) for k in range(4))


def read(codes: Mapping[str, bytes], at: str = INDEX) -> bytes | None:
    return read_data(at, lambda address: codes.get(address, b""))


def split_on_chain() -> dict[str, bytes]:
    """Return the codes of the content in four parts, by address."""
    pieces = split_content(CONTENT, 30)
    codes = {at: get_code_of(build_data_contract(p)) for at, p in zip(PARTS, pieces, strict=True)}
    return {**codes, INDEX: get_code_of(build_index_contract(PARTS))}


def test_build_data_contract__init_code_returns_the_content_behind_a_stop() -> None:
    creation = build_data_contract(CONTENT)
    assert creation.to is None
    assert creation.calldata.hex() == "6100658060" + "0a5f395ff3" + "00" + CONTENT.hex()
    assert get_code_of(creation) == b"\0" + CONTENT


@pytest.mark.parametrize("size", [1, 29, 30, 31, 90, 100])
def test_split_content__pieces_are_the_content_and_fit(size: int) -> None:
    pieces = split_content(CONTENT[:size], 30)
    assert b"".join(pieces) == CONTENT[:size]
    assert all(0 < len(piece) <= 30 for piece in pieces)


def test_split_content__largest_piece__is_the_largest_contract() -> None:
    (piece,) = split_content(bytes(MAX_PIECE_BYTES))
    assert len(get_code_of(build_data_contract(piece))) == MAX_CODE_BYTES
    assert len(split_content(bytes(MAX_PIECE_BYTES + 1))) == 2


def build_large_part() -> Call:
    return build_data_contract(bytes(MAX_CODE_BYTES))


def build_large_index() -> Call:
    return build_index_contract(["0x" + "11" * 20] * (MAX_CODE_BYTES // 20 + 1))


@pytest.mark.parametrize("build", [build_large_part, build_large_index])
def test_build__larger_than_a_contract__refused(build: object) -> None:
    with pytest.raises(ConfigError, match="EIP-170"):
        build()  # type: ignore[operator]


def test_read_data__whole_or_in_parts__the_content() -> None:
    assert read({INDEX: b"\0" + CONTENT}) == CONTENT
    assert read({INDEX: b"\0"}) == b""
    assert read(split_on_chain()) == CONTENT


@pytest.mark.parametrize(
    "code",
    [
        b"",
        b"\1" + CONTENT,
        b"\xef\1\0" + bytes(20),
        b"\xfe",
        b"\xfe" + bytes(19),
        b"\xfe" + bytes(20),
    ],
    ids=["no code", "callable", "delegation", "no part", "half an address", "no part's address"],
)
def test_read_data__no_data_contract__none(code: bytes) -> None:
    assert read({**split_on_chain(), INDEX: code}) is None


@pytest.mark.parametrize("code", [b"", b"\1" + CONTENT, b"\xfe" + bytes(20)])
def test_read_data__a_part_is_no_data_contract__none(code: bytes) -> None:
    assert read({**split_on_chain(), PARTS[2]: code}) is None
