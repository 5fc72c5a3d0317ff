"""`./scripts/mutate`: change the contracts one operator at a time; a test has to fail each time.

Money and clock code only. One build holds nearly all mutants (schemata.py), in copies of the
checkout, one for each worker (workplace.py); a mutant costs one or two runs of forge that compile
nothing, first of the tests near to the file.
"""

from __future__ import annotations

import json
import os
import random
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from queue import SimpleQueue
from typing import Final

import click

from tests.benchmarks.machine import describe_machine
from tests.mutation.equivalents import list_equivalents
from tests.mutation.mutants import Mutant, list_mutants
from tests.mutation.schemata import Schemata, weave
from tests.mutation.seeded import list_seeded
from tests.mutation.workplace import (
    FIRST_LIMIT_S,
    ROOT,
    Order,
    Outcome,
    Workplace,
    copy_build,
    read_compiler,
)

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
KINDS: Final = ("killed", "survived", "equivalent", "invalid")


@contextmanager
def open_workplaces(
    schemata: Schemata, order: Order, count: int
) -> Iterator[SimpleQueue[Workplace]]:
    """Make copies whose tests pass with no mutant on; remove them at the end."""
    with tempfile.TemporaryDirectory(prefix="zkdps-mutate-") as folder:
        places: SimpleQueue[Workplace] = SimpleQueue()
        first = Workplace(Path(folder) / "0", schemata)
        status, printed = first.run_tests(FIRST_LIMIT_S, suites=order.suites)
        if status != 0:
            raise click.ClickException(f"the tests fail without any mutant:\n{printed[-3000:]}")
        for number in range(1, count):
            places.put(copy_build(first, Path(folder) / str(number), schemata))
        places.put(first)
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
    schemata = weave(mutants, ROOT, read_compiler())
    click.echo(f"{len(schemata.numbers)} mutants in one build, {len(schemata.alone)} alone")
    equivalents, order = set(list_equivalents()), Order()
    with (
        open_workplaces(schemata, order, workers) as places,
        ThreadPoolExecutor(workers) as pool,
    ):

        def judge(mutant: Mutant) -> Outcome:
            place = places.get()
            try:
                outcome = place.judge(mutant, order)
            finally:
                places.put(place)
            if outcome.outcome == "survived" and mutant in equivalents:
                return replace(outcome, outcome="equivalent")
            return outcome

        for outcome in pool.map(judge, mutants):
            outcomes.append(outcome)
            by = f" by {outcome.test}" if outcome.test else ""
            click.echo(
                f"{len(outcomes):>4}/{len(mutants)} {outcome.outcome:<10}"
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
    named = {
        kind: [outcome.mutant for outcome in outcomes if outcome.outcome == kind] for kind in KINDS
    }
    if output is not None:
        document = {
            "machine": describe_machine(),
            "counts": {kind: len(names) for kind, names in named.items()},
            "survivors": named["survived"],
            "equivalents": named["equivalent"],
            "mutants": [asdict(outcome) for outcome in outcomes],
        }
        output.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    click.echo(", ".join(f"{len(names)} {kind}" for kind, names in named.items()))
    for kind in ("equivalent", "survived"):
        for name in named[kind]:
            click.echo(f"{kind}: {name}", err=True)
    sys.exit(1 if named["survived"] else 0)


if __name__ == "__main__":
    main()
