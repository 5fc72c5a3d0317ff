"""Records of the index as the explorer's answers."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, Final

from offchain.chain.event_store import Position
from offchain.chain.session_ids import build_job_terms
from offchain.gateway.index.reader import Record, TimedEvent, View
from offchain.gateway.index.records import CLOCK, COUNTS, compute_clock
from offchain.gateway.index.tables import Body
from offchain.gateway.models import Shelf
from offchain.gateway.routes import explorer_models as answers
from offchain.gateway.schema import AsOf
from offchain.submit.bundle import compute_model_key
from offchain.types import (
    Amount,
    Assurance,
    BatchState,
    Digest,
    DisputeState,
    JobState,
    SessionId,
    SessionState,
    SessionTerms,
    VerifyMask,
    VersionId,
)

# Structs are in the record, and a batch's results in its leaves.
LEFT_OUT: Final = frozenset({"items"})
BALANCES: Final = ("free", "locked", "unbonding", "unbondReadyAt", "credit")
DEADLINES: Final = {
    JobState.OPEN: "assignUntil",
    JobState.ASSIGNED: "commitUntil",
    JobState.COMMITTED: "challengeUntil",
    JobState.REJECTED: "airgapUntil",
}
ASSURANCES: Final = {
    JobState.FINAL: Assurance.UNCHALLENGED,
    JobState.PROVEN: Assurance.PROVEN,
}
PAID: Final = ("final", "proven")


def show_position(position: Position) -> AsOf:
    """Return the block that an answer was read at."""
    return AsOf(block=position.number, hash=position.hash, timestamp=position.timestamp)


def read_clock(view: View) -> int:
    """Return the protocol's clock at the view's block."""
    clock = view.find("protocol", CLOCK)
    return compute_clock(None if clock is None else clock.body, view.as_of.timestamp)


def show_events(events: Sequence[TimedEvent]) -> list[answers.EventEntry]:
    """Return events as entries."""
    return [
        answers.EventEntry(
            block=e.event.block_number,
            timestamp=e.timestamp,
            log=e.event.log_index,
            tx=e.event.tx_hash,
            contract=e.event.contract,
            name=e.event.name,
            arguments={
                name: _show_value(value)
                for name, value in e.event.arguments.items()
                if name not in LEFT_OUT and not isinstance(value, (list, tuple))
            },
        )
        for e in events
    ]


def _show_value(value: Any) -> str | bool:
    if isinstance(value, bytes):
        return "0x" + value.hex()
    return value if isinstance(value, (bool, str)) else str(value)


def show_sums(sums: Mapping[str, int]) -> dict[str, str]:
    """Return amounts as decimal strings."""
    return {name: str(amount) for name, amount in sums.items()}


# Jobs


def list_jobs(view: View, records: Sequence[Record]) -> list[answers.JobItem]:
    """Return jobs as items; those under dispute with the dispute's deadline."""
    disputed = [r.key for r in records if r.body["state"] == JobState.DISPUTED]
    disputes = view.find_many("dispute", disputed) if disputed else {}
    return [answers.JobItem(**_show_job(r, disputes.get(r.key))) for r in records]


def _show_job(record: Record, dispute: Record | None) -> dict[str, Any]:
    job, state = record.body, JobState(record.body["state"])
    name = DEADLINES.get(state)
    deadline = None if name is None or job["closedAt"] is not None else job[name]
    if state is JobState.DISPUTED and dispute is not None:
        deadline = dispute.body["proveBy"]
    same = (
        "id", "client", "operator", "version", "token", "inDigest", "outDigest", "createdAt",
        "updatedAt", "session", "batch", "leaf", "order",
    )  # fmt: skip
    return {
        **{name: job[name] for name in same},
        "fee": str(job["fee"]),
        "state": state.name.lower(),
        "assurance": ASSURANCES.get(state, Assurance.NONE).name.lower(),
        "proofRequired": bool(job["verifyMask"] & VerifyMask.PROOF_REQUIRED),
        "deadline": deadline,
        "createdBlock": record.block,
    }


