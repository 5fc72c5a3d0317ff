"""The process: a socket, a bound on what one connection may do with it, and an orderly end."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections import Counter
from types import FrameType
from typing import Any, Final

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from offchain.errors import ConfigError
from offchain.gateway.limits import normalise_address
from offchain.roles.log import Log

HEAD_S: Final = 15.0  # from a connection, or the end of an answer, to a complete head of a request
HEAD_BYTES: Final = 16 * 2**10
KEEP_ALIVE_S: Final = 15
CONNECTIONS: Final = 1024
CONNECTIONS_PER_CLIENT: Final = 128
STOP_S: Final = 10  # running requests have so long to end
BACKLOG: Final = 512


class Server(uvicorn.Server):
    """Tells the application of a stop before it waits for open streams."""

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to stop; a second signal does not wait."""
        gateway = getattr(getattr(self.config.app, "state", None), "gateway", None)
        if gateway is not None:
            gateway.stopping.set()
        super().handle_exit(sig, frame)


def build_protocol(connections_per_client: int | None) -> type[H11Protocol]:
    """Return uvicorn's HTTP/1.1 with deadlines for heads, and a limit on an address's connections.

    None is no such limit: behind a proxy every connection is the proxy's.
    """
    held: Counter[str] = Counter()

    class BoundedProtocol(H11Protocol):
        """One connection."""

        _client_name = ""
        _deadline: asyncio.TimerHandle | None = None

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            self._client_name = normalise_address(self.client[0] if self.client else "")
            held[self._client_name] += 1
            if connections_per_client and held[self._client_name] > connections_per_client:
                transport.abort()
                return
            self._expect_head()

        def connection_lost(self, exc: Exception | None) -> None:
            self._stop_timer()
            held[self._client_name] -= 1
            if held[self._client_name] <= 0:
                del held[self._client_name]
            super().connection_lost(exc)

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            if self._is_served():
                self._stop_timer()
            elif self._deadline is None:
                self._expect_head()

        def on_response_complete(self) -> None:
            super().on_response_complete()
            # A part of the next head may have come with the last request.
            if not self._is_served() and self._deadline is None:
                self._expect_head()

        def _is_served(self) -> bool:
            return self.cycle is not None and not self.cycle.response_complete

        def _expect_head(self) -> None:
            self._deadline = self.loop.call_later(HEAD_S, self._give_up)

        def _give_up(self) -> None:
            self._deadline = None
            if not self._is_served() and not self.transport.is_closing():
                self.transport.abort()

        def _stop_timer(self) -> None:
            if self._deadline is not None:
                self._deadline.cancel()
                self._deadline = None

    return BoundedProtocol


def build_server(app: ASGIApp, host: str, port: int, trust_proxy: bool) -> Server:
    """Return a server that is not running yet."""
    settings: dict[str, Any] = {
        "http": build_protocol(None if trust_proxy else CONNECTIONS_PER_CLIENT),
        "ws": "none",
        "lifespan": "on",
        "access_log": False,  # the gateway has its own
        "log_config": None,
        "server_header": False,
        "proxy_headers": False,  # the gateway reads them itself, where it was told to
        "limit_concurrency": CONNECTIONS,
        "timeout_keep_alive": KEEP_ALIVE_S,
        "timeout_graceful_shutdown": STOP_S,
        "h11_max_incomplete_event_size": HEAD_BYTES,
        "backlog": BACKLOG,
    }
    return Server(uvicorn.Config(app, host=host, port=port, **settings))


def serve(app: ASGIApp, host: str, port: int, trust_proxy: bool, log: Log) -> None:
    """Serve until SIGINT or SIGTERM; port 0 is any free one, and told in the log."""
    server = build_server(app, host, port, trust_proxy)
    logging.getLogger("uvicorn.error").addHandler(LogBridge(log))
    with bind(host, port) as listener:
        address = listener.getsockname()
        log.event("listening", host=address[0], port=address[1])
        server.run([listener])
    log.event("stopped")


def bind(host: str, port: int) -> socket.socket:
    """Return a listening socket; raises ConfigError where it cannot be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        raise ConfigError(f"cannot listen on {host} port {port}: {error.strerror}") from None


class LogBridge(logging.Handler):
    """Passes on what uvicorn warns of, as one JSON event a line."""

    def __init__(self, log: Log) -> None:
        super().__init__(logging.WARNING)
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        """Write one warning."""
        self._log.event("server-warning", message=record.getMessage()[:200])
