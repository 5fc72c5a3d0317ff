"""The application: routes, limits in front of them, and what runs beside them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, nullcontext
from importlib.metadata import version
from threading import Event
from typing import Any, Final

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware

from offchain.errors import ConfigError
from offchain.gateway.answers import Boundary, install_error_handlers
from offchain.gateway.background import Repeater
from offchain.gateway.config import GatewayConfig
from offchain.gateway.core import Gateway, open_gateway
from offchain.gateway.limits import ClientLimits
from offchain.gateway.middleware import AccessLog, Guard, SafeHeaders
from offchain.gateway.routes import chain, content, explorer, models, orders, sessions
from offchain.gateway.schema import COMMON_ERRORS, ErrorAnswer
from offchain.roles.log import Log

ROUTERS: Final = (
    content.router,
    orders.router,
    sessions.router,
    chain.router,
    explorer.router,
    models.router,
)
PREFLIGHT_S: Final = 600  # a browser asks again after so long
STOP_S: Final = 10.0  # a step that runs is waited for so long


def create_app(config: GatewayConfig, gateway: Gateway | None = None) -> FastAPI:
    """Return the ASGI application; without a `gateway` it opens one when it starts."""
    log = gateway.log if gateway else Log("gateway")
    limits = gateway.limits if gateway else ClientLimits(config.limits, config.trust_proxy)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        opened = gateway or open_gateway(config, limits, log)
        # Whoever opened the gateway himself holds its home himself.
        with nullcontext() if gateway else hold_home(opened):
            app.state.gateway = opened
            with _running(opened.repeaters, opened.stopping):
                yield

    app = GatewayApp(
        title="zkDPS gateway",
        version=version("offchain"),
        description=DESCRIPTION,
        lifespan=lifespan,
        responses=COMMON_ERRORS,
        license_info={"name": "Apache-2.0"},
        docs_url=None,  # a page of scripts from elsewhere; the document is at /openapi.json
        redoc_url=None,
    )
    install_error_handlers(app, log)
    # Added last, run first: an answer of the limits has the headers of every other answer.
    app.add_middleware(Boundary, log=log)
    app.add_middleware(Guard, limits=limits)
    if config.dapp_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=config.dapp_origins,
            allow_methods=["GET", "HEAD", "POST", "PUT"],
            allow_headers=["Content-Type", "If-None-Match", "If-Range", "Range"],
            expose_headers=["Content-Range", "ETag", "Retry-After"],
            max_age=PREFLIGHT_S,
        )
    app.add_middleware(SafeHeaders)
    if config.access_log:
        app.add_middleware(AccessLog, log=log)
    for router in ROUTERS:
        app.include_router(router)
    return app


class GatewayApp(FastAPI):
    """An application whose description holds the form of errors once."""

    def openapi(self) -> dict[str, Any]:
        """Return the description."""
        described = super().openapi()
        schemas = described.setdefault("components", {}).setdefault("schemas", {})
        schemas.setdefault("ErrorAnswer", ErrorAnswer.model_json_schema())
        return described


@contextmanager
def hold_home(gateway: Gateway) -> Iterator[None]:
    """Serve a home alone: content and its catalogue change together under locks of one process.

    Raises ConfigError where another process serves it.
    """
    with gateway.database.locks.try_hold("gateway") as is_alone:
        if not is_alone:
            raise ConfigError(f"another gateway serves {gateway.database.describe()}")
        yield


@contextmanager
def _running(repeaters: Sequence[Repeater], stopping: Event) -> Iterator[None]:
    for repeater in repeaters:
        repeater.start()
    try:
        yield
    finally:
        stopping.set()
        for repeater in repeaters:
            repeater.request_stop()
        for repeater in repeaters:
            repeater.join(STOP_S)


DESCRIPTION: Final = """\
Inputs and outputs by digest, signed orders and requests of sessions, and an index of the chain.

Nothing here has to be trusted: bytes have the digest under which they are asked for, orders and
requests have their client's signature, and everything else can be read from the chain itself. The
block at which an answer was read is named in it.

Amounts and other integers that may exceed 2^53 are decimal strings, ids and digests lower-case
hexadecimal with 0x. An error is {"error": name, "message": sentence, "facts": {...}}.
"""
