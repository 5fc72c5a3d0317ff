"""The event cursor never keeps what a reorganisation took away."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from eth_utils.crypto import keccak

from offchain.chain.client import ChainClient
from offchain.chain.cursor import EventCursor
from tests.unit.chain.conftest import ABI, CONTRACT
from tests.unit.chain.fake_node import FakeNode


def stored(key: int, digest: int) -> dict[str, Any]:
    return {
        "address": CONTRACT,
        "topics": [
            "0x" + keccak(text="Stored(uint256,bytes32)").hex(),
            "0x" + key.to_bytes(32, "big").hex(),
        ],
        "data": "0x" + digest.to_bytes(32, "big").hex(),
        "transactionHash": "0x" + (key % 251).to_bytes(32, "big").hex(),
    }


def open_cursor(path: Path, client: ChainClient, confirmations: int = 1) -> EventCursor:
    return EventCursor(path / "events.sqlite3", client, {CONTRACT: ABI}, 0, confirmations)


def keys(cursor: EventCursor) -> list[int]:
    return [event.arguments["key"] for event in cursor.get_events("Stored")]


def test_advance__reorg__events_of_the_lost_branch_are_forgotten(
    tmp_path: Path, node: FakeNode, client: ChainClient
) -> None:
    cursor = open_cursor(tmp_path, client)
    node.mine(logs=[stored(1, 1)])
    cursor.advance()
    node.mine("a", [stored(2, 2)])
    cursor.advance()
    node.mine("a", [stored(3, 3)])
    cursor.advance()
    assert keys(cursor) == [1, 2, 3]
    node.fork(2)
    node.mine("b", [stored(4, 4)])
    cursor.advance()
    assert keys(cursor) == [1, 4]


def test_advance__reorg_while_stopped__a_fresh_process_rewinds_too(
    tmp_path: Path, node: FakeNode, client: ChainClient
) -> None:
    cursor = open_cursor(tmp_path, client)
    for number in range(1, 4):
        node.mine("a", [stored(number, number)])
        cursor.advance()
    node.fork(3)
    for number in range(5, 10):
        node.mine("b", [stored(number, number)])
    restarted = open_cursor(tmp_path, client)
    restarted.advance()
    assert keys(restarted) == [5, 6, 7, 8, 9]


@pytest.mark.parametrize("confirmations", [1, 3])
def test_advance__confirmations__stays_behind_the_head(
    tmp_path: Path, node: FakeNode, client: ChainClient, confirmations: int
) -> None:
    cursor = open_cursor(tmp_path, client, confirmations)
    for number in range(1, 6):
        node.mine(logs=[stored(number, number)])
    assert cursor.advance() == 5 - (confirmations - 1)
    assert keys(cursor) == list(range(1, 6 - (confirmations - 1)))


def test_get_events__values__survive_the_database(
    tmp_path: Path, node: FakeNode, client: ChainClient
) -> None:
    cursor = open_cursor(tmp_path, client)
    node.mine(logs=[stored(2**255, 9)])
    cursor.advance()
    (event,) = cursor.get_events()
    assert event.arguments == {"key": 2**255, "digest": (9).to_bytes(32, "big")}
    assert (event.contract, event.name, event.block_number) == ("Box", "Stored", 1)
