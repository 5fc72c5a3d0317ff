"""`./scripts/bench economics`: play the protocol's incentives out, and hold the formulas to them.

Each game is drawn at random with fixed seeds and compared with what protocol.md 3.9 and A.14 say.
Amounts are in fees of one job unless a name says otherwise.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import click
import numpy as np

from offchain.params.economics import detection_rate, minimum_lock
from offchain.params.presets import LOCAL, MAINNET
from tests.benchmarks.machine import describe_machine

FEE: Final = 10**15  # wei; large enough that rounding up a wei does not show
BPS: Final = 10_000
REWARD: Final = 0.35  # challengers' share of a slash
KEPT: Final = 0.35  # of it comes back to a cheat whose accomplice challenges first
DEFENDER: Final = 0.8  # of a lost bond
DRAWS: Final = 200_000
SIGMAS: Final = 4.0  # a formula that is right misses by more once in 16,000 comparisons
AUDITS_BPS: Final = (200, 500, 1000, 2000, 2500)
COLLUDING_BPS: Final = (0, 1000, 3000)
VALUES: Final = (0, 1, 10, 100)  # insured gain of a wrong result, in fees


@dataclass
class Report:
    """What was played: rows to print and to plot, and where play and formula disagree."""

    rows: dict[str, list[dict[str, float]]] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def add(self, game: str, **row: float) -> None:
        self.rows.setdefault(game, []).append(row)

    def expect(self, holds: bool, problem: str) -> None:
        if not holds:
            self.problems.append(problem)


def cheat(
    rng: np.random.Generator, audits: float, colluding: float, watched: float, draws: int
) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Return which of `draws` cheated jobs are found out.

    An auditor is drawn with probability `audits` and belongs to the cheat with probability
    `colluding`; a job without auditor is recomputed by a volunteer with probability `watched`.
    """
    drawn = rng.random(draws) < audits
    honest = rng.random(draws) >= colluding
    volunteer = rng.random(draws) < watched
    return np.where(drawn, honest, volunteer)


def play_collusion(report: Report) -> None:
    """Find by play the lock at which cheating stops to pay, and compare it with the formula.

    What a cheat gains over an honest operator: the value and its saved cost (all of the fee, at
    worst) if it stays undetected; saved cost less fee and less 65 % of the lock if not.
    """
    for audits in AUDITS_BPS:
        for colluding in COLLUDING_BPS:
            rng = np.random.default_rng(audits * 10_007 + colluding)
            found = cheat(rng, audits / BPS, colluding / BPS, 0.0, DRAWS)
            q_bps = detection_rate(audits, colluding, 0)
            rate = float(found.mean())
            error = SIGMAS * (q_bps / BPS * (1 - q_bps / BPS) / DRAWS) ** 0.5 + 1 / BPS
            label = f"audits {audits}, colluding {colluding}"
            report.expect(
                abs(rate - q_bps / BPS) <= error, f"{label}: detected {rate}, not {q_bps}"
            )
            for value in VALUES:
                formula = minimum_lock(FEE, value * FEE, FEE, q_bps) / FEE
                played = _break_even(found, value)
                # d(lock)/dq = -(V + g) / (0.65 q^2)
                slack = error * (value + 1) / ((1 - KEPT) * (q_bps / BPS) ** 2)
                report.expect(
                    abs(formula - played) <= slack,
                    f"{label}, value {value}: break-even at {played:.2f}, formula {formula:.2f}",
                )
                report.add(
                    "collusion", audits=audits / BPS, colluding=colluding / BPS, value=value,
                    detected=rate, lock_played=played, lock_formula=formula,
                )  # fmt: skip


def _break_even(found: np.ndarray[Any, np.dtype[np.bool_]], value: float) -> float:
    """Return the least lock (fees) at which the mean gain over the drawn jobs is not positive."""
    lo, hi = 0.0, 1e7

    def mean_gain(lock: float) -> float:
        return float(np.where(found, 1 - 1 - (1 - KEPT) * lock, 1 + value).mean())

    for _ in range(80):
        middle = (lo + hi) / 2
        lo, hi = (middle, hi) if mean_gain(middle) > 0 else (lo, middle)
    return hi


def play_front_running(report: Report) -> None:
    """An accomplice of the cheat comes first: what is left of the slash, and of the reward.

    Those who come within the shared blocks have equal parts. With a closed list (`shared` 0) the
    first takes all. An honest watcher goes on watching while its part pays for its gas.
    """
    lock = float(LOCAL.lock_fees)
    for places in (0, LOCAL.max_challengers):
        for accomplices in range(5):
            for honest in (1, 3):
                rng = np.random.default_rng(accomplices * 10 + honest + places)
                sums = np.zeros(2)
                for _ in range(2_000):
                    sums += _share(rng, lock, accomplices, honest, places)
                watcher, cost = sums / 2_000
                floor = (1 - KEPT) * lock
                report.expect(cost >= floor - 1e-9, f"{accomplices} accomplices: slash of {cost}")
                if places:
                    report.expect(watcher > 0, f"{accomplices} accomplices: nothing for a watcher")
                report.add(
                    "front-running", accomplices=accomplices, honest=honest, shared=places,
                    reward_of_one_watcher=float(watcher), cost_to_the_cheat=float(cost),
                )  # fmt: skip


