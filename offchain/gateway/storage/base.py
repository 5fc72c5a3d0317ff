"""What a backend does: keep bytes under a digest. It is never asked what they mean."""

from __future__ import annotations

from typing import Protocol

from offchain.types import Digest


class Backend(Protocol):
    """A place for bytes. Every method raises StorageError where the place does not answer."""

    is_content_addressed: bool  # equal bytes are one object there, under whatever digests

    def put(self, digest: Digest, raw: bytes) -> str:
        """Store bytes, whole or not at all; return what `get` needs beside the digest, or ""."""
        ...

    def get(self, digest: Digest, locator: str, size: int) -> bytes | None:
        """Return at most size + 1 bytes, or None where there are none; they are not checked."""
        ...

    def delete(self, digest: Digest, locator: str) -> None:
        """Drop bytes; those that are gone already are no error."""
        ...
