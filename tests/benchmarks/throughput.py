"""`./scripts/bench throughput`: many jobs through one operator that is killed in the middle."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Mapping, Sequence
from math import ceil
from pathlib import Path
from typing import Any, Final

import click

from offchain.cli.demo.narrator import Narrator
from offchain.cli.demo.play import MODEL, load_sample, prepare_model
from offchain.cli.demo.world import Terrain, open_world
from offchain.model.train_digits import load_split
from offchain.params.presets import get_preset
from offchain.types import JobState
from tests.benchmarks.load import FEE, STEPS, Load, Outcome
from tests.benchmarks.machine import ROOT, describe_machine

METHOD: Final = """\
{jobs} jobs of one client, orders sent without waiting, inputs are held-out scans; one operator as
real processes (tick and Celery worker, SQLite as broker and database); Anvil with a block each
second, preset {preset}. {kill}Only the wait for the challenge windows is skipped, by moving the
chain's clock once all results are committed: all payments fall due at the same second. Times are
those of blocks, to a second."""
KILLED: Final = """\
In the middle both processes are killed with SIGKILL, their queue is deleted, and they start
again. """
PERCENTILES: Final = (50, 90, 99, 100)
WHOLE_BPS: Final = 10_000
# So many jobs may be open at once by the preset's time to prove, with proofs of 2 s: 15 local,
# 150 devnet, 2,400 testnet.
DEVNET_JOBS: Final = 120


def choose_preset(jobs: int) -> str:
    """Return the preset under which an operator may hold so many jobs of the digits network."""
    return "devnet" if jobs <= DEVNET_JOBS else "testnet"


def run_load(folder: Path, models: Path, jobs: int, kill: bool = True) -> Outcome:
    """Play the load on a chain of its own."""
    narrator = Narrator(lambda _line: None)
    prepare_model(models, narrator)
    inputs = [[int(pixel) for pixel in row] for row in load_split().held_out.x]
    terrain = Terrain(preset=choose_preset(jobs))
    with open_world(folder, models, MODEL, load_sample(), narrator, True, terrain) as world:
        return Load(world, folder / "load", inputs, jobs, kill).run()


def find_problems(outcome: Outcome, protocol_fee_bps: int) -> Sequence[str]:
    """Return what was lost, done twice, late or not paid exactly; empty when all is well."""
    jobs = len(outcome.lives)
    problems = [f"{step} mined {outcome.count(step)} times" for step in STEPS
                if outcome.count(step) != jobs]  # fmt: skip
    failed = [f"{t.step} of {t.party} reverted" for t in outcome.transactions if not t.succeeded]
    problems += failed
    if dict(outcome.states) != {JobState.FINAL: jobs}:
        problems.append(f"states {dict(outcome.states)}")
    problems += [f"{count} x {name}" for name, count in outcome.other_events.items()]
    problems += [f"{name}: {wei} wei do not add up" for name, wei in outcome.leaks.items()]
    burned = jobs * (FEE * protocol_fee_bps // WHOLE_BPS)
    gained = {"owner": jobs * FEE - burned, "client": -jobs * FEE, "worker": 0}
    for party, expected in gained.items():
        found = compute_gain(outcome, party)
        if found != expected:
            problems.append(f"{party} gained {found} wei, expected {expected}")
    return problems


def compute_gain(outcome: Outcome, party: str) -> int:
    """Return what a party owns more than before, the gas that it paid left out."""
    paid = sum(t.cost_wei for t in outcome.transactions if t.party == party)
    before, after = outcome.before.holdings[party], outcome.after.holdings[party]
    return after.total_wei - before.total_wei + paid


def summarise(outcome: Outcome) -> Mapping[str, Any]:
    """Return throughput, latencies in seconds, and gas for each job."""
    lives = list(outcome.lives.values())
    first = min(life.at["created"] for life in lives)
    results = [life.at["committed"] - life.at["created"] for life in lives]
    payable = [max(life.deadline + 1, outcome.settled_from) for life in lives]
    payments = [life.at["final"] - at for life, at in zip(lives, payable, strict=True)]
    both = [a + b for a, b in zip(results, payments, strict=True)]
    results_s = max(life.at["committed"] for life in lives) - first
    payments_s = max(life.at["final"] for life in lives) - outcome.settled_from
    return {
        "jobs": len(lives),
        "results_per_s": round(len(lives) / max(results_s, 1), 2),
        "payments_per_s": round(len(lives) / max(payments_s, 1), 2),
        "jobs_per_s": round(len(lives) / max(results_s + payments_s, 1), 2),
        "order_to_result_s": find_percentiles(results),
        "order_to_final_less_window_s": find_percentiles(both),
        "killed_after_results": outcome.killed_at,
        "in_pool_when_killed": outcome.in_flight,
        "restart_gap_s": outcome.restart_gap_s,
        "reverted": sum(not t.succeeded for t in outcome.transactions),
        "gas_per_job": sum_job_gas(outcome) // len(lives),
        "wall_s": round(outcome.wall_s, 1),
    }


def sum_job_gas(outcome: Outcome) -> int:
    """Return the gas of everything that was about jobs."""
    return sum(t.gas_used for t in outcome.transactions if t.step in ("create", *STEPS))


def find_percentiles(seconds: Sequence[int]) -> Mapping[str, int]:
    """Return p50, p90, p99 and the maximum by nearest rank."""
    ranked = sorted(seconds)
    return {
        "max" if share == 100 else f"p{share}": ranked[ceil(len(ranked) * share / 100) - 1]
        for share in PERCENTILES
    }


def show(summary: Mapping[str, Any]) -> None:
    """Print a summary, a figure a line."""
    for name, value in summary.items():
        shown = (
            ", ".join(f"{k} {v}" for k, v in value.items()) if isinstance(value, Mapping) else value
        )
        click.echo(f"{name:<32}{shown}")


@click.command(help="Measure an operator's throughput; see ./scripts/bench --help.")
@click.option("--jobs", default=50, show_default=True, type=click.IntRange(min=2))
@click.option("--kill/--no-kill", default=True, show_default=True)
@click.option("--json", "json_file", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--models",
    type=click.Path(file_okay=False, path_type=Path, resolve_path=True),
    default=ROOT / ".local" / "models",
    show_default=".local/models of the checkout",
)
def main(jobs: int, kill: bool, json_file: Path | None, models: Path) -> None:
    """Run the load and print what it came to; exit status 1 when anything was lost or late."""
    preset = choose_preset(jobs)
    click.echo(METHOD.format(jobs=jobs, preset=preset, kill=KILLED if kill else ""))
    with tempfile.TemporaryDirectory() as workspace:
        outcome = run_load(Path(workspace) / "world", models, jobs, kill)
    summary, machine = summarise(outcome), describe_machine()
    click.echo(f"machine: {json.dumps(machine)}")
    show(summary)
    problems = find_problems(outcome, get_preset(preset).protocol_fee_bps)
    if json_file is not None:
        report = {"machine": machine, "preset": preset, "rows": [summary], "problems": problems}
        json_file.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    for problem in problems:
        click.echo(f"FAILED: {problem}", err=True)
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
