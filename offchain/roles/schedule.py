"""Whether an operator could prove all its results in time if all were challenged at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from offchain.params.presets import Parameters

TIME_MARGIN: Final = 2  # of the time given to prove, half is kept for queues and blocks


@dataclass(frozen=True)
class ProofLoad:
    """One job that may have to be proven: what that takes here, and what its version declares."""

    cost_s: int  # seconds that the proof takes at most, by this package's bounds
    declared_s: int  # proving time of its version, which makes its deadline


def can_prove_all(
    open_jobs: Sequence[ProofLoad], disputed_s: int, disputes: int, parameters: Parameters
) -> bool:
    """Whether every order in which all open jobs are challenged at once leaves time for each.

    Proofs are made one after the other, after those that are due already (`disputed_s` seconds in
    `disputes` disputes). The n-th challenge gives min(cap, W + declared * (disputes + n)) seconds
    (protocol.md A.12), so a job's worst case is to be challenged and proven after exactly those
    others that take longer than the time their challenge adds to its deadline.
    """
    whole = TIME_MARGIN * (disputed_s + sum(job.cost_s for job in open_jobs))
    if whole > parameters.prove_cap_seconds:
        return False
    kinds = Counter(open_jobs)  # thousands of jobs are of a few versions
    return all(
        TIME_MARGIN * (disputed_s + job.cost_s) + _excess(kinds, job)
        <= parameters.prove_seconds + job.declared_s * (disputes + 1)
        for job in kinds
    )


def _excess(kinds: Mapping[ProofLoad, int], last: ProofLoad) -> int:
    """Return the seconds by which others, challenged first, outrun what they add to a deadline."""
    return sum(
        (count - (job == last)) * max(0, TIME_MARGIN * job.cost_s - last.declared_s)
        for job, count in kinds.items()
    )
