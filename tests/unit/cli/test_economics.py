"""`zkdps economics`: what has to be locked, and whether checking pays."""

from __future__ import annotations

import json
from typing import Any

import pytest

from offchain.cli.main import cli
from offchain.params.economics import minimum_lock

FEE = 2 * 10**15


def ask(capsys: pytest.CaptureFixture[str], *arguments: object) -> Any:
    """Return a command's answer."""
    cli.main(["economics", *map(str, arguments), "--json"], standalone_mode=False)
    return json.loads(capsys.readouterr().out)


def test_lock__nothing_insured__is_the_default(capsys: pytest.CaptureFixture[str]) -> None:
    rows = ask(capsys, "lock", "--fee-wei", FEE, "--preset", "mainnet")
    assert [row["order"] for row in rows] == ["1 audited", "3 replicas", "5 replicas"]
    assert {row["lock_wei"] for row in rows} == {35 * FEE}
    assert rows[0]["detection_bps"] == 450


def test_lock__insured__grows_least_with_most_replicas(capsys: pytest.CaptureFixture[str]) -> None:
    rows = ask(capsys, "lock", "--fee-wei", FEE, "--insured-wei", 10**19, "--saved-wei", 0)
    locks = [row["lock_wei"] for row in rows]
    assert locks[0] == minimum_lock(FEE, 10**19, 0, 4500)
    assert locks[0] > locks[1] >= locks[2] == 35 * FEE


def test_check__says_both_conditions(capsys: pytest.CaptureFixture[str]) -> None:
    told = ask(capsys, "check", "--lock-wei", 100, "--recompute-wei", 36, "--bond-wei", 100)
    assert (told["is_challenge_paid"], told["is_defence_paid"]) == (False, True)
