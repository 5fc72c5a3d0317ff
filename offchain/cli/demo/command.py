"""`zkdps demo`: play the scenarios, tell them, and end with balances that add up to the wei."""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import click

from offchain.cli.output import ExitCode
from offchain.params.settings import DATA_FOLDER


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
    default=DATA_FOLDER / "models",
    show_default=True,
    help="Folder of published models; the digits network is trained into it when it is not there.",
)
@click.option(
    "--scenario", "names", multiple=True, help="Play only this scenario; may be repeated."
)
@click.option("--keep", is_flag=True, help="Keep the working folder (journals and logs).")
def command(json_file: Path | None, models: Path, names: Sequence[str], keep: bool) -> None:
    """Four jobs on a fresh local chain: paid, proven, slashed, refunded.

    Operator, its worker, client and challenger are separate processes; every one of them takes its
    time from the chain. Exit code 0 only if every scenario ends as it must.
    """
    from offchain.cli.demo.play import play_scenarios

    started = time.monotonic()
    folder = Path(tempfile.mkdtemp(prefix="zkdps-demo-"))
    try:
        results = play_scenarios(folder, models, names, print_line)
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
