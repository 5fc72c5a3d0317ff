"""The index as the cursor keeps it: every event, in chain order, through its handler."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Connection, func, select

from offchain.chain.abi import DecodedEvent
from offchain.chain.event_store import Position
from offchain.gateway.index import disputes, jobs, registry, sessions, vault
from offchain.gateway.index.changes import Changes, Fact, clear, undo
from offchain.gateway.index.records import Deployment, Handler, name_id, name_somebody
from offchain.gateway.index.tables import POSITIONS

HANDLERS: Final[Mapping[str, Handler]] = {
    **registry.HANDLERS,
    **vault.HANDLERS,
    **jobs.HANDLERS,
    **disputes.HANDLERS,
    **sessions.HANDLERS,
}
LEDGER: Final = "StakeVault"
# Arguments that name what has a page of its own.
IDS: Final = ("jobId", "batchId", "sessionId", "from", "to")
ACCOUNTS: Final = ("account", "owner", "operator", "payer", "challenger", "worker", "previous")


class IndexProjection:
    """Keeps the tables; `touched` is what changed since it was last asked to forget it."""

    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment
        self.touched: set[str] = set()  # ids of jobs, sessions and batches
        self.has_changed = False
        self.rewound_to: int | None = None

    def forget_changes(self) -> None:
        """Begin to note changes afresh."""
        self.touched, self.has_changed, self.rewound_to = set(), False, None

    def apply(
        self,
        connection: Connection,
        events: Sequence[DecodedEvent],
        end: Position,
        times: Mapping[int, int],
    ) -> None:
        """Take in what was read up to `end`, in chain order."""
        changes = Changes(connection)
        facts = [_make_fact(event, times) for event in events]
        _prefetch(changes, facts)
        for fact in facts:
            for kind, key in _list_pages(fact):
                changes.link(kind, key, fact)
            handler = HANDLERS.get(fact.name)
            if handler is not None:
                handler(changes, fact, self._deployment)
        changes.flush(end, times)
        self.touched |= {key for fact in facts for key in _list_ids(fact)}
        self.has_changed = True

    def undo(self, connection: Connection, number: int) -> None:
        """Be what was there when a block was the last that was read, or empty before the first."""
        p = POSITIONS.c
        known = select(func.count()).where(p.number <= number)
        if connection.execute(known).scalar_one():
            undo(connection, number)
        else:
            clear(connection)
        self.has_changed = True
        self.rewound_to = number


def _make_fact(event: DecodedEvent, times: Mapping[int, int]) -> Fact:
    return Fact(
        contract=event.contract,
        name=event.name,
        arguments=event.arguments,
        block=event.block_number,
        log=event.log_index,
        tx=event.tx_hash,
        time=times.get(event.block_number, 0),
    )


def _list_ids(fact: Fact) -> Iterator[str]:
    for name in IDS:
        value: Any = fact.arguments.get(name)
        if isinstance(value, bytes):
            yield name_id(value)


def _list_accounts(fact: Fact) -> Iterator[str]:
    if fact.contract != LEDGER:
        return
    for name in ACCOUNTS:
        value: Any = fact.arguments.get(name)
        somebody = None if value is None else name_somebody(value)
        if somebody is not None:
            yield somebody


def _list_pages(fact: Fact) -> Iterator[tuple[str, str]]:
    for key in _list_ids(fact):
        yield "id", key
    for key in _list_accounts(fact):
        yield "account", key


def _prefetch(changes: Changes, facts: Sequence[Fact]) -> None:
    """Read at once what the handlers will ask for one by one."""
    ids = {key for fact in facts for key in _list_ids(fact)}
    for kind in ("job", "funds", "dispute", "batch", "session"):
        changes.prefetch(kind, ids)
    changes.prefetch("account", {key for fact in facts for key in _list_accounts(fact)})
