"""An operator takes no more than it can prove, whatever is challenged in whatever order."""

from __future__ import annotations

import random
from collections.abc import Sequence
from itertools import permutations

import pytest

from offchain.params.presets import LOCAL
from offchain.roles.schedule import TIME_MARGIN, ProofLoad, can_prove_all

CAP, BASE = LOCAL.prove_cap_seconds, LOCAL.prove_seconds


def survives_every_order(jobs: Sequence[ProofLoad], disputed_s: int, disputes: int) -> bool:
    """Play every order of every selection: challenged all at once, proven one after the other."""
    for size in range(1, len(jobs) + 1):
        for order in permutations(jobs, size):
            finished = TIME_MARGIN * disputed_s
            for place, job in enumerate(order):
                finished += TIME_MARGIN * job.cost_s
                if finished > min(CAP, BASE + job.declared_s * (disputes + place + 1)):
                    return False
    return True


@pytest.mark.parametrize("seed", range(300))
def test_can_prove_all__random_jobs__as_playing_every_order(seed: int) -> None:
    draw = random.Random(seed)
    jobs = [ProofLoad(draw.randint(1, 12), draw.randint(1, 25)) for _ in range(draw.randint(1, 4))]
    disputes = draw.randint(0, 2)
    disputed_s = draw.randint(disputes, 6 * disputes) if disputes else 0
    assert can_prove_all(jobs, disputed_s, disputes, LOCAL) == survives_every_order(
        jobs, disputed_s, disputes
    )


def test_can_prove_all__both_answers_occur() -> None:
    quick, slow = ProofLoad(1, 2), ProofLoad(16, 1)
    assert can_prove_all([quick] * 10, 0, 0, LOCAL)
    assert not can_prove_all([slow], 0, 0, LOCAL)


def test_can_prove_all__long_job_behind_a_short_deadline__refused() -> None:
    """The short one's deadline does not grow by what the long one takes before it."""
    short, long = ProofLoad(2, 2), ProofLoad(14, 28)
    assert can_prove_all([short], 0, 0, LOCAL)
    assert can_prove_all([long], 0, 0, LOCAL)
    assert can_prove_all([short, long], 0, 0, LOCAL)
    assert not can_prove_all([short, long, ProofLoad(2, 2), ProofLoad(6, 2)], 0, 0, LOCAL)


def test_can_prove_all__a_dispute_under_way__comes_first() -> None:
    job = ProofLoad(10, 10)
    assert can_prove_all([job], 0, 0, LOCAL)
    assert not can_prove_all([job], CAP // TIME_MARGIN, 1, LOCAL)
