"""Content at an IPFS node, through its HTTP API (docs.ipfs.tech/reference/kubo/rpc)."""

from __future__ import annotations

import json
import re
import secrets
from typing import Final

from offchain.errors import NoAnswer, StorageError
from offchain.submit.http_client import HttpClient, Reply
from offchain.types import Digest

ANSWER_BYTES: Final = 64 * 2**10
CID: Final = re.compile("[A-Za-z0-9]{20,120}")  # of any version, in any base without signs
DEADLINE_S: Final = 30.0
ADD: Final = "/api/v0/add?pin=true&cid-version=1&raw-leaves=true&quieter=true"
GONE: Final = "not pinned"
# What a node says of a block that it has not; all else it may have again in a moment.
MISSING: Final = (b"not found", b"could not find")


class IpfsBackend:
    """A node that pins what is added; the locator is its content identifier (CID).

    Who gets the bytes elsewhere in the network checks the digest, as every reader does.
    """

    is_content_addressed = True

    def __init__(self, endpoint: str) -> None:
        self._http = HttpClient(endpoint, DEADLINE_S)

    def put(self, digest: Digest, raw: bytes) -> str:
        """Add and pin bytes; return their CID."""
        boundary = secrets.token_hex(16)
        head = (
            f"--{boundary}\r\n"
            f'Content-Disposition: form-data; name="file"; filename="{digest.hex()}"\r\n'
            "Content-Type: application/octet-stream\r\n\r\n"
        )
        body = head.encode() + raw + f"\r\n--{boundary}--\r\n".encode()
        kind = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
        reply = self._ask(ADD, ANSWER_BYTES, body, kind)
        try:
            cid = str(json.loads(reply.body.splitlines()[-1])["Hash"])
        except (ValueError, IndexError, KeyError, TypeError, RecursionError):
            cid = ""
        if reply.status != 200 or not CID.fullmatch(cid):
            raise StorageError(f"{self._http.endpoint}: status {reply.status}, no CID")
        return cid

    def get(self, digest: Digest, locator: str, size: int) -> bytes | None:  # noqa: ARG002
        """Return at most size + 1 bytes; None where the node says that it has them not.

        Raises StorageError for any other answer: a node, or a proxy before it, that is overloaded
        must not make anybody forget, and unpin, what is needed.
        """
        if not CID.fullmatch(locator):
            return None
        limit = max(size + 1, ANSWER_BYTES)
        reply = self._ask(f"/api/v0/cat?arg={locator}&length={size + 1}", limit)
        if reply.status == 200:
            return reply.body[: size + 1]
        if reply.status == 500 and any(words in reply.body for words in MISSING):
            return None
        raise StorageError(f"{self._http.endpoint}: status {reply.status}, not read")

    def delete(self, digest: Digest, locator: str) -> None:  # noqa: ARG002
        """Unpin: the node's garbage collection drops the bytes."""
        if not CID.fullmatch(locator):
            return
        reply = self._ask(f"/api/v0/pin/rm?arg={locator}", ANSWER_BYTES)
        if reply.status != 200 and GONE.encode() not in reply.body:
            raise StorageError(f"{self._http.endpoint}: status {reply.status}, not unpinned")

    def _ask(
        self, path: str, limit: int, body: bytes = b"", headers: dict[str, str] | None = None
    ) -> Reply:
        try:
            return self._http.request("POST", path, limit, body, headers)
        except NoAnswer as error:
            raise StorageError(str(error)) from None
