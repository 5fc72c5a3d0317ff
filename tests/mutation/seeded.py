"""The eight mutants that `./scripts/test --full` plants: each is a bug that once cost a protocol.

Found by their text, so that they go on fitting while the code around them moves.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.mutation.mutants import Mutant, list_mutants

ROOT: Final = Path(__file__).parents[2]


@dataclass(frozen=True)
class Seed:
    """A mutant by file, by what its line contains, and by what is changed."""

    path: str
    line: str
    old: str
    new: str
    after: str = ""  # what stands before it in the file; then it is the first such line


SEEDS: Final = (
    # A default that can be claimed in the last second of the proof (Kroma 2023, timeouts).
    Seed("contracts/dispute/DisputeGame.sol", "if (time <= dispute.proveBy) revert", "<=", "<"),
    # A slash divided twice, or a lock released after it was slashed (status bytes).
    Seed("contracts/core/StakeVault.sol", "if (job.status > LockStatus.ACTIVE)", ">", ">="),
    # A share taken twice out of one lock: the parts no longer add up.
    Seed("contracts/libraries/Settlement.sol", "split.toBurn = lock -", "-", "+"),
    # A result final while it may still be challenged: the tie between window and payment.
    Seed(
        "contracts/core/JobBook.sol", "if (time <= deadline) revert DeadlineNotReached", "<=", "<"
    ),
    # Stake that leaves before its time.
    Seed("contracts/core/Ledger.sol", "StillUnbonding", "<", ">"),
    # A challenger who joins without the bond.
    Seed("contracts/dispute/Challenges.sol", "if (msg.value < bond) revert", "<", ">"),
    # A turn that is lost in its last second (off by one between chain and agent, BoLD 2024).
    Seed(
        "contracts/trace/TraceSearches.sol", "if (time <= deadline) revert ClockRunning", "<=", "<"
    ),
    # A quorum that fails although exactly a majority answered.
    Seed("contracts/quorum/QuorumDraws.sol", "committed >= computeMajority(count)", ">=", ">"),
)


def list_seeded() -> list[Mutant]:
    """Return the seeded mutants; raise LookupError where the code has none like it."""
    return [find_seed(seed) for seed in SEEDS]


def find_seed(seed: Seed) -> Mutant:
    """Return the mutant that an entry means; raise LookupError if there is none."""
    source = (ROOT / seed.path).read_text(encoding="utf-8")
    lines = source.split("\n")
    start = source.find(seed.after)
    for mutant in list_mutants(seed.path, source):
        is_meant = (mutant.old, mutant.new) == (seed.old, seed.new) and 0 <= start <= mutant.start
        if is_meant and seed.line in lines[mutant.line - 1]:
            return mutant
    raise LookupError(f"{seed.path} has no {seed.old!r} on a line with {seed.line!r}")
