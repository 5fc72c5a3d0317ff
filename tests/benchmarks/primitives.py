"""`./scripts/bench primitives`: what proofs are made of, beside the design's estimates."""

from __future__ import annotations

import json
import statistics
import subprocess
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import click

from tests.benchmarks.machine import ROOT, describe_machine

METHOD: Final = """\
Best and median of {runs} runs after one that is not counted, on vectors of 2^{log_size} cells, in
one process on all cores ({cores}) but for field-mul and keccak-challenge, which use one. Units are
what the last column names. The design's figures are those of proofs.md section 2 for two cores of
this class: [M] measured there and scaled, [E] estimated there. ratio: design over best."""
NATIVE: Final = ROOT / "offchain" / "native"
COMMAND: Final = (
    "cargo", "run", "--release", "--quiet", "--locked",
    "--package", "zkdps-arguments", "--example", "primitives", "--",
)  # fmt: skip


@dataclass(frozen=True)
class Primitive:
    """A line of the table."""

    name: str  # as the native example prints it
    unit: str
    estimate_ns: float | None = None  # proofs.md section 2, "Costs per unit", CPU column
    origin: str = ""  # how the design got it


@dataclass(frozen=True)
class Measured:
    """Nanoseconds per unit."""

    name: str
    unit: str
    best_ns: float
    median_ns: float
    estimate_ns: float | None
    origin: str


PRIMITIVES: Final = (
    Primitive("field-mul", "product of two scalars, one core", 22, "[M]"),
    Primitive("inner-product", "pair of cells"),
    Primitive("fold", "cell that is left"),
    Primitive("sumcheck-round", "cell that is left of a and b: both folds and the next message"),
    Primitive("i8-rows", "weight of a matrix whose rows are combined", 1.35, "[M] idle 1.2-1.5"),
    Primitive("i16-rows", "the same, 16 bits"),
    Primitive("i8-columns", "weight of a matrix whose columns are combined", 1.35, "[M] the same"),
    Primitive("i8-dot", "cell of a vector, with a scalar of its own each"),
    Primitive("i8-fold", "cell that is left of a vector of integers"),
    Primitive("logup-cell", "leaf: tree and all layers, transcript included", 180, "[M]"),
    Primitive("keccak-challenge", "round of two scalars, one core"),
    Primitive("tile-tree", "byte of a tensor: its digest"),
    Primitive("tile-levels", "byte of a tensor: all nodes of its tree, for openings"),
    Primitive("msm-full", "point, scalars of 254 bits", 2700, "[M]; [E] 1500-2300 batched"),
    Primitive("msm-8", "point, scalars of 8 bits", 130, "[M] up to 12 bits"),
    Primitive("msm-12", "point, scalars of 12 bits", 130, "[M]"),
    Primitive("msm-16", "point, scalars of 16 bits"),
    Primitive("msm-24", "point, scalars of 24 bits"),
    Primitive("msm-8-sparse", "point, scalars of 8 bits of which 7/8 are zero"),
    Primitive("hyperkzg-opening", "cell of the polynomial"),
    Primitive("mercury-opening", "cell of the polynomial"),
)


@click.command(help="Measure the primitives of proofs; see ./scripts/bench --help.")
@click.option("--log-size", default=18, show_default=True, type=click.IntRange(10, 24))
@click.option("--runs", default=7, show_default=True, type=click.IntRange(min=1))
@click.option("--json", "json_file", type=click.Path(dir_okay=False, path_type=Path))
def main(log_size: int, runs: int, json_file: Path | None) -> None:
    """Run the native example and print a table."""
    machine = describe_machine()
    click.echo(METHOD.format(runs=runs, log_size=log_size, cores=machine["cores"]))
    rows = measure(log_size, runs)
    click.echo(f"{'':<18}{'best':>10}{'median':>10}{'design':>8}{'ratio':>7}  ns per")
    for row in rows:
        click.echo(format_row(row))
    if json_file is not None:
        result: dict[str, Any] = {"machine": machine, "rows": [asdict(row) for row in rows]}
        json_file.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


def measure(log_size: int, runs: int) -> list[Measured]:
    """Build and run the native example; raise CalledProcessError when it cannot be."""
    command = [*COMMAND, str(log_size), str(runs)]
    printed = subprocess.run(command, cwd=NATIVE, stdout=subprocess.PIPE, text=True, check=True)
    return parse_lines(printed.stdout)


def parse_lines(printed: str) -> list[Measured]:
    """Return the table's rows from lines `name units seconds...`; raise KeyError when one lacks."""
    lines = {name: values for name, *values in map(str.split, printed.splitlines())}
    rows = []
    for primitive in PRIMITIVES:
        units, *seconds = map(float, lines[primitive.name])
        nanoseconds = [1e9 * value / units for value in seconds]
        rows.append(
            Measured(
                name=primitive.name,
                unit=primitive.unit,
                best_ns=min(nanoseconds),
                median_ns=statistics.median(nanoseconds),
                estimate_ns=primitive.estimate_ns,
                origin=primitive.origin,
            )
        )
    return rows


def format_row(row: Measured) -> str:
    """Return a line of the table."""
    estimate = ratio = ""
    if row.estimate_ns is not None:
        estimate, ratio = f"{row.estimate_ns:g}", f"{row.estimate_ns / row.best_ns:.1f}"
    origin = f" {row.origin}" if row.origin else ""
    times = f"{row.best_ns:>10.2f}{row.median_ns:>10.2f}"
    return f"{row.name:<18}{times}{estimate:>8}{ratio:>7}  {row.unit}{origin}"


if __name__ == "__main__":
    main()
