"""Sessions as people name them, and their events."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import click

from offchain.cli.lookup import DIGITS, PREFIX
from offchain.errors import ConfigError
from offchain.types import SessionId

if TYPE_CHECKING:
    from offchain.chain.client import ChainClient
    from offchain.chain.manifest import Manifest
    from offchain.roles.account import Account
    from offchain.roles.context import Contracts

OPENED: Final = "SessionOpened"
Command = Callable[..., None]


def session_option(command: Command) -> Command:
    """Add --session."""
    return click.option(
        "--session",
        required=True,
        help="Session's id, 0x and 64 hex digits, or its first digits where no other begins so.",
    )(command)


def find(account: Account, named: str) -> SessionId:
    """Return the session that a signing command names."""
    return find_session(account.client, account.manifest, account.contracts, named)


def find_session(
    client: ChainClient, manifest: Manifest, contracts: Contracts, named: str
) -> SessionId:
    """Return the session of an id or of its first digits; raise ConfigError unless it is one."""
    text = named.strip().lower()
    if not PREFIX.fullmatch(text):
        raise ConfigError(f"session {named!r}: 0x and up to {DIGITS} hex digits")
    prefix = "0x" + text.removeprefix("0x")
    whole = SessionId(prefix) if len(prefix) == DIGITS + 2 else None
    events = read_events(client, manifest, contracts, OPENED, whole)
    found = {"0x" + event.arguments["sessionId"].hex() for event in events}
    matching = sorted(session for session in found if session.startswith(prefix))
    if len(matching) != 1:
        told = "is ambiguous" if matching else "is none of this chain"
        raise ConfigError(f"session {prefix} {told}")
    return SessionId(matching[0])


def read_events(
    client: ChainClient,
    manifest: Manifest,
    contracts: Contracts,
    name: str,
    session: SessionId | None,
) -> list[Any]:
    """Return the chain's events of a name, of one session or of all, oldest first."""
    sessions = contracts.sessions
    topics: list[str | None] = [sessions.abi.get_topic(name), session]
    last = client.get_head().number
    logs = client.collect_logs([sessions.address], manifest.first_block, last, topics)
    return [event for log in logs if (event := sessions.abi.decode_event(log)) is not None]
