"""Our rows beside a peer's: the same networks, inputs, machine and chain, in one run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import click

from tests.benchmarks.onnx_models import BUILDERS, build
from tests.benchmarks.peer_ezkl import PeerRow, measure_ezkl
from tests.benchmarks.verification import VerifierChain

BAR: Final = 50.0  # times faster than ezkl
BAR_MODELS: Final = ("mlp-784", "lenet5", "block-64", "block-64-4tok")
METHOD: Final = """\
ezkl beside it, on the same ONNX files and inputs: its version 23.0.5, input and output public
as ours are, weights constants of the circuit (so that each model has keys of its own); at its
defaults, or tuned (range tables of 2^10 rows, 7 fractional bits). Every step once, in a process
of its own:
  setup   both keys, without calibration and reference string    verify  off chain
  prove   its function, which reads the key from a file          rss     peak of that step alone
  gas     receipt of a transaction to the verifier that it generates, on the same Anvil
  error   largest distance of its output from the float model's
ratio is its seconds over ours; with > it was given up after so long."""
COLUMNS: Final = {
    "model": "{}",
    "peer": "{}",
    "prove_s": "{:.3f}",
    "peer_prove_s": "{:.2f}",
    "ratio": "{:.0f}",
    "rss_mib": "{:.0f}",
    "peer_rss_mib": "{:.0f}",
    "gas": "{}",
    "peer_gas": "{}",
    "gas_ratio": "{:.2f}",
    "proof_bytes": "{}",
    "peer_proof_bytes": "{}",
    "peer_setup_s": "{:.1f}",
    "peer_verify_s": "{:.3f}",
    "peer_logrows": "{}",
    "peer_scale": "{}",
    "peer_error": "{:.4f}",
}


@dataclass(frozen=True)
class Comparison:
    """One model on both; None is what the peer did not come to."""

    model: str
    peer: str
    prove_s: float
    peer_prove_s: float | None
    is_bound: bool  # the peer's proof was given up after peer_prove_s
    ratio: float | None
    rss_mib: float
    peer_rss_mib: float | None
    gas: int
    peer_gas: int | None
    gas_ratio: float | None
    proof_bytes: int
    peer_proof_bytes: int | None
    peer_setup_s: float | None
    peer_verify_s: float | None
    peer_logrows: int | None
    peer_scale: int | None
    peer_error: float | None
    failure: str | None

    def format(self, column: str) -> str:
        """Return a cell of the table."""
        value = asdict(self)[column]
        if value is None:
            return "-"
        shown = COLUMNS[column].format(value)
        return f">{shown}" if self.is_bound and column in {"ratio", "peer_prove_s"} else shown

    def explain_miss(self) -> str | None:
        """Return why the bar is missed, or None when there is no bar or it is met."""
        has_bar = self.model in BAR_MODELS and self.peer == "ezkl"
        if not has_bar or (self.ratio is not None and self.ratio >= BAR):
            return None
        if self.ratio is None:
            return f"{self.model}: no ratio; {self.failure}"
        ratio = f"{self.format('ratio')} times as fast as {self.peer}"
        return f"{self.model}: {ratio}, the bar is {BAR:.0f}"


def compare(ours: Mapping[str, Any], theirs: PeerRow) -> Comparison:
    """Set one of our rows beside the peer's."""
    prove_s = theirs.seconds.get("prove")
    gas = theirs.facts.get("verify_gas")
    return Comparison(
        model=theirs.model,
        peer=theirs.peer,
        prove_s=ours["prove_s"],
        peer_prove_s=prove_s,
        is_bound=theirs.failed_step == "prove",
        ratio=None if prove_s is None else prove_s / ours["prove_s"],
        rss_mib=ours["peak_rss_mib"],
        peer_rss_mib=theirs.peak_mib.get("prove"),
        gas=ours["verify_gas"],
        peer_gas=gas,
        gas_ratio=None if gas is None else gas / ours["verify_gas"],
        proof_bytes=ours["proof_bytes"],
        peer_proof_bytes=theirs.facts.get("proof_bytes"),
        peer_setup_s=theirs.seconds.get("setup"),
        peer_verify_s=theirs.seconds.get("verify"),
        peer_logrows=theirs.facts.get("logrows"),
        peer_scale=theirs.facts.get("input_scale"),
        peer_error=theirs.facts.get("max_error"),
        failure=theirs.failure,
    )


def show_peers(
    rows: Sequence[Mapping[str, Any]],
    peers: Sequence[str],
    folder: Path,
    chain: VerifierChain,
    limit_s: float,
) -> tuple[dict[str, Any], list[str]]:
    """Take every model that has an ONNX file through each peer and print a table.

    Returns what a report holds, and a sentence for every bar that is missed.
    """
    theirs, comparisons = [], []
    for row in rows:
        for peer in peers if row["model"] in BUILDERS else ():
            place = folder / row["model"] / peer
            theirs.append(measure_ezkl(build(row["model"]), peer, place, chain, limit_s))
            comparisons.append(compare(row, theirs[-1]))
    click.echo(f"\n{format_table(comparisons)}")
    report = {
        "rows": [row.to_json() for row in theirs],
        "comparisons": [asdict(comparison) for comparison in comparisons],
    }
    return report, [miss for c in comparisons if (miss := c.explain_miss()) is not None]


def format_table(comparisons: Sequence[Comparison]) -> str:
    """Return the method, one line for each column, and what went wrong."""
    lines = [METHOD]
    for column in COLUMNS:
        cells = "  ".join(f"{comparison.format(column):>12}" for comparison in comparisons)
        lines.append(f"{column:<18}{cells}")
    lines += [f"{c.model}, {c.peer}: {c.failure}" for c in comparisons if c.failure is not None]
    return "\n".join(lines)
