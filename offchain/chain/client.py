"""Reads and raw sends against one chain, with reverts decoded into typed errors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Final

from eth_utils.crypto import keccak

from offchain.chain.abi import ErrorBook
from offchain.chain.rpc import Rpc, RpcError, is_range_refusal
from offchain.errors import ContractRevert
from offchain.types import AccountId, Address, BlockNumber, BlockStamp, Seconds, TxHash, Wei

# Nodes word a duplicate broadcast differently; all of them mean that the pool has it.
ALREADY_KNOWN: Final = (
    "already known", "alreadyknown", "already imported", "known transaction", "same hash",
)  # fmt: skip
NO_VALUE: Final = Wei(0)
NONCE_USED: Final = ("nonce too low", "nonce is too low", "oldnonce")


class NonceUsed(RpcError):
    """The nonce of a broadcast transaction is already on chain."""


@dataclass(frozen=True)
class Call:
    """A function call on a contract, ready to be simulated or signed."""

    contract: str
    function: str
    to: Address | None  # None creates a contract from the calldata
    calldata: bytes
    value_wei: Wei = NO_VALUE

    @property
    def label(self) -> str:
        """Return Contract.function for messages."""
        return f"{self.contract}.{self.function}"


@dataclass(frozen=True)
class Receipt:
    """What a mined transaction did and cost."""

    tx_hash: TxHash
    block_number: BlockNumber
    block_hash: str
    succeeded: bool
    gas_used: int
    gas_price_wei: Wei
    created: Address | None = None  # the contract that a creation made

    @property
    def cost_wei(self) -> Wei:
        """Return what the sender paid for gas."""
        return Wei(self.gas_used * self.gas_price_wei)


class ChainClient:
    """One chain as its endpoints see it."""

    def __init__(self, rpc: Rpc, errors: ErrorBook) -> None:
        self.rpc = rpc
        self.errors = errors
        self.chain_id = int(rpc.request("eth_chainId"), 16)

    def get_head(self) -> BlockStamp:
        """Return the head block; its timestamp is the only clock that roles read."""
        return _stamp(self.rpc.request("eth_getBlockByNumber", "latest", False))

    def get_block(self, number: int) -> BlockStamp | None:
        """Return a block of the canonical chain, or None above the head."""
        block = self.rpc.request("eth_getBlockByNumber", hex(number), False)
        return None if block is None else _stamp(block)

    def get_full_block(self, number: int) -> Mapping[str, Any] | None:
        """Return a block with its transactions as JSON-RPC gives them."""
        block: Mapping[str, Any] | None = self.rpc.request(
            "eth_getBlockByNumber", hex(number), True
        )
        return block

    def get_balance(self, account: str) -> Wei:
        """Return an account's balance at the head."""
        return Wei(int(self.rpc.request("eth_getBalance", account, "latest"), 16))

    def get_code(self, address: str) -> bytes:
        """Return deployed code."""
        return bytes.fromhex(self.rpc.request("eth_getCode", address, "latest")[2:])

    def get_nonce(self, account: str) -> int:
        """Return the next nonce, counting the pool's transactions."""
        return int(self.rpc.request("eth_getTransactionCount", account, "pending"), 16)

    def get_mined_nonce(self, account: str) -> int:
        """Return the number of an account's mined transactions: the pool's are not counted."""
        return int(self.rpc.request("eth_getTransactionCount", account, "latest"), 16)

    def call(self, call: Call, sender: AccountId | None = None, block: str = "latest") -> bytes:
        """Run a call without sending it; raise ContractRevert with the decoded reason."""
        try:
            raw: str = self.rpc.request("eth_call", _fields(call, sender), block)
        except RpcError as error:
            raise self._decode_revert(call, error) from None
        return bytes.fromhex(raw[2:])

    def estimate_gas(self, call: Call, sender: AccountId) -> int:
        """Return the gas a call needs now; raise ContractRevert with the decoded reason."""
        try:
            return int(self.rpc.request("eth_estimateGas", _fields(call, sender)), 16)
        except RpcError as error:
            raise self._decode_revert(call, error) from None

    def get_block_gas_limit(self) -> int:
        """Return the head block's gas limit."""
        block = self.rpc.request("eth_getBlockByNumber", "latest", False)
        return int(block["gasLimit"], 16)

    def broadcast(self, raw: bytes) -> TxHash:
        """Hand a signed transaction to every endpoint; sending one twice is not an error.

        Raises, where no endpoint takes it, NonceUsed when another transaction took its nonce, or
        it is mined already.
        """
        tx_hash = TxHash("0x" + keccak(raw).hex())
        answers = self.rpc.request_all("eth_sendRawTransaction", "0x" + raw.hex())
        refusals = [a for a in answers if isinstance(a, RpcError) and not _means(a, ALREADY_KNOWN)]
        if len(refusals) < len(answers):
            return tx_hash  # one node has it: the others get it from there
        for error in refusals:
            if _means(error, NONCE_USED):
                raise NonceUsed(error.method, error.code, error.message, error.extra)
        raise refusals[0]

    def get_receipt(self, tx_hash: str) -> Receipt | None:
        """Return a receipt, or None while the transaction is not in the canonical chain."""
        receipt = self.rpc.request("eth_getTransactionReceipt", tx_hash)
        if receipt is None:
            return None
        return Receipt(
            tx_hash=TxHash(receipt["transactionHash"]),
            block_number=BlockNumber(int(receipt["blockNumber"], 16)),
            block_hash=receipt["blockHash"],
            succeeded=int(receipt["status"], 16) == 1,
            gas_used=int(receipt["gasUsed"], 16),
            gas_price_wei=Wei(int(receipt["effectiveGasPrice"], 16)),
            created=receipt.get("contractAddress"),
        )

    def get_logs(
        self,
        addresses: Sequence[str],
        first: int,
        last: int,
        topics: Sequence[str | None] = (),
    ) -> Sequence[Mapping[str, Any]]:
        """Return the logs of contracts in blocks first..last inclusive; None matches any topic."""
        query: dict[str, Any] = {
            "address": list(addresses),
            "fromBlock": hex(first),
            "toBlock": hex(last),
        }
        if topics:
            query["topics"] = list(topics)
        logs: Sequence[Mapping[str, Any]] = self.rpc.request("eth_getLogs", query)
        return logs

    def collect_logs(
        self,
        addresses: Sequence[str],
        first: int,
        last: int,
        topics: Sequence[str | None] = (),
    ) -> Sequence[Mapping[str, Any]]:
        """Return the same logs, asked for in halves where the node finds the range too wide."""
        try:
            return self.get_logs(addresses, first, last, topics)
        except RpcError as error:
            if first >= last or not is_range_refusal(error):
                raise
        middle = (first + last) // 2
        return (
            *self.collect_logs(addresses, first, middle, topics),
            *self.collect_logs(addresses, middle + 1, last, topics),
        )

    def pinned(self) -> AbstractContextManager[None]:
        """Read everything inside from one node."""
        return self.rpc.pinned()

    def find_disagreement(self, number: int, block_hash: str) -> tuple[str, ...]:
        """Return the names of other endpoints that hold another block at this height."""
        answers = self.rpc.ask_others("eth_getBlockByNumber", hex(number), False)
        return tuple(name for name, block in answers if block and block["hash"] != block_hash)

    def explain_revert(self, call: Call, sender: AccountId, block_number: int) -> ContractRevert:
        """Return why a mined transaction reverted, by running its call before its block."""
        try:
            self.call(call, sender, hex(block_number - 1))
        except ContractRevert as revert:
            return revert
        # The same call passed one block earlier: gas ran out or an earlier transaction won.
        return ContractRevert("OutOfGasOrRaced", {}, call.label, b"")

    def _decode_revert(self, call: Call, error: RpcError) -> Exception:
        raw = _revert_bytes(error.extra)
        if raw is None and "revert" not in error.message.lower():
            return error
        return self.errors.decode(call.label, raw or b"")


def _means(error: RpcError, wordings: Sequence[str]) -> bool:
    return any(text in error.message.lower() for text in wordings)


def _fields(call: Call, sender: AccountId | None) -> dict[str, str]:
    fields = {"data": "0x" + call.calldata.hex(), "value": hex(call.value_wei)}
    if call.to is not None:
        fields["to"] = call.to
    if sender is not None:
        fields["from"] = sender
    return fields


def _revert_bytes(extra: object) -> bytes | None:
    """Return the revert bytes of an RPC error: a hex string, or {"data": hex} on some nodes."""
    if isinstance(extra, Mapping):
        extra = extra.get("data")
    if isinstance(extra, str) and extra.startswith("0x"):
        return bytes.fromhex(extra[2:])
    return None


def _stamp(block: Mapping[str, Any]) -> BlockStamp:
    return BlockStamp(
        number=BlockNumber(int(block["number"], 16)),
        hash=str(block["hash"]),
        timestamp=Seconds(int(block["timestamp"], 16)),
        base_fee_wei=Wei(int(block.get("baseFeePerGas") or "0x0", 16)),
    )
