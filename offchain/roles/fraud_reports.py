"""Reports of fraud that take no bond: announced, and made a block later. Who copies one is late."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from offchain.chain.client import Call
from offchain.chain.contracts.pinpoint_game import compute_report_commitment
from offchain.chain.journal import StepKey
from offchain.roles.base import OF
from offchain.types import JobId

if TYPE_CHECKING:
    from offchain.roles.base import BaseRole

ANNOUNCE: Final = "announce"
REPORT: Final = "report"


class FraudReports:
    """One account's reports."""

    def __init__(self, role: BaseRole) -> None:
        self._role = role
        self._context = role.context

    def make(self, job_id: JobId, key: StepKey, report: Call) -> None:
        """Announce a report or, from the next block on, make it: a step of its own each."""
        context = self._context
        commitment = compute_report_commitment(str(context.submitter.account), report)
        announced = context.contracts.game.get_announced_at(commitment)
        if announced is None:
            step = context.key(job_id, f"{key.step}{OF}{ANNOUNCE}")
            call = context.contracts.game.build_announce_evidence(commitment)
            self._role.send(job_id, step, call, "evidence-announced")
        elif announced < context.client.get_head().number:
            step = context.key(job_id, f"{key.step}{OF}{REPORT}")
            self._role.send(job_id, step, report, "fraud-reported", fault=report.function)
