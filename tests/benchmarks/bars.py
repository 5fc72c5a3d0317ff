"""What the prover has to reach, and how far a row is from it (the design index has the goals)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

KIB: Final = 1024
TOLERATED: Final = 3.0  # a row further off is a defect, not a miss


@dataclass(frozen=True)
class Bar:
    """Seconds and MiB of the prover, bytes of the proof, gas of its verification; None: no bar."""

    prove_s: float
    peak_rss_mib: float | None
    proof_bytes: int | None
    verify_gas: int | None


BARS: Final[Mapping[str, Bar]] = {
    "mlp-digits": Bar(0.2, None, 16 * KIB, 750_000),
    "mlp-784": Bar(1.0, 1000, 24 * KIB, 1_100_000),
    "matmul-1024": Bar(0.6, None, None, 700_000),
    "lenet5": Bar(1.0, 800, 24 * KIB, 1_100_000),
    "block-64": Bar(1.5, 1000, 34 * KIB, 1_500_000),
    "block-64-4tok": Bar(1.5, 1000, 34 * KIB, 1_500_000),
    "resnet18-cifar": Bar(8.0, 4000, 40 * KIB, None),
    "vgg16-cifar": Bar(8.0, 4000, 40 * KIB, None),
    "gpt2-64tok": Bar(45.0, 12_000, 70 * KIB, 3_000_000),
}


def explain_misses(row: Mapping[str, Any]) -> list[str]:
    """Return a sentence for every bar that a row misses."""
    bar = BARS[row["model"]]
    sentences = []
    for name in ("prove_s", "peak_rss_mib", "proof_bytes", "verify_gas"):
        limit, value = getattr(bar, name), row[name]
        if limit is not None and value > limit:
            far = value / limit
            sentences.append(
                f"{row['model']}: {name} {value:,.6g} is {far:.2f} times its bar {limit:,}"
            )
    return sentences


def is_tolerated(row: Mapping[str, Any]) -> bool:
    """Return whether no figure is more than three times its bar."""
    bar = BARS[row["model"]]
    figures = ((getattr(bar, name), row[name]) for name in Bar.__annotations__)
    return all(limit is None or value <= TOLERATED * limit for limit, value in figures)