def find_job(view: View, job_id: str) -> answers.JobAnswer | None:
    """Return a job, or a batch's result that this id stands for, or None."""
    record = view.find("job", job_id)
    events = job_id
    if record is None:
        leaf = view.find_leaf(job_id)
        record = None if leaf is None else _make_leaf_job(view, leaf)
        if record is None or leaf is None:
            return None
        events = leaf.batch
    job, dispute = record.body, view.find("dispute", job_id)
    delivery = job["delivery"]
    return answers.JobAnswer(
        **_show_job(record, dispute),
        asOf=show_position(view.as_of),
        terms=answers.Terms(
            client=job["client"],
            version=job["version"],
            inDigest=job["inDigest"],
            token=job["token"],
            fee=str(job["fee"]),
            verifyMask=job["verifyMask"],
            privacyMask=job["privacyMask"],
            salt=str(job["salt"]),
        ),
        inputUri=job["inputUri"],
        outputUri=job["outputUri"],
        deadlines=answers.Deadlines(
            assignUntil=job["assignUntil"],
            commitUntil=job["commitUntil"],
            challengeUntil=job["challengeUntil"],
            deliverBy=None if delivery is None else delivery["deliverBy"],
            proveBy=None if dispute is None else dispute.body["proveBy"],
            airgapUntil=job["airgapUntil"],
        ),
        delivery=None
        if delivery is None
        else answers.Delivery(**{**delivery, "payment": str(delivery["payment"])}),
        closedAt=job["closedAt"],
        dispute=None if dispute is None else show_dispute(dispute, read_clock(view)),
        funds=show_funds(view, job_id),
        events=show_events(view.list_events("id", events)),
    )


def _make_leaf_job(view: View, leaf: Any) -> Record | None:
    """Return the job that a result in a batch would be if it were taken out of it."""
    batch, session = view.find("batch", leaf.batch), view.find("session", leaf.session)
    if batch is None or session is None:
        return None
    terms = build_job_terms(
        SessionId(leaf.session),
        read_session_terms(session.body),
        leaf.nonce,
        Digest(bytes.fromhex(leaf.in_digest[2:])),
    )
    states = {
        BatchState.COMMITTED: JobState.COMMITTED,
        BatchState.FINAL: JobState.FINAL,
        BatchState.VOIDED: JobState.VOIDED,
    }
    body: Body = {
        "id": leaf.job,
        "client": terms.client,
        "operator": batch.body["operator"],
        "version": session.body["version"],
        "token": terms.token,
        "fee": int(terms.fee),
        "inDigest": leaf.in_digest,
        "outDigest": leaf.out_digest,
        "verifyMask": terms.verify_mask,
        "privacyMask": terms.privacy_mask,
        "salt": terms.salt,
        "inputUri": "",
        "outputUri": "",
        "state": states[BatchState(batch.body["state"])],
        "createdAt": batch.body["committedAt"],
        "updatedAt": batch.body["closedAt"] or batch.body["committedAt"],
        "assignUntil": None,
        "commitUntil": None,
        "challengeUntil": batch.body["challengeUntil"],
        "airgapUntil": None,
        "delivery": None,
        "session": leaf.session,
        "batch": leaf.batch,
        "leaf": leaf.position,
        "order": None,
        "closedAt": batch.body["closedAt"],
    }
    return Record(leaf.job, batch.block, batch.log, body)


def read_session_terms(session: Body) -> SessionTerms:
    """Return a session's terms from its record."""
    return SessionTerms(
        client=session["client"],
        signer=session["signer"],
        operator=session["operator"],
        version=VersionId(bytes.fromhex(session["version"][2:])),
        token=session["token"],
        fee=Amount(session["fee"]),
        salt=session["salt"],
    )


def show_funds(view: View, key: str) -> answers.Funds | None:
    """Return the money of a job, a session or a batch."""
    record = view.find("funds", key)
    if record is None:
        return None
    funds = record.body
    return answers.Funds(
        escrow=str(funds["escrow"]),
        lock=str(funds["lock"]),
        lockStatus=funds["lockStatus"],
        fined=str(funds["fined"]),
        bonds=str(funds["bonds"]),
        burned=show_sums(funds["burned"]),
        payments=[answers.Payment(**{**p, "amount": str(p["amount"])}) for p in funds["payments"]],
    )


# Disputes


def show_dispute(record: Record, clock: int) -> answers.DisputeItem:
    """Return a dispute; its phase is told by the protocol's clock."""
    return answers.DisputeItem(**_show_dispute(record.body, clock))


