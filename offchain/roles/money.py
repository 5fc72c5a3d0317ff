"""What a job costs an operator and what it has to keep for the jobs that it has taken."""

from __future__ import annotations

from typing import Final

from offchain.chain.fees import TIP_WEI
from offchain.types import ETH, Amount, Job, JobState, JobTerms, Version, Wei

# Gas of an operator's own steps, with room: measured are 58 k, 64 k and 92 k (bench gas).
ACCEPT_GAS: Final = 80_000
COMMIT_GAS: Final = 90_000
FINALISE_GAS: Final = 120_000
COMMIT_BATCH_GAS: Final = 200_000  # of a batch itself
ITEM_GAS: Final = 14_000  # of each result in it
TAKE_ORDER_GAS: Final = 230_000  # a signed order becomes a job and is taken
REQUEST_PROOF_GAS: Final = 250_000
DELIVER_GAS: Final = 60_000
DELIVER_BYTE_GAS: Final = 60
# Commitment, opening, and a share of what anybody may do for all replicas: draw, count, settle.
REPLICA_GAS: Final = 420_000
FEE_MARGIN_PERCENT: Final = 125
WHOLE_BPS: Final = 10_000
NO_BATCH: Final = 257  # more results than a batch takes


def compute_fee_floor(
    version: Version,
    terms: JobTerms,
    base_fee_wei: int,
    taken_bps: int,
    begin_gas: int = ACCEPT_GAS,
) -> Wei:
    """Return the least fee that pays for the gas of a job, and for its proof if it requires one.

    `taken_bps` is what protocol and keeper take of a fee, in hundredths of a percent; the version's
    royalty comes on top. `begin_gas`: of taking the job, or the order that it comes from.
    """
    gas = begin_gas + COMMIT_GAS + FINALISE_GAS
    if terms.proof_required:
        gas += REQUEST_PROOF_GAS + version.proof_gas
    return _cover(gas, version, base_fee_wei, taken_bps)


def compute_session_floor(
    version: Version, batch_size: int, base_fee_wei: int, taken_bps: int
) -> Wei:
    """Return the least fee that pays for a result's part of the gas of a batch of `batch_size`."""
    gas = ITEM_GAS + -(-(COMMIT_BATCH_GAS + FINALISE_GAS) // batch_size)
    return _cover(gas, version, base_fee_wei, taken_bps)


def compute_replica_floor(version: Version, base_fee_wei: int, taken_bps: int) -> Wei:
    """Return the least fee that pays for the gas of a replica."""
    return _cover(REPLICA_GAS, version, base_fee_wei, taken_bps)


def count_paying(fee: Amount, version: Version, base_fee_wei: int, taken_bps: int) -> int:
    """Return how many results of this fee pay for the gas of a batch of them; NO_BATCH if none."""
    price = base_fee_wei + TIP_WEI
    kept = fee * (WHOLE_BPS - taken_bps - version.royalty_bps) // WHOLE_BPS
    left = kept - ITEM_GAS * price
    return -(-(COMMIT_BATCH_GAS + FINALISE_GAS) * price // left) if left > 0 else NO_BATCH


def _cover(gas: int, version: Version, base_fee_wei: int, taken_bps: int) -> Wei:
    """Return the fee of which enough is kept to pay for gas, with a margin."""
    spent = gas * (base_fee_wei + TIP_WEI) * FEE_MARGIN_PERCENT // 100
    kept_bps = WHOLE_BPS - taken_bps - version.royalty_bps
    return Wei(-(-spent * WHOLE_BPS // kept_bps))


def bound_job_gas(job: Job, version: Version) -> int:
    """Return the gas of everything that a taken job may still ask of its operator.

    Each may be challenged; deliveries are paid by the client, but only once they are made.
    """
    if job.state.is_terminal:
        return 0
    gas = FINALISE_GAS + version.proof_gas
    if job.state is JobState.ASSIGNED:
        gas += COMMIT_GAS
    if job.proof_required and job.state is not JobState.DISPUTED:
        gas += REQUEST_PROOF_GAS
    if job.deliver_by:
        gas += DELIVER_GAS + DELIVER_BYTE_GAS * version.output_bytes
    return gas


def bound_wanted_gas(terms: JobTerms, version: Version) -> int:
    """Return the gas that a job would ask for after it was taken."""
    request = REQUEST_PROOF_GAS if terms.proof_required else 0
    return COMMIT_GAS + FINALISE_GAS + version.proof_gas + request


def is_in_eth(job: Job | JobTerms) -> bool:
    """Whether fee and stake are in ETH."""
    return job.token == ETH
