"""A node in memory: blocks that can be replaced, a pool, logs; enough to test what reads it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from eth_account import Account
from eth_utils.crypto import keccak
from eth_utils.encoding import big_endian_to_int

from offchain.chain.rpc import RpcError

CHAIN_ID = 31337


class FakeNode:
    """Stands in for `Rpc`; every method it lacks is an error."""

    url = "memory"

    def __init__(self) -> None:
        self.blocks: list[dict[str, Any]] = []
        self.logs: dict[str, list[dict[str, Any]]] = {}  # by block hash
        self.pool: dict[str, tuple[str, int]] = {}  # hash -> (sender, nonce)
        self.mined: dict[str, dict[str, Any]] = {}
        self.broadcasts: list[str] = []
        self.refusal: RpcError | None = None
        self.revert_data: str | None = None
        self.status = 1
        self.balance = 10**24
        self.others: dict[str, FakeNode] = {}
        self.mine("genesis")

    def mine(self, salt: str = "", logs: list[dict[str, Any]] | None = None) -> None:
        """Append a block holding the whole pool; `salt` tells forks apart."""
        number = len(self.blocks)
        block_hash = "0x" + keccak(text=f"{number}/{salt}").hex()
        self.blocks.append(
            {
                "number": hex(number),
                "hash": block_hash,
                "timestamp": hex(1000 + number),
                "baseFeePerGas": hex(10**9),
                "gasLimit": hex(30_000_000),
            }
        )
        self.logs[block_hash] = [
            {**log, "blockNumber": hex(number), "blockHash": block_hash, "logIndex": hex(i)}
            for i, log in enumerate(logs or [])
        ]
        for tx_hash in self.pool:
            self.mined[tx_hash] = {
                "transactionHash": tx_hash,
                "blockNumber": hex(number),
                "blockHash": block_hash,
                "status": hex(self.status),
                "gasUsed": hex(50_000),
                "effectiveGasPrice": hex(2 * 10**9),
                "logs": [],
            }
        self.counted = {**getattr(self, "counted", {}), **self.pool}
        self.pool = {}

    def fork(self, depth: int) -> None:
        """Drop the newest blocks and what they mined."""
        for block in self.blocks[-depth:]:
            self.mined = {h: r for h, r in self.mined.items() if r["blockHash"] != block["hash"]}
        del self.blocks[-depth:]

    def request(self, method: str, *params: Any) -> Any:
        """Answer as a node would."""
        handler = getattr(self, method)
        return handler(*params)

    def request_all(self, method: str, *params: Any) -> list[Any]:
        """Answer as several endpoints would."""
        try:
            return [self.request(method, *params)]
        except RpcError as refusal:
            return [refusal]

    def ask_others(self, method: str, *params: Any) -> list[tuple[str, Any]]:
        """Answer as the endpoints that are not in use."""
        return [(name, other.request(method, *params)) for name, other in self.others.items()]

    @contextmanager
    def pinned(self) -> Iterator[None]:
        """Read from this node alone."""
        yield

    def eth_chainId(self) -> str:
        return hex(CHAIN_ID)

    def eth_getBlockByNumber(self, tag: str, full: bool) -> Any:
        number = len(self.blocks) - 1 if tag == "latest" else int(tag, 16)
        return self.blocks[number] if number < len(self.blocks) else None

    def eth_getLogs(self, query: dict[str, Any]) -> Any:
        first, last = int(query["fromBlock"], 16), int(query["toBlock"], 16)
        blocks = self.blocks[first : last + 1]
        return [log for block in blocks for log in self.logs[block["hash"]]]

    def eth_getTransactionCount(self, account: str, tag: str) -> str:
        pooled = self.pool.values() if tag == "pending" else ()
        used = [n for s, n in [*pooled, *self.counted.values()] if s == account]
        return hex(max(used, default=-1) + 1)

    def eth_getBalance(self, account: str, tag: str) -> str:
        return hex(self.balance)

    def eth_estimateGas(self, fields: dict[str, str]) -> str:
        if self.revert_data is not None:
            raise RpcError("eth_estimateGas", 3, "execution reverted", self.revert_data)
        return hex(40_000)

    def eth_call(self, fields: dict[str, str], block: str) -> str:
        if self.revert_data is not None:
            raise RpcError("eth_call", 3, "execution reverted", self.revert_data)
        return "0x"

    def eth_sendRawTransaction(self, raw: str) -> str:
        self.broadcasts.append(raw)
        if self.refusal is not None:
            raise self.refusal
        tx_hash = "0x" + keccak(hexstr=raw).hex()
        if tx_hash in self.pool:
            raise RpcError("eth_sendRawTransaction", -32000, "already known", None)
        sender, nonce = Account.recover_transaction(raw), nonce_of(raw)
        if nonce < int(self.eth_getTransactionCount(sender, "pending"), 16) and not any(
            pooled == (sender, nonce) for pooled in self.pool.values()
        ):
            raise RpcError("eth_sendRawTransaction", -32000, "nonce too low", None)
        self.pool = {h: p for h, p in self.pool.items() if p != (sender, nonce)}
        self.pool[tx_hash] = (sender, nonce)
        return tx_hash

    def eth_getTransactionReceipt(self, tx_hash: str) -> Any:
        return self.mined.get(tx_hash)


def nonce_of(raw: str) -> int:
    """Return the nonce of a signed EIP-1559 transaction."""
    import rlp

    fields = rlp.decode(bytes.fromhex(raw[2:])[1:], strict=False)
    return big_endian_to_int(fields[1]) if fields[1] else 0
