"""A bundle: the files of a published model by size and SHA-256, and where each may be had.

{"format": "zkdps-bundle/1", "graphHash", "weightRoot",
 "files": [{"path", "bytes", "sha256", "uris": [...]}]}        ASCII JSON, sorted keys

A URI is absolute, or relative to the bundle's own. A bundle is a claim like any other: only what
was recomputed from its files is believed (`bundle_pull.py`). A registered URI that ends in
`#sha256=` and the hash of bundle.json binds its words, such as the labels, to the registration too.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from eth_hash.auto import keccak

from offchain.commit.model_folder import (
    GRAPH_FILE,
    INTERFACE_FILE,
    MANIFEST_FILE,
    REPORT_FILE,
    WEIGHTS_FOLDER,
    PublishedModel,
    read_model_folder,
)
from offchain.errors import BundleError
from offchain.model.operators import NAME
from offchain.model.strict_json import parse_json

FORMAT: Final = "zkdps-bundle/1"
BUNDLE_FILE: Final = "bundle.json"
FILES_FOLDER: Final = "files"  # below a bundle where a gateway serves it
KEY_BYTES: Final = 8
MAX_BUNDLE_BYTES: Final = 1 << 22
MAX_URIS: Final = 16  # of one file
MAX_URI: Final = 2048  # characters
PINNED: Final = re.compile(r"sha256=([0-9a-f]{64})")
# The whole of what a model folder may hold: no other path is ever written.
TEXTS: Final = (GRAPH_FILE, MANIFEST_FILE, REPORT_FILE, INTERFACE_FILE)
REQUIRED: Final = frozenset({GRAPH_FILE, MANIFEST_FILE, REPORT_FILE})
_HASH: Final = re.compile(r"[0-9a-f]{64}")
_WEIGHT: Final = re.compile(rf"{WEIGHTS_FOLDER}/({NAME.pattern})\.bin")


@dataclass(frozen=True)
class BundleFile:
    """One file of a model folder."""

    path: str
    size: int  # bytes
    sha256: str  # 64 hex digits
    uris: tuple[str, ...]  # tried in this order


@dataclass(frozen=True)
class Bundle:
    """What a model's files are said to be."""

    graph_hash: bytes
    weight_root: bytes
    files: tuple[BundleFile, ...]

    @property
    def key(self) -> str:
        """Return the name under which gateways serve it."""
        return compute_model_key(self.graph_hash, self.weight_root)

    @property
    def size(self) -> int:
        """Return the bytes of all files."""
        return sum(file.size for file in self.files)

    def find(self, path: str) -> BundleFile:
        """Return one file; raise BundleError where it is not listed."""
        for file in self.files:
            if file.path == path:
                return file
        raise BundleError("bundle", [f"lists no {path}"])

    def to_bytes(self) -> bytes:
        """Return bundle.json."""
        document = {
            "format": FORMAT,
            "graphHash": "0x" + self.graph_hash.hex(),
            "weightRoot": "0x" + self.weight_root.hex(),
            "files": [
                {"path": f.path, "bytes": f.size, "sha256": f.sha256, "uris": list(f.uris)}
                for f in self.files
            ],
        }
        return json.dumps(document, sort_keys=True, indent=1).encode("ascii") + b"\n"


def compute_model_key(graph_hash: bytes, weight_root: bytes) -> str:
    """Return the first 16 hex digits of keccak(graphHash || weightRoot)."""
    return bytes(keccak(graph_hash + weight_root))[:KEY_BYTES].hex()


