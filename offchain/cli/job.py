"""`zkdps job`: escrow a job, watch it, settle it, keep the evidence."""

from __future__ import annotations

import json
import secrets
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from offchain.cli.job_moves import MOVES
from offchain.cli.options import (
    FILE,
    chain_options,
    job_option,
    json_option,
    pull_options,
    role_options,
)
from offchain.cli.output import EXIT_HELP, answer, answer_rows, progress
from offchain.cli.stopping import listen_for_stop
from offchain.errors import ConfigError
from offchain.params.settings import Settings
from offchain.types import ETH, Amount, VerifyMask

if TYPE_CHECKING:
    from offchain.chain.client import ChainClient
    from offchain.chain.manifest import Manifest
    from offchain.roles.context import Contracts

WATCH_S: Final = 0.5
SHORT_ID: Final = 18


@click.group(name="job")
def command() -> None:
    """Escrow a job, watch it, settle it, keep the evidence.

    Jobs are named by their id or by its first digits.

    \b
    zkdps job submit --version 0x... --input input.json --fee-wei 1000000000000000 ...
    zkdps job list
    zkdps job show --job 0x3fa9
    """


for move in MOVES:
    command.add_command(move)


@command.command(epilog=EXIT_HELP)
@role_options("client")
@pull_options
@click.option("--version", required=True, help="Model version, 0x and 64 hex digits.")
@click.option("--input", "input_file", type=FILE, required=True, help="Input: a JSON array.")
@click.option("--fee-wei", type=int, required=True, help="Fee to escrow, in wei or token units.")
@click.option("--token", help="Pay in the deployment's ERC-20 of this address instead of ETH.")
@click.option(
    "--proof-required",
    is_flag=True,
    help="The job is never final without a proof; the fee pays for one.",
)
@click.option("--request", default="", help="Name of the request: the same name is the same job.")
@click.option("--no-wait", is_flag=True, help="Return once the job is created.")
@click.option("--challenge", is_flag=True, help="Challenge a result that is found wrong.")
@click.option(
    "--request-delivery",
    is_flag=True,
    help="Pay for an output on chain where it cannot be fetched otherwise.",
)
@click.option("--no-check", is_flag=True, help="Do not recompute the result locally.")
@json_option
def submit(
    settings: Settings,
    version: str,
    input_file: Path,
    fee_wei: int,
    token: str | None,
    proof_required: bool,
    request: str,
    no_wait: bool,
    no_check: bool,
    challenge: bool,
    as_json: bool,
) -> None:
    """Escrow one inference, wait for its verdict, check it, and collect refunds.

    The version is reproduced from the published files before any money moves.

    \b
    zkdps job submit --version 0x... --input input.json --fee-wei 1000000000000000 \\
        --home ./client --models ./models --content ./content --key-file client.key
    """
    from offchain.cli.lookup import parse_token, parse_version
    from offchain.roles.client import Client, Request
    from offchain.roles.loop import perform_inline, run_role
    from offchain.roles.opening import open_context
    from offchain.submit.models import encode_input

    context = open_context(settings)
    context.log.settings(settings)
    version_id = parse_version(version)
    paid_in = parse_token(context.contracts.vault, token)
    model = context.versions.reproduce(version_id).model
    wanted = Request(
        name=request or secrets.token_hex(8),
        version=version_id,
        raw_input=encode_input(model, json.loads(input_file.read_text(encoding="utf-8"))),
        fee=Amount(fee_wei),
        token=paid_in,
        verify_mask=VerifyMask.PROOF_REQUIRED if proof_required else VerifyMask.NONE,
    )
    client = Client(context, wanted, not no_check, challenge)
    stop = listen_for_stop()
    with progress("waiting for the job's verdict"):
        if no_wait:
            client.order()
        else:
            run_role(client, perform_inline(client), settings.poll_s, lambda: bool(stop))
    answer(client.describe(), as_json)