def _show_dispute(dispute: Body, clock: int) -> dict[str, Any]:
    state = DisputeState(dispute["state"])
    phase = "over"
    if state is DisputeState.OPEN:
        phase = "proof-due" if clock <= dispute["proveBy"] else "proof-overdue"
    elif state.holds_slash:
        phase = "airgap" if clock <= (dispute["airgapUntil"] or 0) else "division-due"
    evidence = dispute["evidence"]
    return {
        **dispute,
        "state": state.name.lower(),
        "phase": phase,
        "bond": str(dispute["bond"]),
        "evidence": None if evidence is None else answers.Evidence(**evidence),
    }


def find_dispute(view: View, job_id: str) -> answers.DisputeAnswer | None:
    """Return the dispute about a job, or None."""
    record, job = view.find("dispute", job_id), view.find("job", job_id)
    if record is None or job is None:
        return None
    return answers.DisputeAnswer(
        **_show_dispute(record.body, read_clock(view)),
        asOf=show_position(view.as_of),
        jobState=JobState(job.body["state"]).name.lower(),
        outDigest=job.body["outDigest"],
        funds=show_funds(view, job_id),
        events=show_events(view.list_events("id", job_id)),
    )


# Versions


def stamp_models(shelf: Shelf) -> str:
    """Return what changes with the models that the gateway has."""
    keys = "".join(model.bundle_sha256 for model in shelf.list())
    return "-" + hashlib.sha256(keys.encode()).hexdigest()[:8] if keys else ""


def show_version(record: Record, shelf: Shelf) -> answers.VersionItem:
    """Return a version."""
    return answers.VersionItem(**_show_version(record, shelf))


def _show_version(record: Record, shelf: Shelf) -> dict[str, Any]:
    version = record.body
    key = compute_model_key(
        bytes.fromhex(version["graphHash"][2:]), bytes.fromhex(version["weightRoot"][2:])
    )
    model = shelf.find(key)
    interface = None if model is None else model.interface
    renamed = {"verifier": "adjudicator"}
    return {
        **{renamed.get(name, name): value for name, value in version.items()},
        "proofGas": str(version["proofGas"]),
        "opCount": str(version["opCount"]),
        "registeredBlock": record.block,
        "modelKey": key,
        "title": None if interface is None else interface.to_json().get("title"),
    }


def find_version(view: View, key: str, shelf: Shelf) -> answers.VersionAnswer | None:
    """Return a version with what its model's folder says, or None."""
    record = view.find("version", key)
    if record is None:
        return None
    shown = _show_version(record, shelf)
    model = shelf.find(shown["modelKey"])
    interface = None if model is None or model.interface is None else model.interface.to_json()
    return answers.VersionAnswer(
        **shown,
        asOf=show_position(view.as_of),
        report=None if model is None else dict(model.report),
        interface=interface,
    )


# Accounts


def show_operator(record: Record) -> answers.OperatorItem:
    """Return an operator."""
    return answers.OperatorItem(**_show_operator(record))


def find_operator(view: View, address: str) -> answers.OperatorAnswer | None:
    """Return an operator, or None where the account never staked or hired."""
    record = view.find("account", address)
    if record is None or not record.body["isOperator"]:
        return None
    return answers.OperatorAnswer(**_show_operator(record), asOf=show_position(view.as_of))


def _show_operator(record: Record) -> dict[str, Any]:
    account = record.body
    same = (
        "address", "worker", "proposedWorker", "jailedUntil", "misses", "missWindowStart", "jobs",
        "disputes", "batches", "batchResults",
    )  # fmt: skip
    return {
        **{name: account[name] for name in same},
        "tokens": _show_tokens(account),
        "served": sum(account["jobs"].get(s, 0) for s in PAID) + account["batchResults"],
        "versions": [
            answers.VersionCount(version=version, jobs=jobs)
            for version, jobs in account["versions"].items()
        ],
        "sinceBlock": record.block,
    }


