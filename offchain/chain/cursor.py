"""A reorg-safe cursor over a deployment's events."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from sqlalchemy import MetaData

from offchain.chain.abi import ContractAbi, DecodedEvent
from offchain.chain.client import ChainClient
from offchain.chain.database import Place
from offchain.chain.event_store import (
    SCHEMA,
    EventStore,
    Position,
    Projection,
    compute_deployment_key,
)
from offchain.chain.rpc import Notify, RpcError, ignore, is_range_refusal
from offchain.types import Address

MAX_SPAN: Final = 500  # blocks asked for at once; public nodes refuse wide ranges
# After one of these a job, a batch, a session or a quorum asks for nothing any more. JobRejected is
# none: its slash still waits.
TERMINAL_EVENTS: Final = frozenset(
    {
        "BatchFinalised", "BatchVoided", "SessionVoided", "SessionClosed",
        "DisputeVoided", "JobCancelled", "JobExpired", "JobFailed", "JobFinalised", "JobProven",
        "JobRefused", "JobVoided", "QuorumEnded", "SlashCured", "SlashDistributed",
    }
)  # fmt: skip


class EventCursor:
    """Follows the canonical chain, `confirmations` blocks behind its head.

    Every scanned range ends in a remembered block hash. When the chain no longer has that block,
    the cursor walks back to the last one that it still has and forgets every event above it.
    While two endpoints hold different blocks at the confirmed height, it waits.
    """

    def __init__(
        self,
        place: Place | Path,
        client: ChainClient,
        contracts: Mapping[Address, ContractAbi],
        first_block: int,
        confirmations: int,
        terminal: Collection[str] = TERMINAL_EVENTS,
        notify: Notify = ignore,
        projection: Projection | None = None,
        schema: MetaData = SCHEMA,
    ) -> None:
        self._store = EventStore(
            place if isinstance(place, Place) else Place(place),
            compute_deployment_key(client.chain_id, contracts),
            terminal,
            projection,
            schema,
        )
        self._needs_times = projection is not None
        self._client = client
        self._contracts = {address.lower(): abi for address, abi in contracts.items()}
        self._first_block = first_block
        self._confirmations = confirmations
        self._notify = notify
        self._span = MAX_SPAN
        self.rewinds = 0  # reorganisations that this object has undone

    def close(self) -> None:
        """Release the database."""
        self._store.close()

    def advance(self) -> int:
        """Read everything up to the confirmed head; return the last block that was read."""
        self._rewind_reorged_blocks()
        # Confirmations count the block itself: 1 means the head is good enough.
        last = self._client.get_head().number - (self._confirmations - 1)
        position = self._store.get_position(self._first_block)
        while position.number < last:
            end = self._read_next(position, last)
            if end is None:
                break  # the chain moved while it was read; the next call rewinds
            position = end
        return position.number

    def get_position(self) -> int:
        """Return the last block that was read, or the one before the first."""
        return self._store.get_position(self._first_block).number

    def get_events(
        self, name: str | None = None, job: str | None = None
    ) -> tuple[DecodedEvent, ...]:
        """Return the canonical events read so far, in chain order; of one name or job, if given."""
        return self._store.get_events(name, job)

    def get_live_jobs(self) -> tuple[str, ...]:
        """Return the jobs that confirmed events name and no terminal event has closed."""
        return self._store.get_live_jobs()

    def is_known(self, job: str) -> bool:
        """Whether a confirmed event belongs to this job, batch or session, closed or not."""
        return self._store.is_known(job)

    def get_last_blocks(self) -> Mapping[str, int]:
        """Return the block of each live job's last event."""
        return self._store.get_last_blocks()

    def _rewind_reorged_blocks(self) -> None:
        blocks = self._store.get_blocks()
        common = self._first_block - 1
        for remembered in blocks:
            block = self._client.get_block(remembered.number)
            if block is not None and block.hash == remembered.hash:
                common = remembered.number
                break
        if blocks and common < blocks[0].number:
            self._notify("reorganised", from_block=blocks[0].number, to_block=common)
            self._store.forget_above(common)
            self.rewinds += 1

    def _read_next(self, position: Position, last: int) -> Position | None:
        """Read one range; where a node finds it too wide, half of it."""
        while True:
            end = min(position.number + self._span, last)
            try:
                read = self._read_range(position, end)
            except RpcError as error:
                width = end - position.number
                if width == 1 or not is_range_refusal(error):
                    raise
                self._span = width // 2
                continue
            self._span = min(MAX_SPAN, self._span + self._span // 4 + 1)
            return read

    def _read_range(self, before: Position, last: int) -> Position | None:
        """Read the blocks above `before`, all from one branch of one node, or return None.

        The last block is the same before and after the logs are read, and the first one still
        stands on what was remembered in between: so all of it was one branch.
        """
        with self._client.pinned():
            end = self._client.get_block(last)
            if end is None or not self._is_canonical(before):
                return None
            logs = self._client.get_logs(list(self._contracts), before.number + 1, last)
            times = self._read_times(logs) if self._needs_times else {}
            again = self._client.get_block(last)
        if again is None or again.hash != end.hash:
            return None  # what was read between the two may be of both branches
        if any(
            int(log["blockNumber"], 16) == last and log["blockHash"] != end.hash for log in logs
        ):
            return None
        others = self._client.find_disagreement(last, end.hash)
        if others:
            self._notify("endpoints-disagree", block=last, hash=end.hash, others=others)
            return None
        events = [self._contracts[log["address"].lower()].decode_event(log) for log in logs]
        position = Position(last, end.hash, end.timestamp)
        known = [event for event in events if event is not None]
        stored = self._store.append(before, self._first_block, known, position, times)
        return position if stored else None

    def _read_times(self, logs: Sequence[Mapping[str, Any]]) -> dict[int, int]:
        """Return the timestamps of the logs' blocks: nodes that write them into logs are spared."""
        times: dict[int, int] = {}
        for log in logs:
            number, told = int(log["blockNumber"], 16), log.get("blockTimestamp")
            if told is not None:
                times[number] = int(told, 16)
            elif number not in times:
                block = self._client.get_block(number)
                times[number] = 0 if block is None else block.timestamp
        return times

    def _is_canonical(self, position: Position) -> bool:
        if not position.hash:
            return True  # nothing was read yet
        block = self._client.get_block(position.number)
        return block is not None and block.hash == position.hash
