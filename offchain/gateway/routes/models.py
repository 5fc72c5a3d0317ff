"""Published models: what there is, each one's bundle, and its files in whole or in part.

Their bytes are checked by whoever fetches them: by SHA-256, and by the registration's digests.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Header, Request
from fastapi import Path as PathParameter
from fastapi.responses import Response, StreamingResponse
from pydantic import Field

from offchain.gateway.core import Gateway, get_gateway
from offchain.gateway.faults import RangeNotSatisfiable, Unknown
from offchain.gateway.models import ServedModel
from offchain.gateway.schema import Hex32, Model, describe_errors
from offchain.model.operators import NAME
from offchain.submit.bundle import TEXTS

router = APIRouter(tags=["models"])

KEY: Final = "^[0-9a-f]{16}$"
PATH: Final = "^(" + "|".join(map(re.escape, TEXTS)) + rf"|weights/{NAME.pattern}\.bin)$"
FOREVER: Final = "public, max-age=31536000, immutable"
REVALIDATE: Final = "no-cache"  # the bundle may name more places tomorrow
CHUNK: Final = 1 << 16
_RANGE: Final = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")

Key = Annotated[str, PathParameter(pattern=KEY, examples=["0123456789abcdef"])]
FilePath = Annotated[str, PathParameter(pattern=PATH, max_length=128, examples=["graph.json"])]
Door = Annotated[Gateway, Depends(get_gateway)]


class ModelAnswer(Model):
    """One published model."""

    key: str = Field(pattern=KEY)
    graphHash: Hex32
    weightRoot: Hex32
    bytes: int
    bundleSha256: str
    report: dict[str, Any]
    interface: dict[str, Any] | None


class ModelsAnswer(Model):
    """The models that this gateway serves; which versions are registered, the chain says."""

    models: list[ModelAnswer]


@router.get("/models")
def list_models(gateway: Door) -> ModelsAnswer:
    """List the published models."""
    return ModelsAnswer(models=[_describe(model) for model in gateway.models.list()])


@router.get(
    "/models/{key}/bundle.json",
    response_class=Response,
    responses={
        200: {"content": {"application/json": {"schema": {"type": "object"}}}},
        304: {"description": "Unchanged"},
        **describe_errors(404),
    },
)
def get_bundle(
    key: Key, gateway: Door, if_none_match: Annotated[str, Header(max_length=512)] = ""
) -> Response:
    """Return a model's files by size and SHA-256, and where each may be had."""
    model = _find(gateway, key)
    headers = {"ETag": f'"{model.bundle_sha256}"', "Cache-Control": REVALIDATE}
    if _matches(if_none_match, model.bundle_sha256):
        return Response(status_code=304, headers=headers)
    return Response(model.bundle_bytes, media_type="application/json", headers=headers)


@router.get(
    "/models/{key}/files/{path:path}",
    response_class=Response,
    responses={
        200: {"content": {"application/octet-stream": {}}},
        206: {"description": "A part", "content": {"application/octet-stream": {}}},
        304: {"description": "Unchanged"},
        **describe_errors(404, 416),
    },
)
def get_file(key: Key, path: FilePath, request: Request, gateway: Door) -> Response:
    """Return a file, or the part that `Range: bytes=a-b` asks for; its ETag is its SHA-256."""
    model = _find(gateway, key)
    file = model.find_file(path)
    if file is None:
        raise Unknown(f"model {key} has no file {path}", key=key, path=path)
    headers = {
        "ETag": f'"{file.sha256}"',
        "Cache-Control": FOREVER,
        "Accept-Ranges": "bytes",
        "Content-Type": "application/octet-stream",
    }
    if _matches(request.headers.get("if-none-match", ""), file.sha256):
        return Response(status_code=304, headers=headers)
    wanted = request.headers.get("range", "")
    if request.headers.get("if-range", headers["ETag"]) != headers["ETag"]:
        wanted = ""  # of another file than the asker has begun with: the whole
    span = _parse_range(wanted, file.size)
    if span is not None:
        headers["Content-Range"] = f"bytes {span[0]}-{span[1] - 1}/{file.size}"
    begin, end = span or (0, file.size)
    headers["Content-Length"] = str(end - begin)
    place = model.folder / path
    return StreamingResponse(_read(place, begin, end), 206 if span else 200, headers=headers)


def _find(gateway: Gateway, key: str) -> ServedModel:
    model = gateway.models.find(key)
    if model is None:
        raise Unknown(f"no model {key} here", key=key)
    return model


def _describe(model: ServedModel) -> ModelAnswer:
    return ModelAnswer(
        key=model.key,
        graphHash="0x" + model.bundle.graph_hash.hex(),
        weightRoot="0x" + model.bundle.weight_root.hex(),
        bytes=model.bundle.size,
        bundleSha256=model.bundle_sha256,
        report=dict(model.report),
        interface=None if model.interface is None else model.interface.to_json(),
    )


def _matches(if_none_match: str, tag: str) -> bool:
    tags = [part.strip().removeprefix("W/") for part in if_none_match.split(",")]
    return f'"{tag}"' in tags or "*" in tags


def _parse_range(header: str, size: int) -> tuple[int, int] | None:
    """Return the half-open span that a Range header asks for; None where it asks for none.

    Raises RangeNotSatisfiable. Several spans, and other units, may be answered in whole (RFC 9110).
    """
    found = _RANGE.fullmatch(header)
    if found is None or found.groups() == ("", ""):
        return None
    first, last = found.groups()
    if not first:  # the last so many bytes
        begin, end = max(0, size - int(last)), size
    else:
        begin, end = int(first), min(size, int(last) + 1) if last else size
    if begin >= size or begin >= end:
        raise RangeNotSatisfiable(f"the file has {size} bytes", size=size)
    return begin, end


def _read(place: Path, begin: int, end: int) -> Iterator[bytes]:
    with place.open("rb") as file:
        file.seek(begin)
        left = end - begin
        while left and (chunk := file.read(min(CHUNK, left))):
            left -= len(chunk)
            yield chunk
