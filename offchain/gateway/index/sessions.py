"""Sessions and their batches, as the sessions' market's events tell them (protocol.md A.22)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from offchain.chain.job_ids import compute_job_id, id_bytes
from offchain.chain.session_ids import build_job_terms, compute_batch_id, compute_session_id
from offchain.commit.batch_tree import MAX_LEAVES, compute_leaf, compute_root
from offchain.gateway.index.changes import Changes, Fact
from offchain.gateway.index.jobs import set_origin
from offchain.gateway.index.records import (
    Deployment,
    Handlers,
    count,
    get_account,
    get_counts,
    name_account,
    name_id,
    read_clock,
)
from offchain.gateway.index.tables import Body
from offchain.gateway.index.vault import close_escrow
from offchain.types import (
    Address,
    Amount,
    BatchState,
    Digest,
    JobId,
    SessionId,
    SessionState,
    SessionTerms,
    VersionId,
)

ITEM_BYTES: Final = 68  # of BatchCommitted: nonce (4), input digest, output digest
NONCE_BYTES: Final = 4
WORD: Final = 32


def on_opened(changes: Changes, fact: Fact, deployment: Deployment) -> None:
    """Store a session whose terms hash to its id; a node that says otherwise is not believed."""
    key = name_id(fact.arguments["sessionId"])
    terms = read_terms(fact.arguments["terms"])
    found = compute_session_id(deployment.chain_id, deployment.sessions, terms)
    if found != key:
        deployment.notify("terms-mismatch", session=key, found=found, block=fact.block)
        return
    session: Body = {
        "id": key,
        "client": terms.client,
        "signer": terms.signer,
        "operator": terms.operator,
        "version": name_id(terms.version),
        "token": terms.token,
        "fee": int(terms.fee),
        "salt": terms.salt,
        "royaltyBps": fact.arguments["royaltyBps"],
        "state": int(SessionState.NONE),
        "openedAt": fact.time,
        "closesAt": None,
        "closedAt": None,
        "batches": 0,
        "results": 0,
    }
    changes.put("session", key, fact, session)
    _set_session_state(changes, fact, session, SessionState.OPEN)
    version = changes.find("version", session["version"])
    if version is not None:
        version["sessions"] += 1


def read_terms(values: Any) -> SessionTerms:
    """Return the terms of an event's struct; addresses checksummed."""
    client, signer, operator, version, token, fee, salt = values
    return SessionTerms(
        client=Address(name_account(client)),
        signer=Address(name_account(signer)),
        operator=Address(name_account(operator)),
        version=VersionId(version),
        token=Address(name_account(token)),
        fee=Amount(fee),
        salt=salt,
    )


def _set_session_state(changes: Changes, fact: Fact, session: Body, state: SessionState) -> None:
    counts = get_counts(changes, fact)["sessions"]
    if session["state"] != SessionState.NONE:
        count(counts, SessionState(session["state"]).name.lower(), -1)
    count(counts, state.name.lower(), 1)
    session["state"] = int(state)


def _find_session(changes: Changes, fact: Fact) -> Body | None:
    return changes.find("session", name_id(fact.arguments["sessionId"]))


def on_closing(changes: Changes, fact: Fact, _: Deployment) -> None:
    """Note: CLOSING: the operator's last chance to post results."""
    if (session := _find_session(changes, fact)) is not None:
        _set_session_state(changes, fact, session, SessionState.CLOSING)
        session["closesAt"] = fact.arguments["closesAt"]


def _end_session(state: SessionState) -> Any:
    def on_end(changes: Changes, fact: Fact, _: Deployment) -> None:
        if (session := _find_session(changes, fact)) is not None:
            _set_session_state(changes, fact, session, state)
            session["closedAt"] = fact.time
            close_escrow(changes, fact, session["id"])

    return on_end