def _share(
    rng: np.random.Generator, lock: float, accomplices: int, honest: int, places: int
) -> tuple[float, float]:
    """Return one watcher's reward, and the slash less what accomplices bring back."""
    # The accomplices know of the cheat first; honest watchers come in random order behind them.
    order = [*["accomplice"] * accomplices, *rng.permutation(["watcher"] * honest)]
    seated = order[: places or 1]
    part = REWARD * lock / len(seated)
    back = part * seated.count("accomplice")
    # Watchers are alike: the mean over them is what one expects.
    return part * seated.count("watcher") / honest, lock - back


def play_lazy_watchers(report: Report) -> None:
    """Volunteers who only watch when it pays, with and without assigned audits (3.9 (6), Felten).

    Replicator dynamics: cheating grows while it pays, watching grows while its expected reward
    exceeds its cost. Without audits cheating settles at cost/reward; with them it dies out.
    """
    lock, cost_of_check = float(LOCAL.lock_fees), 0.2
    for audits in (0.0, 0.02, 0.05, 0.10):
        cheating, watching = 0.5, 0.5
        tail: list[float] = []
        for step in range(60_000):
            q = audits + (1 - audits) * watching
            gain = 1.0 - q * (1.0 + (1 - KEPT) * lock)  # V = 0, all of the fee is saved
            reward = cheating * REWARD * lock - cost_of_check
            cheating = float(np.clip(cheating + 1e-3 * gain * cheating * (1 - cheating), 1e-9, 1))
            watching = float(
                np.clip(watching + 1e-3 * reward * watching * (1 - watching), 1e-9, 1 - 1e-9)
            )
            if step >= 20_000:
                tail.append(cheating)
        settled = float(np.mean(tail))
        deters = audits * (1.0 + (1 - KEPT) * lock) > 1.0
        if deters:
            report.expect(settled < 1e-4, f"audits {audits}: {settled:.4f} of jobs are cheated on")
        elif audits == 0.0:
            report.expect(settled > 1e-3, "bounties alone leave nothing to find: they always do")
        report.add(
            "lazy-watchers", audits=audits, cheated=settled,
            felten=cost_of_check / (REWARD * lock), deterred_by_audits=float(deters),
        )  # fmt: skip


def play_parallel_proofs(report: Report) -> None:
    """A griefer challenges many right results of one operator at once (A.12).

    The operator proves one after the other; each challenge's deadline counts those open before it.
    """
    for name, preset in (("local", LOCAL), ("mainnet", MAINNET)):
        for prove_seconds in (1, 30, 600):
            most = preset.prove_cap_seconds - preset.prove_seconds
            if prove_seconds > most:
                continue  # the registry refuses such a version
            safe = int((preset.prove_cap_seconds) // prove_seconds)
            for attackers in (1, 4, 16, 64, 256, 1024):
                late = _count_late(preset, prove_seconds, attackers)
                report.expect(
                    attackers > safe or late == 0,
                    f"{name}: {late} of {attackers} proofs of {prove_seconds} s are late",
                )
                report.add(
                    "parallel-proofs", mainnet=float(name == "mainnet"),
                    prove_seconds=prove_seconds, challenges=attackers, late=late,
                    bonds_lost_by_griefer=attackers - late,
                    bonds_won_by_operator=DEFENDER * (attackers - late),
                )  # fmt: skip


def _count_late(preset: Any, prove_seconds: int, challenges: int) -> int:
    """Return how many deadlines pass when all challenges come in one block."""
    late, busy_until = 0, 0
    for before in range(challenges):
        # Pricing.computeProveSeconds
        due = min(preset.prove_cap_seconds, preset.prove_seconds + prove_seconds * (before + 1))
        if busy_until + prove_seconds > due:
            late += 1  # a proof that would be late is not begun
        else:
            busy_until += prove_seconds
    return late


GAMES: Final[Mapping[str, Callable[[Report], None]]] = {
    "collusion": play_collusion,
    "front-running": play_front_running,
    "lazy-watchers": play_lazy_watchers,
    "parallel-proofs": play_parallel_proofs,
}


def play(games: Sequence[str] = tuple(GAMES)) -> Report:
    """Play the named games."""
    report = Report()
    for name in games:
        GAMES[name](report)
    return report


@click.command(help=__doc__)
@click.option("--game", "games", multiple=True, type=click.Choice(tuple(GAMES)))
@click.option("--json", "output", type=click.Path(path_type=Path))
def main(games: Sequence[str], output: Path | None) -> None:
    """Play, print, and exit with 1 where play and formulas disagree."""
    report = play(games or tuple(GAMES))
    for name, rows in report.rows.items():
        click.echo(f"\n{name}")
        names = list(rows[0])
        click.echo("  ".join(f"{n:>21}" for n in names))
        for row in rows:
            click.echo("  ".join(f"{row[n]:>21.6g}" for n in names))
    if output is not None:
        document = {
            "machine": describe_machine(),
            "games": report.rows,
            "problems": report.problems,
        }
        output.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    for problem in report.problems:
        click.echo(f"disagrees: {problem}", err=True)
    sys.exit(1 if report.problems else 0)


if __name__ == "__main__":
    main()
