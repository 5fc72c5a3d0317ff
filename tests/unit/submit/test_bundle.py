"""Bundles and what is made of them: nothing appears among the models that was not reproduced."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from offchain.commit.interface import Interface, NumbersInput
from offchain.commit.model_folder import write_model_folder
from offchain.errors import (
    BundleError,
    DownloadError,
    ModelMissing,
    OffchainError,
    StorageError,
    VersionMismatch,
)
from offchain.submit import bundle_pull
from offchain.submit.bundle import compute_model_key, make_bundle, parse_bundle, split_pinned
from offchain.submit.bundle_pull import Puller, Wanted, list_addresses, pull_model
from offchain.submit.fetch import FetchPolicy
from offchain.submit.models import Model, load_model
from tests.random_models import draw_model
from tests.unit.submit.hostile_server import Site, answer, serve

MODEL = draw_model(20, rows=1, sizes=(8, 4, 3))
OTHER = draw_model(21, rows=1, sizes=(8, 4, 3))
LOCAL = FetchPolicy(is_private_allowed=True)
BUNDLE = "/m/bundle.json"


def publish(folder: Path, drawn: Any = MODEL) -> Path:
    source = drawn.graph.input
    labels = tuple(f"class {k}" for k in range(drawn.graph.output_spec().shape[-1]))
    interface = Interface("m", "M", "", NumbersInput((8,), source.lo, source.hi), labels)
    write_model_folder(folder, drawn.graph, drawn.weights, {}, interface)
    return folder


@pytest.fixture
def published(tmp_path: Path) -> Path:
    return publish(tmp_path / "published")


@pytest.fixture
def site(published: Path) -> Iterator[Site]:
    with serve(Site()) as served:
        offer(served, published)
        yield served


def offer(site: Site, folder: Path) -> None:
    bundle = make_bundle(folder)
    site.files[BUNDLE] = bundle.to_bytes()
    for file in bundle.files:
        site.files[f"/m/files/{file.path}"] = (folder / file.path).read_bytes()


def edit(site: Site, change: Callable[[dict[str, Any]], None]) -> None:
    document = json.loads(site.files[BUNDLE])
    change(document)
    site.files[BUNDLE] = json.dumps(document).encode()


def get_wanted(folder: Path) -> Wanted:
    model = load_model(folder)
    return Wanted(model.graph.hash(), model.compute_weight_root())


def list_all(models: Path) -> list[str]:
    """Return everything below the folder but locks."""
    found = (str(path.relative_to(models)) for path in models.rglob("*"))
    return sorted(name for name in found if "lock" not in name)


def test_make__published_model__read_back_and_deterministic(published: Path) -> None:
    bundle = make_bundle(published, ["https://example.org/m/"])
    assert parse_bundle(bundle.to_bytes()) == bundle
    assert bundle.to_bytes() == make_bundle(published, ["https://example.org/m"]).to_bytes()
    model = load_model(published)
    assert bundle.key == compute_model_key(model.graph.hash(), model.compute_weight_root())
    graph = bundle.find("graph.json")
    assert graph.uris == ("https://example.org/m/graph.json", "files/graph.json", "graph.json")
    assert graph.sha256 == hashlib.sha256((published / "graph.json").read_bytes()).hexdigest()
    with pytest.raises(BundleError, match=r"lists no graph2\.json"):
        bundle.find("graph2.json")


@pytest.mark.parametrize(
    "path",
    [
        "../graph.json",
        "/etc/passwd",
        "weights/../../x.bin",
        "weights/..bin",
        "weights/a/b.bin",
        "weights/a.bin/",
        "weights\\a.bin",
        "Graph.json",
        "bundle.json",
        "weights/.hidden.bin",
        "weights/a.bin\n",
        "weights/\u0430.bin",
        "",
        None,
    ],
)
def test_parse__path_that_no_model_folder_has__refused(published: Path, path: object) -> None:
    document = json.loads(make_bundle(published).to_bytes())
    document["files"].append({**document["files"][0], "path": path})
    with pytest.raises(BundleError, match="no file of a model folder"):
        parse_bundle(json.dumps(document).encode())


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda d: d.update(format="zkdps-bundle/2"), "format"),
        (lambda d: d.update(graphHash="0x12"), "64 hex digits"),
        (lambda d: d.pop("weightRoot"), "lacks 'weightRoot'"),
        (lambda d: d.update(files={}), "files is not a list"),
        (lambda d: d["files"].append(d["files"][0]), "twice"),
        (lambda d: d["files"].pop(0), r"lacks graph\.json"),
        (lambda d: d["files"][0].update(bytes=-1), "bytes"),
        (lambda d: d["files"][0].update(bytes=True), "bytes"),
        (lambda d: d["files"][0].update(bytes=1.5), "bytes"),
        (lambda d: d["files"][0].update(sha256="00"), "SHA-256"),
        (lambda d: d["files"][0].update(uris=[]), "0 addresses"),
        (lambda d: d["files"][0].update(uris=["x"] * 17), "17 addresses"),
        (lambda d: d["files"][0].update(uris=[3]), "not a text"),
        (lambda d: d["files"][0].update(uris=["x" * 3000]), "not a text"),
        (lambda d: d["files"][0].update(uris=["http://[::1"]), "IPv6"),
    ],
)
def test_parse__malformed__refused(
    published: Path, change: Callable[[dict[str, Any]], None], said: str
) -> None:
    document = json.loads(make_bundle(published).to_bytes())
    change(document)
    with pytest.raises(BundleError, match=said):
        parse_bundle(json.dumps(document).encode())


@pytest.mark.parametrize(
    "raw",
    [b"", b"[]", b"\xff", b"[" * 5000, b"{" + b" " * (1 << 22)],
    ids=["empty", "list", "binary", "deep", "long"],
)
def test_parse__other_bytes__refused(raw: bytes) -> None:
    with pytest.raises(BundleError):
        parse_bundle(raw)


def test_pull__from_its_bundle__the_same_model_under_its_key(
    site: Site, published: Path, tmp_path: Path
) -> None:
    models = tmp_path / "models"
    told: dict[str, list[int]] = {}
    pulled = pull_model(
        [site.url + BUNDLE],
        models,
        LOCAL,
        report=lambda path, held, size: told.setdefault(path, []).append(held - size),
    )
    wanted = get_wanted(published)
    assert pulled.key == wanted.key
    assert pulled.model.folder == models / wanted.key
    assert get_wanted(pulled.model.folder) == wanted
    assert (pulled.model.folder / "interface.json").exists()
    assert all(held[-1] == 0 for held in told.values())
    assert len(told) == len(make_bundle(published).files)
    assert [name for name in list_all(models) if name.startswith(".pull/")] == []


def test_pull__there_already_under_any_name__nothing_is_asked_for(
    site: Site, published: Path, tmp_path: Path
) -> None:
    models = tmp_path / "models"
    shutil.copytree(published, models / "by-hand")
    pulled = pull_model([site.url + BUNDLE], models, LOCAL, get_wanted(published))
    assert (pulled.source, pulled.model.folder) == ("", models / "by-hand")
    assert not site.requests


def test_pull__twice__the_second_fetches_the_bundle_only(site: Site, tmp_path: Path) -> None:
    models = tmp_path / "models"
    pull_model([site.url + BUNDLE], models, LOCAL)
    asked = len(site.requests)
    assert pull_model([site.url + BUNDLE], models, LOCAL).source == ""
    assert len(site.requests) == asked + 1


def test_pull__two_paths_with_the_same_bytes__fetched_once(tmp_path: Path) -> None:
    drawn = draw_model(20, rows=1, sizes=(8, 8, 8, 8, 8))
    weights = {name: 0 * w for name, w in drawn.weights.items()}
    write_model_folder(tmp_path / "zeros", drawn.graph, weights, {})
    with serve(Site()) as site:
        offer(site, tmp_path / "zeros")
        pull_model([site.url + BUNDLE], tmp_path / "models", LOCAL)
        files = make_bundle(tmp_path / "zeros").files
        hashes = {file.sha256 for file in files}
        assert len(site.requests) == 1 + len(hashes) < 1 + len(files)


@pytest.mark.parametrize("victim", ["graph.json", "weights"])
def test_pull__file_is_another_s__nothing_appears(site: Site, tmp_path: Path, victim: str) -> None:
    path = next(p for p in sorted(site.files) if victim in p)
    raw = bytearray(site.files[path])
    raw[-1] ^= 1
    site.files[path] = bytes(raw)
    with pytest.raises(DownloadError, match="has not the SHA-256"):
        pull_model([site.url + BUNDLE], tmp_path / "models", LOCAL)
    assert "graph.json" not in str(list_all(tmp_path / "models"))


def test_pull__bundle_whose_hashes_were_fitted_to_false_weights__refused_by_the_root(
    site: Site, published: Path, tmp_path: Path
) -> None:
    """SHA-256 of each file agrees; what was registered does not."""
    path = next(p for p in sorted(site.files) if "weights" in p)
    site.files[path] = bytes(len(site.files[path]))

    def fit(document: dict[str, Any]) -> None:
        for file in document["files"]:
            if path.endswith(file["path"]):
                file["sha256"] = hashlib.sha256(site.files[path]).hexdigest()

    edit(site, fit)
    with pytest.raises(DownloadError, match="weightRoot is 0x"):
        pull_model([site.url + BUNDLE], tmp_path / "models", LOCAL, get_wanted(published))
    assert "graph.json" not in str(list_all(tmp_path / "models"))


def test_pull__another_model_in_place_of_the_registered__refused_before_its_files(
    published: Path, tmp_path: Path
) -> None:
    with serve(Site()) as site:
        offer(site, publish(tmp_path / "other", OTHER))
        with pytest.raises(DownloadError, match="bundle of another model"):
            pull_model([site.url + BUNDLE], tmp_path / "models", LOCAL, get_wanted(published))
        assert site.requests == [(BUNDLE, "")]


def test_pull__bundle_that_claims_the_registered_hashes_over_another_model__refused(
    published: Path, tmp_path: Path
) -> None:
    with serve(Site()) as site:
        offer(site, publish(tmp_path / "other", OTHER))
        truth = json.loads(make_bundle(published).to_bytes())
        edit(site, lambda d: d.update(graphHash=truth["graphHash"], weightRoot=truth["weightRoot"]))
        with pytest.raises(DownloadError, match="not the graph"):
            pull_model([site.url + BUNDLE], tmp_path / "models", LOCAL, get_wanted(published))
        assert not [path for path, _ in site.requests if "weights" in path]


def test_pull__bundle_that_claims_the_registered_root_over_other_weights__refused(
    published: Path, tmp_path: Path
) -> None:
    """Everything in the folder agrees with itself; only the bundle's claim is another's."""
    zeros = {name: 0 * w for name, w in MODEL.weights.items()}
    write_model_folder(tmp_path / "zeros", MODEL.graph, zeros, {})
    with serve(Site()) as site:
        offer(site, tmp_path / "zeros")
        truth = json.loads(make_bundle(published).to_bytes())
        edit(site, lambda d: d.update(weightRoot=truth["weightRoot"]))
        for wanted in (None, get_wanted(published)):
            with pytest.raises(DownloadError, match="its weights have root"):
                pull_model([site.url + BUNDLE], tmp_path / "models", LOCAL, wanted)
        assert "graph.json" not in str(list_all(tmp_path / "models"))


def test_pull__weight_listed_longer_than_the_graph_says__refused_before_it_is_fetched(
    site: Site, tmp_path: Path
) -> None:
    def lengthen(document: dict[str, Any]) -> None:
        for file in document["files"]:
            if file["path"].startswith("weights/"):
                file["bytes"] += 1 << 20

    edit(site, lengthen)
    with pytest.raises(DownloadError, match="the graph says"):
        pull_model([site.url + BUNDLE], tmp_path / "models", LOCAL)
    assert not [path for path, _ in site.requests if "weights" in path]


def test_pull__weight_that_the_graph_does_not_have__refused(site: Site, tmp_path: Path) -> None:
    def add(document: dict[str, Any]) -> None:
        document["files"].append({**document["files"][0], "path": "weights/extra.bin"})

    edit(site, add)
    with pytest.raises(DownloadError, match=r"extra\.bin"):
        pull_model([site.url + BUNDLE], tmp_path / "models", LOCAL)


def test_pull__larger_than_allowed__refused_before_its_files(site: Site, tmp_path: Path) -> None:
    with pytest.raises(DownloadError, match="at most 100 allowed"):
        pull_model([site.url + BUNDLE], tmp_path / "models", LOCAL, max_bytes=100)
    assert site.requests == [(BUNDLE, "")]


def test_pull__more_than_the_disk_has__said_before(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=10))
    with pytest.raises(StorageError, match="10 are free"):
        pull_model([site.url + BUNDLE], tmp_path / "models", LOCAL)


def test_pull__first_address_fails__the_next_is_tried_and_both_are_told(
    site: Site, tmp_path: Path
) -> None:
    site.files["/bad/bundle.json"] = b"{}"
    uris = [site.url + "/none", site.url + "/bad/bundle.json"]
    with pytest.raises(DownloadError, match=r"answers 404.*lacks"):
        pull_model(uris, tmp_path / "models", LOCAL)
    assert pull_model([*uris, site.url + BUNDLE], tmp_path / "models", LOCAL).source


def test_pull__pinned_bundle__only_these_bytes(site: Site, tmp_path: Path) -> None:
    pinned = f"{site.url}{BUNDLE}#sha256={hashlib.sha256(site.files[BUNDLE]).hexdigest()}"
    edit(site, lambda document: None)  # the same facts in other bytes
    with pytest.raises(DownloadError, match="the address says"):
        pull_model([pinned], tmp_path / "models", LOCAL)
    with pytest.raises(DownloadError, match="64 lower-case hex digits"):
        pull_model([f"{site.url}{BUNDLE}#md5=00"], tmp_path / "models", LOCAL)
    assert split_pinned("http://h/b") == ("http://h/b", None)


def test_pull__false_registration__said_and_no_other_address_is_asked(
    site: Site, published: Path, tmp_path: Path
) -> None:
    def refuse(model: Model) -> None:
        raise VersionMismatch("program hash", b"\1", b"\2")

    wanted = get_wanted(published)
    checked = Wanted(wanted.graph_hash, wanted.weight_root, refuse)
    with pytest.raises(VersionMismatch, match="program hash"):
        pull_model([site.url + BUNDLE, site.url + "/none"], tmp_path / "models", LOCAL, checked)
    assert "/none" not in [path for path, _ in site.requests]
    assert "graph.json" not in str(list_all(tmp_path / "models"))


def test_pull__link_in_place_of_the_workspace__refused(site: Site, tmp_path: Path) -> None:
    models, elsewhere = tmp_path / "models", tmp_path / "elsewhere"
    models.mkdir()
    elsewhere.mkdir()
    (models / ".pull").symlink_to(elsewhere)
    with pytest.raises(StorageError, match="is a link"):
        pull_model([site.url + BUNDLE], models, LOCAL)
    assert not list(elsewhere.iterdir())


def test_pull__folder_by_path__read_from_its_files(published: Path, tmp_path: Path) -> None:
    (published / "bundle.json").write_bytes(make_bundle(published).to_bytes())
    uri = (published / "bundle.json").as_uri()
    assert pull_model([uri], tmp_path / "models", FetchPolicy().trusting(uri)).source
    with pytest.raises(DownloadError, match="only if you name them"):
        pull_model([uri], tmp_path / "others", LOCAL)


def test_pull__bundle_from_the_web_names_a_local_file__not_read(
    site: Site, published: Path, tmp_path: Path
) -> None:
    def point(document: dict[str, Any]) -> None:
        for file in document["files"]:
            file["uris"] = [(published / file["path"]).as_uri()]

    edit(site, point)
    with pytest.raises(DownloadError, match="only if you name them"):
        pull_model([site.url + BUNDLE], tmp_path / "models", LOCAL)


def test_pull__killed_in_the_middle__the_next_fetches_only_the_rest(
    site: Site, published: Path, tmp_path: Path
) -> None:
    path = max((p for p in site.files if "weights" in p), key=lambda p: len(site.files[p]))
    body = site.files[path]
    half = len(body) // 2

    def stall(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body[:half])
        handler.wfile.flush()
        handler.rfile.read()  # until the other side is gone

    site.tricks[path] = stall
    models = tmp_path / "models"
    sha256 = hashlib.sha256(body).hexdigest()
    part = models / ".pull" / f"{sha256}.part"
    command = [
        sys.executable, "-m", "offchain.cli.main", "model", "pull",
        "--uri", site.url + BUNDLE, "--out", str(models),
    ]  # fmt: skip
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 30
    while not (part.exists() and part.stat().st_size == half) and time.monotonic() < deadline:
        time.sleep(0.05)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert part.stat().st_size == half
    del site.tricks[path]
    site.requests.clear()
    pulled = pull_model([site.url + BUNDLE], models, LOCAL)
    assert site.asked(path) == [f"bytes={half}-"]
    assert get_wanted(pulled.model.folder) == get_wanted(published)


def test_puller__failure__told_again_for_a_while_without_asking(
    site: Site, published: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    puller, wanted = Puller(tmp_path / "models", LOCAL), get_wanted(published)
    uri = site.url + "/later/bundle.json"
    for _ in range(2):
        with pytest.raises(ModelMissing, match="answers 404"):
            puller.pull(uri, wanted)
    assert len(site.requests) == 1
    monkeypatch.setattr(bundle_pull, "RETRY_S", 0.0)
    site.tricks["/later/bundle.json"] = lambda h: answer(
        h, 302, headers={"Location": site.url + BUNDLE}
    )
    for file in make_bundle(published).files:  # relative to the address that was named
        site.files[f"/later/files/{file.path}"] = site.files[f"/m/files/{file.path}"]
    assert puller.pull(uri, wanted).key == wanted.key


def test_puller__server_that_never_ends__the_role_goes_on_and_finds_the_model_later(
    site: Site, published: Path, tmp_path: Path
) -> None:
    """Whoever registered the version chose the server; a role has others' deadlines to meet."""
    puller, wanted = Puller(tmp_path / "models", LOCAL, patience_s=0.05), get_wanted(published)
    is_released = Event()

    def wait(handler: BaseHTTPRequestHandler) -> None:
        is_released.wait(20)
        answer(handler, 200, site.files[BUNDLE])

    site.tricks[BUNDLE] = wait
    began = time.monotonic()
    for _ in range(3):
        with pytest.raises(ModelMissing, match="being fetched"):
            puller.pull(site.url + BUNDLE, wanted)
    assert time.monotonic() - began < 5
    assert len(site.requests) == 1  # one download, however often it is asked for
    is_released.set()
    for _ in range(100):
        try:
            found = puller.pull(site.url + BUNDLE, wanted)
            break
        except ModelMissing:
            continue
    assert found.key == wanted.key


def test_puller__registered_name_instead_of_an_address__the_gateway_is_asked(
    site: Site, published: Path, tmp_path: Path
) -> None:
    wanted = get_wanted(published)
    assert list_addresses("mlp-digits", "", wanted.key) == []
    assert list_addresses("file:///etc/passwd", "", wanted.key) == []
    assert list_addresses("http://[", "", wanted.key) == []
    for path in list(site.files):
        site.files[path.replace("/m/", f"/models/{wanted.key}/")] = site.files[path]
    puller = Puller(tmp_path / "models", FetchPolicy(), gateway=site.url)
    assert puller.pull("mlp-digits", wanted).source.startswith(site.url)
    with pytest.raises(OffchainError, match="no address is known"):
        Puller(tmp_path / "others", FetchPolicy()).pull("mlp-digits", wanted)
