"""The dispute about a job, as the game's events tell it."""

from __future__ import annotations

from typing import Any, Final

from offchain.gateway.index.changes import Changes, Fact
from offchain.gateway.index.jobs import close_job
from offchain.gateway.index.records import (
    Deployment,
    Handlers,
    get_account,
    name_account,
    name_id,
    name_somebody,
    set_dispute_state,
)
from offchain.gateway.index.tables import Body
from offchain.types import DisputeState


def on_challenged(changes: Changes, fact: Fact, _: Deployment) -> None:
    """Note: OPEN; without a challenger where the proof is due without a bond."""
    job = changes.find("job", name_id(fact.arguments["jobId"]))
    if job is None:
        return
    challenger = name_somebody(fact.arguments["challenger"])
    dispute = _make(fact, job, fact.arguments["operator"])
    dispute["challengers"] = [] if challenger is None else [challenger]
    dispute["bond"] = fact.arguments["bond"]
    dispute["proveBy"] = fact.arguments["proveBy"]
    dispute["challengeSeed"] = name_id(fact.arguments["challengeSeed"])
    changes.put("dispute", job["id"], fact, dispute)
    set_dispute_state(changes, fact, dispute, DisputeState.OPEN)
    if challenger is not None:
        get_account(changes, fact, challenger)["challenges"] += 1


def _make(fact: Fact, job: Body, operator: str) -> Body:
    return {
        "job": job["id"],
        "operator": name_account(operator),
        "client": job["client"],
        "version": job["version"],
        "state": int(DisputeState.NONE),
        "challengers": [],
        "bond": 0,
        "proveBy": None,
        "challengeSeed": None,
        "openedAt": fact.time,
        "openedBlock": fact.block,
        "airgapUntil": None,
        "prover": None,
        "beneficiary": None,
        "reporter": None,
        "evidence": None,
        "closedAt": None,
    }


def on_joined(changes: Changes, fact: Fact, _: Deployment) -> None:
    """Note: somebody shares the dispute."""
    if (dispute := _find(changes, fact)) is not None:
        challenger = name_account(fact.arguments["challenger"])
        dispute["challengers"] = [*dispute["challengers"], challenger]
        get_account(changes, fact, challenger)["challenges"] += 1


def on_default(changes: Changes, fact: Fact, _: Deployment) -> None:
    """Note: DEFAULT: no proof came."""
    if (dispute := _find(changes, fact)) is not None:
        set_dispute_state(changes, fact, dispute, DisputeState.DEFAULT)


def on_equivocation(changes: Changes, fact: Fact, _: Deployment) -> None:
    """Note: FRAUD_PROVEN: in place of the open dispute, if there is one."""
    job = changes.find("job", name_id(fact.arguments["jobId"]))
    if job is None:
        return
    reporter = name_account(fact.arguments["reporter"])
    before = changes.find("dispute", job["id"])
    challengers = [] if before is None else list(before["challengers"])
    if before is not None:
        set_dispute_state(changes, fact, before, DisputeState.NONE)
    if reporter not in challengers:
        challengers.append(reporter)
    dispute = _make(fact, job, fact.arguments["operator"])
    dispute["challengers"], dispute["reporter"] = challengers, reporter
    dispute["evidence"] = {
        "first": name_id(fact.arguments["first"]),
        "second": name_id(fact.arguments["second"]),
    }
    changes.put("dispute", job["id"], fact, dispute)
    set_dispute_state(changes, fact, dispute, DisputeState.FRAUD_PROVEN)


def on_refuted(changes: Changes, fact: Fact, _: Deployment) -> None:
    """Note: DEFAULT or FRAUD_PROVEN by pinpointing, in place of an open dispute if any."""
    job = changes.find("job", name_id(fact.arguments["jobId"]))
    if job is None:
        return
    dispute = changes.find("dispute", job["id"])
    if dispute is None:
        dispute = _make(fact, job, fact.arguments["operator"])
        changes.put("dispute", job["id"], fact, dispute)
    is_silence = fact.arguments["isCurable"]
    state = DisputeState.DEFAULT if is_silence else DisputeState.FRAUD_PROVEN
    set_dispute_state(changes, fact, dispute, state)


def on_shared(changes: Changes, fact: Fact, _: Deployment) -> None:
    """Note: somebody who did not demand the proof shares the reward."""
    if (dispute := _find(changes, fact)) is not None:
        account = name_account(fact.arguments["account"])
        if account not in dispute["challengers"]:
            dispute["challengers"] = [*dispute["challengers"], account]


def _find(changes: Changes, fact: Fact) -> Body | None:
    return changes.find("dispute", name_id(fact.arguments["jobId"]))


def _end(state: DisputeState) -> Any:
    def on_end(changes: Changes, fact: Fact, _: Deployment) -> None:
        dispute = _find(changes, fact)
        if dispute is None:
            return
        set_dispute_state(changes, fact, dispute, state)
        dispute["closedAt"] = fact.time
        if "prover" in fact.arguments:
            dispute["prover"] = name_account(fact.arguments["prover"])
        if "beneficiary" in fact.arguments:
            dispute["beneficiary"] = name_account(fact.arguments["beneficiary"])
        job = changes.find("job", dispute["job"])
        if job is not None and job["airgapUntil"] is not None:
            job["updatedAt"] = fact.time
            close_job(changes, fact, job)

    return on_end


HANDLERS: Final[Handlers] = {
    "ResultChallenged": on_challenged,
    "ChallengeJoined": on_joined,
    "ResultProven": _end(DisputeState.DEFENDER_PROVEN),
    "DefaultClaimed": on_default,
    "EquivocationProven": on_equivocation,
    "ResultRefuted": on_refuted,
    "RewardShared": on_shared,
    "SlashDistributed": _end(DisputeState.DISTRIBUTED),
    "SlashCured": _end(DisputeState.CURED),
    "DisputeVoided": _end(DisputeState.VOIDED),
}
