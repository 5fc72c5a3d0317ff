"""The published models that a gateway serves: read and checked once, listed by key."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from offchain.commit.interface import Interface
from offchain.commit.model_folder import GRAPH_FILE, MANIFEST_FILE, read_model_folder
from offchain.errors import OffchainError
from offchain.roles.log import Log
from offchain.submit.bundle import BUNDLE_FILE, Bundle, BundleFile, make_bundle, parse_bundle

REFRESH_S: Final = 5.0  # between looks at the folder

Stamp = tuple[int, int, int]


@dataclass(frozen=True)
class ServedModel:
    """A model folder whose every digest was recomputed."""

    folder: Path
    bundle: Bundle
    bundle_bytes: bytes
    report: Mapping[str, Any]
    interface: Interface | None

    @property
    def key(self) -> str:
        """Return the name under which it is served."""
        return self.bundle.key

    @property
    def bundle_sha256(self) -> str:
        """Return the SHA-256 of bundle.json."""
        return hashlib.sha256(self.bundle_bytes).hexdigest()

    def find_file(self, path: str) -> BundleFile | None:
        """Return what the bundle says of a file; None for a path that it does not list."""
        for file in self.bundle.files:
            if file.path == path:
                return file
        return None


class Shelf:
    """A folder of published model folders, looked at again when it changes."""

    def __init__(self, folder: Path | None, log: Log) -> None:
        self._folder = folder
        self._log = log
        self._lock = threading.Lock()
        self._looked_at = -REFRESH_S
        self._stamps: dict[Path, Stamp] = {}
        self._models: dict[Path, ServedModel] = {}

    def list(self) -> Sequence[ServedModel]:
        """Return the models, by key."""
        with self._lock:
            if time.monotonic() - self._looked_at >= REFRESH_S:
                self._refresh()
                self._looked_at = time.monotonic()
            return sorted(self._models.values(), key=lambda model: model.key)

    def find(self, key: str) -> ServedModel | None:
        """Return one model; None where there is none of this key."""
        for model in self.list():
            if model.key == key:
                return model
        return None

    def _refresh(self) -> None:
        folders = [] if self._folder is None else sorted(self._folder.glob(f"*/{GRAPH_FILE}"))
        stamps = {graph.parent: _stamp(graph.parent) for graph in folders}
        for folder, stamp in stamps.items():
            if self._stamps.get(folder) == stamp:
                continue
            self._models.pop(folder, None)
            try:
                self._models[folder] = _read(folder)
            except (OffchainError, OSError) as error:
                self._log.event("model-refused", folder=folder.name, reason=str(error))
        for folder in set(self._models) - set(stamps):
            del self._models[folder]
        self._stamps = stamps


def _read(folder: Path) -> ServedModel:
    model = read_model_folder(folder)
    bundle = make_bundle(folder, model=model)
    raw = bundle.to_bytes()
    written = folder / BUNDLE_FILE
    if written.is_file():
        # One that the publisher wrote names more places; it has to be of these very files.
        said = parse_bundle(written.read_bytes())
        plain = {(file.path, file.size, file.sha256) for file in bundle.files}
        if {(file.path, file.size, file.sha256) for file in said.files} == plain:
            bundle, raw = said, written.read_bytes()
    return ServedModel(folder, bundle, raw, model.report, model.interface)


def _stamp(folder: Path) -> Stamp:
    """Return what changes when a folder is replaced; files of a published model never change."""
    times = [
        (folder / name).stat().st_mtime_ns if (folder / name).exists() else 0
        for name in (GRAPH_FILE, MANIFEST_FILE, BUNDLE_FILE)
    ]
    return times[0], times[1], times[2]
