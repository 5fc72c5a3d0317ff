"""`zkdps challenge`: recompute results, dispute what differs, collect what was won."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from offchain.cli.options import account_options, json_option, role_options
from offchain.cli.output import EXIT_HELP, answer
from offchain.cli.stopping import listen_for_stop
from offchain.errors import JobRefused
from offchain.params.settings import Settings
from offchain.types import JobId

if TYPE_CHECKING:
    from offchain.roles.account import Account


@click.group(name="challenge")
def command() -> None:
    """Dispute results and collect what was won."""


@command.command(epilog=EXIT_HELP)
@role_options("challenger")
@click.option("--challenge-always", is_flag=True, help="Challenge right results too (drills).")
def run(settings: Settings) -> None:
    """Watch every committed result, recompute it on the reference path, challenge what differs.

    After a challenge: claim the default when no proof came in time, and withdraw what was won.
    """
    from offchain.roles.build import build_role
    from offchain.roles.loop import perform_inline, run_role

    settings.save()
    role = build_role(settings)
    role.log.settings(settings)
    stop = listen_for_stop()
    run_role(role, perform_inline(role), settings.poll_s, lambda: bool(stop))
    role.log.event("stopped")


@command.command(name="open", epilog=EXIT_HELP)
@account_options
@click.option("--job", "job_id", type=int, required=True, help="Job's number.")
@json_option
def open_(account: Account, job_id: int, as_json: bool) -> None:
    """Demand a proof of one committed result, as it stands now."""
    job = account.contracts.market.get_job(JobId(job_id))
    bond = account.contracts.game.get_required_bond(job.id)
    receipt = account.send(account.contracts.game.build_challenge(job.id, job.out_digest, bond))
    answer({"job": job_id, "bond_wei": int(bond), "transaction": receipt.tx_hash}, as_json)


@command.command(name="claim-default", epilog=EXIT_HELP)
@account_options
@click.option("--job", "job_id", type=int, required=True, help="Job's number.")
@json_option
def claim_default(account: Account, job_id: int, as_json: bool) -> None:
    """Settle against an operator that did not prove in time; anybody may."""
    dispute = account.contracts.game.get_dispute_of(JobId(job_id))
    if dispute is None:
        raise JobRefused(f"job {job_id} was never challenged")
    receipt = account.send(account.contracts.game.build_claim_default(dispute.id))
    answer({"job": job_id, "transaction": receipt.tx_hash}, as_json)
