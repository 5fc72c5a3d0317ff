"""What a client of the gateway did wrong, or what it has to come back for: one class an answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from offchain.errors import OffchainError


class ApiError(OffchainError):
    """Answered as {"error": class name, "message": ..., "facts": {...}} with the class's status."""

    status: ClassVar[int] = 400

    def __init__(self, message: str, **facts: object) -> None:
        super().__init__(message)
        self.message = message
        self.facts: Mapping[str, object] = facts
        self.headers: dict[str, str] = {}


class InvalidRequest(ApiError):
    """A part of the request is malformed; `facts.problems` names each."""

    status = 422


class Unknown(ApiError):
    """There is nothing of this name here."""

    status = 404


class DigestMismatch(ApiError):
    """The bytes do not have the digest, or the number, that the request names."""

    status = 409


class SignatureRefused(ApiError):
    """A signature is not the one of the account that has to sign."""

    status = 403


class Refused(ApiError):
    """The request is well-formed; the state of the chain or of the gateway does not allow it."""

    status = 409


class TooLarge(ApiError):
    """A body is larger than the limit."""

    status = 413


class TooSlow(ApiError):
    """A body did not arrive in time."""

    status = 408


class RangeNotSatisfiable(ApiError):
    """The part that is asked for is not in the file."""

    status = 416

    def __init__(self, message: str, size: int) -> None:
        super().__init__(message, bytes=size)
        self.headers["Content-Range"] = f"bytes */{size}"


class TooMany(ApiError):
    """A client used up its share; `facts.retryAfterSeconds` and Retry-After say when to return."""

    status = 429

    def __init__(self, message: str, retry_after_s: int, **facts: object) -> None:
        super().__init__(message, retryAfterSeconds=retry_after_s, **facts)
        self.headers["Retry-After"] = str(retry_after_s)


class OutOfSpace(ApiError):
    """The gateway keeps as much as it may."""

    status = 507


class Unavailable(ApiError):
    """Node, database or storage does not answer; the same request may pass later."""

    status = 503

    def __init__(self, message: str, **facts: object) -> None:
        super().__init__(message, **facts)
        self.headers["Retry-After"] = "5"
