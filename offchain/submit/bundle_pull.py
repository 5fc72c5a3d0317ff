"""A model from its bundle: fetched, reproduced, and only then put among the models.

Received files lie in `.pull` of the folder of models, named by SHA-256, until every digest was
recomputed; what an interrupted pull left there is taken up again, and may be deleted at any time.
The model appears as a whole, under its key, or not at all.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from math import prod
from pathlib import Path
from threading import Lock, Thread
from typing import Final
from urllib.parse import urlsplit

from eth_hash.auto import keccak

from offchain.chain.locks import FileLocks
from offchain.commit.model_folder import GRAPH_FILE, WEIGHTS_FOLDER
from offchain.errors import (
    BundleError,
    DownloadError,
    GraphError,
    InterfaceError,
    ModelFolderError,
    ModelMissing,
    StorageError,
    UnboundedError,
)
from offchain.model.graph import Graph
from offchain.submit.bundle import (
    BUNDLE_FILE,
    MAX_BUNDLE_BYTES,
    Bundle,
    compute_model_key,
    parse_bundle,
    split_pinned,
)
from offchain.submit.download import download
from offchain.submit.fetch import FetchPolicy, read_small, resolve_uri, show_uri
from offchain.submit.models import Model, find_model, load_model

PULL_FOLDER: Final = ".pull"
MAX_MODEL_BYTES: Final = 4 << 30  # of one bundle, unless the user allows more
MAX_PULLS: Final = 64  # at one time
RETRY_S: Final = 60.0  # a role's pause before it asks again for what could not be had
SCHEMES: Final = frozenset({"http", "https", "ipfs"})
# What another address may cure; a registration that its own files belie is not among them.
CURABLE: Final = (
    BundleError,
    DownloadError,
    GraphError,
    InterfaceError,
    ModelFolderError,
    UnboundedError,
)

Report = Callable[[str, int, int], None]  # file, bytes that are there, bytes of the file
Check = Callable[[Model], None]  # raises unless the model is the one that is wanted


@dataclass(frozen=True)
class Wanted:
    """Which model: what a registration, or only the bundle itself, says it is."""

    graph_hash: bytes
    weight_root: bytes
    check: Check | None = None  # everything else that a registration claims

    @property
    def key(self) -> str:
        """Return the name under which gateways serve it."""
        return compute_model_key(self.graph_hash, self.weight_root)


@dataclass(frozen=True)
class Pulled:
    """A model that is in its folder now, and every digest was recomputed."""

    model: Model
    key: str
    size: int  # bytes of the bundle
    source: str  # where the bundle was; empty when the model was there already


def ignore(path: str, held: int, size: int) -> None:
    """Report nothing."""
    del path, held, size


def pull_model(
    uris: Sequence[str],
    models: Path,
    policy: FetchPolicy,
    wanted: Wanted | None = None,
    max_bytes: int = MAX_MODEL_BYTES,
    report: Report = ignore,
) -> Pulled:
    """Return a model from the first bundle among `uris` that gives it.

    Raises DownloadError with what each address said, StorageError, and what `wanted.check` raises.
    Without `wanted` the model is what its bundle claims, which nobody may have registered.
    """
    if wanted is not None and (found := _find(models, wanted)) is not None:
        return found
    failures = []
    for uri in uris:
        try:
            return _pull_from(uri, models, policy, wanted, max_bytes, report)
        except CURABLE as error:
            failures.append(f"{show_uri(uri)}: {error}")
    raise DownloadError("model", "; ".join(failures) or "no address is known")


def read_bundle(uri: str, policy: FetchPolicy) -> Bundle:
    """Return the bundle at an address; raise DownloadError or BundleError."""
    address, pinned = split_pinned(uri)
    raw = read_small(address, policy, MAX_BUNDLE_BYTES)
    found = hashlib.sha256(raw).hexdigest()
    if pinned not in (None, found):
        raise BundleError(show_uri(uri), [f"its SHA-256 is {found}, the address says {pinned}"])
    return parse_bundle(raw)


def _pull_from(
    uri: str,
    models: Path,
    policy: FetchPolicy,
    wanted: Wanted | None,
    max_bytes: int,
    report: Report,
) -> Pulled:
    bundle = read_bundle(uri, policy)
    claimed = Wanted(bundle.graph_hash, bundle.weight_root)
    if wanted is None:
        wanted = claimed
    elif wanted.key != claimed.key:
        raise BundleError(show_uri(uri), ["is the bundle of another model"])
    if bundle.size > max_bytes:
        raise BundleError(show_uri(uri), [f"has {bundle.size} bytes, at most {max_bytes} allowed"])
    workspace = _make_workspace(models)
    with FileLocks(workspace).hold(f"{bundle.key}.lock"):
        found = _find(models, wanted)  # another process may have been faster
        if found is None:
            blobs = _fetch_files(uri, bundle, workspace, policy, report)
            found = _publish(bundle, blobs, workspace, models, wanted, show_uri(uri))
    return found


def _find(models: Path, wanted: Wanted) -> Pulled | None:
    """Return the model if the folder has it, under whatever name."""
    try:
        model = find_model(models, wanted.graph_hash, wanted.weight_root)
    except ModelMissing:
        return None
    if model.compute_weight_root() != wanted.weight_root:
        return None
    if wanted.check is not None:
        wanted.check(model)
    return Pulled(model, wanted.key, 0, "")


def _make_workspace(models: Path) -> Path:
    workspace = models / PULL_FOLDER
    try:
        workspace.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(f"{workspace}: {type(error).__name__}") from None
    if workspace.is_symlink():
        raise StorageError(f"{workspace} is a link; it has to be a folder of its own")
    return workspace


def _fetch_files(
    uri: str, bundle: Bundle, workspace: Path, policy: FetchPolicy, report: Report
) -> Mapping[str, Path]:
    """Return where each file's bytes lie; a blob that two paths share is fetched once."""
    _require_space(bundle, workspace)
    blobs: dict[str, Path] = {}
    # The graph first: it says which weights there are and how long, before gigabytes are fetched.
    for file in sorted(bundle.files, key=lambda file: (file.path != GRAPH_FILE, file.path)):
        blob = workspace / file.sha256
        uris = [resolve_uri(place, split_pinned(uri)[0]) for place in file.uris]

        def tell(held: int, path: str = file.path, size: int = file.size) -> None:
            report(path, held, size)

        download(blob, file.size, file.sha256, uris, policy, tell)
        if file.path == GRAPH_FILE:
            _verify_plan(blob.read_bytes(), bundle)
        blobs[file.path] = blob
    return blobs


