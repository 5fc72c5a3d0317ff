"""The moves of `zkdps operator` that sign: stake, worker, jail."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import click

from offchain.cli.job_moves import allow
from offchain.cli.options import account_options, json_option, token_option
from offchain.cli.output import EXIT_HELP, answer
from offchain.types import ETH, NOBODY, Address, VaultAccount

if TYPE_CHECKING:
    from offchain.chain.contracts.stake_vault import StakeVault
    from offchain.roles.account import Account


@click.command(epilog=EXIT_HELP)
@account_options
@click.option("--amount-wei", type=int, required=True, help="Stake to add, in wei or token units.")
@click.option("--worker", help="Also propose this worker, unless it serves this owner already.")
@token_option
@json_option
def stake(
    account: Account, amount_wei: int, worker: str | None, token: str | None, as_json: bool
) -> None:
    """Add free stake. Sign with the owner's key, which is best kept cold.

    \b
    zkdps operator stake --amount-wei 1000000000000000000 --worker 0x... --key-file owner.key
    zkdps operator join --owner 0x... --key-file worker.key        the worker agrees
    """
    from offchain.cli.lookup import parse_token

    vault = account.contracts.vault
    key = parse_token(vault, token)
    if key != ETH:
        allow(account, key, amount_wei)
    receipts: list[str] = [account.send(vault.build_deposit(amount_wei, key)).tx_hash]
    if worker is not None:
        receipts += propose_worker(account, worker)
    ledger = describe_account(vault.get_account(account.address, key))
    answer({"owner": account.address, **ledger, "transactions": receipts}, as_json)


@click.command(epilog=EXIT_HELP)
@account_options
@click.option("--amount-wei", type=int, required=True, help="Free stake to take out.")
@token_option
@json_option
def unbond(account: Account, amount_wei: int, token: str | None, as_json: bool) -> None:
    """Start to take free stake out; it stays slashable until it has left.

    A second call joins the first and starts the time again for both.

    \b
    zkdps operator unbond --amount-wei 500000000000000000 --key-file owner.key
    zkdps operator withdraw-stake --key-file owner.key             once its time is over
    """
    from offchain.cli.lookup import parse_token

    vault = account.contracts.vault
    key = parse_token(vault, token)
    receipt = account.send(vault.build_request_unbond(amount_wei, key))
    ledger = describe_account(vault.get_account(account.address, key))
    answer({"owner": account.address, **ledger, "transaction": receipt.tx_hash}, as_json)


@click.command(name="withdraw-stake", epilog=EXIT_HELP)
@account_options
@token_option
@json_option
def withdraw_stake(account: Account, token: str | None, as_json: bool) -> None:
    """Take unbonded stake out, once its time is over; where there is none, nothing is sent.

    \b
    zkdps operator withdraw-stake --key-file owner.key
    """
    from offchain.cli.lookup import parse_token

    vault = account.contracts.vault
    key = parse_token(vault, token)
    amount, transaction = vault.get_account(account.address, key).unbonding, None
    if amount:
        transaction = account.send(vault.build_withdraw_unbonded(key)).tx_hash
    answer(
        {"owner": account.address, "amount": int(amount), "transaction": transaction},
        as_json,
    )


@click.command(epilog=EXIT_HELP)
@account_options
@click.option("--worker", help="Address of the worker's key.")
@click.option("--nobody", is_flag=True, help="End the present worker's service instead, at once.")
@json_option
def propose(account: Account, worker: str | None, nobody: bool, as_json: bool) -> None:
    """Propose a worker. Sign with the owner's key; the worker agrees with `operator join`.

    A worker accepts jobs, commits and proves, and can move no money out. Its address serves one
    owner in its life.

    \b
    zkdps operator propose --worker 0x... --key-file owner.key
    """
    if (worker is None) is not nobody:
        raise click.UsageError("give --worker or --nobody")
    sent = propose_worker(account, NOBODY if worker is None else worker)
    vault = account.contracts.vault
    answer(
        {
            "owner": account.address,
            "worker": vault.get_worker_of(account.address),
            "proposed": vault.get_proposed_worker(account.address),
            "transactions": sent,
        },
        as_json,
    )


@click.command(epilog=EXIT_HELP)
@account_options
@click.option("--owner", required=True, help="Address of the owner who proposed this worker.")
@click.option("--leave", is_flag=True, help="End the service of this worker instead.")
@json_option
def join(account: Account, owner: str, leave: bool, as_json: bool) -> None:
    """Agree to work for an owner. Sign with the worker's key.

    \b
    zkdps operator join --owner 0x... --key-file worker.key
    """
    from offchain.cli.lookup import parse_account

    vault = account.contracts.vault
    served, transaction = vault.get_owner_of(account.address), None
    if leave and served is not None:
        transaction = account.send(vault.build_leave_owner()).tx_hash
    elif not leave and served != parse_account(owner):
        transaction = account.send(vault.build_accept_owner(parse_account(owner))).tx_hash
    answer(
        {
            "worker": account.address,
            "owner": vault.get_owner_of(account.address),
            "transaction": transaction,
        },
        as_json,
    )


@click.command(epilog=EXIT_HELP)
@account_options
@json_option
def unjail(account: Account, as_json: bool) -> None:
    """Leave jail, once its time is over. Sign with the owner's or the worker's key.

    \b
    zkdps operator unjail --key-file worker.key
    """
    vault = account.contracts.vault
    owner = vault.get_owner_of(account.address) or account.address
    transaction = None
    if vault.get_standing(owner).jailed_until:
        transaction = account.send(vault.build_unjail()).tx_hash
    until = int(vault.get_standing(owner).jailed_until)
    answer({"owner": owner, "jailed_until": until or None, "transaction": transaction}, as_json)


MOVES: Final = (stake, unbond, withdraw_stake, propose, join, unjail)


def propose_worker(account: Account, worker: str) -> list[str]:
    """Propose a worker unless it serves or is proposed already; return what was sent."""
    from offchain.cli.lookup import parse_account

    vault, named = account.contracts.vault, parse_account(worker)
    known = (vault.get_worker_of(account.address), vault.get_proposed_worker(account.address))
    if known == (None, None) if named == NOBODY else named in known:
        return []
    return [account.send(vault.build_propose_worker(named)).tx_hash]


def describe_account(entry: VaultAccount) -> Mapping[str, Any]:
    """Return an account's part of the ledger."""
    return {
        "free": int(entry.free),
        "locked": int(entry.locked),
        "unbonding": int(entry.unbonding),
        "unbond_ready_at": int(entry.unbond_ready_at) or None,
        "credit": int(entry.credit),
    }


def describe_operator(account: Address, vault: StakeVault) -> Mapping[str, Any]:
    """Return stake, worker and standing of an owner, or of the owner whom a worker serves."""
    owner = vault.get_owner_of(account) or account
    standing = vault.get_standing(owner)
    tokens = {("ETH" if t == ETH else t): vault.get_account(owner, t) for t in vault.get_tokens()}
    return {
        "owner": owner,
        "worker": vault.get_worker_of(owner),
        "proposed_worker": vault.get_proposed_worker(owner),
        "jailed_until": int(standing.jailed_until) or None,
        "misses": standing.misses,
        **{name: describe_account(entry) for name, entry in tokens.items()},
    }
