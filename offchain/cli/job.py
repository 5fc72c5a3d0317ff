"""`zkdps job`: escrow a job, watch it, finalise it."""

from __future__ import annotations

import json
import secrets
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from offchain.cli.options import FILE, account_options, chain_options, json_option, role_options
from offchain.cli.output import EXIT_HELP, answer, progress
from offchain.cli.stopping import listen_for_stop
from offchain.errors import ConfigError
from offchain.params.settings import Settings
from offchain.types import JobId, VersionId, Wei

if TYPE_CHECKING:
    from offchain.roles.account import Account

WATCH_S: Final = 0.5


@click.group(name="job")
def command() -> None:
    """Escrow a job, watch it, finalise it."""


@command.command(epilog=EXIT_HELP)
@role_options("client")
@click.option("--version", required=True, help="Model version, 0x and 64 hex digits.")
@click.option("--input", "input_file", type=FILE, required=True, help="Input: a JSON array.")
@click.option("--fee-wei", type=int, required=True, help="Fee to escrow.")
@click.option("--request", default="", help="Name of the request: the same name is the same job.")
@click.option("--no-wait", is_flag=True, help="Return once the job is created.")
@click.option("--challenge", is_flag=True, help="Challenge a result that is found wrong.")
@click.option("--no-check", is_flag=True, help="Do not recompute the result locally.")
@json_option
def submit(
    settings: Settings,
    version: str,
    input_file: Path,
    fee_wei: int,
    request: str,
    no_wait: bool,
    no_check: bool,
    challenge: bool,
    as_json: bool,
) -> None:
    """Escrow one inference, wait for its verdict, check it, and collect refunds.

    The version is reproduced from the published files before any money moves.
    """
    from offchain.roles.client import Client, Request
    from offchain.roles.context import open_context
    from offchain.roles.loop import perform_inline, run_role
    from offchain.submit.models import encode_input

    context = open_context(settings)
    context.log.settings(settings)
    version_id = parse_version(version)
    model = context.versions.reproduce(version_id).model
    raw_input = encode_input(model, json.loads(input_file.read_text(encoding="utf-8")))
    name = request or secrets.token_hex(8)
    client = Client(
        context, Request(name, version_id, raw_input, Wei(fee_wei)), not no_check, challenge
    )
    stop = listen_for_stop()
    with progress("waiting for the job's verdict"):
        if no_wait:
            client.perform(client.compute_due_steps()[0])
        else:
            run_role(client, perform_inline(client), settings.poll_s, lambda: bool(stop))
    answer(client.describe(), as_json)


@command.command(epilog=EXIT_HELP)
@chain_options
@click.option("--job", "job_id", type=int, required=True, help="Job's number.")
@click.option("--once", is_flag=True, help="Show the state now instead of waiting for the verdict.")
@json_option
def watch(rpc_url: str, manifest: Path, job_id: int, once: bool, as_json: bool) -> None:
    """Show a job's state until it is final; needs no key."""
    from offchain.roles.context import bind_contracts, connect

    client, deployment = connect(rpc_url, manifest)
    market = bind_contracts(client, deployment).market
    job = market.get_job(JobId(job_id))
    with progress("waiting for the job's verdict"):
        while not (once or job.state.is_terminal):
            time.sleep(WATCH_S)
            job = market.get_job(JobId(job_id))
    answer(
        {
            "job": job_id,
            "state": job.state.name,
            "deadline": int(job.deadline),
            "chain_time": int(client.get_head().timestamp),
            "out_digest": "0x" + job.out_digest.hex(),
        },
        as_json,
    )


@command.command(epilog=EXIT_HELP)
@account_options
@click.option("--job", "job_id", type=int, required=True, help="Job's number.")
@json_option
def finalise(account: Account, job_id: int, as_json: bool) -> None:
    """Settle a result that nobody challenged in time; anybody may."""
    receipt = account.send(account.contracts.market.build_finalise(JobId(job_id)))
    answer({"job": job_id, "transaction": receipt.tx_hash}, as_json)


def parse_version(text: str) -> VersionId:
    """Return a version's 32 bytes; raise ConfigError for anything else."""
    try:
        raw = bytes.fromhex(text.removeprefix("0x"))
    except ValueError:
        raw = b""
    if len(raw) != 32:
        raise ConfigError(f"version {text!r}: 0x and 64 hex digits")
    return VersionId(raw)