def _verify_plan(raw: bytes, bundle: Bundle) -> None:
    """Raise BundleError unless the graph is the one, and the files are exactly its weights."""
    if keccak(raw) != bundle.graph_hash:
        raise BundleError(GRAPH_FILE, ["is not the graph of the hash that is wanted"])
    graph = Graph.from_bytes(raw)
    expected = {
        f"{WEIGHTS_FOLDER}/{w.name}.bin": prod(w.shape) * w.bits // 8 for w in graph.weights
    }
    prefix = WEIGHTS_FOLDER + "/"
    listed = {file.path: file.size for file in bundle.files if file.path.startswith(prefix)}
    problems = [
        f"{path} has {listed.get(path)} bytes listed, the graph says {expected.get(path)}"
        for path in sorted({*expected, *listed})
        if expected.get(path) != listed.get(path)
    ]
    if problems:
        raise BundleError("bundle", problems)


def _require_space(bundle: Bundle, workspace: Path) -> None:
    missing = sum(f.size for f in bundle.files if not (workspace / f.sha256).exists())
    free = shutil.disk_usage(workspace).free
    if missing > free:
        raise StorageError(f"{workspace}: {missing} bytes are needed, {free} are free")


def _publish(
    bundle: Bundle,
    blobs: Mapping[str, Path],
    workspace: Path,
    models: Path,
    wanted: Wanted,
    source: str,
) -> Pulled:
    """Assemble the folder apart, recompute everything, and only then give it its name."""
    target = models / bundle.key
    with tempfile.TemporaryDirectory(dir=workspace) as made:
        draft = Path(made) / bundle.key
        try:
            for path, blob in blobs.items():
                place = draft / path
                place.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(blob, place)
            _verify_draft(draft, bundle, wanted)
            draft.rename(target)
        except OSError as error:
            raise StorageError(f"{target}: {type(error).__name__}") from None
    for blob in set(blobs.values()):
        blob.unlink(missing_ok=True)
    return Pulled(load_model(target), bundle.key, bundle.size, source)


