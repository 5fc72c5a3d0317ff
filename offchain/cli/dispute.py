"""`zkdps dispute`: disputes over traces, looked at, foreseen, and moved by hand."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from offchain.cli.job_moves import find
from offchain.cli.options import (
    FOLDER,
    ContentPlace,
    account_options,
    chain_options,
    job_option,
    json_option,
    pull_options,
    role_options,
)
from offchain.cli.output import EXIT_HELP, answer
from offchain.cli.stopping import listen_for_stop
from offchain.errors import ConfigError, JobRefused
from offchain.params.settings import GAMES, Settings

if TYPE_CHECKING:
    from offchain.roles.account import Account
    from offchain.roles.foresight import Foresight
    from offchain.types import JobId

key_option = click.option(
    "--key", required=True, help="The dispute's key, as `zkdps dispute show` names it."
)


@click.group(name="dispute")
def command() -> None:
    """Look at disputes over traces, foresee how they end, and move them by hand.

    \b
    zkdps dispute show 0x3fa9
    zkdps dispute forecast 0x3fa9 --models ./models --content ./content --json
    zkdps dispute pinpoint --job 0x3fa9 --home ./watcher ...
    """


@command.command(epilog=EXIT_HELP)
@click.argument("job")
@chain_options
@json_option
def show(rpc_url: str, manifest: Path, job: str, as_json: bool) -> None:
    """Show what is disputed about JOB, and whose turn it is until when.

    \b
    zkdps dispute show 0x3fa9 --manifest deployments/31337.json
    """
    foresight, job_id = look(rpc_url, manifest, job)
    answer(foresight.foresee(job_id, None), as_json)


@command.command(epilog=EXIT_HELP)
@click.argument("job")
@chain_options
@click.option("--models", type=FOLDER, help="Published models: the result is computed again.")
@click.option("--content", type=ContentPlace(), help="Where the job's input is to be had.")
@json_option
def forecast(
    rpc_url: str,
    manifest: Path,
    job: str,
    models: Path | None,
    content: str | None,
    as_json: bool,
) -> None:
    """Say who wins the disputes about JOB, with each side's moves, costs and clocks to the end.

    With models and content the result is computed again; without, only silence can be foreseen.

    \b
    zkdps dispute forecast 0x3fa9 --models ./models --content ./content --json
    """
    from offchain.roles.context import build_version_book
    from offchain.submit.content import open_content

    if (models is None) != (content is None):
        raise ConfigError("a result is computed again from --models and --content, both")
    foresight, job_id = look(rpc_url, manifest, job)
    recomputed = None
    if models is not None and content is not None:
        versions = build_version_book(
            models, foresight.client, foresight.manifest, foresight.contracts
        )
        recomputed = foresight.recompute(versions, open_content(content), job_id)
    answer(foresight.foresee(job_id, recomputed), as_json)


def look(rpc_url: str, manifest: Path, job: str) -> tuple[Foresight, JobId]:
    """Return a deployment to look at, and the job that is meant."""
    from offchain.cli.lookup import find_job
    from offchain.roles.context import bind_contracts, connect, read_parameters
    from offchain.roles.foresight import Foresight

    client, deployment = connect(rpc_url, manifest)
    contracts = bind_contracts(client, deployment)
    parameters = read_parameters(deployment, contracts.market)
    foresight = Foresight(client, deployment, contracts, parameters)
    return foresight, find_job(contracts, deployment, job).id


@command.command(epilog=EXIT_HELP)
@role_options("challenger")
@pull_options
@job_option
@click.option(
    "--game", type=click.Choice(sorted(GAMES)), default="pinpoint", show_default=True,
    help="pinpoint: over the trace or not at all.",
)  # fmt: skip
@click.option("--challenge-always", is_flag=True, help="Dispute a right result too (drills).")
@json_option
def pinpoint(settings: Settings, job: str, as_json: bool) -> None:
    """Recompute one job and, if it is wrong, dispute it over its trace to the end.

    Pins the first wrong operator or, where the trace is withheld, searches for it; brings the
    evidence, claims timeouts, collects what was won. Started again, it goes on where the dispute
    stands.

    \b
    zkdps dispute pinpoint --job 0x3fa9 --home ./watcher --models ./models --content ./content \\
        --key-file watcher.key --manifest deployments/31337.json
    """
    from offchain.cli.lookup import find_job
    from offchain.roles.loop import perform_inline, run_role
    from offchain.roles.one_job import OneJobChallenger
    from offchain.roles.opening import open_context

    settings.save()
    context = open_context(settings)
    job_id = find_job(context.contracts, context.manifest, job).id
    role = OneJobChallenger(context, job_id)
    role.log.settings(settings)
    stop = listen_for_stop()
    run_role(role, perform_inline(role), settings.poll_s, lambda: bool(stop))
    answer(role.describe(), as_json)


@command.command(name="open", epilog=EXIT_HELP)
@account_options
@job_option
@json_option
def open_(account: Account, job: str, as_json: bool) -> None:
    """Demand the trace of one committed result, as it stands now, and the answers to a search.

    `zkdps dispute pinpoint` plays such a dispute to its end.

    \b
    zkdps dispute open --job 0x3fa9 --key-file watcher.key
    """
    from offchain.chain.contracts.pinpoint_types import make_search_key

    game = account.contracts.pinpoint
    found = account.contracts.market.get_job(find(account, job).id)
    key = make_search_key(account.address)
    transaction, bond = None, 0
    if not game.get_dispute(found.id, key).phase:
        bond = int(game.get_required_bond(found.id))
        call = game.build_open_dispute(found.id, found.out_digest, bond)
        transaction = account.send(call).tx_hash
    answer(describe(account, found.id, key, transaction, bond_wei=bond), as_json)


@command.command(epilog=EXIT_HELP)
@account_options
@job_option
@key_option
@json_option
def claim(account: Account, job: str, key: str, as_json: bool) -> None:
    """End a dispute in which the side on turn let its clock run out; anybody may.

    \b
    zkdps dispute claim --job 0x3fa9 --key 0x...  --key-file any.key
    """
    job_id, number = find(account, job).id, parse_key(key)
    game = account.contracts.pinpoint
    transaction = None
    if game.get_dispute(job_id, number).phase.is_open:
        transaction = account.send(game.build_claim_timeout(job_id, number)).tx_hash
    answer(describe(account, job_id, number, transaction), as_json)


@command.command(epilog=EXIT_HELP)
@account_options
@job_option
@key_option
@json_option
def resolve(account: Account, job: str, key: str, as_json: bool) -> None:
    """End a dispute whose job was settled by something else: its bonds go where they belong.

    \b
    zkdps dispute resolve --job 0x3fa9 --key 0x... --key-file any.key
    """
    job_id, number = find(account, job).id, parse_key(key)
    game = account.contracts.pinpoint
    transaction = None
    if game.get_dispute(job_id, number).phase.is_open:
        transaction = account.send(game.build_resolve(job_id, number)).tx_hash
    answer(describe(account, job_id, number, transaction), as_json)


@command.command(epilog=EXIT_HELP)
@account_options
@job_option
@json_option
def finalise(account: Account, job: str, as_json: bool) -> None:
    """Pay the operator of a result that withstood every dispute; anybody may, after the window.

    \b
    zkdps dispute finalise --job 0x3fa9 --key-file any.key
    """
    job_id = find(account, job).id
    state = account.contracts.market.get_job(job_id).state
    transaction = None
    if not state.is_terminal:
        call = account.contracts.pinpoint.build_finalise_defended(job_id)
        transaction = account.send(call).tx_hash
        state = account.contracts.market.get_job(job_id).state
    answer({"job": job_id, "state": state.name, "transaction": transaction}, as_json)


def parse_key(text: str) -> int:
    """Return a dispute's key; raise ConfigError for anything else."""
    try:
        return int(text, 16)
    except ValueError:
        raise ConfigError(f"key {text!r}: 0x and hex digits") from None


def describe(
    account: Account, job_id: JobId, key: int, transaction: str | None, **facts: Any
) -> dict[str, Any]:
    """Return how a dispute stands now; raise JobRefused where there is none."""
    dispute = account.contracts.pinpoint.get_dispute(job_id, key)
    if not dispute.phase:
        raise JobRefused(f"job {job_id} has no dispute {key:#x}")
    return {
        "job": job_id,
        "key": f"{key:#x}",
        "phase": dispute.phase.name,
        "deadline": int(dispute.deadline),
        **facts,
        "transaction": transaction,
    }
