"""Many jobs through one operator, killed in the middle: nothing lost, twice, late or unpaid."""

from __future__ import annotations

from pathlib import Path

import pytest

from offchain.cli.demo.command import ROOT
from offchain.params.presets import get_preset
from tests.benchmarks.throughput import choose_preset, find_problems, run_load, show, summarise


@pytest.mark.parametrize("jobs", [50, pytest.param(1_000, marks=pytest.mark.slow)])
def test_operator__many_jobs_and_killed_in_the_middle__each_done_and_paid_exactly_once(
    tmp_path: Path, jobs: int
) -> None:
    outcome = run_load(tmp_path / "world", ROOT / ".local" / "models", jobs)
    show(summarise(outcome))
    assert len(outcome.lives) == jobs
    assert jobs // 2 <= outcome.killed_at < jobs
    assert outcome.in_flight > 0
    assert find_problems(outcome, get_preset(choose_preset(jobs)).protocol_fee_bps) == []
