"""One request of a session, and the result that comes of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

from offchain.chain.job_ids import id_bytes
from offchain.chain.session_ids import build_job_terms
from offchain.chain.transaction import parse_compact, parse_signature, recover_message
from offchain.chain.typed_data import COMPACT, TypedMessage, build_result_receipt
from offchain.errors import (
    ContractRevert,
    GatewayRefused,
    GatewayUnavailable,
    JobEnded,
    JobRefused,
    SignerMismatch,
)
from offchain.roles.disputes import compute_bond_to_send
from offchain.sdk.batches import OVERTAKEN, OVERTAKEN_BY, Inclusion, find_inclusion
from offchain.sdk.connection import Connection
from offchain.sdk.job import UNKNOWN_JOB, WAIT_S, Challenge, Job
from offchain.sdk.results import Array, Results, Subject
from offchain.sdk.waiting import wait_for
from offchain.types import (
    Assurance,
    BatchState,
    Digest,
    JobId,
    JobState,
    JobTerms,
    SessionRequest,
    SessionTerms,
)

State = Literal[
    "requested", "signed", "committed", "job", "final", "expired", "voided", "overtaken"
]
Until = Literal["signed", "committed", "final"]
ORDER: Final = ("requested", "signed", "committed", "final")
BATCH_STATES: Final[Mapping[BatchState, State]] = {
    BatchState.COMMITTED: "committed",
    BatchState.FINAL: "final",
    BatchState.VOIDED: "voided",  # the refund mode gave the fee back
    BatchState.NONE: "requested",  # a reorganisation took the batch between two looks
}
EXPIRED: Final = "the operator posted no result in time; nothing was paid"
VOIDED: Final = "the refund mode gave the fee back"
WITHOUT_RESULT: Final[Mapping[State, str]] = {
    "expired": EXPIRED,
    "voided": VOIDED,
    "overtaken": OVERTAKEN_BY,
}


class PendingResult:
    """A signed request. The operator's signed answer comes first, then its batch, then finality.

    `signed` is the operator's word and no more: nothing is at stake for it before a batch holds a
    result. Another one than that of the batch costs the operator its lock, if the client extracts
    it and shows both within the window, and the key that signed was its worker's T_exec before.
    `committed` is on chain, with stake behind it, and may be challenged. `final` cannot change.
    """

    def __init__(
        self,
        connection: Connection,
        terms: SessionTerms,
        request: SessionRequest,
        raw_input: bytes | None = None,
    ) -> None:
        self.request = request
        self.nonce = request.nonce
        self.terms: JobTerms = build_job_terms(
            request.session, terms, request.nonce, request.in_digest
        )
        self.job_id: JobId = connection.contracts.market.compute_job_id(self.terms)
        self._connection = connection
        self._session_terms = terms
        self._raw_input = raw_input
        subject = Subject(self.job_id, terms.version, request.in_digest, raw_input)
        self._results = Results(connection, subject)
        self._inclusion: Inclusion | None = None

    def __repr__(self) -> str:
        return f"PendingResult({self.request.session}, nonce {self.nonce})"

    # What it is now

    def state(self) -> State:
        """Return how far the result is; "job" once it was challenged or extracted.

        "overtaken" where another request of this nonce was answered: at most one of them counts.
        """
        try:
            inclusion = self.find_inclusion()
        except JobEnded:
            return OVERTAKEN
        if inclusion is None:
            now = self._connection.contracts.market.get_time().now
            if now > self.request.valid_until:
                return "expired"
            return "requested" if self.find_signed() is None else "signed"
        if self.find_job() is not None:
            return "job"
        return BATCH_STATES[self._connection.sessions.get_batch(inclusion.batch_id).state]

    def find_inclusion(self) -> Inclusion | None:
        """Return the batch with this result and its path, or None while it is not on chain.

        Raises JobEnded where another request of this nonce was answered.
        """
        if not self._connection.sessions.is_nonce_used(self.request.session, self.nonce):
            self._inclusion = None  # not yet, or not any more: a reorganisation took it
        elif self._inclusion is None:
            self._inclusion = find_inclusion(self._connection, self.request, self._session_terms)
        return self._inclusion

    def find_job(self) -> Job | None:
        """Return the job that the result has become by a challenge or `extract`, or None."""
        try:
            self._connection.contracts.market.get_job(self.job_id)
        except ContractRevert as revert:
            if revert.name != UNKNOWN_JOB:
                raise
            return None
        return Job(self._connection, self.job_id, self.terms, self._raw_input)

    def find_signed(self) -> Digest | None:
        """Return the digest that the session's operator has signed, or None.

        A gateway tells it; the signature is checked here, and so is whose it is on chain.
        """
        for receipt in self._connection.content.get_receipts(self.job_id):
            if self._is_operators(receipt.out_digest, receipt.signature):
                return receipt.out_digest
        return None

    def _is_operators(self, digest: Digest, signature: bytes) -> bool:
        contracts = self._connection.contracts
        message: TypedMessage = build_result_receipt(
            self._connection.client.chain_id,
            contracts.market.address,
            id_bytes(self.job_id),
            digest,
        )
        parse = parse_compact if len(signature) == COMPACT else parse_signature
        try:
            signer = recover_message(message.to_signable(), parse(signature))
        except (SignerMismatch, ValueError):
            return False
        operator = str(self._session_terms.operator)
        return str(signer) == operator or str(contracts.vault.get_served_owner(signer)) == operator

    @property
    def assurance(self) -> Assurance:
        """Return how much may be relied on the result; NONE before its batch is final.

        Raises JobEnded where another request of this nonce was answered.
        """
        inclusion = self.find_inclusion()
        if inclusion is None:
            return Assurance.NONE
        return self._connection.sessions.get_assurance(
            inclusion.batch_id, inclusion.leaf, inclusion.path
        )

    # Waiting

    def wait(self, timeout: float = WAIT_S, until: Until = "signed") -> PendingResult:
        """Wait until the result is signed, committed or final; return this.

        Raises WaitTimeout after `timeout` seconds of this machine's clock, JobEnded where no result
        can come any more.
        """
        wait_for(repr(self), lambda: self._look(until), timeout, self._connection.poll_s)
        return self

    def _look(self, until: Until) -> tuple[bool | None, str]:
        try:
            state = self.state()
        except (GatewayUnavailable, GatewayRefused) as error:
            return None, str(error)
        if state in WITHOUT_RESULT:
            raise JobEnded(self.job_id, state, WITHOUT_RESULT[state])
        if state == "job":
            return self._look_at_job(until)
        return (ORDER.index(state) >= ORDER.index(until) or None), state

    def _look_at_job(self, until: Until) -> tuple[bool | None, str]:
        job = self.find_job()
        found = JobState.NONE if job is None else job.state()
        if found.is_terminal and found not in (JobState.FINAL, JobState.PROVEN):
            raise JobEnded(self.job_id, found.name, "the result does not count")
        is_there = until != "final" or found.is_terminal
        return is_there or None, found.name

    # The result

    @property
    def out_digest(self) -> Digest:
        """Return the digest on chain, or the signed one before that; JobRefused before both."""
        inclusion = self.find_inclusion()
        digest = self.find_signed() if inclusion is None else inclusion.leaf.out_digest
        if digest is None:
            raise JobRefused(f"request {self.nonce} has no result yet")
        return digest

    @property
    def output(self) -> Array:
        """Return the output as int64 of the version's output shape; its bytes have the digest.

        Raises ContentError where nobody has the bytes, JobRefused before there is a result.
        """
        return self._results.decode(self.out_digest)

    @property
    def label(self) -> int:
        """Return the winning class of the output; raises like `output`."""
        return self._results.decide(self.out_digest)

    def verify(self) -> None:
        """Recompute the result here; raise WrongResult unless it is the one told."""
        self._results.verify(self.out_digest)

    # Moves

    def challenge(self) -> Challenge:
        """Demand a proof of the committed result, by showing that it is in its batch.

        It is a job of its own from then on (`find_job`). Bond and reward are as for any job. Raises
        JobRefused before it is on chain, ContractRevert where the window is over.
        """
        job = self.find_job()
        if job is None:
            inclusion = self._require_inclusion()
            game = self._connection.contracts.game
            bond = compute_bond_to_send(game.get_bond(self.terms.version))
            call = self._connection.sessions.build_challenge(
                inclusion.batch_id, inclusion.leaf, inclusion.path, bond
            )
            self._connection.send(self.job_id, f"challenge:{inclusion.batch_id}", call)
            job = Job(self._connection, self.job_id, self.terms, self._raw_input)
        return job.challenge()

    def extract(self) -> Job:
        """Make the committed result a job of its own, to ask for its output on chain."""
        job = self.find_job()
        if job is None:
            inclusion = self._require_inclusion()
            call = self._connection.sessions.build_extract(
                inclusion.batch_id, inclusion.leaf, inclusion.path
            )
            self._connection.send(self.job_id, f"extract:{inclusion.batch_id}", call)
            job = Job(self._connection, self.job_id, self.terms, self._raw_input)
        return job

    def settle(self) -> State:
        """Finalise the batch, or settle the job, where its time has come; return the state."""
        job = self.find_job()
        inclusion = self.find_inclusion()
        if job is not None:
            job.settle()
        elif inclusion is not None:
            batch = self._connection.sessions.get_batch(inclusion.batch_id)
            now = self._connection.contracts.market.get_time().now
            if batch.state is BatchState.COMMITTED and now > batch.challenge_until:
                call = self._connection.sessions.build_finalise_batch(inclusion.batch_id)
                self._connection.send(inclusion.batch_id, "finalise", call)
        return self.state()

    def _require_inclusion(self) -> Inclusion:
        inclusion = self.find_inclusion()
        if inclusion is None:
            raise JobRefused(f"request {self.nonce} has no result on chain yet")
        return inclusion
