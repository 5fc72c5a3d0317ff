"""The moments at which something about a job becomes possible or is too late."""

from __future__ import annotations

from offchain.roles.context import Contracts
from offchain.types import DisputeState, JobId, JobState


def list_deadlines(contracts: Contracts, job_id: JobId) -> tuple[int, ...]:
    """Return the last seconds of what is going on about a job, on the protocol's clock."""
    job = contracts.market.get_job(job_id)
    if job.state.is_terminal and job.state is not JobState.REJECTED:
        return ()
    times = [int(job.deadline), int(job.deliver_by)]
    dispute = contracts.game.get_dispute_of(job_id)
    if dispute is not None and dispute.state is DisputeState.OPEN:
        times.append(int(dispute.prove_until))
    return tuple(time for time in times if time)
