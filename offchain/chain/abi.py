"""Encode calls and decode results, events and custom errors from contract ABIs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from eth_abi.abi import encode
from eth_abi.codec import ABICodec
from eth_abi.decoding import StringDecoder
from eth_abi.exceptions import DecodingError
from eth_abi.registry import BaseEquals
from eth_abi.registry import registry as standard_registry
from eth_utils.abi import collapse_if_tuple
from eth_utils.crypto import keccak

from offchain.errors import ContractRevert, MalformedAnswer, ManifestError

AbiEntry = Mapping[str, Any]
ERROR_STRING: Final = bytes.fromhex("08c379a0")  # Error(string)
PANIC: Final = bytes.fromhex("4e487b71")  # Panic(uint256)


def _make_codec() -> ABICodec:
    """Return a codec that reads any bytes as a string.

    Solidity does not check that a string is UTF-8, and anybody may have one emitted: a strict
    reader would never get past that log again.
    """
    registry = standard_registry.copy()  # type: ignore[no-untyped-call]
    registry.unregister_decoder("string")
    decoder = StringDecoder(handle_string_errors="replace")  # type: ignore[no-untyped-call]
    is_string = BaseEquals("string", with_sub=False)  # type: ignore[no-untyped-call]
    registry.register_decoder(is_string, decoder, label="string")
    return ABICodec(registry)


decode: Final = _make_codec().decode


@dataclass(frozen=True)
class DecodedEvent:
    """One log of a known contract."""

    contract: str
    name: str
    arguments: Mapping[str, Any]
    block_number: int
    block_hash: str
    log_index: int
    tx_hash: str


class ContractAbi:
    """The functions, events and errors of one contract, by name and by selector."""

    def __init__(self, name: str, entries: Sequence[AbiEntry]) -> None:
        self.name = name
        self.entries = entries
        self._functions = {e["name"]: e for e in entries if e["type"] == "function"}
        self._by_selector = {_selector(e): e for e in self._functions.values()}
        self._events = {keccak(text=signature_of(e)): e for e in entries if e["type"] == "event"}

    def encode_call(self, function: str, arguments: Sequence[Any]) -> bytes:
        """Return selector and encoded arguments; structs are tuples in field order."""
        entry = self._function(function)
        return _selector(entry) + encode(_types(entry["inputs"]), list(arguments))

    def decode_result(self, function: str, raw: bytes) -> tuple[Any, ...]:
        """Return the decoded outputs, one item an output; raises MalformedAnswer."""
        try:
            return tuple(decode(_types(self._function(function)["outputs"]), raw))
        except DecodingError:
            raise MalformedAnswer(f"{self.name}.{function}: {len(raw)} bytes") from None

    def field_names(self, function: str, output: int = 0) -> tuple[str, ...]:
        """Return the field names of a struct that a function returns."""
        return tuple(c["name"] for c in self._function(function)["outputs"][output]["components"])

    def get_topic(self, event: str) -> str:
        """Return the first topic of an event's logs."""
        for topic, entry in self._events.items():
            if entry["name"] == event:
                return "0x" + topic.hex()
        raise ManifestError(f"{self.name} has no event {event}")

    def decode_calls(self, function: str, data: bytes) -> Iterator[Mapping[str, Any]]:
        """Yield the arguments by name of every call of a function that `data` may hold.

        `data` is a call itself or whatever passes one on: what looks like a call of the function
        need not be one, so whoever uses an argument has to check it.
        """
        entry = self._function(function)
        selector, names = _selector(entry), [i["name"] for i in entry["inputs"]]
        at = data.find(selector)
        while at >= 0:
            with suppress(DecodingError, OverflowError):
                values = decode(_types(entry["inputs"]), data[at + len(selector) :])
                yield dict(zip(names, values, strict=True))
            at = data.find(selector, at + 1)

    def get_function_name(self, calldata: bytes) -> str | None:
        """Return the name of the function that calldata calls, if this contract has it."""
        entry = self._by_selector.get(bytes(calldata[:4]))
        return None if entry is None else str(entry["name"])

    def decode_event(self, log: Mapping[str, Any]) -> DecodedEvent | None:
        """Decode a JSON-RPC log, or return None where the event is not this contract's."""
        topics = [bytes.fromhex(t[2:]) for t in log["topics"]]
        entry = self._events.get(topics[0]) if topics else None
        if entry is None:
            return None
        indexed = [i for i in entry["inputs"] if i["indexed"]]
        plain = [i for i in entry["inputs"] if not i["indexed"]]
        values = {
            i["name"]: decode([collapse_if_tuple(i)], topic)[0]
            for i, topic in zip(indexed, topics[1:], strict=True)
        }
        body = decode(_types(plain), bytes.fromhex(log["data"][2:]))
        values.update({i["name"]: value for i, value in zip(plain, body, strict=True)})
        return DecodedEvent(
            contract=self.name,
            name=str(entry["name"]),
            arguments=values,
            block_number=int(log["blockNumber"], 16),
            block_hash=str(log["blockHash"]),
            log_index=int(log["logIndex"], 16),
            tx_hash=str(log["transactionHash"]),
        )

    def _function(self, name: str) -> AbiEntry:
        try:
            return self._functions[name]
        except KeyError:
            raise ManifestError(f"{self.name} has no function {name}") from None


class ErrorBook:
    """Custom errors of every contract of a deployment, by selector."""

    def __init__(self, abis: Iterable[ContractAbi]) -> None:
        self._entries = {
            _selector(e): e for abi in abis for e in abi.entries if e["type"] == "error"
        }

    def decode(self, call: str, raw: bytes) -> ContractRevert:
        """Return the typed error behind revert bytes; unknown bytes keep their selector."""
        selector, body = raw[:4], raw[4:]
        try:
            if selector == ERROR_STRING:
                return ContractRevert("Error", {"reason": decode(["string"], body)[0]}, call, raw)
            if selector == PANIC:
                return ContractRevert("Panic", {"code": decode(["uint256"], body)[0]}, call, raw)
            if selector in self._entries:
                entry = self._entries[selector]
                values = decode(_types(entry["inputs"]), body)
                names = [i["name"] or f"arg{k}" for k, i in enumerate(entry["inputs"])]
                return ContractRevert(
                    entry["name"], dict(zip(names, values, strict=True)), call, raw
                )
        except DecodingError:
            pass  # bytes that only look like a known error are reported as unknown below
        name = f"Unknown(0x{selector.hex()})" if raw else "Empty"
        return ContractRevert(name, {}, call, raw)


def signature_of(entry: AbiEntry) -> str:
    """Return name(type,...) with structs expanded, as hashed for selectors and topics."""
    return f"{entry['name']}({','.join(_types(entry['inputs']))})"


def _types(inputs: Iterable[Mapping[str, Any]]) -> list[str]:
    return [collapse_if_tuple(dict(i)) for i in inputs]


def _selector(entry: AbiEntry) -> bytes:
    return keccak(text=signature_of(entry))[:4]
