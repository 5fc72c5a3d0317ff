"""Which jobs an operator takes: what it will never take, and what it does not take now."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Final

from offchain.chain.fees import compute_reserve_wei
from offchain.errors import JobRefused
from offchain.params.settings import Settings
from offchain.roles.context import Context
from offchain.roles.money import (
    ACCEPT_GAS,
    bound_job_gas,
    bound_wanted_gas,
    compute_fee_floor,
    is_in_eth,
)
from offchain.roles.schedule import ProofLoad, can_prove_all
from offchain.submit.versions import ReproducedVersion
from offchain.types import BlockStamp, Job, JobState, JobTerms, Wei

if TYPE_CHECKING:
    from offchain.roles.operator import Operator

BLOCKS: Final = 10  # the pace of the chain is taken from so many
STEPS_TO_RESULT: Final = 2  # transactions of a job until its result is committed
POLL_S: Final = 1.0  # from a block until the next step is under way


def verify_wanted(terms: JobTerms, settings: Settings) -> None:
    """Raise JobRefused for a job that these settings never take."""
    if is_in_eth(terms):
        return
    if not settings.accept_token:
        raise JobRefused(f"paid in token {terms.token}, which is not accepted here")
    if terms.fee < settings.min_fee_token:
        raise JobRefused(f"fee {terms.fee} is below the floor {settings.min_fee_token}")


def hold_intake(context: Context) -> AbstractContextManager[None]:
    """Hold the decision on which jobs are taken, across the workers of one account."""
    account = context.submitter.account
    return context.journal.locks.hold(f"intake-{context.client.chain_id}-{account}")


def find_obstacle(operator: Operator, terms: JobTerms, version: ReproducedVersion) -> str | None:
    """Return why a job is not taken now, though it may be later, or None."""
    context = operator.context
    head = context.client.get_head()
    if is_in_eth(terms) and terms.fee < _get_fee_floor(operator, terms, version, head.base_fee_wei):
        return "the fee is below the floor"
    if version.model.cost.seconds > context.settings.prover_timeout_s:
        return "a proof may take longer than prover_timeout_s allows"
    open_jobs = [(job, operator.load_version(job)) for job in operator.list_open_jobs()]
    uncommitted = sum(job.state is JobState.ASSIGNED for job, _ in open_jobs)
    if uncommitted >= compute_most_uncommitted(operator.context, head):
        return "earlier jobs' results are due first"
    if not has_time_to_prove(operator, version, open_jobs):
        return "too many jobs are open to prove them all in time"
    gas = sum(bound_job_gas(job, v.version) for job, v in open_jobs)
    gas += bound_wanted_gas(terms, version.version)
    owed = compute_reserve_wei(gas, head.base_fee_wei)
    if not context.submitter.can_spend(Wei(0), ACCEPT_GAS, obligations_wei=owed):
        return "the balance does not cover what the open jobs may ask for"
    return None


def compute_most_uncommitted(context: Context, head: BlockStamp) -> int:
    """Return how many jobs may wait for their result at once: at least one.

    Every worker sends one transaction after the other, two a job until its result is committed;
    half of T_exec is kept for blocks that do not take them.
    """
    before = context.client.get_block(max(head.number - BLOCKS, 0))
    blocks = 0 if before is None else head.number - before.number
    block_s = 0 if before is None or not blocks else (head.timestamp - before.timestamp) / blocks
    job_s = STEPS_TO_RESULT * (block_s + POLL_S)
    return max(1, int(context.settings.workers * context.parameters.exec_seconds / 2 / job_s))


def has_time_to_prove(
    operator: Operator,
    version: ReproducedVersion,
    open_jobs: list[tuple[Job, ReproducedVersion]],
) -> bool:
    """Whether all own open jobs and one more could be proven in turn if all were challenged."""
    disputed = [v for job, v in open_jobs if job.state is JobState.DISPUTED]
    waiting = [v for job, v in open_jobs if job.state is not JobState.DISPUTED]
    loads = [ProofLoad(v.model.cost.seconds, v.version.prove_seconds) for v in (*waiting, version)]
    disputed_s = sum(v.model.cost.seconds for v in disputed)
    return can_prove_all(loads, disputed_s, len(disputed), operator.context.parameters)


def _get_fee_floor(
    operator: Operator, terms: JobTerms, version: ReproducedVersion, base_fee_wei: Wei
) -> Wei:
    chosen = operator.context.settings.min_fee_wei
    if chosen is not None:
        return Wei(chosen)
    parameters = operator.context.parameters
    taken_bps = parameters.protocol_fee_bps + parameters.keeper_tip_bps
    return compute_fee_floor(version.version, terms, base_fee_wei, taken_bps)