def make_bundle(
    folder: Path, mirrors: Sequence[str] = (), model: PublishedModel | None = None
) -> Bundle:
    """Return the bundle of a published model; every digest is recomputed first.

    Files are named at every mirror, then where a gateway has them beside its bundle, then where a
    copy of the folder has them. Raises what `read_model_folder` raises.
    """
    found = read_model_folder(folder) if model is None else model
    paths = [name for name in TEXTS if (folder / name).is_file()]
    paths += [f"{WEIGHTS_FOLDER}/{spec.name}.bin" for spec in found.graph.weights]
    places = [*(mirror.rstrip("/") + "/" for mirror in mirrors), f"{FILES_FOLDER}/", ""]
    files = []
    for path in paths:
        with (folder / path).open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        uris = tuple(place + path for place in places)
        files.append(BundleFile(path, (folder / path).stat().st_size, digest, uris))
    return Bundle(found.graph.hash(), found.weight_root, tuple(files))


def parse_bundle(raw: bytes) -> Bundle:
    """Return the bundle in bundle.json; raise BundleError, with every problem, for anything else.

    What it returns names only files that a model folder has, each once.
    """
    if len(raw) > MAX_BUNDLE_BYTES:
        raise BundleError("bundle", [f"has more than {MAX_BUNDLE_BYTES} bytes"])
    try:
        document = parse_json(raw)
        if not isinstance(document, dict):
            raise TypeError("is not an object")
        if document["format"] != FORMAT:
            raise ValueError(f"has format {document['format']!r}, expected {FORMAT}")
        files = tuple(_parse_file(entry) for entry in _list(document["files"], "files"))
        bundle = Bundle(_word(document["graphHash"]), _word(document["weightRoot"]), files)
    except (KeyError, TypeError, ValueError) as error:
        if isinstance(error, BundleError):
            raise
        said = f"lacks {error}" if isinstance(error, KeyError) else str(error)
        raise BundleError("bundle", [said]) from None
    paths = [file.path for file in bundle.files]
    problems = [f"lists {path} twice" for path in sorted(set(paths)) if paths.count(path) > 1]
    problems += [f"lacks {path}" for path in sorted(REQUIRED - set(paths))]
    if problems:
        raise BundleError("bundle", problems)
    return bundle


def split_pinned(uri: str) -> tuple[str, str | None]:
    """Return an address without its fragment, and the SHA-256 that the fragment names, if any.

    Raises BundleError for a fragment that names something else.
    """
    fragment = urlsplit(uri).fragment
    if not fragment:
        return uri, None
    named = PINNED.fullmatch(fragment)
    if named is None:
        raise BundleError("address", ["its fragment is not sha256= and 64 lower-case hex digits"])
    return uri.partition("#")[0], named[1]


def _parse_file(entry: object) -> BundleFile:
    if not isinstance(entry, dict):
        raise TypeError("a file is not an object")
    fields: Mapping[str, Any] = entry
    path, size, digest = fields["path"], fields["bytes"], fields["sha256"]
    if not isinstance(path, str) or not (path in TEXTS or _WEIGHT.fullmatch(path)):
        raise ValueError(f"lists {path!r}, which is no file of a model folder")
    if not isinstance(size, int) or isinstance(size, bool) or size < 0:
        raise ValueError(f"{path} has {size!r} bytes")
    if not isinstance(digest, str) or not _HASH.fullmatch(digest):
        raise ValueError(f"{path} has no SHA-256")
    uris = tuple(_list(fields["uris"], f"uris of {path}"))
    if not all(isinstance(uri, str) and 0 < len(uri) <= MAX_URI for uri in uris):
        raise ValueError(f"{path} has an address that is not a text of up to {MAX_URI} characters")
    for uri in uris:
        urlsplit(uri)  # ValueError, for what cannot be one
    if not 1 <= len(uris) <= MAX_URIS:
        raise ValueError(f"{path} has {len(uris)} addresses, expected 1 to {MAX_URIS}")
    return BundleFile(path, size, digest, uris)


def _list(value: object, what: str) -> Sequence[Any]:
    if not isinstance(value, list):
        raise TypeError(f"{what} is not a list")
    return value


def _word(value: object) -> bytes:
    if not isinstance(value, str) or not re.fullmatch(r"0x[0-9a-f]{64}", value):
        raise ValueError(f"{value!r} is not 0x and 64 hex digits")
    return bytes.fromhex(value[2:])
