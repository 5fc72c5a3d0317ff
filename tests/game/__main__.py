"""`./scripts/bench game`: play the model of the game of pinpointing out, table by table.

Every play at a table is played: each order of moves, each timeout. Honest players do what they have
to in any order and as late as they may, but for the tables called prompt, where they wait for no
deadline. states: positions with a future of their own. longest: moves of the longest play. least:
what the honest side gains in its worst play, most: what operator and accomplices gain together in
their best, both in 10^15 wei since the commit (the fee is 2, the lock 70, a bond 3.6).
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import click

from tests.benchmarks.machine import describe_machine
from tests.game.tables import (
    ACCOUNTS,
    CHEATS,
    Case,
    list_longest,
    list_quick,
    list_slow,
    play_out,
    retell,
)
from tests.game.world import HONEST, OPERATOR

UNIT: Final = 10**15
WIDTH: Final = 58
HEAD: Final = ("states", "moves", "plays", "longest", "least", "most", "seconds")


@click.command(help=__doc__)
@click.option("--quick", is_flag=True, help="Only what ./scripts/test plays by default.")
@click.option("--json", "output", type=click.Path(dir_okay=False, path_type=Path))
def main(quick: bool, output: Path | None) -> None:
    """Play all tables out, and fail where a check does."""
    cases = list(list_quick())
    if not quick:
        cases += [*list_slow(), *list_longest()]
    click.echo(f"{'':<{WIDTH}}" + _format(HEAD))
    rows, problems = [], []
    for case in cases:
        row = measure(case)
        rows.append(row)
        click.echo(f"{case.name:<{WIDTH}}" + _format([_show(row[name]) for name in HEAD]))
        if row["problem"] is not None:
            problems.append(f"{case.name}: {row['problem']}")
    total = {name: sum(row[name] or 0 for row in rows) for name in ("states", "plays", "seconds")}
    click.echo(
        f"{len(cases)} tables: {total['plays']:,} plays in {total['states']:,} states, "
        f"at most {max(row['longest'] or 0 for row in rows)} moves, {total['seconds']:.0f} s"
    )
    if output is not None:
        document = {"machine": describe_machine(), "tables": rows, "problems": problems}
        output.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    for problem in problems:
        click.echo(f"broken: {problem}", err=True)
    sys.exit(bool(problems))


def measure(case: Case) -> dict[str, Any]:
    """Play a table out, and return its row; a check that fails is the row's problem."""
    began = time.process_time()
    row: dict[str, Any] = {"table": case.name, **dict.fromkeys(HEAD), "problem": None}
    try:
        seen = play_out(case)
    except AssertionError as error:
        row["problem"] = retell(case, error)
    else:
        rest = seen.rest
        row |= {
            "states": seen.states,
            "moves": seen.moves,
            "plays": rest.plays,
            "longest": rest.longest,
        }
        if case.table.operator_is_honest:
            row["least"] = rest.least[ACCOUNTS.index(OPERATOR)] / UNIT
        elif case.table.with_honest_challenger:
            row["least"] = rest.least[ACCOUNTS.index(HONEST)] / UNIT
            row["most"] = rest.most[CHEATS] / UNIT
    row["seconds"] = time.process_time() - began
    return row


def _show(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:,}" if isinstance(value, int) else f"{value:.2f}"


def _format(cells: Sequence[str]) -> str:
    widths = (11, 11, 22, 9, 8, 8, 9)
    return "".join(f"{cell:>{width}}" for cell, width in zip(cells, widths, strict=True))


if __name__ == "__main__":
    main()
