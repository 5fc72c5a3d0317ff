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

from tests.benchmarks.comparison import show_peers
from tests.benchmarks.machine import describe_machine
from tests.benchmarks.measure import Request
from tests.benchmarks.models import BUILDERS
from tests.benchmarks.peer_ezkl import PEERS
from tests.benchmarks.verification import VerifierChain, run_verifier_chain

METHOD: Final = """\
Times are medians of {runs} calls after one that is not counted, in one process without torch:
  setup    compile the graph, generate the reference string (INSECURE, for development)
  commit   commit to the weights and build the verification key
  witness  run the model with the integer reference and fill every tensor of the proof
  prove    make the proof            verify   check it off chain
  rss      peak of that process      gas      receipt of a transaction to the verifier on Anvil
fidelity is the share of held-out inputs on which integer and float model agree; lookups count
padding; rounds are those of all sum-checks."""
COLUMNS: Final = {
    "model": "{:<12}",
    "setup_s": "{:.4f}",
    "commit_s": "{:.4f}",
    "witness_s": "{:.4f}",
    "prove_s": "{:.4f}",
    "verify_s": "{:.4f}",
    "peak_rss_mib": "{:.0f}",
    "proof_bytes": "{}",
    "verify_gas": "{}",
    "fidelity": "{:.4f}",
    "requantised": "{}",
    "lookups": "{}",
    "rounds": "{}",
    "weights": "{}",
}


@click.command(help="Measure the prover; see ./scripts/bench --help.")
@click.option("--models", default=",".join(BUILDERS), show_default=True)
@click.option("--runs", default=9, show_default=True, type=click.IntRange(min=1))
@click.option("--json", "json_file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--peer", default="", help=f"any of {','.join(PEERS)}")
@click.option("--peer-limit-s", default=1800.0, show_default=True, type=click.FloatRange(min=1))
def main(models: str, runs: int, json_file: Path | None, peer: str, peer_limit_s: float) -> None:
    """Measure every model and print a table; beside a peer, a second one."""
    names = _split(models, BUILDERS, "--models")
    peers = _split(peer, PEERS, "--peer")
    click.echo(METHOD.format(runs=runs))
    result: dict[str, Any] = {"machine": describe_machine()}
    missed: list[str] = []
    with tempfile.TemporaryDirectory() as workspace:
        folder = Path(workspace)
        with run_verifier_chain(folder / "anvil.log") as chain:
            rows = [measure_model(name, folder, chain, runs) for name in names]
            result["rows"] = rows
            for name, shown in COLUMNS.items():
                values = "  ".join(f"{shown.format(row[name]):>12}" for row in rows)
                click.echo(f"{name:<14}{values}")
            if peers:
                report, missed = show_peers(rows, peers, folder / "peers", chain, peer_limit_s)
                result["peers"] = report
    if json_file is not None:
        json_file.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    if missed:
        raise click.ClickException("; ".join(missed))


def _split(given: str, known: Collection[str], option: str) -> list[str]:
    names = [name for name in given.split(",") if name]
    unknown = [name for name in names if name not in known]
    if unknown:
        raise click.BadParameter(f"{unknown}: known are {list(known)}", param_hint=option)
    return names


def measure_model(name: str, folder: Path, chain: VerifierChain, runs: int) -> dict[str, Any]:
    """Build a model, measure it in its own process, and have the chain accept its proof."""
    model, raw_input = folder / name, folder / f"{name}.input"
    _run("tests.benchmarks.models", name, str(model), str(raw_input))
    request = Request(
        folder=str(model),
        input=str(raw_input),
        runs=runs,
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
    report = json.loads((model / "report.json").read_text(encoding="utf-8"))
    return {
        "model": name,
        **measured,
        "proof_bytes": len(evidence[-1]),
        "verify_gas": chain.verify(statement, *evidence),
        "fidelity": report["sets"]["heldOut"]["agreement"],
    }


def _run(module: str, *arguments: str) -> str:
    """Run a module in a fresh interpreter and return what it printed."""
    command = [sys.executable, "-m", module, *arguments]
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout


if __name__ == "__main__":
    main()
