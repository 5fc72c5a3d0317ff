"""A published model on disk: written once, and read back only if every digest can be recomputed.

graph.json           canonical bytes of the integer graph
weights/<name>.bin   bytes of each weight, as they are digested (protocol.md 3.2)
report.json          size, widths and fidelity
interface.json       optional: what input and output mean to people
manifest.json        digests of all of these; a claim, never trusted
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any, Final

from eth_hash.auto import keccak

from offchain.commit.digest import decode_tensor, encode_tensor, tensor_digest_of_bytes, weight_root
from offchain.commit.interface import Interface, parse_interface
from offchain.errors import ModelFolderError
from offchain.model.graph import Graph, WeightSpec
from offchain.model.strict_json import MAX_BYTES, parse_json
from offchain.model.weights import IntArray, Weights
from offchain.quantize.ranges import verify_ranges
from offchain.types import Digest

FORMAT: Final = "zkdps-model/1"
GRAPH_FILE: Final = "graph.json"
WEIGHTS_FOLDER: Final = "weights"
REPORT_FILE: Final = "report.json"
INTERFACE_FILE: Final = "interface.json"
MANIFEST_FILE: Final = "manifest.json"


@dataclass(frozen=True)
class PublishedModel:
    """A model whose files agree with each other and whose ranges hold for every input."""

    graph: Graph
    weights: Mapping[str, IntArray]
    digests: Mapping[str, Digest]  # by weight
    report: Mapping[str, Any]
    interface: Interface | None = None

    @property
    def weight_root(self) -> Digest:
        """The root of all weights, in the graph's order."""
        return weight_root([self.digests[spec.name] for spec in self.graph.weights])


def write_model_folder(
    folder: Path,
    graph: Graph,
    weights: Weights,
    report: Mapping[str, Any],
    interface: Interface | None = None,
) -> None:
    """Write a model into a folder that does not exist yet; all of it appears, or nothing.

    Raises ModelFolderError if the folder exists, GraphError, TensorError or UnboundedError for a
    model that nobody should be asked to trust, InterfaceError for one of another graph.
    """
    graph.verify()
    verify_ranges(graph, weights)
    if interface is not None:
        interface.verify_fits(graph)
    if folder.exists():
        raise _name_taken(folder)
    encoded = {s.name: encode_tensor(weights[s.name], s.bits, s.name) for s in graph.weights}
    texts = {REPORT_FILE: _to_json(report)}
    if interface is not None:
        texts[INTERFACE_FILE] = _to_json(interface.to_json())
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as workspace:
        draft = Path(workspace) / folder.name
        (draft / WEIGHTS_FOLDER).mkdir(parents=True)
        (draft / GRAPH_FILE).write_bytes(graph.to_bytes())
        for name, text in texts.items():
            (draft / name).write_bytes(text)
        for name, raw in encoded.items():
            _weight_path(draft, name).write_bytes(raw)
        manifest = _make_manifest(graph, encoded, texts)
        (draft / MANIFEST_FILE).write_bytes(_to_json(manifest))
        try:
            draft.rename(folder)
        except OSError:
            if folder.exists():  # since a moment ago: another process was first
                raise _name_taken(folder) from None
            raise


def _name_taken(folder: Path) -> ModelFolderError:
    return ModelFolderError(str(folder), ["exists already; a published model never changes"])


def read_model_folder(folder: Path) -> PublishedModel:
    """Return the model; recompute every digest instead of believing the manifest.

    Raises ModelFolderError with every missing file and every mismatch at once, GraphError for a
    graph that is not canonical, UnboundedError if an input in range could leave a declared range,
    InterfaceError for an interface of another graph.
    """
    graph = Graph.from_bytes(_read(folder, GRAPH_FILE))
    texts = {REPORT_FILE: _read(folder, REPORT_FILE)}
    if (folder / INTERFACE_FILE).exists():
        texts[INTERFACE_FILE] = _read(folder, INTERFACE_FILE)
    problems: list[str] = []
    encoded: dict[str, bytes] = {}
    for spec in graph.weights:
        try:
            encoded[spec.name] = _read_weight(folder, spec)
        except ModelFolderError as error:
            problems += error.problems
    if problems:
        raise ModelFolderError(str(folder), problems)
    found = _make_manifest(graph, encoded, texts)
    problems = list(_differences("", _read_json(folder, MANIFEST_FILE), found))
    if problems:
        raise ModelFolderError(str(folder), problems)
    weights = {s.name: decode_tensor(encoded[s.name], s.shape, s.bits) for s in graph.weights}
    verify_ranges(graph, weights)
    interface = None
    if INTERFACE_FILE in texts:
        interface = parse_interface(_parse(folder, INTERFACE_FILE, texts[INTERFACE_FILE]))
        interface.verify_fits(graph)
    report = _parse(folder, REPORT_FILE, texts[REPORT_FILE])
    return PublishedModel(graph, weights, _digests(graph, encoded), report, interface)


