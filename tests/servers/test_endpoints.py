"""Two endpoints of real nodes: one may go, lie about its chain, or stand on another branch."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from offchain.chain.abi import ErrorBook
from offchain.chain.anvil import Anvil, run_anvil
from offchain.chain.client import Call, ChainClient
from offchain.chain.cursor import EventCursor
from offchain.chain.journal import Journal, StepKey
from offchain.chain.keys import Signer, create_key_file
from offchain.chain.rpc import COOL_DOWN_S, Rpc
from offchain.errors import WrongChain
from offchain.submit.transactions import Submitter
from tests.servers.gateway import CLOSE, FORWARD, HANG, LIMIT, Gateway, run_gateway
from tests.unit.chain.conftest import ABI, CONTRACT

KEY = StepKey("operator", "1", "pay")
OTHER_CHAIN = 4242


@pytest.fixture(scope="module")
def anvil(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Anvil]:
    with run_anvil(tmp_path_factory.mktemp("anvil") / "log") as running:
        yield running


@pytest.fixture
def gateway(anvil: Anvil) -> Iterator[Gateway]:
    with run_gateway(anvil.url) as running:
        yield running


@pytest.fixture
def payer(tmp_path: Path, anvil: Anvil) -> Signer:
    signer = create_key_file(tmp_path / "payer")
    anvil.fund(signer.address, 10**18)
    return signer


class Told:
    """Remembers what it was told."""

    def __init__(self) -> None:
        self.events: list[tuple[str, dict[str, Any]]] = []

    def __call__(self, name: str, **facts: Any) -> None:
        self.events.append((name, facts))

    def names(self) -> list[str]:
        return [name for name, _ in self.events]


@pytest.mark.parametrize("mode", [CLOSE, LIMIT, pytest.param(HANG, marks=pytest.mark.slow)])
def test_submit__first_endpoint_goes_while_a_transaction_is_waited_for__mined_once(
    tmp_path: Path, anvil: Anvil, gateway: Gateway, payer: Signer, mode: str
) -> None:
    told = Told()
    rpc = Rpc([gateway.url, anvil.url], notify=told, chain_id=31337)
    rpc.verify_endpoints()
    client = ChainClient(rpc, ErrorBook([]))

    def go(seconds: float) -> None:
        gateway.mode = mode
        time.sleep(seconds)  # a submitter asks for receipts only after the next block

    submitter = Submitter(client, Journal(tmp_path / "journal"), payer, go)
    receipt = submitter.submit(KEY, Call("Box", "put", CONTRACT, b""))
    assert receipt.succeeded
    assert client.get_mined_nonce(payer.address) == 1
    assert told.names()[:2] == ["rpc-failed", "rpc-switched"]
    assert "token" not in str(told.events)


def test_request__another_chain_behind_a_known_address__left_out(
    tmp_path: Path, anvil: Anvil, gateway: Gateway
) -> None:
    now = [0.0]
    with run_anvil(tmp_path / "log", chain_id=OTHER_CHAIN) as other:
        with pytest.raises(WrongChain, match=rf"{other.url} serves chain {OTHER_CHAIN}"):
            Rpc([anvil.url, other.url], chain_id=31337).verify_endpoints()
        rpc = Rpc([gateway.url, anvil.url], clock=lambda: now[0], chain_id=31337)
        rpc.verify_endpoints()
        gateway.mode = CLOSE
        rpc.request("eth_gasPrice")
        gateway.mode, gateway.target = FORWARD, other.url
        now[0] = COOL_DOWN_S
        assert rpc.request("eth_chainId") == hex(31337)
    assert [e.name for e in rpc.endpoints if e.failed_at is not None] == [
        gateway.url.removesuffix("/token")
    ]


def test_broadcast__two_nodes__both_have_the_transaction(
    tmp_path: Path, anvil: Anvil, payer: Signer
) -> None:
    with run_anvil(tmp_path / "log") as other:
        other.fund(payer.address, 10**18)
        client = ChainClient(Rpc([anvil.url, other.url]), ErrorBook([]))
        submitter = Submitter(client, Journal(tmp_path / "journal"), payer)
        receipt = submitter.submit(KEY, Call("Box", "put", CONTRACT, b""))
        for node in (anvil, other):
            assert node.rpc.request("eth_getTransactionByHash", receipt.tx_hash) is not None


def test_advance__two_nodes_on_two_branches__waits_until_one_is_gone(tmp_path: Path) -> None:
    now, told = [0.0], Told()
    with (
        run_anvil(tmp_path / "first.log") as first,
        run_anvil(tmp_path / "log") as other,
        run_gateway(other.url) as gateway,
    ):
        other.rpc.request("anvil_setCoinbase", CONTRACT)  # blocks that differ from now on
        for node in (first, other):
            node.rpc.request("anvil_mine", hex(5))
        rpc = Rpc([first.url, gateway.url], clock=lambda: now[0], chain_id=31337)
        client = ChainClient(rpc, ErrorBook([ABI]))
        # Far enough back that both have it, whichever is ahead.
        cursor = EventCursor(tmp_path / "events", client, {CONTRACT: ABI}, 0, 4, notify=told)
        assert cursor.advance() == -1
        assert told.names() == ["endpoints-disagree"]
        assert told.events[0][1]["others"] == (gateway.url.removesuffix("/token"),)
        gateway.mode = CLOSE
        assert cursor.advance() > 0
