"""Content at a gateway, over HTTP. The gateway is not trusted: every byte is checked here."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from contextlib import suppress
from math import prod
from typing import Any, Final

from offchain.commit.digest import as_matrix
from offchain.errors import ContentError, NoAnswer, StorageError
from offchain.submit.content import MAX_RECEIPTS, SIGNATURE_BYTES, compute_digest
from offchain.submit.http_client import HttpClient, Reply
from offchain.types import Digest, JobId, SignedResult

DELAYS_S: Final = (0.2, 0.4)  # between attempts
MAX_PAUSE_S: Final = 2.0  # what a gateway that asks for a pause gets at most
ANSWER_BYTES: Final = 64 * 2**10  # of anything that is not a tensor
BYTES_PER_S: Final = 256 * 2**10  # a tensor gets its size's time beside the fixed deadline
FIXED_S: Final = 15.0
TRANSIENT: Final = frozenset({408, 425, 429, 500, 502, 503, 504})
JSON: Final = {"Content-Type": "application/json"}


class GatewayStore:
    """A gateway's content and receipts; safe to share between threads."""

    def __init__(self, url: str, sleep: Callable[[float], None] = time.sleep) -> None:
        self._url = url
        self._sleep = sleep
        self.endpoint = HttpClient(url).endpoint  # what may be logged

    def put(self, raw: bytes, bits: int, shape: tuple[int, ...]) -> Digest:
        """Store a tensor's bytes at the gateway and return their digest; raises StorageError."""
        digest = compute_digest(raw, bits, shape)
        rows, columns = as_matrix(shape)
        path = f"/content/0x{digest.hex()}?bits={bits}&shape={rows},{columns}"
        headers = {"Content-Type": "application/octet-stream"}
        self._store(path, raw, headers)
        return digest

    def offer(self, raw: bytes, bits: int, shape: tuple[int, ...]) -> Digest:
        """Return a tensor's digest, and store its bytes if the gateway takes them."""
        with suppress(StorageError):
            return self.put(raw, bits, shape)
        return compute_digest(raw, bits, shape)

    def get(self, digest: Digest, bits: int, shape: tuple[int, ...]) -> bytes:
        """Return the bytes of a tensor; raise ContentError when missing or not this digest's."""
        size = prod(shape) * bits // 8
        try:
            reply = self._ask("GET", f"/content/0x{digest.hex()}", size)
        except NoAnswer as error:
            raise ContentError(f"content of 0x{digest.hex()}: {error}") from None
        if reply.status != 200:
            raise ContentError(f"no content for 0x{digest.hex()} at {self._tell(reply)}")
        if len(reply.body) != size:
            raise ContentError(f"content of 0x{digest.hex()} has not {size} bytes")
        found = compute_digest(reply.body, bits, shape)
        if found != digest:
            raise ContentError(f"content of 0x{digest.hex()} has digest 0x{found.hex()}")
        return reply.body

    def put_receipt(self, job_id: JobId, receipt: SignedResult) -> None:
        """Store a signed result at the gateway; raises StorageError."""
        told = {
            "outDigest": "0x" + receipt.out_digest.hex(),
            "signature": "0x" + receipt.signature.hex(),
        }
        self._store(f"/receipts/{job_id}", json.dumps(told).encode(), JSON)

    def get_receipts(self, job_id: JobId) -> tuple[SignedResult, ...]:
        """Return what the gateway has as signed results of a job; nothing where it has no answer.

        The signatures are not verified.
        """
        try:
            reply = self._ask("GET", f"/receipts/{job_id}", ANSWER_BYTES)
        except NoAnswer:
            return ()
        return _parse_receipts(reply.body) if reply.status == 200 else ()

    def _store(self, path: str, body: bytes, headers: dict[str, str]) -> None:
        try:
            reply = self._ask("PUT", path, ANSWER_BYTES, body, headers)
        except NoAnswer as error:
            raise StorageError(str(error)) from None
        if reply.status not in (200, 201):
            raise StorageError(self._tell(reply))

    def _ask(
        self,
        method: str,
        path: str,
        size: int,
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
    ) -> Reply:
        """Ask, and ask again while that may help: what is asked here can be asked twice."""
        deadline_s = FIXED_S + (size + len(body or b"")) / BYTES_PER_S
        client = HttpClient(self._url, deadline_s)
        limit = max(size, ANSWER_BYTES)
        for delay_s in DELAYS_S:
            wanted_s = 0.0
            with suppress(NoAnswer):
                reply = client.request(method, path, limit, body, headers)
                if reply.status not in TRANSIENT:
                    return reply
                wanted_s = _parse_pause(reply.headers.get("retry-after", ""))
            self._sleep(min(max(delay_s, wanted_s), MAX_PAUSE_S))
        return client.request(method, path, limit, body, headers)

    def _tell(self, reply: Reply) -> str:
        """Return who refused and why, in words that are safe to print."""
        try:
            name = str(json.loads(reply.body)["error"])[:40]
        except (ValueError, KeyError, TypeError, RecursionError):
            name = ""
        told = name if name.isalnum() else ""
        return f"{self.endpoint}: status {reply.status} {told}".rstrip()


def _parse_receipts(body: bytes) -> tuple[SignedResult, ...]:
    try:
        listed: Any = json.loads(body)["items"]
        if not isinstance(listed, list):
            return ()
    except (ValueError, KeyError, TypeError, RecursionError):
        return ()
    found = []
    for entry in listed[:MAX_RECEIPTS]:
        try:
            digest = bytes.fromhex(entry["outDigest"].removeprefix("0x"))
            signature = bytes.fromhex(entry["signature"].removeprefix("0x"))
        except (ValueError, KeyError, TypeError, AttributeError):
            continue  # not one of ours
        if len(digest) == 32 and len(signature) == SIGNATURE_BYTES:
            found.append(SignedResult(Digest(digest), signature))
    return tuple(found)


def _parse_pause(header: str) -> float:
    return float(header) if header.isascii() and header.isdigit() and len(header) < 6 else 0.0