def _show_tokens(account: Body) -> list[answers.TokenSums]:
    return [
        answers.TokenSums(
            token=token,
            free=str(sums.get("free", 0)),
            locked=str(sums.get("locked", 0)),
            unbonding=str(sums.get("unbonding", 0)),
            unbondReadyAt=sums.get("unbondReadyAt", 0),
            credit=str(sums.get("credit", 0)),
            earned=str(sums.get("fee", 0)),
            slashed=str(sums.get("slashed", 0)),
            fined=str(sums.get("fined", 0)),
            totals=show_sums({k: v for k, v in sums.items() if k not in BALANCES}),
        )
        for token, sums in account["tokens"].items()
    ]


def find_account(
    view: View, address: str, limit: int, after: str | None
) -> answers.AccountAnswer | None:
    """Return an account with a page of its movements, or None where nothing ever named it."""
    record = view.find("account", address)
    if record is None:
        return None
    events, following = view.list_events_back("account", address, limit, after)
    account = record.body
    return answers.AccountAnswer(
        asOf=show_position(view.as_of),
        address=account["address"],
        isOperator=account["isOperator"],
        serves=account["serves"],
        tokens=_show_tokens(account),
        jobsOrdered=account["jobsOrdered"],
        challenges=account["challenges"],
        events=show_events(events),
        next=following,
    )


# Sessions


def list_sessions(view: View, records: Sequence[Record]) -> list[answers.SessionItem]:
    """Return sessions with what is left of their deposits."""
    funds = view.find_many("funds", [record.key for record in records]) if records else {}
    shown = []
    for record in records:
        own = funds.get(record.key)
        same = {k: v for k, v in record.body.items() if k != "salt"}
        shown.append(
            answers.SessionItem(
                **{
                    **same,
                    "fee": str(record.body["fee"]),
                    "state": SessionState(record.body["state"]).name.lower(),
                    "openedBlock": record.block,
                    "deposit": "0" if own is None else str(own.body["escrow"]),
                }
            )
        )
    return shown


def show_batch(record: Record) -> answers.BatchItem:
    """Return a batch."""
    return answers.BatchItem(**_show_batch(record))


def _show_batch(record: Record) -> dict[str, Any]:
    batch = record.body
    same = (
        "id", "session", "operator", "version", "root", "count", "committedAt", "challengeUntil",
        "closedAt",
    )  # fmt: skip
    return {
        **{name: batch[name] for name in same},
        "state": BatchState(batch["state"]).name.lower(),
        "extracted": len(batch["extracted"]),
        "committedBlock": record.block,
    }


def find_batch(view: View, key: str) -> answers.BatchAnswer | None:
    """Return a batch with its leaves, or None."""
    record = view.find("batch", key)
    if record is None:
        return None
    extracted = record.body["extracted"]
    return answers.BatchAnswer(
        **_show_batch(record),
        asOf=show_position(view.as_of),
        leaves=[
            answers.LeafEntry(
                index=leaf.position,
                nonce=leaf.nonce,
                job=leaf.job,
                inDigest=leaf.in_digest,
                outDigest=leaf.out_digest,
                extracted=str(leaf.position) in extracted,
            )
            for leaf in view.list_leaves(key)
        ],
        funds=show_funds(view, key),
        events=show_events(view.list_events("id", key)),
    )


def show_stats(view: View) -> answers.StatsAnswer:
    """Return the counts over everything."""
    found = view.find("protocol", COUNTS)
    clock = view.find("protocol", CLOCK)
    counts: Body = {} if found is None else found.body
    pauses = [] if clock is None else clock.body["pauses"]
    now = view.as_of.timestamp
    is_paused = bool(pauses) and pauses[-1][2] is None and now < pauses[-1][1]
    tokens = view.list("token", 2).records
    return answers.StatsAnswer(
        asOf=show_position(view.as_of),
        clock=read_clock(view),
        isPaused=is_paused,
        isRefundMode=clock is not None and clock.body["refundMode"],
        jobs=counts.get("jobs", {}),
        disputes=counts.get("disputes", {}),
        sessions=counts.get("sessions", {}),
        batches=counts.get("batches", {}),
        batchResults=counts.get("batchResults", 0),
        versions=counts.get("versions", 0),
        operators=counts.get("operators", 0),
        ordersTaken=counts.get("ordersTaken", 0),
        tokens=[answers.TokenTotals(token=t.key, totals=show_sums(t.body["sums"])) for t in tokens],
    )
