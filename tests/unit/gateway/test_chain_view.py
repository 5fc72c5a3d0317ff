"""What is asked of the chain, and what counts as its answer."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from offchain.chain.endpoint import RpcError
from offchain.errors import ContractRevert, RpcUnavailable
from offchain.gateway.chain_view import MAGIC, SIGNATURE_GAS, ChainClock, DeployedChain
from offchain.types import ETH, JobId, SessionState
from tests.unit.gateway.fakes import (
    JOB,
    MARKET,
    ORDERS,
    SESSION,
    SESSIONS,
    VERSION,
    WALLET,
    FakeChain,
)

DIGEST, SIGNATURE = b"\x01" * 32, b"\x02" * 65
GOOD = "0x" + MAGIC.hex() + "00" * 28


class FakeNode:
    """A deployment's contracts and node; each answer is a value, or an error to raise."""

    def __init__(self, **answers: Any) -> None:
        self.answers = answers
        self.asked: list[tuple[Any, ...]] = []
        contract = SimpleNamespace
        self.contracts: Any = contract(
            market=contract(address=MARKET, get_job=self._answer("job")),
            sessions=contract(address=SESSIONS, get_session=self._answer("session")),
            orders=contract(address=ORDERS),
            registry=contract(get_version=self._answer("version")),
            vault=contract(get_tokens=lambda: (ETH,)),
        )
        self.client: Any = contract(chain_id=31337, rpc=contract(request=self._answer("call")))

    def open(self) -> DeployedChain:
        return DeployedChain(self.client, self.contracts)

    def _answer(self, name: str) -> Any:
        def answer(*arguments: Any) -> Any:
            self.asked.append((name, *arguments))
            found = self.answers[name]
            if isinstance(found, Exception):
                raise found
            return found

        return answer


@pytest.mark.parametrize(
    ("answer", "accepted"),
    [
        (GOOD, True),
        (GOOD + "ff" * 64, True),  # what follows the first word is nobody's business
        ("0x" + MAGIC.hex(), False),
        ("0x" + MAGIC.hex() + "00" * 27 + "01", False),
        ("0x" + "ff" * 32, False),
        ("0x", False),
        (RpcError("eth_call", 3, "execution reverted", None), False),
        (RpcError("eth_call", -32000, "out of gas", None), False),
    ],
)
def test_is_signed_by_code__only_the_magic_word_counts(answer: Any, accepted: bool) -> None:
    node = FakeNode(call=answer)
    assert node.open().is_signed_by_code(WALLET, DIGEST, SIGNATURE) is accepted
    ((_, method, call, block),) = node.asked
    assert (method, block, call["to"]) == ("eth_call", "latest", WALLET)
    assert call["data"].startswith("0x" + MAGIC.hex() + DIGEST.hex())
    assert SIGNATURE_GAS <= int(call["gas"], 16) < SIGNATURE_GAS + 50_000


def test_is_signed_by_code__node_does_not_answer__not_a_refusal() -> None:
    node = FakeNode(call=RpcUnavailable("eth_call", 6, "timeout"))
    with pytest.raises(RpcUnavailable):
        node.open().is_signed_by_code(WALLET, DIGEST, SIGNATURE)


def test_find__nobody_knows_it__none_and_other_reverts_are_errors() -> None:
    unknown = {
        name: ContractRevert(error, {}, "call", b"")
        for name, error in (
            ("job", "UnknownJob"), ("session", "UnknownSession"), ("version", "UnknownVersion"),
        )
    }  # fmt: skip
    chain = FakeNode(**unknown).open()
    assert chain.find_job(JOB) is None
    assert chain.find_session(SESSION) is None
    assert not chain.has_version(VERSION)
    chain = FakeNode(**dict.fromkeys(unknown, ContractRevert("Panic", {}, "call", b""))).open()
    for ask in (
        lambda: chain.find_job(JobId(JOB)),
        lambda: chain.find_session(SESSION),
        lambda: chain.has_version(VERSION),
    ):
        with pytest.raises(ContractRevert):
            ask()


def test_find_session__state_none__none() -> None:
    node = FakeNode(session=SimpleNamespace(state=SessionState.NONE))
    assert node.open().find_session(SESSION) is None


def test_has_version__registered__asked_once() -> None:
    node = FakeNode(version=SimpleNamespace())
    chain = node.open()
    assert chain.has_version(VERSION) and chain.has_version(VERSION)
    assert len(node.asked) == 1


def test_clock__node_is_gone__keeps_what_it_knew() -> None:
    chain = FakeChain()
    clock = ChainClock(chain)
    before = clock.now
    chain.now += 10
    assert clock.now == before  # requests read no node
    clock.refresh()
    assert clock.now == before + 10
    chain.failure = RpcUnavailable("eth_call", 6, "timeout")
    with pytest.raises(RpcUnavailable):
        clock.refresh()
    assert clock.now == before + 10
