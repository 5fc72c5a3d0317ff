"""Fixtures of the chain's unit tests: a node in memory, a signer, a journal."""

from __future__ import annotations

from pathlib import Path

import pytest

from offchain.chain.abi import ContractAbi
from offchain.chain.client import Call, ChainClient
from offchain.chain.database import Place
from offchain.chain.journal import Journal
from offchain.chain.keys import Signer, create_key_file
from offchain.types import Address
from tests.unit.chain.fake_node import FakeNode

CONTRACT = Address("0x" + "11" * 20)
ABI = ContractAbi(
    "Box",
    [
        {
            "type": "function",
            "name": "put",
            "inputs": [{"name": "value", "type": "uint256"}],
            "outputs": [],
        },
        {
            "type": "event",
            "name": "Stored",
            "inputs": [
                {"name": "key", "type": "uint256", "indexed": True},
                {"name": "digest", "type": "bytes32", "indexed": False},
            ],
        },
        {
            "type": "error",
            "name": "TooSmall",
            "inputs": [{"name": "sent", "type": "uint256"}, {"name": "id", "type": "bytes32"}],
        },
    ],
)


@pytest.fixture
def node() -> FakeNode:
    return FakeNode()


@pytest.fixture
def client(node: FakeNode) -> ChainClient:
    from offchain.chain.abi import ErrorBook

    return ChainClient(node, ErrorBook([ABI]))  # type: ignore[arg-type]


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """Where journal and cursor are kept; the tests of the servers put a server here."""
    return Place(tmp_path / "home" / "memory.sqlite3")


@pytest.fixture
def journal(place: Place) -> Journal:
    return Journal(place)


@pytest.fixture
def signer(tmp_path: Path) -> Signer:
    return create_key_file(tmp_path / "key")


@pytest.fixture
def call() -> Call:
    return Call("Box", "put", CONTRACT, ABI.encode_call("put", [7]))
