"""An HTTP server that serves bytes by path as a test tells it to, also wrongly."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Site:
    """What a server serves, how, and what it was asked for."""

    files: dict[str, bytes] = field(default_factory=dict)
    # path -> answers the request itself
    tricks: dict[str, Callable[[BaseHTTPRequestHandler], None]] = field(default_factory=dict)
    requests: list[tuple[str, str]] = field(default_factory=list)  # path, Range
    sent: int = 0  # bytes of bodies
    url: str = ""

    def asked(self, path: str) -> list[str]:
        """Return the Range headers of the requests of one path, '' where there was none."""
        return [wanted for asked, wanted in self.requests if asked == path]


def answer(
    handler: BaseHTTPRequestHandler,
    status: int,
    body: bytes = b"",
    headers: Mapping[str, str] | None = None,
    length: int | None = None,
) -> None:
    """Send an answer whose Content-Length may lie."""
    handler.send_response(status)
    for name, value in (headers or {}).items():
        handler.send_header(name, value)
    handler.send_header("Content-Length", str(len(body) if length is None else length))
    handler.end_headers()
    with suppress(ConnectionError):
        handler.wfile.write(body)


@contextmanager
def serve(site: Site, host: str = "127.0.0.1") -> Iterator[Site]:
    """Serve a site on a free port until the block is left."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            wanted = self.headers.get("Range", "")
            site.requests.append((self.path, wanted))
            self.close_connection = True
            if self.path in site.tricks:
                site.tricks[self.path](self)
                return
            body = site.files.get(self.path)
            if body is None:
                answer(self, 404)
                return
            if wanted:
                begin = int(wanted.removeprefix("bytes=").partition("-")[0])
                span = {"Content-Range": f"bytes {begin}-{len(body) - 1}/{len(body)}"}
                site.sent += len(body) - begin
                answer(self, 206, body[begin:], span)
                return
            site.sent += len(body)
            answer(self, 200, body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer((host, 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    site.url = f"http://{host}:{server.server_address[1]}"
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
