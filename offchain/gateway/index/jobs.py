"""A job from its order to its end, as the market's events tell it."""

from __future__ import annotations

from typing import Any, Final

from offchain.chain.job_ids import compute_job_id
from offchain.gateway.index.changes import Changes, Fact
from offchain.gateway.index.records import (
    Deployment,
    Handlers,
    count_created,
    get_account,
    name_account,
    name_id,
    name_somebody,
    read_clock,
    set_job_state,
    set_operator_of,
)
from offchain.gateway.index.tables import Body
from offchain.gateway.index.vault import close_escrow
from offchain.types import Address, Amount, Digest, DisputeState, JobState, JobTerms, VersionId


def on_created(changes: Changes, fact: Fact, deployment: Deployment) -> None:
    """Store a job whose terms hash to its id; a node that says otherwise is not believed."""
    key = name_id(fact.arguments["jobId"])
    terms = read_terms(fact.arguments["terms"])
    found = compute_job_id(deployment.chain_id, deployment.market, terms)
    if found != key:
        deployment.notify("terms-mismatch", job=key, found=found, block=fact.block)
        return
    job: Body = {
        "id": key,
        "client": terms.client,
        "version": name_id(terms.version),
        "inDigest": name_id(terms.in_digest),
        "token": terms.token,
        "fee": int(terms.fee),
        "verifyMask": terms.verify_mask,
        "privacyMask": terms.privacy_mask,
        "salt": terms.salt,
        "inputUri": fact.arguments["inputUri"],
        "outputUri": "",
        "state": int(JobState.OPEN),
        "operator": None,
        "outDigest": None,
        "createdAt": fact.time,
        "updatedAt": fact.time,
        "assignUntil": fact.arguments["assignUntil"],
        "commitUntil": None,
        "challengeUntil": None,
        "airgapUntil": None,
        "delivery": None,
        "batch": None,
        "leaf": None,
        "session": None,
        "order": None,
        "closedAt": None,
        "closedClock": None,
    }
    job.update(changes.origins.pop(key, {}))
    changes.put("job", key, fact, job)
    count_created(changes, fact, job)
    get_account(changes, fact, terms.client)["jobsOrdered"] += 1


def read_terms(values: Any) -> JobTerms:
    """Return the terms of an event's struct; addresses checksummed."""
    client, version, in_digest, token, fee, verify, privacy, salt = values
    return JobTerms(
        client=Address(name_account(client)),
        version=VersionId(version),
        in_digest=Digest(in_digest),
        token=Address(name_account(token)),
        fee=Amount(fee),
        verify_mask=verify,
        privacy_mask=privacy,
        salt=salt,
    )


def _find(changes: Changes, fact: Fact) -> Body | None:
    job = changes.find("job", name_id(fact.arguments["jobId"]))
    if job is not None:
        job["updatedAt"] = fact.time
    return job


def on_accepted(changes: Changes, fact: Fact, _: Deployment) -> None:
    """Note: ASSIGNED."""
    if (job := _find(changes, fact)) is not None:
        set_job_state(changes, fact, job, JobState.ASSIGNED)
        set_operator_of(changes, fact, job, fact.arguments["operator"])
        job["commitUntil"] = fact.arguments["commitUntil"]


def on_committed(changes: Changes, fact: Fact, _: Deployment) -> None:
    """Note: COMMITTED."""
    if (job := _find(changes, fact)) is not None:
        set_job_state(changes, fact, job, JobState.COMMITTED)
        job["outDigest"] = name_id(fact.arguments["outDigest"])
        job["challengeUntil"] = fact.arguments["challengeUntil"]
        job["outputUri"] = fact.arguments["outputUri"]


def on_delivery_requested(changes: Changes, fact: Fact, _: Deployment) -> None:
    """Note: the output is due on chain."""
    if (job := _find(changes, fact)) is not None:
        job["delivery"] = {
            "payment": fact.arguments["payment"],
            "deliverBy": fact.arguments["deliverBy"],
            "deliveredAt": None,
        }


