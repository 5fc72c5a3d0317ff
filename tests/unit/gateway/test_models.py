"""The gateway serves published models by key, whole or in part, and nothing else of the folder."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from offchain.commit.model_folder import write_model_folder
from offchain.gateway import models
from offchain.gateway.answers import install_error_handlers
from offchain.gateway.models import Shelf
from offchain.gateway.routes.models import router
from offchain.roles.log import Log
from offchain.submit.bundle import make_bundle, parse_bundle
from tests.random_models import draw_model

MODEL = draw_model(20, rows=1, sizes=(8, 4, 3))
OTHER = draw_model(21, rows=1, sizes=(8, 4, 3))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_model_folder(tmp_path / "models" / "one", MODEL.graph, MODEL.weights, {"agreement": 1.0})
    return tmp_path / "models"


@pytest.fixture
def client(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    monkeypatch.setattr(models, "REFRESH_S", 0.0)
    app, log = FastAPI(), Log("gateway")
    install_error_handlers(app, log)
    app.include_router(router)
    app.state.gateway = SimpleNamespace(models=Shelf(folder, log))
    with TestClient(app) as opened:
        yield opened


@pytest.fixture
def key(folder: Path) -> str:
    return make_bundle(folder / "one").key


def test_list__published_model__told_with_its_report(client: TestClient, key: str) -> None:
    (told,) = client.get("/models").json()["models"]
    assert told["key"] == key
    assert told["graphHash"] == "0x" + MODEL.graph.hash().hex()
    assert told["report"] == {"agreement": 1.0}
    assert told["interface"] is None


def test_bundle__names_files_that_are_served_as_it_says(client: TestClient, key: str) -> None:
    answer = client.get(f"/models/{key}/bundle.json")
    for file in parse_bundle(answer.content).files:
        served = client.get(f"/models/{key}/{file.uris[0]}")
        assert hashlib.sha256(served.content).hexdigest() == file.sha256
        assert served.headers["etag"] == f'"{file.sha256}"'
        assert len(served.content) == file.size
    again = client.get(
        f"/models/{key}/bundle.json", headers={"If-None-Match": answer.headers["etag"]}
    )
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize(
    ("wanted", "status", "span"),
    [
        ("", 200, slice(None)),
        ("bytes=0-", 206, slice(0, None)),
        ("bytes=10-", 206, slice(10, None)),
        ("bytes=10-19", 206, slice(10, 20)),
        ("bytes=10-999999", 206, slice(10, None)),
        ("bytes=-5", 206, slice(-5, None)),
        ("bytes=-999999", 206, slice(None)),
        ("bytes=0-1,3-4", 200, slice(None)),
        ("pages=1-2", 200, slice(None)),
        ("bytes=-", 200, slice(None)),
    ],
)
def test_file__range__that_part(
    client: TestClient, key: str, folder: Path, wanted: str, status: int, span: slice
) -> None:
    raw = (folder / "one" / "graph.json").read_bytes()
    headers = {"Range": wanted} if wanted else {}
    answer = client.get(f"/models/{key}/files/graph.json", headers=headers)
    assert (answer.status_code, answer.content) == (status, raw[span])
    assert answer.headers["content-length"] == str(len(raw[span]))
    if status == 206:
        begin = len(raw) - len(raw[span]) if (span.start or 0) < 0 else (span.start or 0)
        end = begin + len(raw[span]) - 1
        assert answer.headers["content-range"] == f"bytes {begin}-{end}/{len(raw)}"


@pytest.mark.parametrize("wanted", ["bytes=999999-", "bytes=20-10", "bytes=-0"])
def test_file__range_outside__refused_with_its_length(
    client: TestClient, key: str, folder: Path, wanted: str
) -> None:
    size = (folder / "one" / "graph.json").stat().st_size
    answer = client.get(f"/models/{key}/files/graph.json", headers={"Range": wanted})
    assert answer.status_code == 416
    assert answer.headers["content-range"] == f"bytes */{size}"
    assert answer.json()["error"] == "RangeNotSatisfiable"


def test_file__range_of_another_file__the_whole(client: TestClient, key: str, folder: Path) -> None:
    headers = {"Range": "bytes=10-", "If-Range": '"another"'}
    answer = client.get(f"/models/{key}/files/graph.json", headers=headers)
    assert answer.content == (folder / "one" / "graph.json").read_bytes()


@pytest.mark.parametrize(
    "path",
    [
        "../../secret",
        "%2e%2e/secret",
        "..%2fsecret",
        "weights%2f..%2fgraph.json",
        "bundle.json",
        "x",
    ],
)
def test_file__any_other_path__refused(
    client: TestClient, key: str, folder: Path, path: str
) -> None:
    (folder / "secret").write_text("secret")
    answer = client.get(f"/models/{key}/files/{path}")
    assert answer.status_code in (404, 422)
    assert b"secret" not in answer.content.replace(path.encode(), b"")


@pytest.mark.parametrize("name", ["0" * 16, "one", "..", "A" * 16])
def test_key__unknown__refused(client: TestClient, name: str) -> None:
    assert client.get(f"/models/{name}/files/graph.json").status_code in (404, 422)


def test_shelf__folder_changes__followed_and_a_damaged_model_not_served(
    client: TestClient, folder: Path, key: str
) -> None:
    write_model_folder(folder / "two", OTHER.graph, OTHER.weights, {})
    assert len(client.get("/models").json()["models"]) == 2
    shutil.rmtree(folder / "two")
    assert len(client.get("/models").json()["models"]) == 1
    shutil.copytree(folder / "one", folder / "three")
    (folder / "three" / "report.json").write_text("{}")
    (folder / "one").rename(folder / "gone")
    (folder / "gone" / "graph.json").unlink()
    assert client.get("/models").json()["models"] == []


def test_bundle__written_by_the_publisher__served_where_it_is_of_these_files(
    client: TestClient, folder: Path, key: str
) -> None:
    mirrored = make_bundle(folder / "one", ["https://example.org/one"])
    (folder / "one" / "bundle.json").write_bytes(mirrored.to_bytes())
    assert client.get(f"/models/{key}/bundle.json").content == mirrored.to_bytes()
    document = json.loads(mirrored.to_bytes())
    document["files"][0]["sha256"] = "0" * 64
    (folder / "one" / "bundle.json").write_text(json.dumps(document))
    assert (
        client.get(f"/models/{key}/bundle.json").content == make_bundle(folder / "one").to_bytes()
    )
