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
from offchain.gateway.index.titles import BONDS, ESCROW, SLASH, begin, find_title
from offchain.types import ETH


def get_funds(changes: Changes, fact: Fact, key: str) -> Body:
    """Return the money record of a job, a session, a batch, a quorum or a dispute over a trace."""
    initial: Body = {
        "id": key,
        "escrow": 0,
        "lock": 0,
        "lockStatus": "none",
        "fined": 0,
        "bonds": 0,
        "burned": {},
        "payer": None,  # who gets back what is left of the escrow
        "operator": None,  # of the lock
        "bonders": [],
        "payments": [],
        "part": None,  # of the settlement, which runs through the parts once
        "taken": [],  # roles that were paid in this part
    }
    return changes.get("funds", key, fact, initial)


def close_escrow(changes: Changes, fact: Fact, key: str) -> None:
    """Begin a settlement: all of the escrow goes out in the credits and burns that follow."""
    funds = get_funds(changes, fact, key)
    funds["escrow"] = 0
    begin(funds, ESCROW)


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
    funds = get_funds(changes, fact, _own(fact))
    funds["escrow"] += arguments["amount"]
    funds["payer"] = name_account(arguments["payer"])
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
    """Note: from a session to a batch, from a batch to a job, or from a quorum to a replica."""
    source, target = name_id(fact.arguments["from"]), name_id(fact.arguments["to"])
    giver, taker = get_funds(changes, fact, source), get_funds(changes, fact, target)
    giver["escrow"] -= fact.arguments["amount"]
    taker["escrow"] += fact.arguments["amount"]
    taker["payer"] = giver["payer"]


# Locks


def on_stake_locked(changes: Changes, fact: Fact, _: Deployment) -> None:
    """Note: stake stands behind a job or a batch."""
    arguments = fact.arguments
    funds = get_funds(changes, fact, _own(fact))
    funds["lock"], funds["lockStatus"] = funds["lock"] + arguments["amount"], "active"
    funds["operator"] = name_account(arguments["operator"])
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
    begin(funds, SLASH)
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
    funds = get_funds(changes, fact, _own(fact))
    funds["bonds"] += arguments["amount"]
    funds["bonders"] = [*funds["bonders"], name_account(arguments["challenger"])]
    add(_get_tokens(changes, fact, arguments["challenger"], ETH), "bonded", arguments["amount"])


def on_bonds_settled(changes: Changes, fact: Fact, _: Deployment) -> None:
    """Note: all bonds go out in the credits and burns that follow."""
    funds = get_funds(changes, fact, _own(fact))
    funds["bonds"] = 0
    begin(funds, BONDS)


# Credits


def on_credited(changes: Changes, fact: Fact, _: Deployment) -> None:
    """Note: somebody is paid; under which title is noted with it."""
    arguments = fact.arguments
    key, account = _own(fact), name_account(arguments["account"])
    funds = get_funds(changes, fact, key)
    title = find_title(changes, funds, key, account)
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
