"""The access matrix has a row for every function that changes state."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ARTEFACTS = ROOT / ".local" / "forge" / "out"
TABLES = tuple(
    ROOT / "tests" / "contracts" / f"{name}.t.sol" for name in ("AccessMatrix", "AccessModules")
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
    table = "".join(path.read_text(encoding="utf-8") for path in TABLES)
    rows = re.findall(rf'add(?:Paid)?\(\s*"{contract}\.(\w+)"', table)
    assert sorted(rows) == sorted(find_functions(contract))


@pytest.mark.parametrize(
    "contract",
    [
        "VerifierCore",
        "HyperKzgOpening",
        "MercuryOpening",
        "Inspector",
        "ContractionAdjudicator",
        "RowAdjudicator",
        "ProofAdjudicator",
    ],
)
def test_verifier__changes_no_state(contract: str) -> None:
    assert find_functions(contract) == set()
