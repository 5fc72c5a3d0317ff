"""Which jobs an operator takes: what it will never take, and what it does not take now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from offchain.chain.fees import compute_reserve_wei
from offchain.errors import JobRefused
from offchain.params.settings import Settings
from offchain.roles.money import (
    ACCEPT_GAS,
    bound_job_gas,
    bound_wanted_gas,
    compute_fee_floor,
    is_in_eth,
)
from offchain.roles.schedule import ProofLoad, can_prove_all
from offchain.submit.versions import ReproducedVersion
from offchain.types import Job, JobState, JobTerms, Wei

if TYPE_CHECKING:
    from offchain.roles.operator import Operator


def verify_wanted(terms: JobTerms, settings: Settings) -> None:
    """Raise JobRefused for a job that these settings never take."""
    if is_in_eth(terms):
        return
    if not settings.accept_token:
        raise JobRefused(f"paid in token {terms.token}, which is not accepted here")
    if terms.fee < settings.min_fee_token:
        raise JobRefused(f"fee {terms.fee} is below the floor {settings.min_fee_token}")


def find_obstacle(operator: Operator, terms: JobTerms, version: ReproducedVersion) -> str | None:
    """Return why a job is not taken now, though it may be later, or None."""
    context = operator.context
    head = context.client.get_head()
    if context.heads.is_stale(head):
        return "the head stands still: nothing bonded is begun"
    if is_in_eth(terms) and terms.fee < _get_fee_floor(operator, terms, version, head.base_fee_wei):
        return "the fee is below the floor"
    open_jobs = [(job, operator.load_version(job)) for job in operator.list_open_jobs()]
    if not has_time_to_prove(operator, version, open_jobs):
        return "too many jobs are open to prove them all in time"
    gas = sum(bound_job_gas(job, v.version) for job, v in open_jobs)
    gas += bound_wanted_gas(terms, version.version)
    owed = compute_reserve_wei(gas, head.base_fee_wei)
    if not context.submitter.can_spend(Wei(0), ACCEPT_GAS, obligations_wei=owed):
        return "the balance does not cover what the open jobs may ask for"
    return None


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
