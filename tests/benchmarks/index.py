"""`./scripts/bench index`: how fast the gateway indexes settled jobs, and how fast it answers."""

from __future__ import annotations

import http.client
import json
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from statistics import quantiles
from typing import Any, Final, cast

import click
import uvicorn

from offchain.gateway.app import create_app
from offchain.gateway.config import Limits
from offchain.gateway.index.index import Index
from tests.benchmarks.machine import describe_machine
from tests.unit.gateway.fakes import open_scene
from tests.unit.gateway.index.story import OPERATORS, Block, Story, Tape
from tests.unit.gateway.index.test_index import StoryNode, make_manifest, open_index

PER_BLOCK: Final = 25  # jobs; a full block of Ethereum settles about as many
NO_LIMIT: Final = 10**9
REORGANISED: Final = 8  # blocks
BAR_P99_MS: Final = 100.0
BAR_JOBS_PER_S: Final = 100.0
METHOD: Final = """\
{jobs} jobs, each ordered, taken, committed and settled, as logs encoded by the contracts' ABIs,
{per} in a block, from a node in this process; index in SQLite on disk. Latencies: one connection
over loopback to uvicorn in this process."""


def tell(jobs: int) -> Story:
    """Return a chain of settled jobs. Its branch is never left, so its states are not copied."""
    story = Story(Tape(1))
    for start in range(0, jobs, PER_BLOCK):
        number = len(story.blocks)
        block = Block(number, f"0x{number:064x}", story.blocks[-1].time + 12)
        story._draft = block
        for _ in range(3 if start == 0 else 0):
            story.register()
            story.deposit()
        for _ in range(min(PER_BLOCK, jobs - start)):
            _settle_one(story)
        story.blocks.append(block)
    return story


def _settle_one(story: Story) -> None:
    story.create()
    job = next(reversed(story.state.states))
    known = story.state.jobs[job]
    while story.state.states[job] == "open":
        story.deposit()
        story.accept(job, known)
    story.commit(job, known)
    story.finalise(job, known)


def _time(work: Any) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def reorganise(story: Story, node: StoryNode, index: Index) -> float:
    """Replace the newest blocks, each with events, by empty ones; return the seconds to follow."""
    lost = story.blocks[-REORGANISED:]
    del story.blocks[-REORGANISED:]
    for block in lost:
        story.blocks.append(
            replace(block, hash="0x" + f"{block.number:x}".rjust(64, "e"), events=[])
        )
    node.show(story)
    return _time(index.advance)


@contextmanager
def serving(home: Path, index: Index) -> Iterator[int]:
    """Serve the application over this index; yield its port."""
    limits = Limits(requests_per_minute=NO_LIMIT)
    scene = open_scene(home, limits=limits)
    gateway = replace(scene.gateway, index=cast(Any, index))
    config = uvicorn.Config(create_app(scene.config, gateway), port=0, log_level="error")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    try:
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        thread.join()


