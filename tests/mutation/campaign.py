"""`./scripts/mutate`: change the contracts one operator at a time; a test has to fail each time.

Money and clock code only. Works in copies of the checkout, one for each worker, with test linking
that spares the tests' own compilation.
"""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from queue import SimpleQueue
from typing import Final

import click

from tests.benchmarks.machine import describe_machine
from tests.mutation.mutants import Mutant, list_mutants
from tests.mutation.seeded import list_seeded

ROOT: Final = Path(__file__).parents[2]
# Contracts that hold or divide money, or decide when something is due.
TARGETS: Final = (
    "contracts/libraries/Economics.sol",
    "contracts/libraries/ParameterRules.sol",
    "contracts/libraries/Pricing.sol",
    "contracts/libraries/Settlement.sol",
    "contracts/core/*.sol",
    "contracts/dispute/*.sol",
    "contracts/quorum/*.sol",
    "contracts/trace/*.sol",
)
# Verifiers have forgeries of their own (tests/attacks); random walks take longer than all the rest,
# and a mutant that only they find lacks a test that says what is wrong.
# DigitConsumer's tests create contracts in others' names, which linked tests cannot.
IGNORED_TESTS: Final = (
    "tests/contracts/{Verifier*,Openings*,Adjudication*,Element*,Invariants*,*Walk*,HappyPathGas*,"
    "DigitConsumer*}"
)
COPIED: Final = ("contracts", "tests/contracts", "tests/vectors")
FIRST_LIMIT_S: Final = 1800  # of the run without a mutant, which compiles everything
LIMIT_S: Final = 300  # of one mutant: a loop that a mutant makes endless counts as noticed
SETTINGS: Final = {
    "FOUNDRY_CONFIG": "contracts/foundry.toml",
    "FOUNDRY_OFFLINE": "true",
    "FOUNDRY_DYNAMIC_TEST_LINKING": "true",
    # Few, fixed draws: a mutant that only luck finds is a survivor.
    "FOUNDRY_FUZZ_RUNS": "64",
    "FOUNDRY_INVARIANT_RUNS": "8",
}
FAILED_TEST: Final = re.compile(r"^\[FAIL[^\]]*\] (\w+)", re.MULTILINE)


@dataclass(frozen=True)
class Outcome:
    """What became of a mutant: killed (by which test), survived, or invalid (does not compile)."""

    mutant: str
    outcome: str
    test: str
    seconds: float


