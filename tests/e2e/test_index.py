"""The gateway's index on a real chain: what it says is what the contracts say, come what may."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import requests
from sqlalchemy import select

from offchain.chain.database import Database, Place
from offchain.cli.demo.command import ROOT
from offchain.cli.demo.world import World
from offchain.gateway.index.index import Index
from offchain.gateway.index.tables import DERIVED, SCHEMA
from tests.e2e.agents import instant_blocks
from tests.e2e.index_moves import Moves, compare_with_chain


def open_index(world: World, folder: Path) -> Index:
    return Index(folder, world.client, world.manifest, 1)


def dump(folder: Path) -> Mapping[str, Sequence[Any]]:
    (file,) = folder.glob("index-*.sqlite3")
    database = Database(Place(file), SCHEMA)
    with database.snapshot() as connection:
        tables = {
            table.name: sorted(map(tuple, connection.execute(select(table))), key=repr)
            for table in DERIVED
        }
    database.close()
    return tables


def check_moves(world: World, folder: Path, seed: int, rounds: int) -> Sequence[str]:
    with instant_blocks(world):
        moves = Moves(world, folder, seed)
        index = open_index(world, folder / "followed")
        for _ in range(9):  # nobody else's blocks are reorganised
            moves.rpc.request("evm_mine")
        moves.found()
        for number in range(rounds):
            for _ in range(8):
                moves.step()
                if moves.random.random() < 0.4:
                    index.advance()
            index.advance()
            compare_with_chain(moves, index)
            if number % 2:
                moves.reorganise(1 + number // 2 % 8)
                index.advance()
                compare_with_chain(moves, index)
        rebuilt = open_index(world, folder / "rebuilt")
        rebuilt.advance()
        assert dump(folder / "followed") == dump(folder / "rebuilt")
        index.close()
        rebuilt.close()
        return moves.done


START_S = 90.0
FOLLOW_S = 60.0


class GatewayProcess:
    """`zkdps gateway run`, until it is killed."""

    def __init__(self, world: World, home: Path) -> None:
        self._log = home.parent / f"{home.name}-{time.monotonic_ns()}.log"
        command = [
            sys.executable, "-m", "offchain.cli.main", "gateway", "run", "--rpc", world.anvil.url,
            "--manifest", str(world.manifest_file), "--home", str(home), "--port", "0",
        ]  # fmt: skip
        with self._log.open("wb") as written:
            self.process = subprocess.Popen(command, stderr=written, cwd=ROOT)
        self.url = f"http://127.0.0.1:{self._wait_for_port()}"

    def _wait_for_port(self) -> int:
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline and self.process.poll() is None:
            for line in self._log.read_text(encoding="utf-8").splitlines():
                told = json.loads(line) if line.startswith("{") else {}
                if told.get("event") == "listening":
                    return int(told["port"])
            time.sleep(0.1)
        raise AssertionError(self._log.read_text(encoding="utf-8"))

    def wait_for(self, number: int, block_hash: str) -> None:
        deadline, found = time.monotonic() + FOLLOW_S, None
        while time.monotonic() < deadline:
            found = requests.get(f"{self.url}/stats", timeout=10).json()["asOf"]
            if (found["block"], found["hash"]) == (number, block_hash):
                return
            time.sleep(0.2)
        raise AssertionError(f"at {found}, not at block {number}")

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


def check_kills(world: World, folder: Path, kills: int) -> None:
    home = folder / "home"
    with instant_blocks(world):
        moves = Moves(world, folder, 77)
        for _ in range(9):
            moves.rpc.request("evm_mine")
        moves.found()
        for number in range(kills):
            gateway = GatewayProcess(world, home)
            deadline = time.monotonic() + 3 + moves.random.random()
            while time.monotonic() < deadline:  # it reads while it dies
                moves.step()
            gateway.kill()
            moves.step()
            moves.reorganise(1 + 3 * number)
        gateway = GatewayProcess(world, home)
        head = world.client.get_head()
        gateway.wait_for(head.number, head.hash)
        jobs = requests.get(f"{gateway.url}/jobs?limit=200", timeout=10).json()["items"]
        gateway.process.terminate()
        assert gateway.process.wait(30) in {0, -signal.SIGTERM}
        index, rebuilt = open_index(world, home), open_index(world, folder / "rebuilt")
        compare_with_chain(moves, index)
        rebuilt.advance()
        assert dump(home) == dump(folder / "rebuilt")
        with index.reader.view() as view:
            assert [job["id"] for job in jobs] == [r.key for r in view.list("job", 200).records]


@pytest.mark.slow
def test_gateway__killed_while_it_indexes__goes_on_and_is_what_the_contracts_say(
    world: World, tmp_path: Path
) -> None:
    check_kills(world, tmp_path, 3)


def test_index__random_moves_and_reorganisations__is_what_the_contracts_say(
    world: World, tmp_path: Path
) -> None:
    check_moves(world, tmp_path, 1, 8)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2, 8))
def test_index__many_moves_and_reorganisations__is_what_the_contracts_say(
    world: World, tmp_path: Path, seed: int
) -> None:
    check_moves(world, tmp_path, seed, 48)
