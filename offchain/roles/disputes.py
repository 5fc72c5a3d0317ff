"""A challenger's moves, for whoever objects: the watcher of all jobs, or the client of one."""

from __future__ import annotations

from typing import Final

from offchain.chain.fees import compute_fees
from offchain.chain.journal import StepKey, StepStatus
from offchain.errors import ContractRevert
from offchain.roles.base import OF
from offchain.roles.context import Context
from offchain.types import Dispute, Job, JobId, Wei

CHALLENGE: Final = "challenge"
CLAIM_DEFAULT: Final = "claim-default"
# A dispute is opened only where funds cover it to its end: challenge, default and withdrawal.
GAS_TO_THE_END: Final = 1_000_000
# Reverts that pass: the bond moves with the base fee, a reorganisation may change the result.
PASSING: Final = ("BondTooSmall", "UnexpectedResult")


def name_step(step: str, job: Job) -> str:
    """Return the name of a step about the result that a job has now.

    A reorganisation can put another job, or another result, under the same number: what was found
    out about the one says nothing about the other.
    """
    return step + OF + (job.version + job.in_digest + job.out_digest).hex()


class DisputeMoves:
    """Opens prove-it challenges and claims defaults for one account."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def get_own_dispute(self, job_id: JobId) -> Dispute | None:
        """Return the open dispute of a job if this account opened it."""
        dispute = self._context.contracts.game.get_dispute_of(job_id)
        if dispute is None or not dispute.is_open:
            return None
        return dispute if str(dispute.challenger) == self._context.submitter.account else None

    def challenge(self, job_id: JobId, key: StepKey) -> None:
        """Post the bond and demand a proof of the result as it was seen."""
        context = self._context
        job = context.contracts.market.get_job(job_id)
        if name_step(CHALLENGE, job) != key.step:
            return  # not the result that was found wrong: the next tick looks at this one
        bond = context.contracts.game.get_required_bond(job_id)
        if not self._can_afford(bond):
            context.give_up(key, "the balance does not cover this dispute to its end")
            return
        call = context.contracts.game.build_challenge(job_id, job.out_digest, bond)
        try:
            receipt = context.submitter.submit(key, call)
        except ContractRevert as revert:
            if revert.name not in PASSING:  # window over, proven: for good
                context.give_up(key, str(revert))
            return
        context.journal.put_step(key, StepStatus.DONE)
        context.log.event("challenged", job=job_id, bond_wei=bond, tx=receipt.tx_hash)

    def claim_default(self, job_id: JobId, key: StepKey) -> None:
        """Settle against an operator that did not prove in time."""
        context = self._context
        dispute = self.get_own_dispute(job_id)
        if dispute is None:
            return  # proven or settled meanwhile: the next tick sees the job closed
        call = context.contracts.game.build_claim_default(dispute.id)
        receipt = context.submitter.submit(key, call)
        context.journal.put_step(key, StepStatus.DONE)
        context.log.event("default-claimed", job=job_id, dispute=dispute.id, tx=receipt.tx_hash)

    def _can_afford(self, bond: Wei) -> bool:
        fees = compute_fees(self._context.client.get_head().base_fee_wei)
        needed = bond + GAS_TO_THE_END * fees.max_fee_wei
        return self._context.client.get_balance(self._context.submitter.account) >= needed