@command.command(name="list", epilog=EXIT_HELP)
@chain_options
@click.option("--client", help="Only the jobs of this client's address.")
@click.option("--live", is_flag=True, help="Only jobs that are not over.")
@json_option
def list_(rpc_url: str, manifest: Path, client: str | None, live: bool, as_json: bool) -> None:
    """List jobs, oldest first; needs no key.

    \b
    zkdps job list --live
    zkdps job list --client 0x... --json
    """
    from offchain.cli.describe import name_next, show
    from offchain.cli.lookup import parse_account

    _, deployment, contracts = open_chain(rpc_url, manifest)
    account = None if client is None else parse_account(client)
    time_now = contracts.market.get_time()
    rows = []
    for created in contracts.market.find_created(deployment.first_block, client=account):
        job = contracts.market.get_job(created.id)
        if live and job.state.is_terminal:
            continue
        rows.append(
            {
                "job": created.id if as_json else created.id[:SHORT_ID],
                "state": job.state.name,
                "fee": int(job.fee),
                "token": "ETH" if job.token == ETH else job.token,
                "client": job.client,
                "version": show(job.version) if as_json else show(job.version)[:SHORT_ID],
                "block": int(created.block_number),
                "next": name_next(job, time_now),
            }
        )
    answer_rows(rows, as_json)


@command.command(epilog=EXIT_HELP)
@chain_options
@job_option
@json_option
def show(rpc_url: str, manifest: Path, job: str, as_json: bool) -> None:
    """Show all that is known of a job, and what can be done about it; needs no key.

    \b
    zkdps job show --job 0x3fa9
    """
    from offchain.cli.describe import describe_job
    from offchain.cli.lookup import find_job

    _, deployment, contracts = open_chain(rpc_url, manifest)
    answer(describe_job(contracts, find_job(contracts, deployment, job)), as_json)


@command.command(epilog=EXIT_HELP)
@chain_options
@job_option
@click.option("--once", is_flag=True, help="Show the state now instead of waiting for the verdict.")
@json_option
def watch(rpc_url: str, manifest: Path, job: str, once: bool, as_json: bool) -> None:
    """Wait until a job is over, telling each state on the way; needs no key.

    \b
    zkdps job watch --job 0x3fa9
    """
    from offchain.cli.describe import describe_job
    from offchain.cli.lookup import find_job
    from offchain.cli.output import tell

    _, deployment, contracts = open_chain(rpc_url, manifest)
    created = find_job(contracts, deployment, job)
    state = contracts.market.get_job(created.id).state
    with progress("waiting for the job's verdict"):
        while not (once or state.is_terminal):
            time.sleep(WATCH_S)
            before, state = state, contracts.market.get_job(created.id).state
            if state is not before:
                tell(f"{created.id[:SHORT_ID]}  {state.name}")
    answer(describe_job(contracts, created), as_json)


@command.command(epilog=EXIT_HELP)
@chain_options
@job_option
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path, resolve_path=True),
    help="File to write; standard output by default.",
)
@json_option
def evidence(rpc_url: str, manifest: Path, job: str, out: Path | None, as_json: bool) -> None:
    """Gather what the chain holds of a job: terms, every event with its transaction, the dispute.

    Enough for anybody with a node to check again what happened, long after.

    \b
    zkdps job evidence --job 0x3fa9 --out evidence.json
    """
    from offchain.cli.describe import (
        describe_events,
        describe_job,
        describe_terms,
        read_job_events,
    )
    from offchain.cli.lookup import find_job

    client, deployment, contracts = open_chain(rpc_url, manifest)
    created = find_job(contracts, deployment, job)
    gathered: dict[str, Any] = {
        "chain": client.chain_id,
        "contracts": {name: d.address for name, d in deployment.contracts.items()},
        "terms": describe_terms(created),
        "now": describe_job(contracts, created),
        "events": describe_events(read_job_events(client, contracts, created)),
    }
    if out is None:
        answer(gathered, as_json)
        return
    if out.exists():
        raise ConfigError(f"{out} exists; evidence is never overwritten")
    out.write_text(json.dumps(gathered, indent=1, default=str) + "\n", encoding="utf-8")
    answer({"job": created.id, "file": str(out), "events": len(gathered["events"])}, as_json)


def open_chain(rpc_url: str, manifest: Path) -> tuple[ChainClient, Manifest, Contracts]:
    """Connect without a key."""
    from offchain.roles.context import bind_contracts, connect

    client, deployment = connect(rpc_url, manifest)
    return client, deployment, bind_contracts(client, deployment)
