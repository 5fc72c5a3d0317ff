"""A node's address that a test can take away: forwards JSON-RPC until it is told otherwise."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Final

import requests

HANG_S: Final = 30.0
FORWARD, CLOSE, LIMIT, HANG = "forward", "close", "limit", "hang"


@dataclass
class Gateway:
    """What stands at the address now."""

    target: str
    mode: str = FORWARD
    url: str = ""
    stopped: Event = field(default_factory=Event)


@contextmanager
def run_gateway(target: str) -> Iterator[Gateway]:
    """Serve a gateway on a free loopback port until the block is left."""
    gateway = Gateway(target)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if gateway.mode == CLOSE:
                self.close_connection = True
                return
            if gateway.mode == HANG:
                gateway.stopped.wait(HANG_S)
                return
            if gateway.mode == LIMIT:
                self.send_error(429)
                return
            answer = requests.post(
                gateway.target, body, headers={"Content-Type": "application/json"}, timeout=10
            )
            self.send_response(answer.status_code)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer.content)))
            self.end_headers()
            self.wfile.write(answer.content)

        def log_message(self, *_: object) -> None:
            """Stay silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    gateway.url = f"http://127.0.0.1:{server.server_address[1]}/token"
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield gateway
    finally:
        gateway.stopped.set()
        server.shutdown()
        server.server_close()
        thread.join()
