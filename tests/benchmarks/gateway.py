"""`./scripts/bench gateway`: many clients over loopback against a gateway's own process."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import Any, Final

import click

from offchain.cli.demo.narrator import Narrator
from offchain.cli.demo.play import MODEL, load_sample, prepare_model
from offchain.cli.demo.world import World, open_world
from offchain.submit.content import compute_digest
from tests.benchmarks.gateway_calls import Call, Cast, build_orders, build_requests, build_results
from tests.benchmarks.machine import ROOT, describe_machine

METHOD: Final = """\
{clients} clients, each with one connection over loopback and the next request as soon as the last
is answered; one gateway process (content in a folder, SQLite); Anvil with a block each second.
Limits of requests by address are lifted, because all clients have one; of megabytes an address
may move 8 at one time, so these have 8 clients. Tensors of 4 KiB and of 1 MiB. Digests
and signatures that clients make are made before the clock starts; the gateway checks each."""
START_S: Final = 60.0
NO_LIMIT: Final = "1000000000"
SMALL: Final = (8, (4, 1024))
LARGE: Final = (8, (1024, 1024))
PERCENTILES: Final = (50, 99)
LARGE_AT_ONCE: Final = 8  # Limits.uploads_at_once_per_client
MAX_ERRORS: Final = 0


@dataclass(frozen=True)
class Phase:
    """What one kind of request came to."""

    name: str
    seconds: float
    latencies_ms: Sequence[float]
    errors: Mapping[str, int]

    def summarise(self) -> Mapping[str, Any]:
        """Return rate, percentiles by nearest rank, and errors."""
        ranked = sorted(self.latencies_ms)
        ranks = {
            f"p{share}_ms": round(ranked[ceil(len(ranked) * share / 100) - 1], 1)
            for share in PERCENTILES
        }
        return {
            "phase": self.name,
            "requests": len(ranked),
            "per_s": round(len(ranked) / self.seconds, 1),
            **ranks,
            "errors": sum(self.errors.values()),
        }


class Swarm:
    """Clients that share a list of calls."""

    def __init__(self, port: int, clients: int) -> None:
        self._port, self._clients = port, clients

    def play(self, name: str, calls: Sequence[Call]) -> Phase:
        """Make every call once; raise where a client's thread fails."""
        latencies: list[float] = []
        errors: Counter[str] = Counter()
        clients = min(self._clients, LARGE_AT_ONCE) if "MiB" in name else self._clients
        barrier = threading.Barrier(clients + 1)
        shares = [calls[k::clients] for k in range(clients)]
        threads = [
            threading.Thread(target=self._run, args=(share, barrier, latencies, errors))
            for share in shares
        ]
        for thread in threads:
            thread.start()
        barrier.wait()
        began = time.perf_counter()
        for thread in threads:
            thread.join()
        return Phase(name, time.perf_counter() - began, latencies, dict(errors))

    def _run(
        self,
        calls: Sequence[Call],
        barrier: threading.Barrier,
        latencies: list[float],
        errors: Counter[str],
    ) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=60)
        connection.connect()
        barrier.wait()
        for call in calls:
            began = time.perf_counter()
            try:
                connection.request(call.method, call.path, call.body, dict(call.headers))
                answer = connection.getresponse()
                body = answer.read()
                failed = "" if call.is_good(answer.status, body) else f"{answer.status}"
            except (OSError, http.client.HTTPException) as error:
                connection.close()
                failed = type(error).__name__
            latencies.append(1000 * (time.perf_counter() - began))
            if failed:
                errors[f"{call.method} {call.path.split('?')[0][:24]}: {failed}"] += 1
        connection.close()


@contextmanager
def running_gateway(world: World, folder: Path) -> Iterator[int]:
    """Start a gateway process; yield its port once it follows the chain."""
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / "gateway.log"
    command = [
        sys.executable, "-m", "offchain.cli.main", "gateway", "run",
        "--rpc", world.anvil.url, "--manifest", str(world.manifest_file),
        "--home", str(folder / "home"), "--models", str(world.models), "--port", "0",
        "--requests-per-minute", NO_LIMIT, "--writes-per-minute", NO_LIMIT,
    ]  # fmt: skip
    with log.open("wb") as written:
        process = subprocess.Popen(command, stderr=written, cwd=ROOT)
    try:
        yield _wait_for(process, log)
    finally:
        process.terminate()
        process.wait(30)


