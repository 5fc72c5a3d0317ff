"""Errors as answers: whatever goes wrong, a client reads one JSON form and no inner detail."""

from __future__ import annotations

import traceback
from collections.abc import Mapping, Sequence
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.routing import Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from offchain.errors import (
    DatabaseUnavailable,
    MalformedAnswer,
    RpcUnavailable,
    StorageError,
)
from offchain.gateway.faults import ApiError, InvalidRequest, Unavailable
from offchain.roles.log import Log


class Disconnected(Exception):
    """The client went away, or takes too long over what it asked for."""


NAMES: Final = {400: "BadRequest", 404: "Unknown", 405: "MethodNotAllowed", 413: "TooLarge"}
METHODS: Final = ("DELETE", "GET", "HEAD", "PATCH", "POST", "PUT")
MAX_PROBLEMS: Final = 8  # told of one request
MAX_SHOWN: Final = 200  # characters of one


def build_error(
    status: int,
    name: str,
    message: str,
    facts: Mapping[str, object],
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    """Return the one form of an error; it is never kept by a cache."""
    body = {"error": name, "message": message, "facts": dict(facts)}
    return JSONResponse(body, status, {"Cache-Control": "no-store", **(headers or {})})


def answer_api_error(error: ApiError) -> JSONResponse:
    """Return an error of ours as an answer."""
    name = type(error).__name__
    return build_error(error.status, name, error.message, error.facts, error.headers)


def install_error_handlers(app: FastAPI, log: Log) -> None:
    """Make every exception an answer; unexpected ones are logged and told without detail."""

    @app.exception_handler(ApiError)
    def on_api_error(_: Request, error: ApiError) -> JSONResponse:
        return answer_api_error(error)

    @app.exception_handler(RequestValidationError)
    def on_invalid(_: Request, error: RequestValidationError) -> JSONResponse:
        problems = [_describe(problem) for problem in error.errors()[:MAX_PROBLEMS]]
        return answer_api_error(InvalidRequest("; ".join(problems), problems=problems))

    @app.exception_handler(HTTPException)
    def on_http(request: Request, error: HTTPException) -> JSONResponse:
        name, headers = NAMES.get(error.status_code, "HttpError"), dict(error.headers or {})
        if error.status_code == 405:
            headers["Allow"] = ", ".join(_list_methods(app, request.scope))
        return build_error(error.status_code, name, str(error.detail), {}, headers)

    def on_unavailable(request: Request, error: Exception) -> JSONResponse:
        log.event("unavailable", path=request.url.path, cause=type(error).__name__)
        what = {RpcUnavailable: "node", MalformedAnswer: "node", DatabaseUnavailable: "database"}
        part = what.get(type(error), "storage")
        return answer_api_error(Unavailable(f"the {part} does not answer", part=part))

    for kind in (RpcUnavailable, MalformedAnswer, DatabaseUnavailable, StorageError):
        app.add_exception_handler(kind, on_unavailable)


class Boundary:
    """Answers what no handler does, a defect of ours, and writes it down; tells no detail."""

    def __init__(self, app: ASGIApp, log: Log) -> None:
        self._app, self._log = app, log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        is_started = False

        async def note(message: Message) -> None:
            nonlocal is_started
            is_started = True
            await send(message)

        try:
            await self._app(scope, receive, note)
        except (ApiError, Disconnected):
            raise  # of what stands in front
        except Exception as error:
            where = traceback.extract_tb(error.__traceback__)[-1]
            self._log.event(
                "defect", path=scope.get("path"), cause=repr(error)[:MAX_SHOWN],
                file=where.filename, line=where.lineno,
            )  # fmt: skip
            if is_started or scope["type"] != "http":
                raise
            told = "a defect of the gateway; it is in its log"
            await build_error(500, "InternalError", told, {})(scope, receive, send)


def _list_methods(app: FastAPI, scope: Scope) -> Sequence[str]:
    """Return the methods of a path, which several routes may share."""
    return [
        method
        for method in METHODS
        if any(r.matches({**scope, "method": method})[0] is Match.FULL for r in app.routes)
    ]


def _describe(problem: Mapping[str, Any]) -> str:
    """Return where and what; the rejected value itself is not repeated."""
    where = ".".join(str(part) for part in problem.get("loc", ()))
    return f"{where}: {problem.get('msg', '')}"[:MAX_SHOWN]