def _verify_draft(draft: Path, bundle: Bundle, wanted: Wanted) -> None:
    """Raise ModelFolderError, GraphError, or what the check raises, for any other model."""
    model = load_model(draft)
    root = model.compute_weight_root()
    if root != bundle.weight_root:
        raise ModelFolderError(
            bundle.key, [f"its weights have root 0x{root.hex()}, not 0x{bundle.weight_root.hex()}"]
        )
    if wanted.check is not None:
        wanted.check(model)


class Puller:
    """Fetches the models of registered versions for a role, each failure at most once a while.

    Who registered a version chose the server, which can keep a download alive for days: with
    `patience_s`, a pull that takes longer goes on by itself, and the caller is told to come back.
    """

    def __init__(
        self,
        models: Path,
        policy: FetchPolicy,
        gateway: str = "",
        max_bytes: int = MAX_MODEL_BYTES,
        report: Report = ignore,
        patience_s: float | None = None,
    ) -> None:
        self._models = models
        self._policy = policy.trusting(gateway)
        self._gateway = gateway
        self._max_bytes = max_bytes
        self._report = report
        self._patience_s = patience_s
        self._refused: dict[str, tuple[float, str]] = {}  # by key: when, and why
        self._running: dict[str, Future[Pulled]] = {}  # by key
        self._lock = Lock()

    def pull(self, uri: str, wanted: Wanted) -> Pulled:
        """Return a version's model; raise ModelMissing where it cannot be had now.

        `uri` is what was registered; anybody may have written it. Raises what the check raises.
        """
        with self._lock:
            at, why = self._refused.get(wanted.key, (0.0, ""))
            if why and time.monotonic() - at < RETRY_S:
                raise ModelMissing(why)
            running = self._running.get(wanted.key)
            if running is None:
                running = self._start(uri, wanted)
        try:
            return running.result(self._patience_s)
        except TimeoutError:
            told = f"the model with graph 0x{wanted.graph_hash.hex()} is being fetched"
            raise ModelMissing(told) from None

    def _start(self, uri: str, wanted: Wanted) -> Future[Pulled]:
        if len(self._running) >= MAX_PULLS:
            raise ModelMissing(f"{MAX_PULLS} other models are being fetched")
        started: Future[Pulled] = Future()
        self._running[wanted.key] = started
        # A daemon: a download must not keep a role from ending; what was received is kept.
        Thread(target=self._run, args=(uri, wanted, started), daemon=True).start()
        return started

    def _run(self, uri: str, wanted: Wanted, started: Future[Pulled]) -> None:
        try:
            found = self._pull(uri, wanted)
        except Exception as error:  # noqa: BLE001 - told to whoever asks
            self._end(wanted)
            started.set_exception(error)
        else:
            self._end(wanted)
            started.set_result(found)

    def _end(self, wanted: Wanted) -> None:
        with self._lock:
            del self._running[wanted.key]

    def _pull(self, uri: str, wanted: Wanted) -> Pulled:
        try:
            return pull_model(
                list_addresses(uri, self._gateway, wanted.key),
                self._models,
                self._policy,
                wanted,
                self._max_bytes,
                self._report,
            )
        except (DownloadError, StorageError) as error:
            why = f"no model with graph 0x{wanted.graph_hash.hex()}: {error}"
            with self._lock:
                self._refused[wanted.key] = (time.monotonic(), why)
            raise ModelMissing(why) from None


def list_addresses(registered: str, gateway: str, key: str) -> list[str]:
    """Return where a version's bundle may be: what was registered, then the gateway's own copy.

    A registered text that is no http(s) or ipfs address is a name, not a place.
    """
    try:
        is_address = urlsplit(registered).scheme in SCHEMES
    except ValueError:
        is_address = False
    found = [registered] if is_address else []
    if gateway:
        found.append(f"{gateway.rstrip('/')}/models/{key}/{BUNDLE_FILE}")
    return found