def _wait_for(process: subprocess.Popen[bytes], log: Path) -> int:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and process.poll() is None:
        for line in log.read_text(encoding="utf-8").splitlines():
            told = json.loads(line) if line.startswith("{") else {}
            if told.get("event") == "listening" and _is_well(int(told["port"])):
                return int(told["port"])
        time.sleep(0.2)
    raise click.ClickException(f"the gateway did not start:\n{log.read_text(encoding='utf-8')}")


def _is_well(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/health")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def build_phases(cast: Cast, amount: int) -> Iterator[tuple[str, Callable[[], Sequence[Call]]]]:
    """Yield what is asked, in an order in which later phases find what earlier ones stored."""
    small = [os.urandom(4096) for _ in range(amount)]
    large = [os.urandom(1 << 20) for _ in range(max(amount // 20, 2))]
    yield "upload 4 KiB", lambda: [_upload(raw, *SMALL) for raw in small]
    yield "upload 1 MiB", lambda: [_upload(raw, *LARGE) for raw in large]
    yield "read 4 KiB", lambda: [_read(raw, *SMALL) for raw in small * 2]
    yield "read 1 MiB", lambda: [_read(raw, *LARGE) for raw in large * 2]
    yield "post order", lambda: build_orders(cast, amount)
    yield "list 50 orders", lambda: [Call("GET", "/orders?limit=50")] * amount
    yield "post session request", lambda: build_requests(cast, small[:amount])
    yield "post signed result", lambda: build_results(cast, small[:amount])
    pages = ("/versions", "/operators", "/jobs", "/stats", f"/versions/{cast.version}", "/config")
    yield "explorer pages", lambda: [Call("GET", pages[k % len(pages)]) for k in range(amount)]


def _upload(raw: bytes, bits: int, shape: tuple[int, int]) -> Call:
    name = compute_digest(raw, bits, shape).hex()
    query = f"bits={bits}&shape={shape[0]},{shape[1]}"
    return Call("PUT", f"/content/0x{name}?{query}", raw, status=201)


def _read(raw: bytes, bits: int, shape: tuple[int, int]) -> Call:
    return Call("GET", f"/content/0x{compute_digest(raw, bits, shape).hex()}", expected=raw)


def run(folder: Path, models: Path, clients: int, amount: int) -> Sequence[Phase]:
    """Play all phases on a chain of its own."""
    narrator = Narrator(lambda _line: None)
    prepare_model(models, narrator)
    with open_world(folder, models, MODEL, load_sample(), narrator, True) as world:
        cast = Cast.hire(world, folder / "cast", amount)
        with running_gateway(world, folder / "gateway") as port:
            swarm = Swarm(port, clients)
            return [swarm.play(name, build()) for name, build in build_phases(cast, amount)]


@click.command(help="Measure a gateway under load; see ./scripts/bench --help.")
@click.option("--clients", default=32, show_default=True, type=click.IntRange(1, 120))
@click.option("--requests", "amount", default=500, show_default=True, type=click.IntRange(20, 960))
@click.option("--json", "json_file", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--models",
    type=click.Path(file_okay=False, path_type=Path, resolve_path=True),
    default=ROOT / ".local" / "models",
    show_default=".local/models of the checkout",
)
def main(clients: int, amount: int, json_file: Path | None, models: Path) -> None:
    """Play the load and print it; exit status 1 when a request failed."""
    click.echo(METHOD.format(clients=clients))
    machine = describe_machine()
    click.echo(f"machine: {json.dumps(machine)}")
    with tempfile.TemporaryDirectory() as workspace:
        phases = run(Path(workspace) / "world", models, clients, amount)
    rows = [phase.summarise() for phase in phases]
    click.echo(f"{'phase':<22}{'requests':>9}{'per s':>9}{'p50 ms':>9}{'p99 ms':>9}{'errors':>8}")
    for row in rows:
        click.echo(
            f"{row['phase']:<22}{row['requests']:>9}{row['per_s']:>9}{row['p50_ms']:>9}"
            f"{row['p99_ms']:>9}{row['errors']:>8}"
        )
    if json_file is not None:
        report = {"machine": machine, "clients": clients, "rows": rows}
        json_file.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    failed = Counter[str]()
    for phase in phases:
        failed.update(phase.errors)
    for told, count in failed.items():
        click.echo(f"FAILED: {count} x {told}", err=True)
    sys.exit(1 if failed.total() > MAX_ERRORS else 0)


if __name__ == "__main__":
    main()
