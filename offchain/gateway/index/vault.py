"""Money: accounts, and the funds of whatever has an id, as the vault's events tell them.

The vault says who was credited how much; why is told by who that is and by what went before.
"""

from __future__ import annotations

from typing import Final

from offchain.gateway.index.changes import Changes, Fact
from offchain.gateway.index.records import (
    Deployment,
    Handlers,
    add,
    get_account,
    name_account,
    name_id,
    name_somebody,
    set_operator,
)
from offchain.gateway.index.tables import Body
from offchain.types import ETH, BatchState, DisputeState, JobState

# Parts of a settlement, in the order of the vault's steps (`contracts/core/StakeVault.sol`).
ESCROW: Final = "escrow"
BONDS: Final = "bonds"
SLASH: Final = "slash"
PAID: Final = frozenset({JobState.FINAL, JobState.PROVEN})


def get_funds(changes: Changes, fact: Fact, key: str) -> Body:
    """Return the money record of a job, a session or a batch."""
    initial: Body = {
        "id": key,
        "escrow": 0,
        "lock": 0,
        "lockStatus": "none",
        "fined": 0,
        "bonds": 0,
        "burned": {},
        "payments": [],
        "part": None,  # of the settlement, which runs through the parts once
        "taken": [],  # roles that were paid in this part
    }
    return changes.get("funds", key, fact, initial)


def close_escrow(changes: Changes, fact: Fact, key: str) -> None:
    """Begin a settlement: all of the escrow goes out in the credits and burns that follow."""
    funds = get_funds(changes, fact, key)
    funds["escrow"] = 0
    _begin(funds, ESCROW)


def _begin(funds: Body, part: str) -> None:
    funds["part"], funds["taken"] = part, []


def _own(fact: Fact) -> str:
    return name_id(fact.arguments["jobId"])


def _get_tokens(changes: Changes, fact: Fact, address: str, token: str) -> dict[str, int]:
    """Return an account's sums in one token; those that are 0 may be missing."""
    account = get_account(changes, fact, address)
    sums: dict[str, int] = account["tokens"].setdefault(name_account(token), {})
    return sums


def _get_total(changes: Changes, fact: Fact, token: str) -> dict[str, int]:
    key = name_account(token)
    return changes.get("token", key, fact, {"token": key, "sums": {}})["sums"]  # type: ignore[no-any-return]


# Stake and credit


def on_deposited(changes: Changes, fact: Fact, _: Deployment) -> None:
    """Note: an owner's free stake grows."""
    arguments = fact.arguments
    sums = _get_tokens(changes, fact, arguments["owner"], arguments["token"])
    for name in ("free", "deposited"):
        add(sums, name, arguments["amount"])
    add(_get_total(changes, fact, arguments["token"]), "deposited", arguments["amount"])
    set_operator(changes, fact, get_account(changes, fact, arguments["owner"]))


def on_unbond_requested(changes: Changes, fact: Fact, _: Deployment) -> None:
    """Note: free stake is on its way out."""
    arguments = fact.arguments
    sums = _get_tokens(changes, fact, arguments["owner"], arguments["token"])
    add(sums, "free", -arguments["amount"])
    add(sums, "unbonding", arguments["amount"])
    sums["unbondReadyAt"] = arguments["readyAt"]


def on_unbonded_withdrawn(changes: Changes, fact: Fact, _: Deployment) -> None:
    """Note: stake left the vault."""
    arguments = fact.arguments
    sums = _get_tokens(changes, fact, arguments["owner"], arguments["token"])
    add(sums, "unbonding", -arguments["amount"])
    add(sums, "withdrawn", arguments["amount"])
    add(_get_total(changes, fact, arguments["token"]), "withdrawn", arguments["amount"])


def on_funded(changes: Changes, fact: Fact, _: Deployment) -> None:
    """Note: credit came in from outside."""
    arguments = fact.arguments
    sums = _get_tokens(changes, fact, arguments["account"], arguments["token"])
    for name in ("credit", "funded"):
        add(sums, name, arguments["amount"])
    add(_get_total(changes, fact, arguments["token"]), "funded", arguments["amount"])


def on_credit_withdrawn(changes: Changes, fact: Fact, _: Deployment) -> None:
    """Note: credit left the vault."""
    arguments = fact.arguments
    sums = _get_tokens(changes, fact, arguments["account"], arguments["token"])
    add(sums, "credit", -arguments["amount"])
    add(sums, "paidOut", arguments["amount"])
    add(_get_total(changes, fact, arguments["token"]), "paidOut", arguments["amount"])


# Escrows


def on_escrow_added(changes: Changes, fact: Fact, _: Deployment) -> None:
    """Note: a client paid for a job, a delivery or a session."""
    arguments = fact.arguments
    get_funds(changes, fact, _own(fact))["escrow"] += arguments["amount"]
    sums = _get_tokens(changes, fact, arguments["payer"], arguments["token"])
    add(sums, "spent", arguments["amount"])


