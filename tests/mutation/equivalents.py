"""Mutants that change nothing that anybody could see, each with the reason."""

from __future__ import annotations

from typing import Final

from tests.mutation.mutants import Mutant
from tests.mutation.seeded import Seed, find_seed

EQUIVALENTS: Final[tuple[tuple[Seed, str], ...]] = ()


def list_equivalents() -> list[Mutant]:
    """Return the mutants that no test can notice; raise LookupError where the code has none."""
    return [find_seed(seed) for seed, _ in EQUIVALENTS]
