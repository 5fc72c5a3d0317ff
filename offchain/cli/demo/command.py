"""`zkdps demo`: play the scenarios, tell them, and end with balances that add up to the wei."""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import click

from offchain.cli.output import ExitCode
from offchain.cli.stopping import exit_on_terminate

ROOT: Final = Path(__file__).parents[3]


@click.command(name="demo")
@click.option(
    "--json",
    "json_file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Also write a report, machine-readable.",
)
@click.option(
    "--models",
    type=click.Path(file_okay=False, path_type=Path, resolve_path=True),
    default=ROOT / ".local" / "models",
    show_default=".local/models of the checkout",
    help="Folder of published models; the digits network is trained into it when it is not there.",
)
@click.option(
    "--scenario", "names", multiple=True, help="Play only this scenario; may be repeated."
)
@click.option("--real-time", is_flag=True, help="Wait for every deadline in full.")
@click.option("--keep", is_flag=True, help="Keep the working folder (journals and logs).")
def command(
    json_file: Path | None, models: Path, names: Sequence[str], real_time: bool, keep: bool
) -> None:
    """Four jobs on a fresh local chain: paid, proven, slashed, refunded.

    Operator, its worker, client and challenger are separate processes; every one of them takes its
    time from the chain. Waits that nobody can cut short are skipped by moving the chain's clock,
    and said to be; --real-time waits for them. Exit code 0 only if every scenario ends as it must.
    """
    from offchain.cli.demo.play import play_scenarios

    exit_on_terminate()
    started = time.monotonic()
    folder = Path(tempfile.mkdtemp(prefix="zkdps-demo-"))
    try:
        results = play_scenarios(folder, models, names, print_line, not real_time)
    finally:
        if keep:
            print_line(f"journals and logs are in {folder}")
        else:
            shutil.rmtree(folder)
    if json_file is not None:
        report = {"scenarios": [result.to_json() for result in results]}
        json_file.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    held = all(result.holds for result in results)
    verdict = "every scenario ended as it must" if held else "A SCENARIO DID NOT END AS IT MUST"
    print_line(f"{verdict}; {time.monotonic() - started:.0f} s in all")
    sys.exit(ExitCode.OK if held else ExitCode.FAILED)


def print_line(text: str) -> None:
    """Print at once, also into a pipe."""
    print(text, flush=True)
