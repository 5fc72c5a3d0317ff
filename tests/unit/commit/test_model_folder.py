"""A published model is read back only if every byte of it is what its manifest says."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from offchain.commit.digest import encode_tensor, tensor_digest, weight_root
from offchain.commit.interface import Interface, NumbersInput
from offchain.commit.model_folder import read_model_folder, write_model_folder
from offchain.errors import GraphError, ModelFolderError, TensorError, UnboundedError
from tests.random_models import draw_model

MODEL = draw_model(20, rows=1, sizes=(8, 4, 3))
FIRST = MODEL.graph.weights[0]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "model"
    write_model_folder(path, MODEL.graph, MODEL.weights, {"agreement": 1.0})
    return path


def test_read__written_folder__same_model_and_digests(folder: Path) -> None:
    model = read_model_folder(folder)
    assert model.graph == MODEL.graph
    assert model.report == {"agreement": 1.0}
    assert all((model.weights[name] == w).all() for name, w in MODEL.weights.items())
    by_hand = [tensor_digest(MODEL.weights[s.name], s.bits) for s in MODEL.graph.weights]
    assert model.weight_root == weight_root(by_hand)
    assert (folder / "graph.json").read_bytes() == MODEL.graph.to_bytes()


def test_write__existing_folder__refused_and_untouched(folder: Path) -> None:
    before = (folder / "manifest.json").read_bytes()
    with pytest.raises(ModelFolderError, match="exists already"):
        write_model_folder(folder, MODEL.graph, MODEL.weights, {})
    assert (folder / "manifest.json").read_bytes() == before


def test_write__weights_that_do_not_fit__nothing_appears(tmp_path: Path) -> None:
    weights = {**MODEL.weights, FIRST.name: MODEL.weights[FIRST.name] + (1 << FIRST.bits)}
    with pytest.raises(TensorError, match=FIRST.name):
        write_model_folder(tmp_path / "model", MODEL.graph, weights, {})
    assert not list(tmp_path.iterdir())


def test_read__one_weight_byte_flipped__refused_with_its_name(folder: Path) -> None:
    path = folder / "weights" / f"{FIRST.name}.bin"
    raw = bytearray(path.read_bytes())
    raw[-1] ^= 1
    path.write_bytes(raw)
    with pytest.raises(ModelFolderError) as caught:
        read_model_folder(folder)
    text = str(caught.value)
    assert "weightRoot is 0x" in text
    assert f"weights {FIRST.name} is 0x" in text


@pytest.mark.parametrize("change", [b"", b"\0"])
def test_read__weight_of_another_length__refused_before_reading(
    folder: Path, change: bytes
) -> None:
    path = folder / "weights" / f"{FIRST.name}.bin"
    path.write_bytes(path.read_bytes() + change if change else path.read_bytes()[:-1])
    with pytest.raises(ModelFolderError, match=rf"{FIRST.name}.bin has \d+ bytes, the graph says"):
        read_model_folder(folder)


def test_read__two_weights_missing__both_named(folder: Path) -> None:
    names = [spec.name for spec in MODEL.graph.weights[:2]]
    for name in names:
        (folder / "weights" / f"{name}.bin").unlink()
    with pytest.raises(ModelFolderError) as caught:
        read_model_folder(folder)
    assert caught.value.problems == tuple(f"weights/{name}.bin is missing" for name in names)


@pytest.mark.parametrize("name", ["graph.json", "report.json", "manifest.json"])
def test_read__file_missing__refused_by_name(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(ModelFolderError, match=f"{name} is missing"):
        read_model_folder(folder)


def test_read__other_report__refused(folder: Path) -> None:
    (folder / "report.json").write_text('{"agreement": 0.5}')
    with pytest.raises(ModelFolderError, match="reportHash is 0x"):
        read_model_folder(folder)


def test_read__other_graph_with_its_own_canonical_bytes__refused(folder: Path) -> None:
    text = (folder / "graph.json").read_text()
    changed = text.replace(f'"m":{MODEL.graph.ops[1].m}', f'"m":{MODEL.graph.ops[1].m - 1}')  # type: ignore[union-attr]
    assert changed != text
    (folder / "graph.json").write_text(changed)
    with pytest.raises(ModelFolderError, match="graphHash is 0x"):
        read_model_folder(folder)


def test_read__graph_with_a_space__refused(folder: Path) -> None:
    path = folder / "graph.json"
    path.write_bytes(path.read_bytes().replace(b",", b", ", 1))
    with pytest.raises(GraphError, match="not canonical"):
        read_model_folder(folder)


@pytest.mark.parametrize("text", ["{", "[]", '{"format": "zkdps-model/1"}', "[" * 100_000])
def test_read__manifest_is_something_else__refused(folder: Path, text: str) -> None:
    (folder / "manifest.json").write_text(text)
    with pytest.raises(ModelFolderError):
        read_model_folder(folder)


def test_read__manifest_with_another_entry__refused(folder: Path) -> None:
    path = folder / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "extra": 1}))
    with pytest.raises(ModelFolderError, match="extra is 1 in the manifest, None from the files"):
        read_model_folder(folder)


def test_read__consistent_folder_that_leaves_its_ranges__refused(
    folder: Path, tmp_path: Path
) -> None:
    """A publisher may write a manifest that fits; the ranges still have to hold."""
    half = 1 << (FIRST.bits - 1)
    weights = {**MODEL.weights, FIRST.name: np.full(FIRST.shape, half - 1)}
    hostile = tmp_path / "hostile"
    shutil.copytree(folder, hostile)
    path = hostile / "weights" / f"{FIRST.name}.bin"
    path.write_bytes(encode_tensor(weights[FIRST.name], FIRST.bits))
    digests = [tensor_digest(weights[s.name], s.bits) for s in MODEL.graph.weights]
    manifest = json.loads((hostile / "manifest.json").read_text())
    manifest["weights"][FIRST.name] = "0x" + digests[0].hex()
    manifest["weightRoot"] = "0x" + weight_root(digests).hex()
    (hostile / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(UnboundedError, match="y0: the quotient can span"):
        read_model_folder(hostile)


def test_read__with_an_interface__bound_by_the_manifest(tmp_path: Path) -> None:
    source = MODEL.graph.input
    labels = tuple(f"class {k}" for k in range(MODEL.graph.output_spec().shape[-1]))
    shape = tuple(source.shape)
    interface = Interface("m", "M", "", NumbersInput(shape, source.lo, source.hi), labels)
    folder = tmp_path / "model"
    write_model_folder(folder, MODEL.graph, MODEL.weights, {}, interface)
    assert read_model_folder(folder).interface == interface
    path = folder / "interface.json"
    path.write_text(path.read_text().replace("class 0", "class 9"))
    with pytest.raises(ModelFolderError, match="interfaceHash"):
        read_model_folder(folder)
    path.unlink()
    with pytest.raises(ModelFolderError, match="interfaceHash"):
        read_model_folder(folder)
