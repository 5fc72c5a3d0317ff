"""`zkdps challenge`: recompute results, dispute what differs, collect what was won."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from offchain.cli.evidence import evidence
from offchain.cli.job_moves import find
from offchain.cli.options import (
    account_options,
    job_option,
    json_option,
    pull_options,
    role_options,
)
from offchain.cli.output import EXIT_HELP, answer
from offchain.cli.stopping import listen_for_stop
from offchain.errors import JobRefused
from offchain.params.settings import GAMES, Settings
from offchain.types import DisputeState, JobState

if TYPE_CHECKING:
    from offchain.roles.account import Account
    from offchain.types import Job


@click.group(name="challenge")
def command() -> None:
    """Dispute results and collect what was won.

    \b
    zkdps challenge run ...     the service: recompute everything, dispute what differs
    zkdps challenge open ...    one dispute by hand, then claim, then distribute
    """


command.add_command(evidence)


@command.command(epilog=EXIT_HELP)
@role_options("challenger")
@pull_options
@click.option("--challenge-always", is_flag=True, help="Challenge right results too (drills).")
@click.option(
    "--game",
    type=click.Choice(sorted(GAMES)),
    default="auto",
    show_default=True,
    help="auto: dispute over the trace where the version has a plan, demand a proof elsewhere.",
)
@click.option(
    "--watch-quorums",
    is_flag=True,
    help="Also recompute quorums' results, take a wrong replica out and dispute it.",
)
@click.option(
    "--audit",
    is_flag=True,
    help="Have the beacon decide about every result whether it must be proven; costs gas only.",
)
@click.option(
    "--keep-credit",
    "collect",
    flag_value=False,
    type=bool,
    default=True,
    help="Leave what was won in the vault instead of withdrawing it at once.",
)
def run(settings: Settings) -> None:
    """Watch every committed result, recompute it on the reference path, challenge what differs.

    Results in a session's batch are challenged one by one, each by a proof that it is in the batch;
    it is a job of its own from then on. What could not be recomputed here is never challenged.

    Where the version has a plan, one operator of its trace is disputed, and where the trace is
    withheld it is searched: that costs a fraction of a proof, on both sides. Nothing is begun that
    this account's balance does not cover to the end.

    After a challenge: claim the default when no answer came in time, divide the slash after the
    airgap, and withdraw what was won.

    \b
    zkdps challenge run --home ./watcher --models ./models --content ./content \\
        --key-file watcher.key --manifest deployments/31337.json
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
@job_option
@click.option(
    "--without-bond",
    is_flag=True,
    help="For a job that requires a proof: begin it, without bond and without reward.",
)
@json_option
def open_(account: Account, job: str, without_bond: bool, as_json: bool) -> None:
    """Demand a proof of one committed result, as it stands now.

    The bond comes back, with 35 % of the operator's lock, if no proof comes; if one does, it is
    lost.

    \b
    zkdps challenge open --job 0x3fa9 --key-file watcher.key
    """
    found = account.contracts.market.get_job(find(account, job).id)
    if found.state is JobState.DISPUTED and account.address not in read_challengers(account, found):
        raise JobRefused(f"job {found.id} is disputed already: zkdps challenge join")
    answer(demand_proof(account, found, without_bond), as_json)


@command.command(epilog=EXIT_HELP)
@account_options
@job_option
@json_option
def join(account: Account, job: str, as_json: bool) -> None:
    """Share a dispute that somebody opened a few blocks ago, with a bond of one's own.

    The client of the job may join until the window closes. All challengers share the reward.

    \b
    zkdps challenge join --job 0x3fa9 --key-file watcher.key
    """
    found = account.contracts.market.get_job(find(account, job).id)
    if found.state is not JobState.DISPUTED:
        raise JobRefused(f"job {found.id} is {found.state.name}: there is no dispute to join")
    answer(demand_proof(account, found, without_bond=False), as_json)


def read_challengers(account: Account, job: Job) -> tuple[str, ...]:
    """Return who challenges a job already."""
    return tuple(account.contracts.game.get_challengers(job.id))


def demand_proof(account: Account, job: Job, without_bond: bool) -> dict[str, object]:
    """Open or join the dispute of a job unless this account has; return what was done."""
    game = account.contracts.game
    transaction, bond = None, 0
    if account.address not in read_challengers(account, job):
        if without_bond:
            call = game.build_request_proof(job.id, job.out_digest)
        else:
            bond = int(game.get_required_bond(job.id))
            call = game.build_challenge(job.id, job.out_digest, bond)
        transaction = account.send(call).tx_hash
    dispute = game.get_dispute_of(job.id)
    return {
        "job": job.id,
        "bond_wei": bond,
        "prove_until": None if dispute is None else int(dispute.prove_until),
        "challengers": list(game.get_challengers(job.id)),
        "transaction": transaction,
    }


@command.command(epilog=EXIT_HELP)
@account_options
@job_option
@json_option
def claim(account: Account, job: str, as_json: bool) -> None:
    """Settle against an operator that did not prove in time; anybody may.

    The client has its fee back at once and the challengers their bonds; the lock is divided after
    the airgap: `zkdps challenge distribute`.

    \b
    zkdps challenge claim --job 0x3fa9 --key-file any.key
    """
    settle(account, job, DisputeState.DEFAULT, as_json)


@command.command(epilog=EXIT_HELP)
@account_options
@job_option
@json_option
def distribute(account: Account, job: str, as_json: bool) -> None:
    """Divide a slashed lock after its airgap; anybody may.

    40 % to the client, 35 % to the challengers, the rest is burned.

    \b
    zkdps challenge distribute --job 0x3fa9 --key-file any.key
    zkdps withdraw --key-file watcher.key
    """
    settle(account, job, DisputeState.DISTRIBUTED, as_json)


def settle(account: Account, named: str, reached: DisputeState, as_json: bool) -> None:
    """Take a dispute to a state; a dispute that got there before is no error."""
    game = account.contracts.game
    job_id = find(account, named).id
    dispute = game.get_dispute_of(job_id)
    if dispute is None:
        raise JobRefused(f"job {job_id} was never challenged")
    transaction = None
    if dispute.state is not reached:
        is_claim = reached is DisputeState.DEFAULT
        call = game.build_claim_default(job_id) if is_claim else game.build_distribute_slash(job_id)
        transaction = account.send(call).tx_hash
        dispute = game.get_dispute_of(job_id)
    state = None if dispute is None else dispute.state.name
    answer({"job": job_id, "dispute": state, "transaction": transaction}, as_json)
