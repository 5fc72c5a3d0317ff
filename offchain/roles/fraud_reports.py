"""Reports of fraud that take no bond: announced, and made a block later. Who copies one is late."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from eth_utils.crypto import keccak

from offchain.chain.client import Call
from offchain.chain.contracts.pinpoint_game import compute_report_commitment
from offchain.chain.contracts.pinpoint_types import Pin, Ruling
from offchain.chain.fees import compute_reserve_wei
from offchain.chain.job_ids import id_bytes
from offchain.chain.journal import StepKey
from offchain.errors import (
    ContractRevert,
    EvidenceError,
    EvidenceTooLarge,
    TraceError,
)
from offchain.roles.base import OF
from offchain.roles.blinding import read_secret
from offchain.roles.pins import claim_pin
from offchain.roles.rulings import Rulings, estimate_gas
from offchain.roles.trace_book import OwnTrace, TraceBook
from offchain.types import Job, JobId, Verdict, Wei

if TYPE_CHECKING:
    from offchain.roles.base import BaseRole

ANNOUNCE: Final = "announce"
REPORT: Final = "report"
HOME_FILE: Final = "reports.secret"
COMMITMENT_DIGITS: Final = 16
NOT_ANNOUNCED: Final = "NotAnnounced"  # the error of a node that lags behind the announcement
ANNOUNCE_GAS: Final = 60_000
PIN_GAS: Final = 250_000  # of a pin's openings, and of settling what it shows
END_GAS: Final = 250_000  # division of the lock, withdrawal


class FraudReports:
    """One account's reports."""

    def __init__(self, role: BaseRole, book: TraceBook) -> None:
        self._role = role
        self._context = role.context
        self._book = book
        self._rulings = Rulings(role.context)

    def is_over(self, job_id: JobId, key: StepKey) -> bool:
        """Whether a report below a step was found to be impossible."""
        return self._context.journal.is_given_up(self._name(job_id, key, REPORT))

    def report_pin(self, key: StepKey, job: Job, own: OwnTrace, pin: Pin | None) -> bool:
        """Show a posted trace inconsistent by one element of it; return whether that goes on.

        A proof would not count: nothing fixed its seed. So the output as it is claimed has to be
        to be had.
        """
        if self.is_over(job.id, key):
            return False
        try:
            pin, ruling = self._judge(job, own, pin)
            if not self._can_pay(job.id, key, PIN_GAS + estimate_gas(ruling)):
                return False
            salt = self.get_salt(job.id, key)
            self.make(job.id, key, self._book.game.build_prove_fraud(job.id, pin, [ruling], salt))
        except (ContractRevert, EvidenceError, EvidenceTooLarge, TraceError) as error:
            if isinstance(error, ContractRevert) and error.name == NOT_ANNOUNCED:
                self._context.put_off(self._name(job.id, key, REPORT), str(error))
                return True
            self._context.give_up(self._name(job.id, key, REPORT), str(error))
            return False
        return True

    def make(self, job_id: JobId, key: StepKey, report: Call) -> None:
        """Announce a report or, from the next block on, make it: a step of its own each."""
        context = self._context
        commitment = compute_report_commitment(str(context.submitter.account), report)
        announced = context.contracts.game.get_announced_at(commitment)
        if announced is None:
            # By what it announces: a reorganisation changes reports, a lost home their salt.
            step = self._name(job_id, key, f"{ANNOUNCE}{OF}{commitment.hex()[:COMMITMENT_DIGITS]}")
            call = context.contracts.game.build_announce_evidence(commitment)
            self._role.send(job_id, step, call, "evidence-announced")
        elif announced < context.client.get_head().number:
            step = self._name(job_id, key, REPORT)
            self._role.send(job_id, step, report, "fraud-reported", fault=report.function)

    def get_salt(self, job_id: JobId, key: StepKey) -> bytes:
        """Return what keeps a report from being guessed; the same after the journal was lost."""
        secret = read_secret(self._context.settings.home / HOME_FILE)
        return keccak(secret + id_bytes(job_id) + key.step.encode())

    def _judge(self, job: Job, own: OwnTrace, pin: Pin | None) -> tuple[Pin, Ruling]:
        """Return a pin with evidence against it; raise EvidenceError where there is none."""
        if pin is None:
            raise EvidenceError("the trace, or the output that differs, is not to be had")
        op = own.plan.plan.ops[pin.op]
        output = self._book.fetch_output(op, pin.out_digest)
        if output is None:
            raise EvidenceError("the output that differs is not to be had")
        claim = claim_pin(job.version, job.id, pin)
        expected = Verdict.INCONSISTENT
        return pin, self._rulings.build_element(own, op, claim, pin.elem, expected, output)

    def _can_pay(self, job_id: JobId, key: StepKey, evidence_gas: int) -> bool:
        context = self._context
        base_fee = context.client.get_head().base_fee_wei
        price = Wei(max(base_fee, context.parameters.gas_price_floor))
        later = compute_reserve_wei(END_GAS, price)
        if context.submitter.can_spend(Wei(0), ANNOUNCE_GAS + evidence_gas, obligations_wei=later):
            return True
        reason = "the balance does not even cover a report without a bond"
        context.put_off(self._name(job_id, key, REPORT), reason)
        return False

    def _name(self, job_id: JobId, key: StepKey, part: str) -> StepKey:
        return self._context.key(job_id, f"{key.step}{OF}{part}")
