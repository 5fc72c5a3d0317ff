"""`zkdps drill`: every fault against a local chain, with real roles."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import click

from offchain.cli.demo.command import ROOT, print_line
from offchain.cli.output import ExitCode
from offchain.cli.stopping import exit_on_terminate


@click.command(name="drill")
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
@click.option("--mode", "names", multiple=True, help="Play only this drill; may be repeated.")
def command(json_file: Path | None, models: Path, names: Sequence[str]) -> None:
    """Play every fault on a fresh local chain: who cheats loses, who is honest does not.

    Real operators, challengers and clients, all in this process; the chain's clock skips what
    nobody can cut short. Exit code 0 only if every drill ends as it must and no wei is missing.

    \b
    zkdps drill --json drills.json
    zkdps drill --mode wrong-operator --mode withhold
    """
    from offchain.cli.drill.run import play_drills

    exit_on_terminate()
    started = time.monotonic()
    runs = play_drills(models, names, print_line)
    if json_file is not None:
        report = {"runs": [run.to_json() for run in runs]}
        json_file.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    held = all(run.holds for run in runs)
    verdict = "every drill ended as it must" if held else "A DRILL DID NOT END AS IT MUST"
    print_line(f"{verdict}; {time.monotonic() - started:.0f} s in all")
    sys.exit(ExitCode.OK if held else ExitCode.FAILED)
