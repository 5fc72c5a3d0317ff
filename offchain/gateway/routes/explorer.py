"""Read API over the index of the chain.

Lists are newest first; `next` asks for the page behind, and is null at the end. An answer's ETag is
the block that it was read at: who sends it back gets 304 until the index has moved.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Depends, Header, Query, Response
from fastapi import Path as PathParameter
from pydantic import BaseModel

from offchain.errors import RangeError
from offchain.gateway.core import Gateway, get_gateway
from offchain.gateway.faults import Unknown
from offchain.gateway.index.reader import MAX_CURSOR, MAX_PAGE, View
from offchain.gateway.index.records import name_account
from offchain.gateway.routes import events
from offchain.gateway.routes import explorer_models as answers
from offchain.gateway.routes import explorer_views as views
from offchain.gateway.schema import ADDRESS, HEX32, describe_errors
from offchain.types import BatchState, DisputeState, JobState, SessionState

router = APIRouter(tags=["explorer"])
router.include_router(events.router)

PAGE: Final = 50
REVALIDATE: Final = "no-cache"
JobStateName = Literal[
    "open", "assigned", "committed", "disputed", "final", "proven", "rejected", "expired",
    "failed", "cancelled", "refused", "voided",
]  # fmt: skip
DisputeStateName = Literal[
    "open", "defender_proven", "default", "fraud_proven", "distributed", "cured", "voided"
]
SessionStateName = Literal["open", "closing", "closed", "voided"]
BatchStateName = Literal["committed", "final", "voided"]

Door = Annotated[Gateway, Depends(get_gateway)]
Id = Annotated[str, PathParameter(pattern=HEX32, examples=["0x" + "5a" * 32])]
AddressPath = Annotated[str, PathParameter(pattern=ADDRESS, examples=["0x" + "5a" * 20])]
AddressFilter = Annotated[str | None, Query(pattern=ADDRESS)]
IdFilter = Annotated[str | None, Query(pattern=HEX32)]
Limit = Annotated[int, Query(ge=1, le=MAX_PAGE, description="items on the page")]
Cursor = Annotated[str | None, Query(max_length=MAX_CURSOR, description="`next` of a page")]
Known = Annotated[str, Header(alias="If-None-Match", max_length=512)]
UNCHANGED: Final[dict[int | str, dict[str, Any]]] = {304: {"description": "Unchanged"}}
RECORDS: Final = {**UNCHANGED, **describe_errors(404)}
LISTS: Final = RECORDS  # unknown is a cursor that no page gave


def serve(
    gateway: Gateway,
    known: str,
    build: Callable[[View], BaseModel | None],
    what: str,
    salt: str = "",
) -> Response:
    """Answer out of one state of the index, or that nothing has changed since.

    `salt` stands for whatever else the answer depends on. Raises Unknown where `build` finds
    nothing, and for a cursor that no page gave.
    """
    with gateway.index.reader.view() as view:
        tag = f'"{view.as_of.number}-{view.as_of.hash[2:18]}{salt}"'
        headers = {"ETag": tag, "Cache-Control": REVALIDATE}
        if tag in (part.strip().removeprefix("W/") for part in known.split(",")):
            return Response(status_code=304, headers=headers)
        try:
            answer = build(view)
        except RangeError as error:
            raise Unknown(str(error)) from None
    if answer is None:
        raise Unknown(f"no {what} at block {view.as_of.number}", block=view.as_of.number)
    return Response(answer.model_dump_json(), media_type="application/json", headers=headers)


def _account(address: str | None) -> str | None:
    return None if address is None else name_account(address)


def _states(kind: Any, names: Sequence[str] | None) -> tuple[int, ...]:
    return tuple(int(kind[name.upper()]) for name in names or ())


@router.get("/jobs", response_model=answers.JobPage, responses=LISTS)
def list_jobs(
    gateway: Door,
    client: AddressFilter = None,
    operator: AddressFilter = None,
    version: IdFilter = None,
    batch: IdFilter = None,
    state: Annotated[list[JobStateName] | None, Query(max_length=12)] = None,
    cursor: Cursor = None,
    limit: Limit = PAGE,
    known: Known = "",
) -> Response:
    """List jobs; several states mean any of them."""

    def build(view: View) -> answers.JobPage:
        page = view.list(
            "job", limit, cursor, _states(JobState, state), client=_account(client),
            operator=_account(operator), version=version, batch=batch,
        )  # fmt: skip
        items = views.list_jobs(view, page.records)
        return answers.JobPage(asOf=views.show_position(view.as_of), items=items, next=page.after)

    return serve(gateway, known, build, "jobs")


@router.get("/jobs/{job_id}", response_model=answers.JobAnswer, responses=RECORDS)
def get_job(gateway: Door, job_id: Id, known: Known = "") -> Response:
    """Return a job, or the result of a batch that this id stands for."""
    return serve(gateway, known, lambda view: views.find_job(view, job_id), f"job {job_id}")


@router.get("/disputes", response_model=answers.DisputePage, responses=LISTS)
def list_disputes(
    gateway: Door,
    operator: AddressFilter = None,
    version: IdFilter = None,
    state: Annotated[list[DisputeStateName] | None, Query(max_length=7)] = None,
    cursor: Cursor = None,
    limit: Limit = PAGE,
    known: Known = "",
) -> Response:
    """List disputes."""

    def build(view: View) -> answers.DisputePage:
        page = view.list(
            "dispute", limit, cursor, _states(DisputeState, state), operator=_account(operator),
            version=version,
        )  # fmt: skip
        clock = views.read_clock(view)
        items = [views.show_dispute(record, clock) for record in page.records]
        return answers.DisputePage(
            asOf=views.show_position(view.as_of), items=items, next=page.after
        )

    return serve(gateway, known, build, "disputes")


@router.get("/disputes/{job_id}", response_model=answers.DisputeAnswer, responses=RECORDS)
def get_dispute(gateway: Door, job_id: Id, known: Known = "") -> Response:
    """Return the dispute about a job: its clocks, who stands where, and who got what."""
    what = f"dispute about job {job_id}"
    return serve(gateway, known, lambda view: views.find_dispute(view, job_id), what)


@router.get("/versions", response_model=answers.VersionPage, responses=LISTS)
def list_versions(
    gateway: Door,
    owner: AddressFilter = None,
    cursor: Cursor = None,
    limit: Limit = PAGE,
    known: Known = "",
) -> Response:
    """List model versions."""

    def build(view: View) -> answers.VersionPage:
        page = view.list("version", limit, cursor, owner=_account(owner))
        items = [views.show_version(record, gateway.models) for record in page.records]
        return answers.VersionPage(
            asOf=views.show_position(view.as_of), items=items, next=page.after
        )

    return serve(gateway, known, build, "versions", views.stamp_models(gateway.models))


@router.get("/versions/{version_id}", response_model=answers.VersionAnswer, responses=RECORDS)
def get_version(gateway: Door, version_id: Id, known: Known = "") -> Response:
    """Return a version's terms, its fidelity report and how its input is asked for."""
    return serve(
        gateway,
        known,
        lambda view: views.find_version(view, version_id, gateway.models),
        f"version {version_id}",
        views.stamp_models(gateway.models),
    )


