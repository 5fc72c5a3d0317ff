"""`zkdps operator`: stake, run jobs, answer challenges."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from offchain.cli.options import account_options, json_option, role_options
from offchain.cli.output import EXIT_HELP, answer
from offchain.cli.stopping import listen_for_stop
from offchain.params.settings import FAULTS, HOME_VARIABLE, Settings
from offchain.types import Wei

if TYPE_CHECKING:
    from offchain.roles.account import Account


@click.group(name="operator")
def command() -> None:
    """Stake, run jobs, answer challenges.

    The owner's key holds the stake and collects earnings; the worker's key accepts, commits and
    proves, and can move no money out.
    """


@command.command(epilog=EXIT_HELP)
@account_options
@click.option("--amount-wei", type=int, required=True, help="Stake to add.")
@click.option("--worker", required=True, help="Address of the worker's key.")
@json_option
def stake(account: Account, amount_wei: int, worker: str, as_json: bool) -> None:
    """Add free stake and name the worker. Sign with the owner's key."""
    answer(account.stake(Wei(amount_wei), worker), as_json)


@command.command(epilog=EXIT_HELP)
@role_options("operator")
@click.option(
    "--backend",
    type=click.Choice(["auto", "numpy", "torch"]),
    default="auto",
    show_default=True,
    help="Runtime; every one gives the same bits.",
)
@click.option(
    "--fault",
    type=click.Choice(sorted(FAULTS - {""})),
    help="Drill on a development chain: misbehave in this way.",
)
def run(settings: Settings) -> None:
    """Run the service: this process watches the chain, a Celery worker does the work.

    Logs are one JSON event a line on standard error. Interrupt or terminate to stop; a restart
    resumes from the chain and the journal.
    """
    settings.save()
    os.environ[HOME_VARIABLE] = str(settings.home)
    from offchain.workers.service import run_with_workers

    run_with_workers(settings, listen_for_stop())


@command.command()
@click.option(
    "--home",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    required=True,
    help="The operator's home folder.",
)
@json_option
def status(home: Path, as_json: bool) -> None:
    """Show what the journal holds: steps by job, and how often the prover was entered."""
    from offchain.chain.journal import Journal
    from offchain.params.settings import load_settings

    journal = Journal(load_settings(home).journal)
    steps = [
        {"job": s.key.job, "step": s.key.step, "status": str(s.status), **s.detail}
        for s in journal.get_steps("operator")
    ]
    answer({"prover_entries": journal.get_counter("prover-entries"), "steps": steps}, as_json)
