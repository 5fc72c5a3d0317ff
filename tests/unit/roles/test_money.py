"""A job's fee pays for its gas, and the gas of everything it may still ask for is kept."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest

from offchain.roles.money import bound_job_gas, bound_wanted_gas, compute_fee_floor
from offchain.types import JobState, Seconds
from tests.unit.roles.conftest import TERMS, FakeWorld

VERSION = SimpleNamespace(proof_gas=1_000_000, royalty_bps=0, output_bytes=40)
GWEI = 10**9


def floor(base_fee_wei: int = GWEI, taken_bps: int = 0, royalty: int = 0, mask: int = 0) -> int:
    version = SimpleNamespace(**{**vars(VERSION), "royalty_bps": royalty})
    terms = replace(TERMS, verify_mask=mask)
    return compute_fee_floor(version, terms, base_fee_wei, taken_bps)  # type: ignore[arg-type]


def test_compute_fee_floor__what_is_left_pays_for_the_gas() -> None:
    plain = floor()
    for taken, royalty in ((150, 0), (0, 2_000), (150, 2_000)):
        fee = floor(taken_bps=taken, royalty=royalty)
        left = fee * (10_000 - taken - royalty) // 10_000
        assert plain <= left <= plain + 1


def test_compute_fee_floor__follows_the_base_fee_and_the_required_proof() -> None:
    assert floor(base_fee_wei=3 * GWEI) == 2 * floor(base_fee_wei=GWEI)  # a tip of 1 gwei on top
    assert floor(mask=1) > floor() + VERSION.proof_gas * GWEI


@pytest.mark.parametrize(
    "state", [JobState.ASSIGNED, JobState.COMMITTED, JobState.DISPUTED, JobState.FINAL]
)
def test_bound_job_gas__shrinks_with_every_state(chain: FakeWorld, state: JobState) -> None:
    job = replace(chain.job, state=state)
    later = replace(chain.job, state=JobState(state + 1))
    assert bound_job_gas(job, VERSION) >= bound_job_gas(later, VERSION)  # type: ignore[arg-type]
    assert (bound_job_gas(job, VERSION) == 0) is state.is_terminal  # type: ignore[arg-type]


def test_bound_job_gas__covers_proof_delivery_and_its_request(chain: FakeWorld) -> None:
    chain.set_state(JobState.COMMITTED)
    plain = bound_job_gas(chain.job, VERSION)  # type: ignore[arg-type]
    assert plain > VERSION.proof_gas
    for change in ({"deliver_by": Seconds(5)}, {"proof_required": True}):
        assert bound_job_gas(replace(chain.job, **change), VERSION) > plain  # type: ignore[arg-type]


def test_bound_wanted_gas__is_what_the_job_asks_for_once_taken(chain: FakeWorld) -> None:
    for required in (False, True):
        chain.set_state(JobState.ASSIGNED, proof_required=required)
        terms = replace(TERMS, verify_mask=int(required))
        taken = bound_job_gas(chain.job, VERSION)  # type: ignore[arg-type]
        assert bound_wanted_gas(terms, VERSION) == taken  # type: ignore[arg-type]