class Workplace:
    """A copy of the contracts and their tests, with a build of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in COPIED:
            shutil.copytree(ROOT / name, folder / name)
        (folder / "scripts/npm").mkdir(parents=True)
        (folder / "scripts/npm/node_modules").symlink_to(ROOT / "scripts/npm/node_modules")
        self._environment = {
            **os.environ,
            **SETTINGS,
            "FOUNDRY_SOLC": (ROOT / ".local/solc-path").read_text(encoding="utf-8").strip(),
        }

    def run_tests(self, limit: float) -> tuple[int, str]:
        """Run the contracts' tests until one fails; return the exit status and what was printed."""
        command = ["forge", "test", "--fail-fast", "--no-match-path", IGNORED_TESTS]
        process = subprocess.Popen(
            command,
            cwd=self.folder,
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        try:
            printed, _ = process.communicate(timeout=limit)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            return 1, f"[FAIL: more than {limit} s] timeout()"
        return process.returncode, printed

    def judge(self, mutant: Mutant) -> Outcome:
        """Apply a mutant, run the tests, and put the source back."""
        path, began = self.folder / mutant.path, time.monotonic()
        source = path.read_text(encoding="utf-8")
        path.write_text(mutant.apply(source), encoding="utf-8")
        try:
            status, printed = self.run_tests(LIMIT_S)
        finally:
            path.write_text(source, encoding="utf-8")
        seconds = round(time.monotonic() - began, 1)
        if status == 0:
            return Outcome(mutant.name, "survived", "", seconds)
        failed = FAILED_TEST.search(printed)
        if failed is not None:
            return Outcome(mutant.name, "killed", failed[1], seconds)
        if "Compiler run failed" in printed or "Compiler error" in printed:
            return Outcome(mutant.name, "invalid", "", seconds)
        raise click.ClickException(f"{mutant.name}: forge failed otherwise:\n{printed[-2000:]}")


@contextmanager
def open_workplaces(count: int) -> Iterator[SimpleQueue[Workplace]]:
    """Make copies whose tests pass; remove them at the end."""
    with tempfile.TemporaryDirectory(prefix="zkdps-mutate-") as folder:
        places: SimpleQueue[Workplace] = SimpleQueue()
        first = Workplace(Path(folder) / "0")
        status, printed = first.run_tests(FIRST_LIMIT_S)
        if status != 0:
            raise click.ClickException(f"the tests fail without any mutant:\n{printed[-3000:]}")
        places.put(first)
        for number in range(1, count):
            place = Workplace(Path(folder) / str(number))
            shutil.copytree(first.folder / ".local", place.folder / ".local")
            places.put(place)
        yield places


def choose(patterns: Sequence[str], limit: int | None, seed: int) -> list[Mutant]:
    """Return the mutants of the files that match; `limit` draws so many of them."""
    paths = sorted({path for pattern in patterns for path in ROOT.glob(pattern)})
    found = [
        mutant
        for path in paths
        for mutant in list_mutants(str(path.relative_to(ROOT)), path.read_text(encoding="utf-8"))
    ]
    if limit is not None and limit < len(found):
        found = sorted(
            random.Random(seed).sample(found, limit), key=lambda m: (m.path, m.start, m.new)
        )
    return found


def judge_all(mutants: Sequence[Mutant], workers: int) -> list[Outcome]:
    """Judge every mutant, showing each as it is judged."""
    outcomes: list[Outcome] = []
    with open_workplaces(workers) as places, ThreadPoolExecutor(workers) as pool:

        def judge(mutant: Mutant) -> Outcome:
            place = places.get()
            try:
                return place.judge(mutant)
            finally:
                places.put(place)

        for outcome in pool.map(judge, mutants):
            outcomes.append(outcome)
            by = f" by {outcome.test}" if outcome.test else ""
            click.echo(
                f"{len(outcomes):>4}/{len(mutants)} {outcome.outcome:<8}"
                f" {outcome.seconds:>6.1f} s  {outcome.mutant}{by}"
            )
    return outcomes


@click.command(help=__doc__)
@click.option("--files", multiple=True, help="Only these (glob from the root); default: all.")
@click.option("--limit", type=int, help="Draw so many mutants instead of taking all.")
@click.option("--seed", type=int, default=1, show_default=True, help="Of --limit.")
@click.option("--seeded", is_flag=True, help="Only the eight that ./scripts/test --full plants.")
@click.option("--list", "only_list", is_flag=True, help="Print the mutants and judge none.")
@click.option("--workers", type=int, default=len(os.sched_getaffinity(0)), show_default=True)
@click.option("--json", "output", type=click.Path(path_type=Path))
def main(
    files: Sequence[str],
    limit: int | None,
    seed: int,
    seeded: bool,
    only_list: bool,
    workers: int,
    output: Path | None,
) -> None:
    """Judge mutants; exit with 1 if one survives."""
    mutants = list_seeded() if seeded else choose(files or TARGETS, limit, seed)
    if only_list:
        for mutant in mutants:
            click.echo(mutant.name)
        click.echo(f"{len(mutants)} mutants")
        return
    outcomes = judge_all(mutants, workers)
    survivors = [outcome.mutant for outcome in outcomes if outcome.outcome == "survived"]
    counts = {
        kind: sum(outcome.outcome == kind for outcome in outcomes)
        for kind in ("killed", "survived", "invalid")
    }
    if output is not None:
        document = {
            "machine": describe_machine(),
            "counts": counts,
            "survivors": survivors,
            "mutants": [asdict(outcome) for outcome in outcomes],
        }
        output.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    click.echo(", ".join(f"{count} {kind}" for kind, count in counts.items()))
    for survivor in survivors:
        click.echo(f"survived: {survivor}", err=True)
    sys.exit(1 if survivors else 0)


if __name__ == "__main__":
    main()