def _make_manifest(
    graph: Graph, encoded: Mapping[str, bytes], texts: Mapping[str, bytes]
) -> dict[str, Any]:
    digests = _digests(graph, encoded)
    manifest = {
        "format": FORMAT,
        "graphHash": _hex(graph.hash()),
        "weightRoot": _hex(weight_root([digests[spec.name] for spec in graph.weights])),
        "weights": {name: _hex(digest) for name, digest in digests.items()},
        "reportHash": _hex(keccak(texts[REPORT_FILE])),
    }
    if INTERFACE_FILE in texts:
        manifest["interfaceHash"] = _hex(keccak(texts[INTERFACE_FILE]))
    return manifest


def _digests(graph: Graph, encoded: Mapping[str, bytes]) -> dict[str, Digest]:
    return {
        s.name: tensor_digest_of_bytes(encoded[s.name], s.shape, s.bits, s.name)
        for s in graph.weights
    }


def _differences(where: str, claimed: object, found: object) -> Iterator[str]:
    """Name every entry in which the manifest and the files disagree."""
    if isinstance(found, dict) and isinstance(claimed, dict):
        for key in sorted({*found, *claimed}):
            yield from _differences(f"{where}{key} ", claimed.get(key), found.get(key))
    elif claimed != found:
        yield f"{where}is {claimed} in the manifest, {found} from the files"


def _read(folder: Path, name: str) -> bytes:
    path = folder / name
    if not path.is_file():
        raise ModelFolderError(str(folder), [f"{name} is missing"])
    if path.stat().st_size > MAX_BYTES:
        raise ModelFolderError(str(folder), [f"{name} is larger than {MAX_BYTES} bytes"])
    return path.read_bytes()


def _read_json(folder: Path, name: str) -> dict[str, Any]:
    return _parse(folder, name, _read(folder, name))


def _parse(folder: Path, name: str, text: bytes) -> dict[str, Any]:
    try:
        document = parse_json(text)
    except ValueError as error:
        raise ModelFolderError(str(folder), [f"{name} {error}"]) from error
    if not isinstance(document, dict):
        raise ModelFolderError(str(folder), [f"{name} is not an object"])
    return document


def _read_weight(folder: Path, spec: WeightSpec) -> bytes:
    path, expected = _weight_path(folder, spec.name), prod(spec.shape) * spec.bits // 8
    where = f"{WEIGHTS_FOLDER}/{path.name}"
    if not path.is_file():
        raise ModelFolderError(str(folder), [f"{where} is missing"])
    # The size first: a hostile file is not read to find out that it is too long.
    if path.stat().st_size != expected:
        raise ModelFolderError(
            str(folder), [f"{where} has {path.stat().st_size} bytes, the graph says {expected}"]
        )
    return path.read_bytes()


def _weight_path(folder: Path, name: str) -> Path:
    return folder / WEIGHTS_FOLDER / f"{name}.bin"


def _to_json(document: Mapping[str, Any]) -> bytes:
    return json.dumps(document, sort_keys=True, indent=1).encode() + b"\n"


def _hex(raw: bytes) -> str:
    return "0x" + raw.hex()


def publish_model_folder(folder: Path, target: Path) -> PublishedModel:
    """Copy a model into a folder of models, under its own name; all of it appears, or nothing.

    A copy that is there already and is the same model is left alone. Raises ModelFolderError when
    another model is there, or the files are not what their manifest says.
    """
    model, copy = read_model_folder(folder), target / folder.name
    if not copy.exists():
        write_model_folder(copy, model.graph, model.weights, model.report, model.interface)
    found = read_model_folder(copy)
    if (found.graph.hash(), found.weight_root) != (model.graph.hash(), model.weight_root):
        raise ModelFolderError(str(copy), ["is another model; a published model never changes"])
    return found