@router.get("/operators", response_model=answers.OperatorPage, responses=LISTS)
def list_operators(
    gateway: Door, cursor: Cursor = None, limit: Limit = PAGE, known: Known = ""
) -> Response:
    """List operators: owners who staked or have somebody work for them."""

    def build(view: View) -> answers.OperatorPage:
        page = view.list("account", limit, cursor, is_operator=True)
        items = [views.show_operator(record) for record in page.records]
        return answers.OperatorPage(
            asOf=views.show_position(view.as_of), items=items, next=page.after
        )

    return serve(gateway, known, build, "operators")


@router.get("/operators/{address}", response_model=answers.OperatorAnswer, responses=RECORDS)
def get_operator(gateway: Door, address: AddressPath, known: Known = "") -> Response:
    """Return an operator: stake, standing, what it served, earned and lost."""
    owner = name_account(address)
    return serve(gateway, known, lambda view: views.find_operator(view, owner), f"operator {owner}")


@router.get("/accounts/{address}", response_model=answers.AccountAnswer, responses=RECORDS)
def get_account(
    gateway: Door,
    address: AddressPath,
    cursor: Cursor = None,
    limit: Limit = PAGE,
    known: Known = "",
) -> Response:
    """Return an account's part of the vault's ledger, and its movements."""
    name = name_account(address)

    def build(view: View) -> answers.AccountAnswer | None:
        return views.find_account(view, name, limit, cursor)

    return serve(gateway, known, build, f"account {name}")


@router.get("/sessions", response_model=answers.SessionPage, responses=LISTS)
def list_sessions(
    gateway: Door,
    client: AddressFilter = None,
    operator: AddressFilter = None,
    version: IdFilter = None,
    state: Annotated[list[SessionStateName] | None, Query(max_length=4)] = None,
    cursor: Cursor = None,
    limit: Limit = PAGE,
    known: Known = "",
) -> Response:
    """List sessions."""

    def build(view: View) -> answers.SessionPage:
        page = view.list(
            "session", limit, cursor, _states(SessionState, state), client=_account(client),
            operator=_account(operator), version=version,
        )  # fmt: skip
        items = views.list_sessions(view, page.records)
        return answers.SessionPage(
            asOf=views.show_position(view.as_of), items=items, next=page.after
        )

    return serve(gateway, known, build, "sessions")


@router.get("/batches", response_model=answers.BatchPage, responses=LISTS)
def list_batches(
    gateway: Door,
    session: IdFilter = None,
    operator: AddressFilter = None,
    state: Annotated[list[BatchStateName] | None, Query(max_length=3)] = None,
    cursor: Cursor = None,
    limit: Limit = PAGE,
    known: Known = "",
) -> Response:
    """List batches of sessions' results."""

    def build(view: View) -> answers.BatchPage:
        page = view.list(
            "batch", limit, cursor, _states(BatchState, state), session=session,
            operator=_account(operator),
        )  # fmt: skip
        items = [views.show_batch(record) for record in page.records]
        return answers.BatchPage(asOf=views.show_position(view.as_of), items=items, next=page.after)

    return serve(gateway, known, build, "batches")


@router.get("/batches/{batch_id}", response_model=answers.BatchAnswer, responses=RECORDS)
def get_batch(gateway: Door, batch_id: Id, known: Known = "") -> Response:
    """Return a batch with its leaves, which were found to hash to its root."""
    return serve(gateway, known, lambda view: views.find_batch(view, batch_id), f"batch {batch_id}")


@router.get("/stats", response_model=answers.StatsAnswer, responses=LISTS)
def get_stats(gateway: Door, known: Known = "") -> Response:
    """Return counts and money over everything."""
    return serve(gateway, known, views.show_stats, "stats")
