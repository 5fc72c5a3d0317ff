"""A reorg-safe cursor over a deployment's events, stored beside the journal."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from offchain.chain.abi import ContractAbi, DecodedEvent
from offchain.chain.client import ChainClient
from offchain.types import Address

MAX_SPAN: Final = 500  # blocks asked for at once; public nodes refuse wide ranges
REMEMBERED: Final = 256  # block hashes kept: the deepest reorg that is undone exactly
SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS blocks (number INTEGER PRIMARY KEY, hash TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS events (
  block INTEGER NOT NULL, log INTEGER NOT NULL, block_hash TEXT NOT NULL, tx TEXT NOT NULL,
  contract TEXT NOT NULL, name TEXT NOT NULL, arguments TEXT NOT NULL,
  PRIMARY KEY (block, log)
);
CREATE INDEX IF NOT EXISTS events_by_name ON events (name);
"""


class EventCursor:
    """Follows the canonical chain, `confirmations` blocks behind its head.

    Every scanned range ends in a remembered block hash. When the chain no longer has that block,
    the cursor walks back to the last one that it still has and forgets every event above it.
    """

    def __init__(
        self,
        path: Path,
        client: ChainClient,
        contracts: Mapping[Address, ContractAbi],
        first_block: int,
        confirmations: int,
    ) -> None:
        self._db = sqlite3.connect(path, timeout=10.0, isolation_level=None)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.executescript(SCHEMA)
        self._client = client
        self._contracts = {address.lower(): abi for address, abi in contracts.items()}
        self._first_block = first_block
        self._confirmations = confirmations

    def advance(self) -> int:
        """Read everything up to the confirmed head; return the last block that was read."""
        self._rewind_reorged_blocks()
        # Confirmations count the block itself: 1 means the head is good enough.
        last = self._client.get_head().number - (self._confirmations - 1)
        position = self.get_position()
        while position < last:
            end = min(position + MAX_SPAN, last)
            if not self._read_range(position + 1, end):
                break  # the chain moved while it was read; the next call rewinds
            position = end
        return position

    def get_position(self) -> int:
        """Return the last block that was read, or the one before the first."""
        row = self._db.execute("SELECT MAX(number) FROM blocks").fetchone()
        return self._first_block - 1 if row[0] is None else int(row[0])

    def get_events(self, name: str | None = None) -> tuple[DecodedEvent, ...]:
        """Return the canonical events read so far, in chain order."""
        rows = self._db.execute(
            "SELECT contract,name,arguments,block,block_hash,log,tx FROM events "
            "WHERE ? IS NULL OR name=? ORDER BY block, log",
            (name, name),
        )
        return tuple(
            DecodedEvent(r[0], r[1], _load_arguments(r[2]), r[3], r[4], r[5], r[6]) for r in rows
        )

    def _rewind_reorged_blocks(self) -> None:
        rows = self._db.execute("SELECT number, hash FROM blocks ORDER BY number DESC").fetchall()
        common = self._first_block - 1
        for number, block_hash in rows:
            block = self._client.get_block(number)
            if block is not None and block.hash == block_hash:
                common = number
                break
        if rows and common < rows[0][0]:
            self._forget_above(common)

    def _forget_above(self, number: int) -> None:
        self._db.execute("BEGIN IMMEDIATE")
        self._db.execute("DELETE FROM blocks WHERE number>?", (number,))
        self._db.execute("DELETE FROM events WHERE block>?", (number,))
        self._db.execute("COMMIT")

    def _read_range(self, first: int, last: int) -> bool:
        logs = self._client.get_logs(list(self._contracts), first, last)
        end = self._client.get_block(last)
        if end is None or any(
            int(log["blockNumber"], 16) == last and log["blockHash"] != end.hash for log in logs
        ):
            return False
        self._store(self._decode(logs), last, end.hash)
        return True

    def _decode(self, logs: Sequence[Mapping[str, Any]]) -> list[DecodedEvent]:
        events = [self._contracts[log["address"].lower()].decode_event(log) for log in logs]
        return [event for event in events if event is not None]

    def _store(self, events: Sequence[DecodedEvent], last: int, block_hash: str) -> None:
        self._db.execute("BEGIN IMMEDIATE")
        self._db.executemany(
            "INSERT OR REPLACE INTO events VALUES (?,?,?,?,?,?,?)",
            [
                (
                    e.block_number, e.log_index, e.block_hash, e.tx_hash, e.contract, e.name,
                    _dump_arguments(e.arguments),
                )
                for e in events
            ],
        )  # fmt: skip
        self._db.execute("INSERT OR REPLACE INTO blocks VALUES (?,?)", (last, block_hash))
        self._db.execute("DELETE FROM blocks WHERE number<=?", (last - REMEMBERED,))
        self._db.execute("COMMIT")


def _dump_arguments(arguments: Mapping[str, Any]) -> str:
    return json.dumps({k: _plain(v) for k, v in arguments.items()}, sort_keys=True)


def _plain(value: Any) -> Any:
    """Return a JSON form that _load_arguments undoes; integers may exceed 64 bits."""
    if isinstance(value, bytes):
        return {"bytes": value.hex()}
    if isinstance(value, (tuple, list)):
        return [_plain(item) for item in value]
    return value


def _load_arguments(text: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(text, object_hook=_restore)
    return loaded


def _restore(value: dict[str, Any]) -> Any:
    return bytes.fromhex(value["bytes"]) if set(value) == {"bytes"} else value
