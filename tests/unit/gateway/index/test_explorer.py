"""The explorer over HTTP: pages are complete, filters exact, answers tagged by their block."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import pytest
from eth_utils.crypto import keccak
from starlette.testclient import TestClient

from offchain.chain.binding import checksum
from offchain.gateway.app import create_app
from offchain.gateway.index.reader import make_cursor
from offchain.gateway.index.stream import Broadcaster
from offchain.gateway.routes.explorer_views import show_dispute
from offchain.types import DisputeState
from tests.unit.gateway.fakes import open_scene
from tests.unit.gateway.index.story import OPERATORS, Story, Tape
from tests.unit.gateway.index.test_projection import Reading

BLOCKS = 160


def tell(file: Path) -> tuple[Story, Reading]:
    """Return a long story and an index that has read all of it."""
    story, reading = Story(Tape(7)), Reading(file)
    for _ in range(BLOCKS):
        story.grow()
    reading.follow(story, Tape(1), most=50)
    return story, reading


@dataclass(frozen=True)
class Stage:
    story: Story
    reading: Reading
    client: TestClient


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    home = tmp_path_factory.mktemp("explorer")
    story, reading = tell(home / "index.sqlite3")
    scene = open_scene(home)
    index = scene.index
    index.reader, index.changes = reading.reader, Broadcaster()  # type: ignore[attr-defined]
    gateway = replace(scene.gateway, index=cast(Any, index))
    with TestClient(create_app(scene.config, gateway)) as client:
        yield Stage(story, reading, client)


def read_all(http: TestClient, path: str, /, limit: int = 7, **query: Any) -> list[dict[str, Any]]:
    items, cursor = [], None
    while True:
        more = {} if cursor is None else {"cursor": cursor}
        answer = http.get(path, params={"limit": limit, **query, **more})
        assert answer.status_code == 200, answer.text
        page = answer.json()
        assert len(page["items"]) <= limit
        items += page["items"]
        cursor = page["next"]
        if cursor is None:
            return items


def test_jobs__page_by_page__all_of_them_newest_first(stage: Stage) -> None:
    jobs = read_all(stage.client, "/jobs")
    assert sorted(job["id"] for job in jobs) == sorted(stage.story.state.states)
    blocks = [job["createdBlock"] for job in jobs]
    assert blocks == sorted(blocks, reverse=True)
    assert len(blocks) > 30
    assert all(stage.story.state.states[job["id"]] == job["state"] for job in jobs)


@pytest.mark.parametrize("name", ["client", "operator", "version", "state"])
def test_jobs__filtered__exactly_those(stage: Stage, name: str) -> None:
    jobs = read_all(stage.client, "/jobs", limit=200)
    values = {job[name] for job in jobs} - {None}
    assert len(values) > 1
    for value in values:
        found = read_all(stage.client, "/jobs", **{name: value})
        assert found == [job for job in jobs if job[name] == value]
    if name in {"client", "operator"}:
        value = sorted(values)[0]
        assert read_all(stage.client, "/jobs", **{name: value.lower()}) == read_all(
            stage.client, "/jobs", **{name: value}
        )


def test_jobs__several_states__any_of_them(stage: Stage) -> None:
    found = read_all(stage.client, "/jobs", state=["open", "final"])
    assert {job["state"] for job in found} == {"open", "final"}


@pytest.mark.parametrize(
    "query",
    [
        {"cursor": "A" * 401}, {"limit": 0}, {"limit": 201}, {"state": "none"},
        {"client": "0x12"}, {"version": "0x" + "AA" * 32},
    ],
)  # fmt: skip
def test_jobs__malformed_query__refused_with_its_place(
    stage: Stage, query: Mapping[str, Any]
) -> None:
    answer = stage.client.get("/jobs", params=query)
    assert (answer.status_code, answer.json()["error"]) == (422, "InvalidRequest")
    assert next(iter(query)) in answer.json()["message"]


@pytest.mark.parametrize(
    "cursor",
    [
        "x", "é", make_cursor(1, 2), "W10", make_cursor(1, -2, "k"), make_cursor(2**63, 2, "k"),
        make_cursor("1", 2, "k"),
    ],
)  # fmt: skip
def test_jobs__cursor_that_no_page_gave__unknown(stage: Stage, cursor: str) -> None:
    answer = stage.client.get("/jobs", params={"cursor": cursor})
    assert (answer.status_code, answer.json()["error"]) == (404, "Unknown")
    assert "cursor" in answer.json()["message"]


@pytest.mark.parametrize(
    "path", ["jobs", "disputes", "versions", "batches", "operators", "accounts"]
)
def test_record__unknown__404_with_the_block(stage: Stage, path: str) -> None:
    name = "0x" + "77" * (20 if path in {"operators", "accounts"} else 32)
    answer = stage.client.get(f"/{path}/{name}")
    assert (answer.status_code, answer.json()["error"]) == (404, "Unknown")
    assert answer.json()["facts"] == {"block": stage.story.blocks[-1].number}


def test_every_answer__names_the_block_it_was_read_at_and_is_tagged_by_it(stage: Stage) -> None:
    head = stage.story.blocks[-1]
    told = {"block": head.number, "hash": head.hash, "timestamp": head.time}
    records = [
        f"/jobs/{next(iter(stage.story.state.states))}",
        f"/versions/{stage.story.state.versions[0]}",
        f"/operators/{OPERATORS[0]}",
        f"/accounts/{OPERATORS[0]}",
        f"/batches/{next(iter(stage.story.state.batches))}",
    ]
    lists = ["/jobs", "/disputes", "/versions", "/operators", "/sessions", "/batches", "/stats"]
    for path in (*records, *lists):
        answer = stage.client.get(path)
        assert answer.json()["asOf"] == told, path
        tag = answer.headers["etag"]
        again = stage.client.get(path, headers={"If-None-Match": f'"other", W/{tag}'})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
        assert stage.client.get(path, headers={"If-None-Match": '"other"'}).status_code == 200


def test_job__with_a_dispute__clocks_challengers_and_who_got_what(stage: Stage) -> None:
    disputes = read_all(stage.client, "/disputes")
    assert {d["state"] for d in disputes} >= {"distributed", "defender_proven"}
    for dispute in disputes:
        job = stage.client.get(f"/jobs/{dispute['job']}").json()
        full = stage.client.get(f"/disputes/{dispute['job']}").json()
        assert job["dispute"] == dispute == {name: full[name] for name in dispute}
        assert full["jobState"] == job["state"]
        assert full["funds"] == job["funds"]
        titles = {payment["title"] for payment in full["funds"]["payments"]}
        if dispute["state"] == "distributed":
            assert titles >= {"refund", "compensation", "reward"}
            assert dispute["phase"] == "over"
        if dispute["state"] == "defender_proven":
            assert titles >= {"fee", "bondWon"}
        names = [event["name"] for event in full["events"]]
        assert names[0] == "JobCreated" or "ResultExtracted" in names
        places = [(event["block"], event["log"]) for event in full["events"]]
        assert places == sorted(places)


def test_dispute__phases__go_by_the_protocols_clock(stage: Stage) -> None:
    with stage.reading.reader.view() as view:
        records = view.list("dispute", 100).records
    body = dict(records[0].body, proveBy=50, airgapUntil=60)

    def phase(state: DisputeState, clock: int) -> str:
        return show_dispute(replace(records[0], body=dict(body, state=state)), clock).phase

    assert [phase(DisputeState.OPEN, t) for t in (50, 51)] == ["proof-due", "proof-overdue"]
    for held in (DisputeState.DEFAULT, DisputeState.FRAUD_PROVEN):
        assert [phase(held, t) for t in (60, 61)] == ["airgap", "division-due"]
    assert phase(DisputeState.CURED, 1) == "over"


def test_batch__leaves__each_found_under_its_job_id(stage: Stage) -> None:
    batches = read_all(stage.client, "/batches")
    assert {b["id"] for b in batches} == set(stage.story.state.batches)
    seen = 0
    for batch in batches:
        full = stage.client.get(f"/batches/{batch['id']}").json()
        assert len(full["leaves"]) == batch["count"]
        for leaf in full["leaves"]:
            job = stage.client.get(f"/jobs/{leaf['job']}").json()
            assert (job["batch"], job["leaf"]) == (batch["id"], leaf["index"])
            assert job["inDigest"] == leaf["inDigest"]
            is_job = leaf["job"] in stage.story.state.states
            assert leaf["extracted"] == is_job
            assert (job["funds"] is None) != is_job
            if not is_job:
                assert job["state"] == batch["state"]
                assert job["outDigest"] == leaf["outDigest"]
                seen += 1
        assert all("items" not in event["arguments"] for event in full["events"])
    assert seen > 3


def test_operators__stake_and_service__as_in_the_storys_books(stage: Stage) -> None:
    operators = {o["address"]: o for o in read_all(stage.client, "/operators")}
    jobs = read_all(stage.client, "/jobs", limit=200)
    for address in OPERATORS:
        operator = operators[checksum(address)]
        (money,) = operator["tokens"]
        books = stage.story.state.books
        for part in ("free", "locked", "unbonding", "credit"):
            assert money[part] == str(books[address, part])
        own = [job for job in jobs if job["operator"] == checksum(address)]
        counts: dict[str, int] = {}
        for job in own:
            counts[job["state"]] = counts.get(job["state"], 0) + 1
        assert operator["jobs"] == counts
        assert sum(v["jobs"] for v in operator["versions"]) == len(own)
        assert stage.client.get(f"/operators/{address}").json() == {
            **operator,
            "asOf": stage.client.get("/stats").json()["asOf"],
        }


def test_account__movements__page_by_page_newest_first(stage: Stage) -> None:
    path, events, cursor = f"/accounts/{OPERATORS[0]}", [], None
    while True:
        query = {"limit": 5} | ({} if cursor is None else {"cursor": cursor})
        answer = stage.client.get(path, params=query).json()
        events += answer["events"]
        cursor = answer["next"]
        if cursor is None:
            break
    places = [(event["block"], event["log"]) for event in events]
    assert places == sorted(set(places), reverse=True)
    named = [
        (block.number, e.log_index)
        for block in stage.story.blocks
        for e in block.events
        if e.contract == "StakeVault" and OPERATORS[0] in e.arguments.values()
    ]
    assert sorted(places) == named


def test_stats__counts__those_of_the_lists(stage: Stage) -> None:
    stats = stage.client.get("/stats").json()
    for name in ("jobs", "disputes", "sessions", "batches"):
        items = read_all(stage.client, f"/{name}", limit=200)
        counts: dict[str, int] = {}
        for item in items:
            counts[item["state"]] = counts.get(item["state"], 0) + 1
        assert stats[name] == counts
    assert stats["versions"] == len(read_all(stage.client, "/versions"))
    assert stats["operators"] == len(read_all(stage.client, "/operators"))
    (token,) = stats["tokens"]
    assert token["totals"]["burned"] == str(stage.story.state.books["burned", "burned"])


def test_uses__digests__live_while_anything_that_names_them_is(stage: Stage) -> None:
    jobs = read_all(stage.client, "/jobs", limit=200)
    batches = {b["id"]: b["state"] for b in read_all(stage.client, "/batches", limit=200)}
    slashes = {d["job"]: d["state"] for d in read_all(stage.client, "/disputes", limit=200)}
    waiting, early = {"default", "fraud_proven"}, {"open", "assigned", "committed", "disputed"}

    def is_live(job: dict[str, Any]) -> bool:
        return job["state"] in early or slashes.get(job["id"]) in waiting

    with stage.reading.reader.view() as view:
        leaves = [leaf for batch in batches for leaf in view.list_leaves(batch)]
        for kind in ("in", "out"):
            for number in range(4):
                digest = "0x" + keccak(text=f"{kind} {number}").hex()
                own = [job for job in jobs if job[f"{kind}Digest"] == digest]
                named = [x for x in leaves if getattr(x, f"{kind}_digest") == digest]
                live = sum(map(is_live, own))
                live += sum(batches[leaf.batch] == "committed" for leaf in named)
                uses = view.list_uses(digest)
                assert (len(uses), list(uses).count(None)) == (len(own) + len(named), live)
        assert view.list_uses("0x" + "00" * 32) == []


def test_tag__index_moved_on__another(tmp_path: Path) -> None:
    story, reading = Story(Tape(3)), Reading(tmp_path / "index.sqlite3")
    scene = open_scene(tmp_path)
    index = scene.index
    index.reader, index.changes = reading.reader, Broadcaster()  # type: ignore[attr-defined]
    gateway = replace(scene.gateway, index=cast(Any, index))
    with TestClient(create_app(scene.config, gateway)) as client:
        empty = client.get("/jobs")
        assert empty.json() == {
            "asOf": {"block": 0, "hash": "0x" + "00" * 32, "timestamp": 0}, "items": [],
            "next": None,
        }  # fmt: skip
        story.grow()
        reading.follow(story, Tape(1))
        first = client.get("/jobs").headers["etag"]
        story.fork(1)
        story.grow()
        reading.follow(story, Tape(1))
        known = client.get("/jobs", headers={"If-None-Match": first})
        assert (known.status_code, known.headers["etag"] != first) == (200, True)
