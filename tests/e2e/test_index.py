"""The gateway's index on a real chain: what it says is what the contracts say, come what may."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from offchain.chain.database import Database, Place
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


def test_index__random_moves_and_reorganisations__is_what_the_contracts_say(
    world: World, tmp_path: Path
) -> None:
    check_moves(world, tmp_path, 1, 16)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2, 8))
def test_index__many_moves_and_reorganisations__is_what_the_contracts_say(
    world: World, tmp_path: Path, seed: int
) -> None:
    check_moves(world, tmp_path, seed, 48)
