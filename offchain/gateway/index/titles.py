"""Why an account is credited: told by who it is and by what went before."""

from __future__ import annotations

from typing import Final

from offchain.gateway.index.changes import Changes
from offchain.gateway.index.tables import Body
from offchain.types import BatchState, DisputeState, JobState

# Parts of a settlement, in the order of the vault's steps (`contracts/core/StakeVault.sol`).
ESCROW: Final = "escrow"
BONDS: Final = "bonds"
SLASH: Final = "slash"
PAID: Final = frozenset({JobState.FINAL, JobState.PROVEN})


def begin(funds: Body, part: str) -> None:
    """Begin a part of a settlement: the credits and burns that follow belong to it."""
    funds["part"], funds["taken"] = part, []


def find_title(changes: Changes, funds: Body, key: str, account: str) -> str:
    """Return the title of a credit.

    Within a part of the settlement each role is credited at most once, in a fixed order, so one
    account in two roles is told apart.
    """
    if funds["part"] is None and _is_quorums(changes, funds, key):
        funds["escrow"] = 0
        begin(funds, ESCROW)
    if funds["part"] is None:
        return "excess"  # sent beyond a bond
    if funds["part"] == BONDS:
        return "bondWon" if _is_won(changes, funds, key, account) else "bondReturned"
    if funds["part"] == SLASH:
        return _take_role(funds, account, _list_slash_roles(changes, key)) or "reward"
    return _take_role(funds, account, _list_escrow_roles(changes, key)) or "tip"


def _is_quorums(changes: Changes, funds: Body, key: str) -> bool:
    """Tell the money of a quorum, or of a replica that is no job: the vault alone tells its end."""
    kinds = ("job", "batch", "session")
    return not funds["bonders"] and all(changes.find(kind, key) is None for kind in kinds)


def _is_won(changes: Changes, funds: Body, key: str, account: str) -> bool:
    dispute = changes.find("dispute", key)
    if dispute is not None:
        return bool(dispute["state"] == DisputeState.DEFENDER_PROVEN)
    # A dispute over a trace, of which only the money is told here.
    return account not in funds["bonders"]


def _take_role(funds: Body, account: str, roles: list[tuple[str, str | None]]) -> str | None:
    for title, somebody in roles:
        if somebody == account and title not in funds["taken"]:
            funds["taken"] = [*funds["taken"], title]
            return title
    return None


def _list_slash_roles(changes: Changes, key: str) -> list[tuple[str, str | None]]:
    job = changes.find("job", key)
    return [] if job is None else [("compensation", job["client"])]


def _list_escrow_roles(changes: Changes, key: str) -> list[tuple[str, str | None]]:
    if (job := changes.find("job", key)) is not None:
        return _list_roles(changes, job, JobState(job["state"]) in PAID)
    if (batch := changes.find("batch", key)) is not None:
        session = changes.find("session", batch["session"])
        if session is not None:
            parties = {**session, "operator": batch["operator"]}
            return _list_roles(changes, parties, batch["state"] == BatchState.FINAL)
    if (session := changes.find("session", key)) is not None:
        return [("refund", session["client"])]
    funds = changes.find("funds", key)
    return [] if funds is None else [("fee", funds["operator"]), ("refund", funds["payer"])]


def _list_roles(changes: Changes, parties: Body, is_paid: bool) -> list[tuple[str, str | None]]:
    refund: tuple[str, str | None] = ("refund", parties["client"])
    if not is_paid:
        return [refund]
    version = changes.find("version", parties["version"])
    owner = None if version is None else version["owner"]
    return [("fee", parties["operator"]), refund, ("royalty", owner)]
