"""The challenger: recompute every committed result, object where it differs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from offchain.chain.fees import compute_fees
from offchain.chain.journal import StepKey, StepStatus
from offchain.errors import ContentError, ContractRevert, JobRefused, VersionMismatch
from offchain.roles.base import Action, BaseRole
from offchain.types import Dispute, Job, JobId, JobState, Wei

CHECK: Final = "check"
CHALLENGE: Final = "challenge"
CLAIM_DEFAULT: Final = "claim-default"
# A dispute is opened only where funds cover it to its end: challenge, default and withdrawal.
GAS_TO_THE_END: Final = 1_000_000


class Challenger(BaseRole):
    """Watches all jobs. A result that could not be reproduced here is never challenged."""

    @property
    def actions(self) -> Mapping[str, Action]:
        """Return step name -> what performs it."""
        return {
            CHECK: self._check,
            CHALLENGE: self._challenge,
            CLAIM_DEFAULT: self._claim_default,
        }

    def compute_due_steps(self) -> tuple[StepKey, ...]:
        """Return what committed results and own disputes ask for."""
        self.context.cursor.advance()
        now = self.context.client.get_head().timestamp
        due = []
        for job_id in self.context.list_jobs():
            if self.context.journal.is_settled(self.context.key(job_id, "closed")):
                continue
            job = self.context.contracts.market.get_job(job_id)
            if job.state.is_terminal:
                self.context.journal.put_step(
                    self.context.key(job_id, "closed"), StepStatus.DONE, {"state": job.state.name}
                )
                continue
            step = self._choose_step(job, now)
            if step is not None:
                key = self.context.key(job_id, step)
                if not self.context.journal.is_settled(key):
                    due.append(key)
        return (*due, *self.compute_withdrawal_steps())

    def _choose_step(self, job: Job, now: int) -> str | None:
        if job.state is JobState.COMMITTED and now <= job.deadline:
            checked = self.context.journal.get_step(self.context.key(job.id, CHECK))
            if checked is None or checked.status is StepStatus.BEGUN:
                return CHECK
            is_wanted = checked.detail.get("differs") or self.context.settings.challenge_always
            return CHALLENGE if is_wanted else None
        if job.state is JobState.DISPUTED:
            dispute = self._get_own_dispute(job.id)
            if dispute is not None and now > dispute.prove_until:
                return CLAIM_DEFAULT
        return None

    def _check(self, job_id: JobId, key: StepKey) -> None:
        """Recompute on the CPU reference: a challenge never rests on a fast path alone."""
        job = self.context.contracts.market.get_job(job_id)
        try:
            model = self.context.versions.reproduce(job.version).model
            raw = self.context.content.get(job.in_digest, model.input_bits, model.input_shape)
        except (VersionMismatch, ContentError, JobRefused) as error:
            self.context.give_up(key, str(error))
            return
        expected = self.context.content.put(
            model.run(raw, "numpy"), model.output_bits, model.output_shape
        )
        differs = expected != job.out_digest
        self.context.journal.put_step(key, StepStatus.DONE, {"differs": differs})
        self.log.event("result-recomputed", job=job_id, differs=differs)

    def _challenge(self, job_id: JobId, key: StepKey) -> None:
        job = self.context.contracts.market.get_job(job_id)
        bond = self.context.contracts.game.get_required_bond(job_id)
        if not self._can_afford(bond):
            self.context.give_up(key, "the balance does not cover this dispute to its end")
            return
        call = self.context.contracts.game.build_challenge(job_id, job.out_digest, bond)
        try:
            receipt = self.context.submitter.submit(key, call)
        except ContractRevert as revert:
            # The bond moves with the base fee; anything else (window over, proven) is for good.
            if revert.name != "BondTooSmall":
                self.context.give_up(key, str(revert))
            return
        self.context.journal.put_step(key, StepStatus.DONE)
        self.log.event("challenged", job=job_id, bond_wei=bond, tx=receipt.tx_hash)

    def _claim_default(self, job_id: JobId, key: StepKey) -> None:
        dispute = self._get_own_dispute(job_id)
        if dispute is None:
            self.context.give_up(key, "the dispute is closed")
            return
        receipt = self.context.submitter.submit(
            key, self.context.contracts.game.build_claim_default(dispute.id)
        )
        self.context.journal.put_step(key, StepStatus.DONE)
        self.log.event("default-claimed", job=job_id, dispute=dispute.id, tx=receipt.tx_hash)

    def _get_own_dispute(self, job_id: JobId) -> Dispute | None:
        dispute = self.context.contracts.game.get_dispute_of(job_id)
        if dispute is None or not dispute.is_open:
            return None
        return dispute if str(dispute.challenger) == self.context.submitter.account else None

    def _can_afford(self, bond: Wei) -> bool:
        fees = compute_fees(self.context.client.get_head().base_fee_wei)
        needed = bond + GAS_TO_THE_END * fees.max_fee_wei
        return self.context.client.get_balance(self.context.submitter.account) >= needed
