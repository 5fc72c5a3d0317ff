"""`zkdps audit`: have the beacon decide whether a result must be proven."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from offchain.cli.options import account_options, chain_options, job_option, json_option
from offchain.cli.output import EXIT_HELP, answer
from offchain.errors import JobRefused
from offchain.types import AuditState, JobId

if TYPE_CHECKING:
    from offchain.roles.account import Account
    from offchain.roles.context import Contracts


@click.group(name="audit")
def command() -> None:
    """Have the beacon decide whether a result must be proven.

    Anybody may ask about a committed job, once and without a bond. Some blocks later the beacon
    decides, at the deployment's rate; where it hits, the operator has to prove the result as if it
    had been challenged, and silence also costs stake beyond the lock.

    \b
    zkdps audit request --job 0x3fa9 --key-file any.key
    zkdps audit draw --job 0x3fa9 --key-file any.key          some blocks later, in the window
    zkdps challenge run --audit ...                           does both for every result
    """


@command.command(epilog=EXIT_HELP)
@account_options
@job_option
@json_option
def request(account: Account, job: str, as_json: bool) -> None:
    """Ask the beacon about a committed job; what was asked before is not asked again.

    \b
    zkdps audit request --job 0x3fa9 --key-file any.key
    """
    job_id, transaction = read_job(account, job), None
    if account.contracts.audits.get_audit(job_id) is AuditState.NONE:
        transaction = account.send(account.contracts.audits.build_request(job_id)).tx_hash
    answer({**describe(account.contracts, job_id), "transaction": transaction}, as_json)


@command.command(epilog=EXIT_HELP)
@account_options
@job_option
@json_option
def draw(account: Account, job: str, as_json: bool) -> None:
    """Take the beacon's answer while the job may be challenged.

    \b
    zkdps audit draw --job 0x3fa9 --key-file any.key
    """
    job_id, transaction = read_job(account, job), None
    state = account.contracts.audits.get_audit(job_id)
    if state is AuditState.NONE:
        raise JobRefused(f"nobody asked for an audit of job {job_id}: zkdps audit request")
    if state is AuditState.REQUESTED:
        transaction = account.send(account.contracts.audits.build_draw(job_id)).tx_hash
    answer({**describe(account.contracts, job_id), "transaction": transaction}, as_json)


@command.command(epilog=EXIT_HELP)
@chain_options
@job_option
@json_option
def show(rpc_url: str, manifest: Path, job: str, as_json: bool) -> None:
    """Show how far the audit of a job is; needs no key.

    \b
    zkdps audit show --job 0x3fa9 --json
    """
    from offchain.cli.lookup import find_job
    from offchain.roles.context import bind_contracts, connect

    client, deployment = connect(rpc_url, manifest)
    contracts = bind_contracts(client, deployment)
    answer(describe(contracts, find_job(contracts, deployment, job).id), as_json)


def read_job(account: Account, named: str) -> JobId:
    """Return the job that is named by its id or its first digits."""
    from offchain.cli.job_moves import find

    return find(account, named).id


def describe(contracts: Contracts, job_id: JobId) -> dict[str, Any]:
    """Return how far an audit is, and whether the beacon has an answer."""
    from offchain.chain.job_ids import id_bytes

    audits = contracts.audits
    return {
        "job": job_id,
        "audit": audits.get_audit(job_id).name,
        "seed": contracts.beacon.get_state(audits.address, id_bytes(job_id)).name,
        "job_state": contracts.market.get_job(job_id).state.name,
        "clock": int(contracts.market.get_time().now),
    }
