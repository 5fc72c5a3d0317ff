"""The access matrix has a row for every function that changes state."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ARTEFACTS = ROOT / ".local" / "forge" / "out"
TABLE = ROOT / "tests" / "contracts" / "AccessMatrix.t.sol"
CONTRACTS = (
    "StakeVault",
    "JobMarket",
    "DisputeGame",
    "Guardian",
    "ModelRegistry",
    "SessionMarket",
    "OrderBook",
    "ResultRelay",
)


def find_functions(contract: str) -> set[str]:
    artefact = json.loads((ARTEFACTS / f"{contract}.sol" / f"{contract}.json").read_text())
    return {
        entry["name"]
        for entry in artefact["abi"]
        if entry["type"] == "function" and entry["stateMutability"] in ("payable", "nonpayable")
    }


@pytest.mark.parametrize("contract", CONTRACTS)
def test_access_matrix__has_each_function_once(contract: str) -> None:
    rows = re.findall(rf'add(?:Paid)?\(\s*"{contract}\.(\w+)"', TABLE.read_text(encoding="utf-8"))
    assert sorted(rows) == sorted(find_functions(contract))


@pytest.mark.parametrize(
    "contract", ["VerifierCore", "HyperKzgOpening", "MercuryOpening", "Inspector"]
)
def test_verifier__changes_no_state(contract: str) -> None:
    assert find_functions(contract) == set()
