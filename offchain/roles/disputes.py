"""A challenger's moves, for whoever objects: the watcher of all jobs, or the client of one."""

from __future__ import annotations

from typing import Final

from offchain.chain.fees import compute_reserve_wei
from offchain.chain.journal import StepKey
from offchain.roles.base import OF, BaseRole
from offchain.types import NOBODY, Dispute, Job, JobId, JobState, Wei

CHALLENGE: Final = "challenge"
CLAIM_DEFAULT: Final = "claim-default"
# What a dispute costs its challenger: the challenge itself, then default, division, withdrawal.
CHALLENGE_GAS: Final = 300_000
GAS_TO_THE_END: Final = 800_000
# Sent for a bond, in hundredths of it: the base fee may have risen when the challenge is mined,
# and what is too much is credited back.
BOND_HEADROOM: Final = 150


def name_step(step: str, job: Job) -> str:
    """Return the name of a step about the result that a job has now.

    A reorganisation can replace a job's result: what was found out about the one says nothing
    about the other. Everything else of a job is in its id.
    """
    return step + OF + job.out_digest.hex()


def compute_bond_to_send(required_wei: int) -> Wei:
    """Return a bond with headroom for a rising base fee."""
    return Wei(-(-required_wei * BOND_HEADROOM // 100))


class DisputeMoves:
    """Opens or joins prove-it challenges and claims defaults for one account."""

    def __init__(self, role: BaseRole) -> None:
        self._role = role
        self._context = role.context

    def get_open_dispute(self, job: Job) -> Dispute | None:
        """Return the dispute of a DISPUTED job."""
        if job.state is not JobState.DISPUTED:
            return None
        dispute = self._context.contracts.game.get_dispute_of(job.id)
        return dispute if dispute is not None and dispute.is_open else None

    def is_challenging(self, job_id: JobId) -> bool:
        """Whether this account's bond, or its report of fraud, is in the job's dispute."""
        challengers = self._context.contracts.game.get_challengers(job_id)
        return str(self._context.submitter.account) in map(str, challengers)

    def may_join(self, dispute: Dispute, job: Job, now: int) -> bool:
        """Whether a challenge made now would share the reward of those who came before.

        A dispute without a bond, which the job itself required, has no reward to share, and one
        whose proof is overdue no risk. A client has a place of its own until the window closes;
        others have few blocks and few places.
        """
        if str(dispute.challenger) == NOBODY or now > dispute.prove_until:
            return False
        if str(job.client) == str(self._context.submitter.account):
            return now <= job.deadline
        parameters = self._context.parameters
        head = self._context.client.get_head()
        # The challenge is mined in the next block at the earliest.
        if head.number + 1 > dispute.opened_at_block + parameters.share_blocks:
            return False
        challengers = self._context.contracts.game.get_challengers(job.id)
        others = [a for a in challengers if str(a) != str(job.client)]
        return len(others) < parameters.max_challengers

    def challenge(self, job_id: JobId, key: StepKey) -> None:
        """Post the bond and demand a proof of the result as it was seen."""
        context = self._context
        job = context.contracts.market.get_job(job_id)
        if name_step(CHALLENGE, job) != key.step:
            return  # not the result that was found wrong: the next tick looks at this one
        bond = compute_bond_to_send(context.contracts.game.get_required_bond(job_id))
        later = compute_reserve_wei(GAS_TO_THE_END, context.client.get_head().base_fee_wei)
        if not context.submitter.can_spend(bond, CHALLENGE_GAS, obligations_wei=later):
            context.put_off(key, "the balance does not cover this dispute to its end", bond=bond)
            return
        call = context.contracts.game.build_challenge(job_id, job.out_digest, bond)
        self._role.send(job_id, key, call, "challenged", sent_wei=bond)

    def claim_default(self, job_id: JobId, key: StepKey) -> None:
        """Settle against an operator that did not prove in time."""
        call = self._context.contracts.game.build_claim_default(job_id)
        self._role.send(job_id, key, call, "default-claimed")
