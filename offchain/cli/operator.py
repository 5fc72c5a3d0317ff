"""`zkdps operator`: stake, run jobs, answer challenges."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click

from offchain.cli.options import DEFAULT_RPC, FILE, json_option, pull_options, role_options
from offchain.cli.output import EXIT_HELP, answer
from offchain.cli.stake import MOVES, describe_operator
from offchain.cli.stopping import listen_for_stop
from offchain.errors import ConfigError
from offchain.params.settings import (
    FAULTS,
    GRANULARITIES,
    HOME_VARIABLE,
    MAX_BATCH,
    MAX_WORKERS,
    Settings,
)


@click.group(name="operator")
def command() -> None:
    """Stake, run jobs, answer challenges.

    The owner's key holds the stake and collects earnings; the worker's key accepts, commits and
    proves, and can move no money out.

    \b
    zkdps operator stake --amount-wei 1000000000000000000 --worker 0x... --key-file owner.key
    zkdps operator join --owner 0x... --key-file worker.key
    zkdps operator run --home ./operator --key-file worker.key ...
    zkdps withdraw --key-file owner.key
    """


for move in MOVES:
    command.add_command(move)


@command.command(epilog=EXIT_HELP)
@role_options("operator")
@pull_options
@click.option(
    "--batch-size",
    type=click.IntRange(1, MAX_BATCH),
    default=64,
    show_default=True,
    help="Results of a session that are committed together.",
)
@click.option(
    "--batch-seconds",
    type=click.IntRange(0),
    default=10,
    show_default=True,
    help="The longest that a session's result waits for others, in block time.",
)
@click.option(
    "--min-session-fee-wei",
    type=int,
    help="Least fee of a session's request; default: its part of a full batch's gas just now. "
    "With a fee of your own also batches that do not pay for their gas are committed.",
)
@click.option(
    "--backend",
    type=click.Choice(["auto", "numpy", "torch"]),
    default="auto",
    show_default=True,
    help="Runtime; every one gives the same bits.",
)
@click.option(
    "--owner",
    default="",
    help="The one owner to work for: its proposal is accepted, nobody else is ever served.",
)
@click.option(
    "--min-fee-wei", type=int, help="Least fee of a job; default: what its gas costs just now."
)
@click.option("--accept-token", is_flag=True, help="Also take jobs paid in the ERC-20.")
@click.option("--min-fee-token", default=0, show_default=True, help="Least fee of those.")
@click.option(
    "--post-traces",
    is_flag=True,
    help="Post every result's trace at once: disputes about it take one transaction less.",
)
@click.option(
    "--granularity",
    type=click.Choice(sorted(GRANULARITIES)),
    default="op",
    show_default=True,
    help="What a posted trace commits to; layers are expanded into operators on demand.",
)
@click.option(
    "--whole-proofs",
    is_flag=True,
    help="Also take versions with an operator whose claims may only be defended by a proof of the "
    "whole result: this machine makes it in the time of a disputed operator.",
)
@click.option(
    "--replicas",
    multiple=True,
    metavar="VERSION",
    callback=lambda _context, _option, versions: ",".join(versions),
    help="Serve replicas of this version: enlist for it once its plan of disputes is active and "
    "right. May be given several times; lists that are not named are left.",
)
@click.option(
    "--tag",
    default="",
    help="Owner that admitted this one: those of one tag serve no quorum together.",
)
@click.option(
    "--rescue",
    is_flag=True,
    help="Also reveal and defend for other operators whose traces are those computed here; a lost "
    "bond goes to whoever shows the disputed claim right.",
)
@click.option(
    "--broker-url",
    envvar="ZKDPS_BROKER",
    default="",
    help="Queue between service and worker, e.g. redis://host; SQLite in the home folder by "
    "default.",
)
@click.option(
    "--workers",
    type=click.IntRange(1, MAX_WORKERS),
    default=8,
    show_default=True,
    help="Steps performed at once, in threads: most of a step's time is waiting for a block.",
)
@click.option("--broker-queue", default="", help="Name that machines of one account share.")
@click.option(
    "--fault",
    type=click.Choice(sorted(FAULTS - {""})),
    help="Drill on a development chain: misbehave in this way.",
)
def run(settings: Settings) -> None:
    """Run the service: this process watches the chain, a Celery worker does the work.

    Logs are one JSON event a line on standard error. Interrupt or terminate to stop; a restart
    resumes from the chain and the journal.

    With a gateway it also takes signed orders whose price has risen to the fee floor, and serves
    the sessions that name its owner: it answers their requests with signed results, and commits up
    to --batch-size of them in one transaction.

    With --replicas it can be drawn for quorums: it commits blindly, opens its result when all have
    committed, stands behind it, and disputes a majority that says otherwise as any challenger would
    (its balance has to cover that).

    \b
    zkdps operator run --home ./operator --models ./models --content ./content \\
        --owner 0x... --key-file worker.key --manifest deployments/31337.json
    zkdps operator run ... --content http://127.0.0.1:8000 --gateway http://127.0.0.1:8000 --pull
    """
    settings.save()
    os.environ[HOME_VARIABLE] = str(settings.home)
    from offchain.workers.service import run_with_workers

    run_with_workers(settings, listen_for_stop())


@command.command(epilog=EXIT_HELP)
@click.option(
    "--home",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="The operator's home folder: what its journal holds.",
)
@click.option("--account", help="Address of an owner or worker: what the chain holds.")
@click.option("--manifest", type=FILE, envvar="ZKDPS_MANIFEST", help="The deployment.")
@click.option(
    "--rpc", "rpc_url", envvar="ZKDPS_RPC", default=DEFAULT_RPC, show_default=True, help="The node."
)
@json_option
def status(
    home: Path | None, account: str | None, manifest: Path | None, rpc_url: str, as_json: bool
) -> None:
    """Show an operator's steps from its journal, its stake and standing from the chain.

    \b
    zkdps operator status --home ./operator
    zkdps operator status --account 0x... --manifest deployments/31337.json
    """
    if home is None and account is None:
        raise click.UsageError("give --home, --account or both")
    facts: dict[str, Any] = {}
    if account is not None:
        facts |= read_chain(account, manifest, rpc_url)
    if home is not None:
        facts |= read_journal(home)
    answer(facts, as_json)


def read_chain(account: str, manifest: Path | None, rpc_url: str) -> dict[str, Any]:
    """Return what the chain holds of an operator."""
    from offchain.cli.lookup import parse_account
    from offchain.roles.context import bind_contracts, connect

    if manifest is None:
        raise ConfigError("--account needs --manifest")
    client, deployment = connect(rpc_url, manifest)
    contracts = bind_contracts(client, deployment)
    address = parse_account(account)
    return {
        **describe_operator(address, contracts.vault),
        "clock": int(contracts.market.get_time().now),
        "open_challenges": contracts.game.get_open_challenges(
            contracts.vault.get_owner_of(address) or address
        ),
    }


def read_journal(home: Path) -> dict[str, Any]:
    """Return what an operator's journal holds."""
    from offchain.params.settings import load_settings
    from offchain.roles.opening import open_journal

    journal = open_journal(load_settings(home))
    steps = [
        {"job": s.key.job, "step": s.key.step, "status": str(s.status), **s.detail}
        for s in journal.get_steps("operator")
    ]
    return {"prover_entries": journal.get_counter("prover-entries"), "steps": steps}
