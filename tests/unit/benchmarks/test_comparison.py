"""Ratios are told as measured: bounds as bounds, failures as failures."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from tests.benchmarks import peer_ezkl
from tests.benchmarks.comparison import Comparison, compare, format_table
from tests.benchmarks.onnx_models import build
from tests.benchmarks.peer_ezkl import PeerRow

OURS: dict[str, Any] = {
    "prove_s": 0.5,
    "peak_rss_mib": 100.0,
    "verify_gas": 1_000_000,
    "proof_bytes": 20_000,
}


def beside(
    prove_s: float | None, failed: str | None = None, model: str = "lenet5", peer: str = "ezkl"
) -> Comparison:
    seconds = {} if prove_s is None else {"prove": prove_s}
    row = PeerRow(model, peer, seconds, {}, {}, failed and f"{failed}: why", failed)
    return compare(OURS, row)


def test_compare__both_done__ratio_and_no_miss() -> None:
    done = beside(25.0)
    assert (done.ratio, done.is_bound, done.explain_miss()) == (50.0, False, None)
    assert done.format("ratio") == "50"


def test_compare__below_the_bar__told() -> None:
    assert "49 times" in (beside(24.5).explain_miss() or "")
    assert beside(24.5, model="mlp-digits").explain_miss() is None
    assert beside(24.5, peer="ezkl-tuned").explain_miss() is None


def test_compare__proof_given_up__bound() -> None:
    given_up = beside(100.0, "prove")
    assert (given_up.ratio, given_up.is_bound) == (200.0, True)
    assert given_up.format("ratio") == ">200"
    assert "lenet5, ezkl: prove: why" in format_table([given_up])
    assert (beside(10.0, "prove").explain_miss() or "").startswith("lenet5: >20 times")


def test_compare__failed_before_the_proof__no_ratio_is_a_miss() -> None:
    failed = beside(None, "setup")
    assert failed.ratio is None
    assert failed.format("ratio") == "-"
    assert failed.explain_miss() == "lenet5: no ratio; setup: why"


def test_measure__step_fails__row_names_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peer_ezkl, "PYTHON", Path(sys.executable))  # which has no ezkl
    row = peer_ezkl.measure_ezkl(build("mlp-784"), "ezkl", tmp_path / "m", None, 30)  # type: ignore[arg-type]
    assert row.failed_step == "settings"
    assert row.failure == "settings: ModuleNotFoundError: No module named 'ezkl'"


def test_measure__no_environment__says_what_to_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(peer_ezkl, "PYTHON", tmp_path / "absent")
    with pytest.raises(FileNotFoundError, match="--peer ezkl"):
        peer_ezkl.measure_ezkl(build("mlp-784"), "ezkl", tmp_path / "m", None, 30)  # type: ignore[arg-type]
