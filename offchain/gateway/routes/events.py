"""The stream of the index's changes: server-sent events (WHATWG HTML, 9.2)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import ExitStack
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from offchain.chain.event_store import Position
from offchain.gateway.core import Gateway, get_gateway
from offchain.gateway.index.stream import Change
from offchain.gateway.schema import HEX32, describe_errors

router = APIRouter(tags=["explorer"])

HEARTBEAT_S: Final = 15.0  # proxies close what is silent for longer
LOOK_S: Final = 1.0  # between looks whether the gateway stops
HEADERS: Final = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}

EVENT: Final = {
    "schema": {
        "type": "object",
        "properties": {"data": {"type": "string", "contentMediaType": "application/json"}},
        "required": ["data"],
    }
}


class EventStream(StreamingResponse):
    """A body that lasts; it gives its place back however it ends."""

    media_type = "text/event-stream"

    def __init__(self, content: AsyncIterator[str], place: ExitStack) -> None:
        super().__init__(content, headers=HEADERS)
        self._place = place

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send until the client hangs up or the gateway stops."""
        with self._place:
            await super().__call__(scope, receive, send)


@router.get(
    "/events",
    status_code=200,
    response_class=EventStream,
    responses={
        200: {"content": {"text/event-stream": EVENT}, "description": "Until the client hangs up"},
        **describe_errors(429),
    },
)
async def stream_events(
    request: Request,
    gateway: Annotated[Gateway, Depends(get_gateway)],
    job: Annotated[str | None, Query(pattern=HEX32, description="of one job only")] = None,
) -> EventStream:
    """Tell each change of the index, beginning with where it is.

    `data: {"block", "hash", "timestamp", "jobs", "rewoundTo", "resync"}`: `jobs` are the ids of
    jobs, sessions and batches that changed. `rewoundTo` is a block above which everything was
    undone by a reorganisation. `resync` means that not every change is told: read again.
    """
    with ExitStack() as place:
        place.enter_context(gateway.limits.stream(request))
        return EventStream(tell_changes(gateway, job), place.pop_all())


async def tell_changes(gateway: Gateway, job: str | None) -> AsyncIterator[str]:
    """Yield the stream's text."""
    with gateway.index.changes.listen() as listener:
        # Listening first: what changes while the position is read is told after it.
        yield _show(Change(await run_in_threadpool(_read_position, gateway), resync=True))
        clock = asyncio.get_running_loop().time
        told_at = clock()
        while not gateway.stopping.is_set():
            change = await listener.wait(LOOK_S)
            if change is not None and _concerns(change, job):
                told_at = clock()
                yield _show(change)
            elif clock() - told_at >= HEARTBEAT_S:
                told_at = clock()
                yield ": heartbeat\n\n"


def _read_position(gateway: Gateway) -> Position:
    with gateway.index.reader.view() as view:
        return view.as_of


def _concerns(change: Change, job: str | None) -> bool:
    return job is None or change.resync or job in change.ids


def _show(change: Change) -> str:
    position = change.position
    told = {
        "block": position.number,
        "hash": position.hash,
        "timestamp": position.timestamp,
        "jobs": sorted(change.ids),
        "rewoundTo": change.rewound_to,
        "resync": change.resync,
    }
    return f"data: {json.dumps(told)}\n\n"
