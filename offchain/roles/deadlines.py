"""The moments at which something about a job becomes possible or is too late."""

from __future__ import annotations

from offchain.chain.cursor import EventCursor
from offchain.errors import ContractRevert
from offchain.roles.context import Contracts
from offchain.roles.trace_turns import get_deadline
from offchain.types import DisputeState, JobId, JobState, QuorumId


def list_deadlines(contracts: Contracts, cursor: EventCursor, job_id: JobId) -> tuple[int, ...]:
    """Return the last seconds of all that is going on about a job, on the protocol's clock."""
    try:
        job = contracts.market.get_job(job_id)
    except ContractRevert:
        return ()  # it was never created
    if job.state.is_terminal and job.state is not JobState.REJECTED:
        return ()
    times = [int(job.deadline), int(job.deliver_by)]
    dispute = contracts.game.get_dispute_of(job_id)
    if dispute is not None and dispute.state is DisputeState.OPEN:
        times.append(int(dispute.prove_until))
    posted = contracts.pinpoint.get_trace(job_id)
    for event in cursor.get_events("DisputeOpened", job_id):
        found = contracts.pinpoint.get_dispute(job_id, int(event.arguments["key"]))
        if found.phase.is_open:
            times.append(get_deadline(contracts.pinpoint, found, posted))
    return tuple(time for time in times if time)


def list_quorum_deadlines(contracts: Contracts, quorum: QuorumId) -> tuple[int, ...]:
    """Return the last second of what a quorum waits for, none once it is over."""
    found = contracts.quorum.get_quorum(quorum)
    return () if found.state.is_over else (int(found.deadline),)
