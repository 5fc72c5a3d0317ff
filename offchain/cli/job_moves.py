"""The moves of `zkdps job` that sign: cancel, ask for the output, settle."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import click

from offchain.cli.options import account_options, job_option, json_option
from offchain.cli.output import EXIT_HELP, answer
from offchain.errors import JobRefused
from offchain.types import ETH, CreatedJob, Job, JobState

if TYPE_CHECKING:
    from offchain.chain.client import Call
    from offchain.chain.contracts.job_market import JobMarket
    from offchain.roles.account import Account

# A delivery's price moves with the base fee; what is sent beyond it goes to the operator too.
DELIVERY_HEADROOM_PERCENT: Final = 125


@click.command(epilog=EXIT_HELP)
@account_options
@job_option
@json_option
def cancel(account: Account, job: str, as_json: bool) -> None:
    """Take back a job that nobody has taken, with its fee. Sign with the client's key.

    \b
    zkdps job cancel --job 0x3fa9 --key-file client.key
    zkdps withdraw --key-file client.key              the fee is credited, not sent
    """
    settle(
        account, job, JobState.CANCELLED, lambda market, j: market.build_cancel_job(j.id), as_json
    )


@click.command(epilog=EXIT_HELP)
@account_options
@job_option
@json_option
def finalise(account: Account, job: str, as_json: bool) -> None:
    """Pay the operator of a result that nobody challenged in time; anybody may.

    A stranger who does it late earns the keeper's tip.

    \b
    zkdps job finalise --job 0x3fa9 --key-file any.key
    """
    settle(account, job, JobState.FINAL, lambda market, j: market.build_finalise(j.id), as_json)


@click.command(epilog=EXIT_HELP)
@account_options
@job_option
@json_option
def expire(account: Account, job: str, as_json: bool) -> None:
    """Give a job's money back whose deadline passed without the step that was due; anybody may.

    Nobody took it: EXPIRED. No result, no output that was asked for, no proof that is required:
    FAILED, and the operator is fined. In the refund mode: VOIDED.

    \b
    zkdps job expire --job 0x3fa9 --key-file any.key
    """
    is_refund = account.contracts.market.get_time().is_refund_mode

    def build(market: JobMarket, found: Job) -> Call:
        if is_refund and found.state is JobState.DISPUTED:
            return account.contracts.game.build_void_dispute(found.id)
        if is_refund:
            return market.build_void_job(found.id)
        if found.state is JobState.OPEN:
            return market.build_expire_job(found.id)
        return market.build_fail_job(found.id)

    settle(account, job, None, build, as_json)


@click.command(name="request-delivery", epilog=EXIT_HELP)
@account_options
@job_option
@json_option
def request_delivery(account: Account, job: str, as_json: bool) -> None:
    """Ask for a committed output's bytes on chain, when they are not to be had otherwise.

    For the client, once, while the result may be challenged, and for outputs of up to 8 KiB. The
    payment goes to the operator if it delivers and comes back if it does not.

    \b
    zkdps job request-delivery --job 0x3fa9 --key-file client.key
    """
    created = find(account, job)
    market = account.contracts.market
    found = market.get_job(created.id)
    if found.deliver_by:
        answer(
            {"job": found.id, "state": found.state.name, "deliver_by": found.deliver_by}, as_json
        )
        return
    payment = market.compute_delivery_payment(found.id)
    if found.token == ETH:
        payment = type(payment)(payment * DELIVERY_HEADROOM_PERCENT // 100)
    else:
        allow(account, found.token, payment)
    value = payment if found.token == ETH else 0
    receipt = account.send(market.build_request_delivery(found.id, value))
    answer(
        {
            "job": found.id,
            "payment": int(payment),
            "deliver_by": int(market.get_job(found.id).deliver_by),
            "transaction": receipt.tx_hash,
        },
        as_json,
    )


MOVES: Final = (cancel, finalise, expire, request_delivery)


def settle(
    account: Account,
    named: str,
    reached: JobState | None,
    build: Callable[[JobMarket, Job], Call],
    as_json: bool,
) -> None:
    """Send the one transaction that ends a job; a job that ended so before is no error."""
    market = account.contracts.market
    job = market.get_job(find(account, named).id)
    transaction = None
    if job.state.is_terminal:
        if reached is not None and job.state is not reached:
            raise JobRefused(f"job {job.id} is {job.state.name}")
    else:
        transaction = account.send(build(market, job)).tx_hash
    answer(
        {
            "job": job.id,
            "state": market.get_job(job.id).state.name,
            "transaction": transaction,
        },
        as_json,
    )


def find(account: Account, named: str) -> CreatedJob:
    """Return the job that a signing command names."""
    from offchain.cli.lookup import find_job

    return find_job(account.contracts, account.manifest, named)


def allow(account: Account, token: str, amount: int) -> None:
    """Let the vault take an amount of the account's ERC-20, unless it may already."""
    from offchain.chain.binding import checksum
    from offchain.chain.contracts.erc20 import Erc20

    erc20, vault = Erc20(account.client, checksum(token)), account.contracts.vault.address
    if erc20.get_allowance(account.address, vault) < amount:
        account.send(erc20.build_approve(vault, amount))
