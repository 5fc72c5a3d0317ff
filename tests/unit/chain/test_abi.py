"""Reverts become typed errors that carry the contract's facts."""

from __future__ import annotations

from eth_abi.abi import encode
from eth_utils.crypto import keccak

from offchain.chain.abi import ContractAbi, ErrorBook
from tests.unit.chain.conftest import ABI

BOOK = ErrorBook([ABI])


def test_decode__custom_error__name_and_arguments() -> None:
    selector = keccak(text="TooSmall(uint256,bytes32)")[:4]
    revert = BOOK.decode("Box.put", selector + encode(["uint256", "bytes32"], [5, b"\1" * 32]))
    assert revert.name == "TooSmall"
    assert revert.arguments == {"sent": 5, "id": b"\1" * 32}
    assert "Box.put" in str(revert) and "sent=5" in str(revert)


def test_decode__solidity_reason_and_panic() -> None:
    reason = BOOK.decode("c", bytes.fromhex("08c379a0") + encode(["string"], ["no"]))
    assert (reason.name, reason.arguments) == ("Error", {"reason": "no"})
    panic = BOOK.decode("c", bytes.fromhex("4e487b71") + encode(["uint256"], [0x11]))
    assert (panic.name, panic.arguments) == ("Panic", {"code": 0x11})


def test_decode__unknown_or_truncated__keeps_the_selector() -> None:
    assert BOOK.decode("c", b"").name == "Empty"
    assert BOOK.decode("c", b"\xde\xad\xbe\xef").name == "Unknown(0xdeadbeef)"
    truncated = keccak(text="TooSmall(uint256,bytes32)")[:4] + b"\0" * 10
    assert BOOK.decode("c", truncated).name.startswith("Unknown(0x")


def test_get_function_name__known_and_unknown_selectors() -> None:
    assert ABI.get_function_name(ABI.encode_call("put", [1])) == "put"
    assert ABI.get_function_name(b"\0\0\0\0") is None


def test_decode_event__string_that_is_not_utf8__read_all_the_same() -> None:
    fields = [{"name": "id", "type": "uint256"}, {"name": "uri", "type": "string"}]
    inputs = [
        {"name": "params", "type": "tuple", "indexed": False, "components": fields},
        {"name": "uri", "type": "string", "indexed": False},
    ]
    abi = ContractAbi("Shouter", [{"type": "event", "name": "Said", "inputs": inputs}])
    hostile = b"a\xff\xfe"
    event = abi.decode_event(
        {
            "topics": ["0x" + keccak(text="Said((uint256,string),string)").hex()],
            "data": "0x" + encode(["(uint256,bytes)", "bytes"], [(7, hostile), hostile]).hex(),
            "blockNumber": "0x1", "blockHash": "0x", "logIndex": "0x0", "transactionHash": "0x",
        }
    )  # fmt: skip
    assert event is not None
    assert event.arguments == {"params": (7, "a\ufffd\ufffd"), "uri": "a\ufffd\ufffd"}
