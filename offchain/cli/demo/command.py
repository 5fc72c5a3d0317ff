"""`zkdps demo`: play the scenarios, tell them, and end with balances that add up to the wei."""

from __future__ import annotations

import json
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import click

from offchain.cli.output import ExitCode
from offchain.cli.stopping import exit_on_terminate, listen_for_stop

ROOT: Final = Path(__file__).parents[3]
INTERRUPTED: Final = 130  # the shell's convention
INVITATION: Final = """
Open  {dapp}

  Connect with the development wallet: its accounts and their money are play.
  Draw a digit or type a text, order it, watch it, challenge it. A result can be challenged for
  90 s; a proof is due within about two minutes of a challenge.
  "Digits, served by a cheat" is what it says: challenge its answer, and its stake is slashed.

Ctrl-C stops everything.
"""


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
@click.option(
    "--dapp",
    is_flag=True,
    help="Instead, leave chain, operators, gateway and web page running until interrupted; --json "
    "then writes their addresses.",
)
def command(
    json_file: Path | None,
    models: Path,
    names: Sequence[str],
    real_time: bool,
    keep: bool,
    dapp: bool,
) -> None:
    """Six jobs on a fresh local chain: paid, proven, slashed in three ways, refunded; one quorum.

    Operator, its worker, client and challenger are separate processes; every one of them takes its
    time from the chain. Waits that nobody can cut short are skipped by moving the chain's clock,
    and said to be; --real-time waits for them. Exit code 0 only if every scenario ends as it must.
    """
    if dapp and (names or real_time):
        raise click.UsageError("--dapp plays no scenario, and its time is real anyway")
    exit_on_terminate()
    folder = Path(tempfile.mkdtemp(prefix="zkdps-demo-"))
    if dapp:
        show_page(folder, models, json_file, keep)
        return
    from offchain.cli.demo.play import play_scenarios

    started = time.monotonic()
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


def show_page(folder: Path, models: Path, json_file: Path | None, keep: bool) -> None:
    """Keep everything that the web page needs running until interrupted."""
    from offchain.cli.demo.narrator import Narrator
    from offchain.cli.demo.showcase import (
        PREFERRED,
        open_showcase,
        run_until_interrupted,
        write_facts,
    )

    exit_on_terminate(signal.SIGHUP)  # a terminal that is closed is an interrupt, too
    narrator = Narrator(print_line)
    try:
        with open_showcase(folder, models, narrator, PREFERRED) as showcase:
            if json_file is not None:
                write_facts(showcase, json_file)
            print_line(INVITATION.format(dapp=showcase.dapp))
            run_until_interrupted(showcase, listen_for_stop())
            narrator.say("stopping every process")
    except KeyboardInterrupt:
        narrator.say("interrupted: every process was stopped")
        sys.exit(INTERRUPTED)
    finally:
        if keep:
            print_line(f"journals and logs are in {folder}")
        else:
            shutil.rmtree(folder)
    print_line("stopped; nothing is left running")


def print_line(text: str) -> None:
    """Print at once, also into a pipe."""
    print(text, flush=True)