def on_delivered(changes: Changes, fact: Fact, _: Deployment) -> None:
    """Note: the output was posted."""
    if (job := _find(changes, fact)) is not None and job["delivery"] is not None:
        job["delivery"] = {**job["delivery"], "deliveredAt": fact.time}


def on_disputed(changes: Changes, fact: Fact, _: Deployment) -> None:
    """Note: DISPUTED."""
    if (job := _find(changes, fact)) is not None:
        set_job_state(changes, fact, job, JobState.DISPUTED)


def on_rejected(changes: Changes, fact: Fact, _: Deployment) -> None:
    """Note: REJECTED: the client is refunded, the lock waits."""
    if (job := _find(changes, fact)) is not None:
        set_job_state(changes, fact, job, JobState.REJECTED)
        job["airgapUntil"] = fact.arguments["airgapUntil"]
        close_escrow(changes, fact, job["id"])
        if (dispute := changes.find("dispute", job["id"])) is not None:
            dispute["airgapUntil"] = job["airgapUntil"]


def _end(state: JobState) -> Any:
    def on_end(changes: Changes, fact: Fact, _: Deployment) -> None:
        if (job := _find(changes, fact)) is not None:
            set_job_state(changes, fact, job, state)
            close_escrow(changes, fact, job["id"])
            close_job(changes, fact, job)

    return on_end


def close_job(changes: Changes, fact: Fact, job: Body) -> None:
    """Note the moment from which nothing can happen to a job any more.

    A rejected one's slash still waits, and within the airgap its input and output may be proven.
    """
    dispute = changes.find("dispute", job["id"])
    waits = job["state"] == JobState.REJECTED and (
        dispute is None or DisputeState(dispute["state"]).holds_slash
    )
    if not waits:
        job["closedAt"], job["closedClock"] = fact.time, read_clock(changes, fact.time)


def on_order_taken(changes: Changes, fact: Fact, _: Deployment) -> None:
    """Note: a signed order became a job."""
    key = name_id(fact.arguments["orderHash"])
    client = name_account(fact.arguments["client"])
    job_id = name_id(fact.arguments["jobId"])
    order = {"hash": key, "client": client, "job": job_id, "fee": fact.arguments["fee"]}
    order["operator"] = name_somebody(fact.arguments["operator"])
    changes.put("order", key, fact, {**order, "state": "taken", "at": fact.time})
    set_origin(changes, job_id, {"order": key})


def set_origin(changes: Changes, job_id: str, origin: Body) -> None:
    """Note where a job comes from, whether its creation was told already or not."""
    job = changes.find("job", job_id)
    if job is None:
        changes.origins[job_id] = origin
    else:
        job.update(origin)


def on_order_cancelled(changes: Changes, fact: Fact, _: Deployment) -> None:
    """Note: a signed order that nobody can take any more."""
    key = name_id(fact.arguments["orderHash"])
    client = name_account(fact.arguments["client"])
    order: Body = {"hash": key, "client": client, "job": None, "fee": None, "operator": None}
    changes.put("order", key, fact, {**order, "state": "cancelled", "at": fact.time})


HANDLERS: Final[Handlers] = {
    "JobCreated": on_created,
    "JobAccepted": on_accepted,
    "ResultCommitted": on_committed,
    "DeliveryRequested": on_delivery_requested,
    "OutputDelivered": on_delivered,
    "JobDisputed": on_disputed,
    "JobRejected": on_rejected,
    "JobCancelled": _end(JobState.CANCELLED),
    "JobExpired": _end(JobState.EXPIRED),
    "JobRefused": _end(JobState.REFUSED),
    "JobFailed": _end(JobState.FAILED),
    "JobFinalised": _end(JobState.FINAL),
    "JobProven": _end(JobState.PROVEN),
    "JobVoided": _end(JobState.VOIDED),
    "OrderTaken": on_order_taken,
    "OrderCancelled": on_order_cancelled,
}
