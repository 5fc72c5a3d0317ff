"""A job in the hands of its client, or of anybody who wants to know."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from offchain.chain.binding import checksum
from offchain.chain.client import Call
from offchain.commit.digest import as_matrix
from offchain.errors import ContractRevert, JobEnded, JobRefused
from offchain.roles.disputes import compute_bond_to_send
from offchain.sdk.connection import Connection
from offchain.sdk.results import Array, Results, Subject
from offchain.sdk.waiting import wait_for
from offchain.types import (
    ETH,
    NOBODY,
    Amount,
    Assurance,
    Digest,
    JobId,
    JobState,
    JobTerms,
    Seconds,
    Wei,
)
from offchain.types import Job as JobFacts

Until = Literal["committed", "final"]
WAIT_S: Final = 600.0
WITH_RESULT: Final = (JobState.FINAL, JobState.PROVEN)
NOT_COMMITTED: Final = (JobState.OPEN, JobState.ASSIGNED)
UNKNOWN_JOB: Final = "UnknownJob"


@dataclass(frozen=True)
class Challenge:
    """A proof that was demanded: it is due, or the operator loses its lock."""

    job: JobId
    bond_wei: Wei  # at stake: lost if the proof comes
    prove_until: Seconds  # of the protocol's clock


class Job:
    """One job. Its terms are fixed and known to hash to its id; its state is asked of the chain."""

    def __init__(
        self, connection: Connection, job_id: JobId, terms: JobTerms, raw_input: bytes | None = None
    ) -> None:
        self.id = job_id
        self.terms = terms
        self._connection = connection
        self._market = connection.contracts.market
        subject = Subject(job_id, terms.version, terms.in_digest, raw_input)
        self._results = Results(connection, subject)

    def __repr__(self) -> str:
        return f"Job({self.id})"

    # What it is now

    def facts(self) -> JobFacts:
        """Return everything that the market holds of the job; ContractRevert UnknownJob if none."""
        return self._market.get_job(self.id)

    def state(self) -> JobState:
        """Return the job's state; NONE where a reorganisation took it."""
        try:
            return self.facts().state
        except ContractRevert as revert:
            if revert.name != UNKNOWN_JOB:
                raise
            return JobState.NONE

    @property
    def assurance(self) -> Assurance:
        """Return how much may be relied on the result: NONE, UNCHALLENGED or PROVEN."""
        return self._market.get_assurance(self.id)

    # Waiting

    def wait(self, timeout: float = WAIT_S, until: Until = "final") -> Job:
        """Wait until the result is committed, or final; return the job.

        Raises WaitTimeout after `timeout` seconds of this machine's clock, JobEnded where no result
        can come any more (nobody took it, the operator failed, or was slashed).
        """
        wait_for(f"job {self.id}", lambda: self._look(until), timeout, self._connection.poll_s)
        return self

    def _look(self, until: Until) -> tuple[bool | None, str]:
        state = self.state()
        if state in WITH_RESULT or (until == "committed" and self._has_result(state)):
            return True, state.name
        if state.is_terminal:
            raise JobEnded(self.id, state.name, "there is no result; what was paid is credited")
        if state in NOT_COMMITTED and self._is_overdue():
            reason = "it is overdue: settle() has the fee back"
            raise JobEnded(self.id, state.name, reason)
        return None, state.name

    def _has_result(self, state: JobState) -> bool:
        return state in (JobState.COMMITTED, JobState.DISPUTED)

    def _is_overdue(self) -> bool:
        return self._market.get_time().now > self.facts().deadline

    # The result

    @property
    def out_digest(self) -> Digest:
        """Return the committed digest; raise JobRefused before there is one."""
        digest = self.facts().out_digest
        if not any(digest):
            raise JobRefused(f"job {self.id} has no result yet")
        return digest

    @property
    def output(self) -> Array:
        """Return the committed output as int64 of the version's output shape.

        The bytes were found to have the committed digest; whether that is the right result is for
        `verify` to say. Raises ContentError where nobody has the bytes, JobRefused before there is
        a result.
        """
        return self._results.decode(self.out_digest)

    @property
    def label(self) -> int:
        """Return the winning class of the committed output; raises like `output`."""
        return self._results.decide(self.out_digest)

    def verify(self) -> None:
        """Recompute the result here and raise WrongResult unless it is the committed one.

        Raises ContentError where the input cannot be had, VersionMismatch where the version is not
        what it claims, JobRefused before there is a result.
        """
        self._results.verify(self.out_digest)

    # Moves

    def challenge(self, with_bond: bool = True) -> Challenge:
        """Demand a proof of the committed result, unless this account has.

        The bond comes back with 35 % of the operator's lock if no proof comes; it is lost if one
        does. Without a bond only for jobs that require a proof. Raises ContractRevert where the
        window is over.
        """
        game, job = self._connection.contracts.game, self.facts()
        digest = self.out_digest
        if self._connection.account not in game.get_challengers(self.id):
            if with_bond:
                bond = compute_bond_to_send(game.get_required_bond(self.id))
                call = game.build_challenge(self.id, digest, bond)
            else:
                call = game.build_request_proof(self.id, digest)
            # Of a result: a reorganisation may put another in its place.
            self._connection.send(job.id, f"challenge:{digest.hex()}", call)
        dispute = game.get_dispute_of(self.id)
        if dispute is None:
            raise JobRefused(f"job {self.id} is not disputed")
        return Challenge(self.id, dispute.bond_wei, dispute.prove_until)

    def settle(self) -> JobState:
        """Take the job as far as it can be taken now; return its state.

        Expires what nobody took, fails what the operator left undone, finalises what nobody
        challenged, claims a default, divides a slash. Before its time it does nothing.
        """
        market, game = self._market, self._connection.contracts.game
        job, now = self.facts(), market.get_time().now
        late = now > job.deadline
        if job.state is JobState.OPEN and late:
            self._send("expire", market.build_expire_job(self.id))
        elif job.state is JobState.ASSIGNED and late:
            self._send("fail", market.build_fail_job(self.id))
        elif job.state is JobState.COMMITTED and (late or now > job.deliver_by > 0):
            is_failed = job.proof_required or now > job.deliver_by > 0
            build = market.build_fail_job if is_failed else market.build_finalise
            self._send("close", build(self.id))
        elif job.state in (JobState.DISPUTED, JobState.REJECTED):
            dispute = game.get_dispute_of(self.id)
            if dispute is not None and dispute.is_open and now > dispute.prove_until:
                self._send("claim-default", game.build_claim_default(self.id))
            elif dispute is not None and dispute.state.holds_slash and late:
                self._send("distribute", game.build_distribute_slash(self.id))
        return self.state()

    def cancel(self) -> None:
        """Take the job back; raise ContractRevert where somebody has taken it."""
        self._send("cancel", self._market.build_cancel_job(self.id))

    def request_delivery(self) -> Amount:
        """Pay for the output's bytes on chain, once, while it may be challenged; return the price.

        The operator is paid when it delivers, the client has its money back when not.
        """
        payment = self._market.compute_delivery_payment(self.id)
        # The price moves with the base fee; more than it is part of the payment.
        value = Amount(2 * payment) if self.terms.token == ETH else Amount(0)
        self._send("request-delivery", self._market.build_request_delivery(self.id, value))
        return value or payment

    def subscribe(self, consumer: str, gas_limit: int) -> None:
        """Name the contract that is told of the result (IResultConsumer), once."""
        relay = self._connection.relay
        self._send("subscribe", relay.build_subscribe(self.id, checksum(consumer), gas_limit))

    def deliver(self) -> None:
        """Tell the subscribed contract the final result; anybody may."""
        relay, model = self._connection.relay, self._results.model
        raw = self._results.fetch(self.out_digest)
        width, dims = model.output_bits // 8, as_matrix(model.output_shape)
        self._connection.send_once(relay.build_deliver(self.id, width, dims, raw))

    def _send(self, step: str, call: Call) -> None:
        self._connection.send(self.id, step, call)

    @property
    def operator(self) -> str | None:
        """Return the owner whose stake is locked; None before somebody took the job."""
        found = self.facts().operator
        return None if found == NOBODY else found
