"""Pictures of what `./scripts/bench economics` played, for offchain/params/ECONOMICS.md.

A program of its own, run as `economics_plots.py PLAYED.json FOLDER`: matplotlib has an environment
of its own.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plt

Rows = Sequence[Mapping[str, float]]


def draw(games: Mapping[str, Rows], folder: Path) -> Iterator[Path]:
    """Draw one SVG for each game that was played; yield their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    # The same rows give the same bytes: no date, no random names.
    matplotlib.rcParams.update({"svg.hashsalt": "zkdps", "font.size": 9, "axes.grid": True})
    for name, rows in games.items():
        figure, axes = plt.subplots(figsize=(6.4, 3.6), layout="constrained")
        PICTURES[name](axes, rows)
        path = folder / f"{name}.svg"
        figure.savefig(path, metadata={"Date": None})
        plt.close(figure)
        yield path


def _collusion(axes: Any, rows: Rows) -> None:
    for value in sorted({row["value"] for row in rows}):
        chosen = [row for row in rows if row["value"] == value and row["colluding"] == 0.1]
        audits = [100 * row["audits"] for row in chosen]
        (line,) = axes.plot(
            audits, [row["lock_formula"] for row in chosen], label=f"V = {value:g} F"
        )
        axes.plot(audits, [row["lock_played"] for row in chosen], "o", color=line.get_color())
    axes.set(
        xlabel="audited jobs, %", ylabel="least lock, fees", yscale="log",
        title="Least lock, 10 % of the stake colludes (line: formula, dots: played)",
    )  # fmt: skip
    axes.legend()


def _front_running(axes: Any, rows: Rows) -> None:
    for shared in sorted({row["shared"] for row in rows}):
        for honest in sorted({row["honest"] for row in rows}):
            chosen = [row for row in rows if row["shared"] == shared and row["honest"] == honest]
            axes.plot(
                [row["accomplices"] for row in chosen],
                [row["reward_of_one_watcher"] for row in chosen],
                "o-" if shared else "x--",
                label=f"{'shared' if shared else 'first takes all'}, {honest:g} honest",
            )
    axes.set(
        xlabel="accomplices who come first", ylabel="reward of one watcher, fees",
        title="What a front-running accomplice leaves to a watcher",
    )  # fmt: skip
    axes.legend()


def _lazy_watchers(axes: Any, rows: Rows) -> None:
    axes.bar([f"{100 * row['audits']:g} %" for row in rows], [100 * r["cheated"] for r in rows])
    axes.set(
        xlabel="audited jobs", ylabel="jobs cheated on in the long run, %",
        title="Bounties alone never end cheating; assigned audits do",
    )  # fmt: skip


def _parallel_proofs(axes: Any, rows: Rows) -> None:
    keys = sorted({(row["mainnet"], row["prove_seconds"]) for row in rows})
    for mainnet, seconds in keys:
        chosen = [r for r in rows if (r["mainnet"], r["prove_seconds"]) == (mainnet, seconds)]
        axes.plot(
            [row["challenges"] for row in chosen],
            [100 * row["late"] / row["challenges"] for row in chosen],
            "o-",
            label=f"{'mainnet' if mainnet else 'local'}, {seconds:g} s a proof",
        )
    axes.set(
        xlabel="challenges in one block", ylabel="deadlines missed, %", xscale="log",
        title="One operator against parallel prove-it",
    )  # fmt: skip
    axes.legend()


PICTURES = {
    "collusion": _collusion,
    "front-running": _front_running,
    "lazy-watchers": _lazy_watchers,
    "parallel-proofs": _parallel_proofs,
}

if __name__ == "__main__":
    played = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    for drawn in draw(played["games"], Path(sys.argv[2])):
        print(f"drew {drawn}")