def on_credit_charged(changes: Changes, fact: Fact, _: Deployment) -> None:
    """Note: a client paid for an order out of its credit."""
    arguments = fact.arguments
    get_funds(changes, fact, _own(fact))["escrow"] += arguments["amount"]
    sums = _get_tokens(changes, fact, arguments["account"], arguments["token"])
    add(sums, "credit", -arguments["amount"])
    add(sums, "spent", arguments["amount"])


def on_escrow_moved(changes: Changes, fact: Fact, _: Deployment) -> None:
    """Note: from a session to a batch, or from a batch to a job."""
    source, target = name_id(fact.arguments["from"]), name_id(fact.arguments["to"])
    get_funds(changes, fact, source)["escrow"] -= fact.arguments["amount"]
    get_funds(changes, fact, target)["escrow"] += fact.arguments["amount"]


# Locks


def on_stake_locked(changes: Changes, fact: Fact, _: Deployment) -> None:
    """Note: stake stands behind a job or a batch."""
    arguments = fact.arguments
    funds = get_funds(changes, fact, _own(fact))
    funds["lock"], funds["lockStatus"] = funds["lock"] + arguments["amount"], "active"
    sums = _get_tokens(changes, fact, arguments["operator"], arguments["token"])
    add(sums, "free", -arguments["amount"])
    add(sums, "locked", arguments["amount"])


def on_lock_moved(changes: Changes, fact: Fact, _: Deployment) -> None:
    """Note: from a batch to a job; no account's stake changes."""
    source, target = name_id(fact.arguments["from"]), name_id(fact.arguments["to"])
    get_funds(changes, fact, source)["lock"] -= fact.arguments["amount"]
    funds = get_funds(changes, fact, target)
    funds["lock"], funds["lockStatus"] = funds["lock"] + fact.arguments["amount"], "active"


def on_lock_released(changes: Changes, fact: Fact, _: Deployment) -> None:
    """Note: the lock is the operator's again, but for a fine."""
    arguments = fact.arguments
    funds = get_funds(changes, fact, _own(fact))
    funds["lock"], funds["lockStatus"], funds["fined"] = 0, "released", arguments["fined"]
    sums = _get_tokens(changes, fact, arguments["operator"], arguments["token"])
    add(sums, "locked", -(arguments["returned"] + arguments["fined"]))
    add(sums, "free", arguments["returned"])
    add(sums, "fined", arguments["fined"])


def on_lock_slashed(changes: Changes, fact: Fact, _: Deployment) -> None:
    """Note: the lock is taken and held."""
    arguments = fact.arguments
    get_funds(changes, fact, _own(fact))["lockStatus"] = "slashed"
    sums = _get_tokens(changes, fact, arguments["operator"], arguments["token"])
    add(sums, "locked", -arguments["amount"])
    add(sums, "slashed", arguments["amount"])
    add(_get_total(changes, fact, arguments["token"]), "slashed", arguments["amount"])


def on_slash_divided(changes: Changes, fact: Fact, _: Deployment) -> None:
    """Note: the held lock is divided; what is returned counts as slashed no longer."""
    arguments = fact.arguments
    funds = get_funds(changes, fact, _own(fact))
    funds["lock"], funds["lockStatus"] = 0, "divided"
    _begin(funds, SLASH)
    sums = _get_tokens(changes, fact, arguments["operator"], arguments["token"])
    add(sums, "free", arguments["returned"])
    add(sums, "slashed", -arguments["returned"])
    add(_get_total(changes, fact, arguments["token"]), "slashed", -arguments["returned"])


def on_stake_slashed(changes: Changes, fact: Fact, _: Deployment) -> None:
    """Note: stake beyond the lock is burned."""
    arguments = fact.arguments
    sums = _get_tokens(changes, fact, arguments["operator"], arguments["token"])
    add(sums, "free", -arguments["fromFree"])
    add(sums, "unbonding", -arguments["fromUnbonding"])
    slashed = arguments["fromFree"] + arguments["fromUnbonding"]
    add(sums, "slashed", slashed)
    add(_get_total(changes, fact, arguments["token"]), "slashed", slashed)


# Bonds


def on_bond_added(changes: Changes, fact: Fact, _: Deployment) -> None:
    """Note: a challenger's bond."""
    arguments = fact.arguments
    get_funds(changes, fact, _own(fact))["bonds"] += arguments["amount"]
    add(_get_tokens(changes, fact, arguments["challenger"], ETH), "bonded", arguments["amount"])


def on_bonds_settled(changes: Changes, fact: Fact, _: Deployment) -> None:
    """Note: all bonds go out in the credits and burns that follow."""
    funds = get_funds(changes, fact, _own(fact))
    funds["bonds"] = 0
    _begin(funds, BONDS)


# Credits


