"""`./scripts/bench prover`: what a proof costs, from set-up to the gas of its verification."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Collection
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import click

from tests.benchmarks.bars import explain_misses, is_tolerated
from tests.benchmarks.comparison import show_peers
from tests.benchmarks.machine import describe_machine
from tests.benchmarks.measure import Request
from tests.benchmarks.models import DEFAULT, FULL, NAMES
from tests.benchmarks.peer_ezkl import PEERS
from tests.benchmarks.verification import VerifierChain, run_verifier_chain

METHOD: Final = """\
Each model is measured in a process of its own, without torch:
  srs      the reference string (INSECURE, for development)
  commit   commit to the weights, once per model
  prove    all the rest, median of at most {runs} runs: compile the graph, execute it, fill the
           witness, make the proof (best: the fastest run); the parts of the last run, in seconds,
           are listed below the table
  verify   check the proof off chain      rss   peak of the whole process
  gas      receipt of a transaction to the verifier on Anvil's default fork
The output has to equal the NumPy reference's; agreement and cosine compare it with the float
network's."""
COLUMNS: Final = {
    "model": "{}",
    "srs_s": "{:.2f}",
    "commit_s": "{:.2f}",
    "prove_s": "{:.3f}",
    "prove_best_s": "{:.3f}",
    "verify_s": "{:.4f}",
    "peak_rss_mib": "{:.0f}",
    "proof_bytes": "{:,}",
    "verify_gas": "{:,}",
    "weights": "{:,}",
    "leaves": "{:,}",
    "rounds": "{}",
    "slots": "{}",
    "c": "{}",
    "chunks": "{}",
    "lookup": "{}",
    "opening": "{}",
    "agreement": "{:.3f}",
    "cosine": "{:.5f}",
}


@click.command(help="Measure the prover; see ./scripts/bench --help.")
@click.option("--models", default="", help=f"any of {','.join(NAMES)}")
@click.option("--full", is_flag=True, help=f"also {','.join(FULL)}")
@click.option("--runs", default=9, show_default=True, type=click.IntRange(min=1))
@click.option("--limit-s", default=20.0, show_default=True, help="start no further run after this")
@click.option("--json", "json_file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--peer", default="", help=f"any of {','.join(PEERS)}")
@click.option("--peer-limit-s", default=1800.0, show_default=True, type=click.FloatRange(min=1))
def main(
    models: str,
    full: bool,
    runs: int,
    limit_s: float,
    json_file: Path | None,
    peer: str,
    peer_limit_s: float,
) -> None:
    """Measure every model and print a table; beside a peer, a second one."""
    names = _split(models, NAMES, "--models") or list(DEFAULT)
    names += [name for name in FULL if full and name not in names]
    peers = _split(peer, PEERS, "--peer")
    click.echo(METHOD.format(runs=runs))
    result: dict[str, Any] = {"machine": describe_machine()}
    missed: list[str] = []
    with tempfile.TemporaryDirectory() as workspace:
        folder = Path(workspace)
        with run_verifier_chain(folder / "anvil.log") as chain:
            rows = []
            for name in names:
                click.echo(f"measuring {name}", err=True)
                rows.append(measure_model(name, folder, chain, runs, limit_s))
            result["rows"] = rows
            show_rows(rows)
            if peers:
                report, missed = show_peers(rows, peers, folder / "peers", chain, peer_limit_s)
                result["peers"] = report
    if json_file is not None:
        json_file.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    missed += [f"{row['model']} is far off its bars" for row in rows if not is_tolerated(row)]
    if missed:
        raise click.ClickException("; ".join(missed))


def show_rows(rows: list[dict[str, Any]]) -> None:
    """Print the table, where the time goes, and every bar that is missed."""
    for name, shown in COLUMNS.items():
        cells = ("-" if row[name] is None else shown.format(row[name]) for row in rows)
        click.echo(f"{name:<14}{'  '.join(f'{cell:>14}' for cell in cells)}")
    for row in rows:
        parts = ", ".join(f"{name} {value:.3f}" for name, value in row["phases_s"].items())
        click.echo(f"{row['model']}: {parts}")
    for sentence in [sentence for row in rows for sentence in explain_misses(row)]:
        click.echo(f"missed: {sentence}")


def _split(given: str, known: Collection[str], option: str) -> list[str]:
    names = [name for name in given.split(",") if name]
    unknown = [name for name in names if name not in known]
    if unknown:
        raise click.BadParameter(f"{unknown}: known are {list(known)}", param_hint=option)
    return names


def measure_model(
    name: str, folder: Path, chain: VerifierChain, runs: int, limit_s: float
) -> dict[str, Any]:
    """Build a model, measure it in its own process, and have the chain accept its proof."""
    model = folder / name
    _run("tests.benchmarks.models", name, str(model))
    request = Request(
        folder=str(model),
        runs=runs,
        limit_s=limit_s,
        verifier=chain.verifier,
        chain_id=chain.chain_id,
        prover=chain.account,
    )
    measured = json.loads(_run("tests.benchmarks.measure", json.dumps(asdict(request))))
    evidence = [bytes.fromhex(measured.pop(key)) for key in ("vk", "input", "output", "proof")]
    statement = [
        bytes.fromhex(word[2:]) if len(word) == 66 else word if word[:2] == "0x" else int(word)
        for word in measured.pop("statement")
    ]
    return {
        "model": name,
        **measured,
        "proof_bytes": len(evidence[-1]),
        "verify_gas": chain.verify(statement, *evidence),
        **json.loads((model / "about.json").read_text(encoding="utf-8")),
    }


def _run(module: str, *arguments: str) -> str:
    """Run a module in a fresh interpreter and return what it printed."""
    command = [sys.executable, "-m", module, *arguments]
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout


if __name__ == "__main__":
    main()