def on_committed(changes: Changes, fact: Fact, deployment: Deployment) -> None:
    """Store a batch whose results hash to its root, and its root to its id."""
    session = _find_session(changes, fact)
    key, root = name_id(fact.arguments["batchId"]), fact.arguments["root"]
    if session is None:
        return
    leaves = _read_leaves(fact, session, deployment)
    if not 1 <= len(leaves) <= MAX_LEAVES or len(leaves) != fact.arguments["count"]:
        deployment.notify("terms-mismatch", batch=key, block=fact.block)
        return
    nodes = [compute_leaf(id_bytes(JobId(x["job"])), _digest(x["out_digest"])) for x in leaves]
    if compute_root(nodes) != root or compute_batch_id(SessionId(session["id"]), root) != key:
        deployment.notify("terms-mismatch", batch=key, block=fact.block)
        return
    for leaf in leaves:
        changes.add_leaf(leaf)
    batch: Body = {
        "id": key,
        "session": session["id"],
        "client": session["client"],
        "version": session["version"],
        "operator": name_account(fact.arguments["operator"]),
        "root": name_id(root),
        "count": len(leaves),
        "extracted": {},
        "state": int(BatchState.NONE),
        "committedAt": fact.time,
        "challengeUntil": fact.arguments["challengeUntil"],
        "closedAt": None,
        "closedClock": None,
    }
    changes.put("batch", key, fact, batch)
    _set_batch_state(changes, fact, batch, BatchState.COMMITTED)
    session["batches"] += 1
    session["results"] += len(leaves)
    _count_results(changes, fact, batch)


def _read_leaves(fact: Fact, session: Body, deployment: Deployment) -> list[dict[str, Any]]:
    terms = SessionTerms(
        client=session["client"],
        signer=session["signer"],
        operator=session["operator"],
        version=VersionId(bytes.fromhex(session["version"][2:])),
        token=session["token"],
        fee=Amount(session["fee"]),
        salt=session["salt"],
    )
    leaves = []
    for position, (nonce, in_digest, out_digest) in enumerate(split_items(fact.arguments["items"])):
        job = build_job_terms(SessionId(session["id"]), terms, nonce, in_digest)
        leaves.append(
            {
                "batch": name_id(fact.arguments["batchId"]),
                "position": position,
                "block": fact.block,
                "session": session["id"],
                "nonce": nonce,
                "job": compute_job_id(deployment.chain_id, deployment.market, job),
                "in_digest": name_id(in_digest),
                "out_digest": name_id(out_digest),
            }
        )
    return leaves


def split_items(packed: bytes) -> Sequence[tuple[int, Digest, Digest]]:
    """Return nonce, input digest and output digest of each result of a batch's event."""
    whole = len(packed) - len(packed) % ITEM_BYTES
    items = [packed[i : i + ITEM_BYTES] for i in range(0, whole, ITEM_BYTES)]
    middle = NONCE_BYTES + WORD
    return [
        (int.from_bytes(i[:NONCE_BYTES], "big"), Digest(i[NONCE_BYTES:middle]), Digest(i[middle:]))
        for i in items
    ]


def _digest(text: str) -> Digest:
    return Digest(bytes.fromhex(text[2:]))


def _count_results(changes: Changes, fact: Fact, batch: Body) -> None:
    get_counts(changes, fact)["batchResults"] += batch["count"]
    account = get_account(changes, fact, batch["operator"])
    account["batches"] += 1
    account["batchResults"] += batch["count"]
    version = changes.find("version", batch["version"])
    if version is not None:
        version["batchResults"] += batch["count"]


def _set_batch_state(changes: Changes, fact: Fact, batch: Body, state: BatchState) -> None:
    counts = get_counts(changes, fact)["batches"]
    if batch["state"] != BatchState.NONE:
        count(counts, BatchState(batch["state"]).name.lower(), -1)
    count(counts, state.name.lower(), 1)
    batch["state"] = int(state)


def on_extracted(changes: Changes, fact: Fact, _: Deployment) -> None:
    """Note: a result of a batch became a job of its own."""
    batch = changes.find("batch", name_id(fact.arguments["batchId"]))
    if batch is None:
        return
    job_id, position = name_id(fact.arguments["jobId"]), fact.arguments["index"]
    batch["extracted"] = {**batch["extracted"], str(position): job_id}
    origin = {"batch": batch["id"], "leaf": position, "session": batch["session"]}
    set_origin(changes, job_id, origin)


def _end_batch(state: BatchState) -> Any:
    def on_end(changes: Changes, fact: Fact, _: Deployment) -> None:
        batch = changes.find("batch", name_id(fact.arguments["batchId"]))
        if batch is not None:
            _set_batch_state(changes, fact, batch, state)
            batch["closedAt"], batch["closedClock"] = fact.time, read_clock(changes, fact.time)
            close_escrow(changes, fact, batch["id"])

    return on_end


HANDLERS: Final[Handlers] = {
    "SessionOpened": on_opened,
    "SessionClosing": on_closing,
    "SessionClosed": _end_session(SessionState.CLOSED),
    "SessionVoided": _end_session(SessionState.VOIDED),
    "BatchCommitted": on_committed,
    "ResultExtracted": on_extracted,
    "BatchFinalised": _end_batch(BatchState.FINAL),
    "BatchVoided": _end_batch(BatchState.VOIDED),
}