def on_credited(changes: Changes, fact: Fact, _: Deployment) -> None:
    """Note: somebody is paid; under which title is noted with it."""
    arguments = fact.arguments
    key, account = _own(fact), name_account(arguments["account"])
    funds = get_funds(changes, fact, key)
    title = _find_title(changes, funds, key, account)
    payment = {
        "account": account,
        "token": name_account(arguments["token"]),
        "amount": arguments["amount"],
        "title": title,
        "at": fact.time,
        "tx": fact.tx,
    }
    funds["payments"] = [*funds["payments"], payment]
    sums = _get_tokens(changes, fact, account, arguments["token"])
    add(sums, "credit", arguments["amount"])
    add(sums, title, arguments["amount"])
    add(_get_total(changes, fact, arguments["token"]), title, arguments["amount"])


def _find_title(changes: Changes, funds: Body, key: str, account: str) -> str:
    """Return why an account is credited.

    Within a part of the settlement each role is credited at most once, in a fixed order, so one
    account in two roles is told apart.
    """
    if funds["part"] is None:
        return "excess"  # sent beyond a bond
    if funds["part"] == BONDS:
        dispute = changes.find("dispute", key)
        is_won = dispute is not None and dispute["state"] == DisputeState.DEFENDER_PROVEN
        return "bondWon" if is_won else "bondReturned"
    if funds["part"] == SLASH:
        return _take_role(funds, account, _list_slash_roles(changes, key)) or "reward"
    return _take_role(funds, account, _list_escrow_roles(changes, key)) or "tip"


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
    return []


def _list_roles(changes: Changes, parties: Body, is_paid: bool) -> list[tuple[str, str | None]]:
    refund: tuple[str, str | None] = ("refund", parties["client"])
    if not is_paid:
        return [refund]
    version = changes.find("version", parties["version"])
    owner = None if version is None else version["owner"]
    return [("fee", parties["operator"]), refund, ("royalty", owner)]


def on_burned(changes: Changes, fact: Fact, _: Deployment) -> None:
    """Note: money that nobody can reach any more."""
    token, amount = fact.arguments["token"], fact.arguments["amount"]
    add(get_funds(changes, fact, _own(fact))["burned"], name_account(token), amount)
    add(_get_total(changes, fact, token), "burned", amount)


# Workers and standing


def on_worker_proposed(changes: Changes, fact: Fact, _: Deployment) -> None:
    """Note: an owner would like somebody to work for it."""
    account = get_account(changes, fact, fact.arguments["owner"])
    account["proposedWorker"] = name_somebody(fact.arguments["worker"])
    set_operator(changes, fact, account)


def on_worker_set(changes: Changes, fact: Fact, _: Deployment) -> None:
    """Note: an owner's worker begins or ends its service."""
    arguments = fact.arguments
    previous, worker = name_somebody(arguments["previous"]), name_somebody(arguments["worker"])
    owner = get_account(changes, fact, arguments["owner"])
    if previous is not None:
        get_account(changes, fact, previous)["serves"] = None
    if worker is not None:
        get_account(changes, fact, worker)["serves"] = owner["address"]
        owner["proposedWorker"] = None
    owner["worker"] = worker
    set_operator(changes, fact, owner)


def on_jailed(changes: Changes, fact: Fact, _: Deployment) -> None:
    """Note: the operator takes no jobs; misses that led here count no more."""
    account = get_account(changes, fact, fact.arguments["operator"])
    account["jailedUntil"] = fact.arguments["until"]
    if account["lastMiss"] == [fact.block, fact.log - 1]:
        account["misses"] = account["missWindowStart"] = 0


def on_unjailed(changes: Changes, fact: Fact, _: Deployment) -> None:
    """Note: the operator may take jobs again."""
    get_account(changes, fact, fact.arguments["operator"])["jailedUntil"] = 0


def on_miss(changes: Changes, fact: Fact, _: Deployment) -> None:
    """Note: the operator missed a deadline."""
    account = get_account(changes, fact, fact.arguments["operator"])
    account["misses"] = fact.arguments["misses"]
    account["missWindowStart"] = fact.arguments["windowStart"]
    account["lastMiss"] = [fact.block, fact.log]


HANDLERS: Final[Handlers] = {
    "Deposited": on_deposited,
    "UnbondRequested": on_unbond_requested,
    "UnbondedWithdrawn": on_unbonded_withdrawn,
    "Funded": on_funded,
    "CreditWithdrawn": on_credit_withdrawn,
    "EscrowAdded": on_escrow_added,
    "CreditCharged": on_credit_charged,
    "EscrowMoved": on_escrow_moved,
    "StakeLocked": on_stake_locked,
    "LockMoved": on_lock_moved,
    "LockReleased": on_lock_released,
    "LockSlashed": on_lock_slashed,
    "SlashDivided": on_slash_divided,
    "StakeSlashed": on_stake_slashed,
    "BondAdded": on_bond_added,
    "BondsSettled": on_bonds_settled,
    "Credited": on_credited,
    "Burned": on_burned,
    "WorkerProposed": on_worker_proposed,
    "WorkerSet": on_worker_set,
    "Jailed": on_jailed,
    "Unjailed": on_unjailed,
    "MissRecorded": on_miss,
}
