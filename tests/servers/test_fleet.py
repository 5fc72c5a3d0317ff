"""Two machines, one account, Redis and PostgreSQL: whatever is taken away, every step once."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from offchain.chain.abi import ErrorBook
from offchain.chain.anvil import Anvil, run_anvil
from offchain.chain.client import Call, ChainClient
from offchain.chain.database import Place
from offchain.chain.journal import Journal, StepKey
from offchain.chain.keys import create_key_file
from offchain.params.settings import HOME_VARIABLE, Settings
from offchain.submit.transactions import Submitter
from offchain.types import AccountId
from tests.servers.counting import CREATION
from tests.servers.processes import Postgres, Redis
from tests.unit.chain.losing import lose

STEPS = 30
LIMIT_S = 90.0
AWAY_S = 4.0  # how long a server stays away: some blocks
FUNDS = 10**18


@dataclass
class Machine:
    """A machine of the fleet, in a process group of its own."""

    settings: Settings
    log: Path
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.settings.save()
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.servers.machine"],
                stderr=log,
                env={**os.environ, HOME_VARIABLE: str(self.settings.home)},
                start_new_session=True,
            )

    def kill(self) -> None:
        """End tick and worker as a power cut would."""
        assert self.process is not None
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def has_failed(self) -> bool:
        return self.process is not None and self.process.poll() not in (None, 0)

    def read_events(self) -> list[dict[str, Any]]:
        lines = self.log.read_text().splitlines()
        return [json.loads(line) for line in lines if line.startswith("{")]

    def count(self, event: str) -> int:
        return sum(e["event"] == event for e in self.read_events())


@dataclass
class Fleet:
    """Two machines, their servers and their chain."""

    anvil: Anvil
    account: AccountId
    redis: Redis
    postgres: Postgres
    machines: list[Machine] = field(default_factory=list)

    def count_transactions(self) -> int:
        """Return how many transactions of the account were mined, reverted ones too."""
        return int(self.anvil.rpc.request("eth_getTransactionCount", self.account, "latest"), 16)

    def wait_for(self, is_reached: Callable[[], bool]) -> None:
        deadline = time.monotonic() + LIMIT_S
        while not is_reached():
            has_failed = any(m.has_failed() for m in self.machines)
            if has_failed or time.monotonic() > deadline:
                pytest.fail("\n".join(m.log.read_text()[-4000:] for m in self.machines))
            time.sleep(0.1)

    def is_over(self) -> bool:
        return all(m.process is not None and m.process.poll() is not None for m in self.machines)


@pytest.fixture(scope="module")
def anvil(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Anvil]:
    with run_anvil(tmp_path_factory.mktemp("anvil") / "log") as running:
        yield running


@pytest.fixture
def fleet(tmp_path: Path, anvil: Anvil, redis_server: Redis, postgres: Postgres) -> Iterator[Fleet]:
    for server in (redis_server, postgres):
        if not server.is_running():
            server.run()
    signer = create_key_file(tmp_path / "key")
    deployer = create_key_file(tmp_path / "deployer")
    for account in (signer, deployer):
        anvil.fund(account.address, FUNDS)
    client = ChainClient(anvil.rpc, ErrorBook([]))
    submitter = Submitter(client, Journal(Place(tmp_path / "deployer.sqlite3")), deployer)
    deployed = submitter.submit(
        StepKey("account", "once", "deploy"), Call("Once", "constructor", None, CREATION)
    )
    manifest = tmp_path / "task.json"
    manifest.write_text(json.dumps({"contract": deployed.created, "count": STEPS}))
    settings = Settings(
        role="operator",
        home=tmp_path / "first",
        rpc_url=anvil.url,
        manifest=manifest,
        key_file=tmp_path / "key",
        content=str(tmp_path),
        models=tmp_path,
        poll_s=0.2,
        workers=2,  # threads of each machine share the server's locks, too
        backend="numpy",
        broker_url=redis_server.url,
        broker_queue=uuid.uuid4().hex,
        database_url=postgres.url,
    )
    built = Fleet(anvil, signer.address, redis_server, postgres)
    for name in ("first", "second"):
        machine = Machine(replace(settings, home=tmp_path / name), tmp_path / f"{name}.log")
        built.machines.append(machine)
        machine.start()
    yield built
    for machine in built.machines:
        machine.kill()


def leave_alone(_: Fleet) -> None:
    """Disturb nothing."""


def flush_broker(fleet: Fleet) -> None:
    """Delete every message."""
    fleet.redis.flush()


def lose_broker(fleet: Fleet) -> None:
    """Kill Redis, which keeps nothing on disk, and start it empty a while later."""
    fleet.redis.kill()
    time.sleep(AWAY_S)
    fleet.redis.run()


def kill_machine(fleet: Fleet) -> None:
    """Kill one machine and start it again."""
    fleet.machines[0].kill()
    time.sleep(AWAY_S)
    fleet.machines[0].start()


def kill_database(fleet: Fleet) -> None:
    """Kill PostgreSQL and start it again: what it had confirmed is there."""
    fleet.postgres.kill()
    time.sleep(AWAY_S)
    fleet.postgres.run()


def lose_database(fleet: Fleet) -> None:
    """Drop every table while transactions are in the pool."""
    lose(Place(Path(), fleet.postgres.url))


def lose_everything(fleet: Fleet) -> None:
    """Kill both machines and both servers, and lose all they knew."""
    for machine in fleet.machines:
        machine.kill()
    fleet.redis.kill()
    lose_database(fleet)
    fleet.postgres.kill()
    fleet.postgres.run()
    fleet.redis.run()
    for machine in fleet.machines:
        machine.start()


@pytest.mark.parametrize(
    "disturb",
    [
        leave_alone,
        lose_broker,
        lose_everything,
        pytest.param(flush_broker, marks=pytest.mark.slow),
        pytest.param(kill_machine, marks=pytest.mark.slow),
        pytest.param(kill_database, marks=pytest.mark.slow),
        pytest.param(lose_database, marks=pytest.mark.slow),
    ],
)
def test_fleet__disturbed_half_way__every_step_once(
    fleet: Fleet, disturb: Callable[[Fleet], None]
) -> None:
    fleet.wait_for(lambda: fleet.count_transactions() >= STEPS // 3)
    disturb(fleet)
    fleet.wait_for(fleet.is_over)
    assert fleet.count_transactions() == STEPS
    for machine in fleet.machines:
        assert machine.process is not None and machine.process.returncode == 0
        # Celery's words for an exception that is no expected failure of a step.
        assert "raised unexpected" not in machine.log.read_text()
        assert machine.count("worker-died") == 0
    if disturb is leave_alone:
        assert all(machine.count("step-done") > 0 for machine in fleet.machines)
    if disturb is lose_broker:
        assert sum(machine.count("broker-lost") for machine in fleet.machines) > 0