def measure_pages(port: int, story: Story, count: int) -> Sequence[Mapping[str, Any]]:
    """Return the latencies of each kind of page."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)

    def ask(path: str, tag: str = "") -> tuple[float, Any, str]:
        began = time.perf_counter()
        connection.request("GET", path, headers={"If-None-Match": tag} if tag else {})
        answer = connection.getresponse()
        body = answer.read()
        taken = 1000 * (time.perf_counter() - began)
        if answer.status not in (200, 304):
            raise click.ClickException(f"{path}: {answer.status} {body[:200]!r}")
        return taken, body, answer.headers["ETag"]

    names = list(story.state.states)[: -REORGANISED * PER_BLOCK]  # the last ones were undone
    jobs = [names[k * len(names) // count] for k in range(count)]
    version = story.state.versions[0]
    _, _, tag = ask("/jobs")
    rows = [
        ("50 jobs, newest", ["/jobs"] * count, ""),
        ("50 jobs of an operator", [f"/jobs?operator={OPERATORS[1]}"] * count, ""),
        ("50 jobs of a state", ["/jobs?state=final"] * count, ""),
        ("50 jobs of a version", [f"/jobs?version={version}"] * count, ""),
        ("one job with its events", [f"/jobs/{job}" for job in jobs], ""),
        ("operators", ["/operators"] * count, ""),
        ("50 movements of an account", [f"/accounts/{OPERATORS[1]}"] * count, ""),
        ("stats", ["/stats"] * count, ""),
        ("unchanged (304)", ["/jobs"] * count, tag),
    ]
    told = [
        _summarise(name, [ask(path, known)[0] for path in paths]) for name, paths, known in rows
    ]
    return [*told, _summarise("200 jobs, page after page", _walk(ask))]


def _walk(ask: Any) -> list[float]:
    """Read the whole list, page after page."""
    cursor, times = "", []
    while True:
        taken, body, _ = ask("/jobs?limit=200" + (f"&cursor={cursor}" if cursor else ""))
        times.append(taken)
        cursor = json.loads(body)["next"]
        if cursor is None:
            return times


def _summarise(name: str, times: Sequence[float]) -> Mapping[str, Any]:
    ranks = quantiles(times, n=100, method="inclusive")
    return {
        "page": name,
        "requests": len(times),
        "p50_ms": round(ranks[49], 2),
        "p99_ms": round(ranks[98], 2),
    }


def run(folder: Path, jobs: int, count: int) -> Mapping[str, Any]:
    """Index, reorganise, ask."""
    story, node = tell(jobs), StoryNode(make_manifest())
    node.show(story)
    index = open_index(folder, node)
    seconds = _time(index.advance)
    for _ in range(REORGANISED):  # blocks that come one by one are undone one by one
        number = len(story.blocks)
        story._draft = Block(number, f"0x{number:064x}", story.blocks[-1].time + 12)
        for _ in range(PER_BLOCK):
            _settle_one(story)
        story.blocks.append(story._draft)
        node.show(story)
        index.advance()
    undone = reorganise(story, node, index)
    size = sum(file.stat().st_size for file in folder.glob("index-*"))
    with serving(folder / "gateway", index) as port:
        pages = measure_pages(port, story, count)
    events = sum(len(block.events) for block in story.blocks)
    return {
        "jobs": jobs,
        "events": events,
        "index_s": round(seconds, 2),
        "jobs_per_s": round(jobs / seconds, 1),
        "reorganisation_s": round(undone, 3),
        "megabytes": round(size / 10**6, 1),
        "pages": pages,
    }


@click.command(help="Measure the gateway's index; see ./scripts/bench --help.")
@click.option("--jobs", default=10_000, show_default=True, type=click.IntRange(250))
@click.option("--requests", "count", default=200, show_default=True, type=click.IntRange(20))
@click.option("--json", "json_file", type=click.Path(dir_okay=False, path_type=Path))
def main(jobs: int, count: int, json_file: Path | None) -> None:
    """Index and ask; exit status 1 when a bar is missed three times over."""
    click.echo(METHOD.format(jobs=jobs, per=PER_BLOCK))
    machine = describe_machine()
    click.echo(f"machine: {json.dumps(machine)}")
    with tempfile.TemporaryDirectory() as workspace:
        told = run(Path(workspace), jobs, count)
    click.echo(
        f"{told['events']} events of {jobs} jobs in {told['index_s']} s "
        f"({told['jobs_per_s']} jobs/s), {told['megabytes']} MB; a reorganisation of "
        f"{REORGANISED} blocks in {told['reorganisation_s']} s"
    )
    click.echo(f"{'page':<30}{'requests':>9}{'p50 ms':>9}{'p99 ms':>9}")
    for row in told["pages"]:
        click.echo(f"{row['page']:<30}{row['requests']:>9}{row['p50_ms']:>9}{row['p99_ms']:>9}")
    if json_file is not None:
        report = {"machine": machine, **told}
        json_file.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    worst = max(row["p99_ms"] for row in told["pages"])
    is_slow = told["jobs_per_s"] < BAR_JOBS_PER_S / 3 or worst > 3 * BAR_P99_MS
    sys.exit(1 if is_slow else 0)


if __name__ == "__main__":
    main()
