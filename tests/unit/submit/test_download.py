"""One file by size and SHA-256 from servers that break off, lie, or lead elsewhere."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from offchain.errors import DownloadError, StorageError
from offchain.submit.download import download
from offchain.submit.fetch import FetchPolicy, _follow, open_stream, read_small, resolve_uri
from tests.unit.submit.hostile_server import Site, answer, serve

BODY = bytes(range(256)) * 1200  # 300 KiB: several chunks
SHA256 = hashlib.sha256(BODY).hexdigest()
HALF = len(BODY) // 2
ENOUGH = 100  # times the file


@pytest.fixture
def site() -> Iterator[Site]:
    with serve(Site({"/a": BODY})) as served:
        yield served


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / SHA256


def fetch(target: Path, *uris: str, policy: FetchPolicy | None = None) -> list[int]:
    told: list[int] = []
    chosen = policy or FetchPolicy(is_private_allowed=True)
    download(target, len(BODY), SHA256, uris, chosen, told.append)
    assert target.read_bytes() == BODY
    assert not part_of(target).exists()
    return told


def part_of(target: Path) -> Path:
    return target.with_name(target.name + ".part")


def test_download__plain__written_whole_and_progress_told(site: Site, target: Path) -> None:
    told = fetch(target, f"{site.url}/a")
    assert told[0] == 0
    assert told[-1] == len(BODY)
    assert told == sorted(told)
    assert len(told) > 3


def test_download__there_already__not_fetched_again(site: Site, target: Path) -> None:
    fetch(target, f"{site.url}/a")
    fetch(target, f"{site.url}/a")
    assert len(site.requests) == 1


def test_download__half_received_before__only_the_rest_is_fetched(site: Site, target: Path) -> None:
    part_of(target).write_bytes(BODY[:HALF])
    fetch(target, f"{site.url}/a")
    assert site.asked("/a") == [f"bytes={HALF}-"]
    assert site.sent == len(BODY) - HALF


def test_download__corrupted_part__detected_and_fetched_from_the_beginning(
    site: Site, target: Path
) -> None:
    part_of(target).write_bytes(b"\xff" * HALF)
    fetch(target, f"{site.url}/a")
    assert site.asked("/a") == [f"bytes={HALF}-", ""]


@pytest.mark.parametrize("length", [len(BODY), len(BODY) + 1, 2 * len(BODY)])
def test_download__part_as_long_as_the_file_or_longer__replaced(
    site: Site, target: Path, length: int
) -> None:
    part_of(target).write_bytes(b"\xff" * length)
    fetch(target, f"{site.url}/a")
    assert site.asked("/a") == [""]


def test_download__server_ignores_ranges__begins_anew(site: Site, target: Path) -> None:
    site.tricks["/plain"] = lambda handler: answer(handler, 200, BODY)
    part_of(target).write_bytes(BODY[:HALF])
    fetch(target, f"{site.url}/plain")
    assert site.asked("/plain") == [f"bytes={HALF}-"]


def test_download__connection_breaks_off__resumed_at_the_same_address(
    site: Site, target: Path
) -> None:
    def breaks_off(handler: BaseHTTPRequestHandler) -> None:
        begin = int((handler.headers.get("Range") or "bytes=0-")[6:].partition("-")[0])
        if begin:
            span = {"Content-Range": f"bytes {begin}-{len(BODY) - 1}/{len(BODY)}"}
            answer(handler, 206, BODY[begin:], span)
        else:
            answer(handler, 200, BODY[:HALF], length=len(BODY))

    site.tricks["/breaks"] = breaks_off
    fetch(target, f"{site.url}/breaks")
    assert site.asked("/breaks") == ["", f"bytes={HALF}-"]


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/short", "ends after"),
        ("/declared-short", f"has {HALF} bytes, expected {len(BODY)}"),
        ("/declared-long", f"has {len(BODY) + 1} bytes"),
        # What ends where the file does is complete; where a read ends is the network's choice.
        ("/endless", "sends more than|has not the SHA-256"),
        ("/other", "has not the SHA-256"),
        ("/compressed", "is compressed"),
        ("/missing", "answers 404"),
        ("/teapot", "answers 418"),
        ("/elsewhere", "serves from byte 0, asked for"),
        ("/babble", "serves the range"),
        ("/loop", "more than 5 redirects"),
        ("/to-file", "redirects to 'file:///etc/passwd', not followed"),
        ("/to-nowhere", "not followed"),
    ],
)
def test_download__server_that_lies__left_for_the_next_address(
    site: Site, target: Path, path: str, said: str
) -> None:
    def endless(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()  # no length: until the connection ends
        # Not quite endless: code without a bound must fail here, not fill a disk.
        with suppress(ConnectionError):
            for _ in range(ENOUGH):
                handler.wfile.write(BODY[::-1])

    moved = {"/loop": "/loop", "/to-file": "file:///etc/passwd", "/to-nowhere": ""}
    for place, location in moved.items():
        site.tricks[place] = lambda h, to=location: answer(h, 302, headers={"Location": to})  # type: ignore[misc]
    site.tricks |= {
        "/short": lambda h: answer(h, 200, b"", length=len(BODY)),
        "/declared-short": lambda h: answer(h, 200, BODY[:HALF]),
        "/declared-long": lambda h: answer(h, 200, BODY + b"!"),
        "/endless": endless,
        "/other": lambda h: answer(h, 200, BODY[::-1]),
        "/compressed": lambda h: answer(h, 200, BODY, {"Content-Encoding": "gzip"}),
        "/teapot": lambda h: answer(h, 418),
        "/elsewhere": lambda h: answer(
            h, 206, BODY, {"Content-Range": f"bytes 0-{len(BODY) - 1}/{len(BODY)}"}
        ),
        "/babble": lambda h: answer(h, 206, BODY, {"Content-Range": "pages 1-2/3"}),
    }
    if path in ("/elsewhere", "/babble"):
        part_of(target).write_bytes(BODY[:HALF])
    with pytest.raises(DownloadError, match=said):
        fetch(target, f"{site.url}{path}")
    assert not target.exists()
    fetch(target, f"{site.url}{path}", f"{site.url}/a")


def test_download__hosts_of_a_private_network__only_where_the_user_named_them(
    site: Site, target: Path
) -> None:
    with pytest.raises(DownloadError, match="private network"):
        fetch(target, f"{site.url}/a", policy=FetchPolicy())
    assert not site.requests  # not even asked
    fetch(target, f"{site.url}/a", policy=FetchPolicy().trusting(site.url))


def test_download__redirect_from_a_named_host_into_a_private_network__not_followed(
    site: Site, target: Path
) -> None:
    with serve(Site({"/a": BODY}), "127.0.0.2") as inner:
        site.tricks["/to-inner"] = lambda h: answer(h, 307, headers={"Location": f"{inner.url}/a"})
        with pytest.raises(DownloadError, match="private network"):
            fetch(target, f"{site.url}/to-inner", policy=FetchPolicy().trusting(site.url))
        assert not inner.requests
        fetch(target, f"{site.url}/to-inner")  # where the whole chain is local


@pytest.mark.parametrize(
    ("url", "location", "target"),
    [
        ("https://h/a", "/b", "https://h/b"),
        ("https://h/a", "https://other/b", "https://other/b"),
        ("http://h/a", "https://h/b", "https://h/b"),
        ("https://h/a", "http://h/b", None),
        ("https://h/a", "ftp://h/b", None),
        ("https://h/a", "", None),
    ],
)
def test_follow__never_to_less_than_was_asked_for(
    url: str, location: str, target: str | None
) -> None:
    if target is None:
        with pytest.raises(DownloadError, match="not followed"):
            _follow(url, location)
    else:
        assert _follow(url, location) == target


def test_download__redirect_on_the_same_host__followed(site: Site, target: Path) -> None:
    site.tricks["/moved"] = lambda h: answer(h, 301, headers={"Location": "a"})
    fetch(target, f"{site.url}/moved")


@pytest.mark.parametrize(
    ("uri", "said"),
    [
        ("ftp://example.org/a", "expected http, https, ipfs or file"),
        ("ipfs://bafy/a", "no IPFS gateway"),
        ("http:///a", "no host"),
        ("http://127.0.0.1:1/a", "ConnectionRefusedError"),
        ("http://[::1", "ValueError"),
    ],
)
def test_download__address_that_leads_nowhere__said(target: Path, uri: str, said: str) -> None:
    with pytest.raises(DownloadError, match=said):
        fetch(target, uri)


def test_download__ipfs__through_the_configured_gateway(site: Site, target: Path) -> None:
    site.files["/ipfs/bafy/dir/a"] = BODY
    policy = FetchPolicy(ipfs_gateway=site.url).trusting(site.url)
    fetch(target, "ipfs://bafy/dir/a", policy=policy)


def test_download__file__only_where_the_user_named_one(tmp_path: Path, target: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(BODY)
    with pytest.raises(DownloadError, match="only if you name them"):
        fetch(target, source.as_uri())
    fetch(target, source.as_uri(), policy=FetchPolicy().trusting(source.as_uri()))


def test_download__pipe_in_place_of_a_file__refused_without_hanging(
    tmp_path: Path, target: Path
) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(DownloadError, match="is not a file"):
        fetch(target, pipe.as_uri(), policy=FetchPolicy(is_file_allowed=True))


def test_download__link_in_place_of_the_part__not_followed(
    site: Site, target: Path, tmp_path: Path
) -> None:
    victim = tmp_path / "victim"
    victim.write_bytes(b"precious")
    part_of(target).symlink_to(victim)
    with pytest.raises(StorageError):
        fetch(target, f"{site.url}/a")
    assert victim.read_bytes() == b"precious"


def test_download__server_that_drips__left(
    site: Site, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("offchain.submit.fetch.WINDOW_S", 0.0)
    monkeypatch.setattr("offchain.submit.fetch.MIN_RATE", 1 << 40)
    with pytest.raises(DownloadError, match="bytes a second"):
        fetch(target, f"{site.url}/a")


def test_download__server_that_drips_its_head__left(
    site: Site, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No line of it is late, so no time limit of a single read ends it."""
    monkeypatch.setattr("offchain.submit.fetch.HEAD_S", 0.3)

    def drip(handler: BaseHTTPRequestHandler) -> None:
        with suppress(OSError):
            handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
            for number in range(100):
                handler.wfile.write(b"X-%d: y\r\n" % number)
                time.sleep(0.05)

    site.tricks["/a"] = drip
    began = time.monotonic()
    with pytest.raises(DownloadError, match="head within"):
        fetch(target, f"{site.url}/a")
    assert time.monotonic() - began < 3


def test_read_small__longer_than_allowed__refused(site: Site) -> None:
    policy = FetchPolicy(is_private_allowed=True)
    assert read_small(f"{site.url}/a", policy, len(BODY)) == BODY
    with pytest.raises(DownloadError, match="more than"):
        read_small(f"{site.url}/a", policy, len(BODY) - 1)


def test_open_stream__error_of_whoever_reads__not_taken_for_the_server_s(site: Site) -> None:
    policy = FetchPolicy(is_private_allowed=True)
    with pytest.raises(KeyError), open_stream(f"{site.url}/a", policy):
        raise KeyError("mine")


@pytest.mark.parametrize(
    ("uri", "base", "found"),
    [
        ("files/g", "http://h/models/k/bundle.json", "http://h/models/k/files/g"),
        ("g", "file:///m/bundle.json", "file:///m/g"),
        ("files/g", "ipfs://bafy/m/bundle.json", "ipfs://bafy/m/files/g"),
        ("../../../g", "ipfs://bafy/m/bundle.json", "ipfs://g"),
        ("https://x/y", "http://h/b", "https://x/y"),
    ],
)
def test_resolve__relative_to_the_bundle(uri: str, base: str, found: str) -> None:
    assert resolve_uri(uri, base) == found
