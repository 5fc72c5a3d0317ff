"""What every part of the API shares: how ids, digests and amounts are written, and errors."""

from __future__ import annotations

from typing import Annotated, Any, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

# Lower case only: one name for one thing, so that caches and stores never hold it twice.
HEX32: Final = "^0x[0-9a-f]{64}$"
ADDRESS: Final = "^0x[0-9a-fA-F]{40}$"
DECIMAL: Final = "^(0|[1-9][0-9]{0,77})$"

ERROR_REFERENCE: Final = "#/components/schemas/ErrorAnswer"

Hex32 = Annotated[str, Field(pattern=HEX32, examples=["0x" + "5a" * 32])]
AddressText = Annotated[
    str, Field(pattern=ADDRESS, examples=["0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"])
]
# Wei and whatever else may exceed 2^53 - 1, which is all that JSON readers agree on.
DecimalText = Annotated[str, Field(pattern=DECIMAL, examples=["1000000000000000"])]


def _make_whole(value: Any) -> Any:
    """Return 7 for 7.0, which is an integer of JSON (JSON Schema, 6.1.1)."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


# Stands last in an annotation: what stands after it would be missing from the description.
WHOLE: Final = BeforeValidator(_make_whole)


class Model(BaseModel):
    """Base of all bodies: immutable, nothing unknown in it, names in camelCase as written."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class AsOf(Model):
    """The block that an answer was read at."""

    block: int = Field(ge=0)
    hash: Hex32
    timestamp: int = Field(ge=0)


class ErrorAnswer(Model):
    """Every answer with a status of 400 and above."""

    error: str = Field(examples=["DigestMismatch"])
    message: str
    facts: dict[str, Any]


def describe_errors(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the `responses` of a route that answers errors with these statuses."""
    names = {
        400: "Malformed HTTP",
        403: "Signature refused",
        404: "Unknown",
        405: "Method not allowed",
        408: "Body came too slowly",
        409: "State does not allow it",
        413: "Body too large",
        416: "Range not satisfiable",
        422: "Invalid request",
        429: "Too many requests",
        503: "Node, database or storage unavailable",
        507: "Out of space",
    }
    # Not by `model`: that would be of the route's own media type, and errors are always JSON.
    content = {"application/json": {"schema": {"$ref": ERROR_REFERENCE}}}
    return {s: {"description": names[s], "content": content} for s in sorted(set(statuses))}


# What any route may answer: limits stand before it, node and database behind it.
COMMON_ERRORS: Final = describe_errors(400, 422, 429, 503)
