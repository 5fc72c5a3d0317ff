"""A node over HTTP that says what a test wants it to say."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Node:
    """A chain whose blocks come every second; `head_time` is the last one's timestamp."""

    head_time: int
    chain_id: int = 31337
    head: int = 100
    fork: str = ""  # another history has another salt
    balance_wei: int = 10**19
    code: dict[str, bytes] = field(default_factory=dict)  # by lower-case address
    url: str = ""

    def answer(self, method: str, params: list[Any]) -> Any:
        """Answer one request; whatever a check does not need is refused."""
        if method == "eth_chainId":
            return hex(self.chain_id)
        if method == "eth_blockNumber":
            return hex(self.head)
        if method == "eth_getBlockByNumber":
            number = self.head if params[0] == "latest" else int(params[0], 16)
            return {
                "number": hex(number),
                "hash": f"0x{number}{self.fork}",
                "timestamp": hex(self.head_time - (self.head - number)),
                "baseFeePerGas": hex(10**9),
            }
        if method == "eth_getBalance":
            return hex(self.balance_wei)
        if method == "eth_getCode":
            return "0x" + self.code.get(params[0].lower(), b"").hex()
        raise KeyError(method)


@contextmanager
def serve_node(node: Node) -> Iterator[Node]:
    """Serve on a loopback port until the block is left."""

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *arguments: object) -> None:
            """Keep quiet."""

        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            reply: dict[str, Any] = {"jsonrpc": "2.0", "id": request["id"]}
            try:
                reply["result"] = node.answer(request["method"], request["params"])
            except KeyError:
                reply["error"] = {"code": -32601, "message": "no such method"}
            raw = json.dumps(reply).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    node.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield node
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
