"""The access matrix has a row for every function that changes state."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
ARTEFACTS = ROOT / ".local" / "forge" / "out"
TABLES = tuple(
    ROOT / "tests" / "contracts" / name
    for name in ("AccessMatrix.t.sol", "AccessModules.t.sol", "PinpointScene.sol")
)
CONTRACTS = (
    "StakeVault",
    "JobMarket",
    "DisputeGame",
    "Guardian",
    "ModelRegistry",
    "SessionMarket",
    "OrderBook",
    "ResultRelay",
    "AdjudicatorRegistry",
    "Beacon",
    "CandidatePool",
    "Quorum",
    "Audits",
    "PinpointGame",
)
STATELESS = (
    "VerifierCore",
    "HyperKzgOpening",
    "MercuryOpening",
    "Inspector",
    "ContractionAdjudicator",
    "RowAdjudicator",
    "ProofAdjudicator",
)
# The game of pinpointing has what it does not know itself done by its other half, in its own name.
HALVES = {"PinpointGame": ("PinpointGame", "TraceSearches")}
FOLDERS = ("core", "dispute", "trace", "adjudication", "quorum", "verifiers")


def read_artefact(contract: str) -> Any:
    return json.loads((ARTEFACTS / f"{contract}.sol" / f"{contract}.json").read_text())


def find_functions(contract: str) -> set[str]:
    return {
        entry["name"]
        for half in HALVES.get(contract, (contract,))
        for entry in read_artefact(half)["abi"]
        if entry["type"] == "function" and entry["stateMutability"] in ("payable", "nonpayable")
    }


def find_deployed() -> set[str]:
    """Name every contract that has code of its own, unless that is a library's."""
    sources = (path for folder in FOLDERS for path in (ROOT / "contracts" / folder).rglob("*.sol"))
    names = {
        name
        for path in sources
        for name in re.findall(r"^contract (\w+)", path.read_text(encoding="utf-8"), re.MULTILINE)
    }
    return {name for name in names if read_artefact(name)["bytecode"]["object"] != "0x"}


@pytest.mark.parametrize("contract", CONTRACTS)
def test_access_matrix__has_each_function_once(contract: str) -> None:
    table = "".join(path.read_text(encoding="utf-8") for path in TABLES)
    rows = re.findall(rf'add(?:Paid)?\(\s*"{contract}\.(\w+)"', table)
    assert sorted(rows) == sorted(find_functions(contract))


def test_access_matrix__has_every_contract_with_functions() -> None:
    deployed = find_deployed()
    assert deployed >= {"PinpointGame", "TraceSearches", *CONTRACTS, *STATELESS}
    halves = {half for pair in HALVES.values() for half in pair}
    assert deployed - set(STATELESS) - halves - set(CONTRACTS) == set()


def test_access_matrix__knows_all_that_the_game_of_pinpointing_says_it_does() -> None:
    assert find_functions("IPinpointGame") == find_functions("PinpointGame")


@pytest.mark.parametrize("contract", STATELESS)
def test_verifier__changes_no_state(contract: str) -> None:
    assert find_functions(contract) == set()
