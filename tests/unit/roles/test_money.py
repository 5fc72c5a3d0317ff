"""A job's fee pays for its gas, and the gas of everything it may still ask for is kept."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest

from offchain.chain.fees import TIP_WEI
from offchain.roles.money import (
    COMMIT_BATCH_GAS,
    FINALISE_GAS,
    ITEM_GAS,
    NO_BATCH,
    bound_job_gas,
    bound_wanted_gas,
    compute_fee_floor,
    compute_session_floor,
    count_paying,
)
from offchain.types import Amount, JobState, Seconds
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


@pytest.mark.parametrize("size", [1, 3, 64, 256])
def test_count_paying__so_many_fees_pay_for_their_batch_and_one_fewer_do_not(size: int) -> None:
    base, taken = 3 * GWEI, 150
    floor = compute_session_floor(VERSION, size, base, taken)  # type: ignore[arg-type]
    assert 1 <= count_paying(Amount(floor), VERSION, base, taken) <= size  # type: ignore[arg-type]
    price = base + TIP_WEI
    fee = Amount((ITEM_GAS + (COMMIT_BATCH_GAS + FINALISE_GAS) // size) * price * 10_000 // 9_850)
    least = count_paying(fee, VERSION, base, taken)  # type: ignore[arg-type]

    def earn(count: int) -> int:
        spent = (COMMIT_BATCH_GAS + FINALISE_GAS + count * ITEM_GAS) * price
        return count * (fee * 9_850 // 10_000) - spent

    assert earn(least) >= 0
    assert least == 1 or earn(least - 1) < 0


def test_count_paying__fee_below_the_gas_of_a_result__no_batch_pays() -> None:
    assert count_paying(Amount(1), VERSION, GWEI, 0) == NO_BATCH  # type: ignore[arg-type]
