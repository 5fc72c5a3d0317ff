"""A signing service with a real key, as web3signer documents its API, honest or not."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import rlp
from eth_account import Account
from eth_account.messages import encode_typed_data
from eth_utils.crypto import keccak

Tamper = Callable[[Any], Any]
SIGN = "/api/v1/eth1/sign/"


class SigningService:
    """Signs as told; `tamper` maps an operation's name to what it does to request or answer."""

    def __init__(self, chain_id: int = 31337) -> None:
        self.account = Account.create()
        self.chain_id = chain_id
        self.tamper: dict[str, Tamper] = {}
        self.failures: list[int] = []  # HTTP statuses of the next answers; 0 drops the connection
        self.asked: list[str] = []
        self.url = ""

    @property
    def public_key(self) -> str:
        """Return the 64 bytes of the public key."""
        return str(self.account._key_obj.public_key.to_hex())

    def call(self, method: str, params: list[Any]) -> Any:
        """Answer JSON-RPC as web3signer does."""
        if method == "eth_accounts":
            return self._after("accounts", [self.account.address.lower()])
        if method == "eth_signTransaction":
            return self._after("raw", self._sign_transaction(*params))
        if method == "eth_signTypedData":
            address, document = params
            assert address == self.account.address and isinstance(document, str)
            read = self._before("typed", json.loads(document))
            signed = Account.sign_message(encode_typed_data(full_message=read), self.account.key)
            return self._after("signature", "0x" + bytes(signed.signature).hex())
        raise KeyError(method)

    def sign(self, data: str) -> str:
        """Sign keccak256 of the bytes."""
        digest = keccak(hexstr=self._before("data", data))
        signed = self.account.unsafe_sign_hash(digest)
        return str(self._after("signature", "0x" + bytes(signed.signature).hex()))

    def _sign_transaction(self, request: Mapping[str, str]) -> str:
        assert request["from"] == self.account.address
        request = self._before("transaction", dict(request))
        numbers = ("nonce", "maxPriorityFeePerGas", "maxFeePerGas", "gas", "value")
        fields = {name: int(request[name], 16) for name in numbers}
        # The service's own chain id, as its option --chain-id has it.
        fields |= {"chainId": self.chain_id, "type": 2}
        whole = {**fields, "data": request["data"], "to": request.get("to", b"")}
        signed = self.account.sign_transaction(whole)
        return "0x" + bytes(signed.raw_transaction).hex()

    def _before(self, name: str, value: Any) -> Any:
        return self.tamper.get(name, lambda same: same)(value)

    _after = _before


def negate_s(signature: str) -> str:
    """Return the other signature of the same message: high-s."""
    order = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
    raw = bytes.fromhex(signature[2:])
    s = order - int.from_bytes(raw[32:64], "big")
    return "0x" + (raw[:32] + s.to_bytes(32, "big") + bytes([55 - raw[64]])).hex()


def rewrite(raw: str, place: int, value: Any) -> str:
    """Return a raw EIP-1559 transaction with one item of its list replaced."""
    items = rlp.decode(bytes.fromhex(raw[4:]))
    items[place] = value
    return "0x02" + bytes(rlp.encode(items)).hex()


@contextmanager
def serve(service: SigningService, tls: ssl.SSLContext | None = None) -> Iterator[SigningService]:
    """Serve on a loopback port until the block is left."""

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *arguments: object) -> None:
            """Keep quiet."""

        def do_GET(self) -> None:
            if self._fails():
                return
            if self.path == "/upcheck":
                self._answer(200, "OK")
            elif self.path == "/api/v1/eth1/publicKeys":
                keys = service._after("keys", [service.public_key])
                self._answer(200, json.dumps(keys))
            else:
                self._answer(404, "Resource not found")

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if self._fails():
                return
            if self.path.startswith(SIGN):
                known = self.path.removeprefix(SIGN) == service.public_key
                text = service.sign(body["data"]) if known else "Public Key not found"
                self._answer(200 if known else 404, text)
                return
            answer: dict[str, Any] = {"jsonrpc": "2.0", "id": body["id"]}
            try:
                answer["result"] = service.call(body["method"], body["params"])
            except KeyError:
                answer["error"] = {"code": -32601, "message": "Method not found"}
            except AssertionError:
                answer["error"] = {"code": -32000, "message": "not an unlocked account"}
            self._answer(200, json.dumps(answer))

        def _fails(self) -> bool:
            service.asked.append(self.path)
            if not service.failures:
                return False
            status = service.failures.pop(0)
            if status:
                self._answer(status, "no")
            else:
                self.close_connection = True
            return True

        def _answer(self, status: int, text: str) -> None:
            raw = text.encode()
            self.send_response(status)
            if 300 <= status < 400:
                self.send_header("Location", service.url + "/upcheck")
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    scheme = "http" if tls is None else "https"
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    service.url = f"{scheme}://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield service
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
