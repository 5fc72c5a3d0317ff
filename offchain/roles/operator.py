"""The operator: accept what it can reproduce, run, commit; prove only what is challenged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Final

from offchain.chain.client import Call
from offchain.chain.journal import StepKey, StepStatus
from offchain.errors import ContentError, ContractRevert
from offchain.roles.base import OF, REFUSALS, Action, BaseRole
from offchain.roles.disputes import name_step
from offchain.submit.content import ContentStore
from offchain.submit.proofs import (
    Evidence,
    build_statement,
    prove_dispute,
    verify_evidence,
    verify_statement,
)
from offchain.submit.versions import ReproducedVersion, check_provable
from offchain.types import Address, Digest, Dispute, Job, JobId, JobState

ACCEPT: Final = "accept"
RUN: Final = "run"
COMMIT: Final = "commit"
PROVE: Final = "prove"
FINALISE: Final = "finalise"
INPUTS: Final = "inputs"  # folder of own copies in the home folder
TIME_MARGIN: Final = 2  # of the time given to prove, half is kept for queues and blocks


class Operator(BaseRole):
    """Serves jobs for its stake's owner with its own hot key."""

    def compute_due_steps(self) -> tuple[StepKey, ...]:
        """Return, for every live job, the one step that its state asks of this operator."""
        return self.compute_job_steps()

    @property
    def actions(self) -> Mapping[str, Action]:
        """Return step name -> what performs it."""
        return {
            ACCEPT: self._accept,
            COMMIT: self._commit,
            PROVE: self._prove,
            FINALISE: self._finalise,
        }

    def choose_step(self, job: Job, now: int) -> str | None:
        """Return the one step that the job's state asks of its operator, if any."""
        if job.state is JobState.OPEN:
            return ACCEPT if now <= job.deadline else None
        if job.operator != self.get_owner():
            return None
        if job.state is JobState.ASSIGNED:
            return COMMIT
        if job.state is JobState.COMMITTED:
            return FINALISE if now > job.deadline else None
        if job.state is JobState.DISPUTED:
            dispute = self.context.contracts.game.get_dispute_of(job.id)
            # Keyed by the seed: a challenge that a reorganisation replaced is proven again.
            return None if dispute is None else PROVE + OF + dispute.challenge_seed.hex()
        return None

    def _accept(self, job_id: JobId, key: StepKey) -> None:
        """Accept what could be proven in time: version reproduced, input in range, not too much."""
        job = self.context.contracts.market.get_job(job_id)
        try:
            version = self.context.versions.reproduce(job.version)
            check_provable(
                version.version, version.model, self.context.client.get_block_gas_limit()
            )
            self.read_input(job)
            if not self.has_time_to_prove(version):
                return  # a later tick, when fewer jobs are open
            call = self.context.contracts.market.build_accept_job(job_id)
            receipt = self.context.submitter.submit(key, call)
        except REFUSALS as error:
            self.context.give_up(key, str(error))
            return
        except ContractRevert as revert:
            if self.context.contracts.market.get_job(job_id).state is JobState.OPEN:
                raise  # the free stake may cover the lock later
            self.context.give_up(key, str(revert))
            return
        self.context.journal.put_step(key, StepStatus.DONE)
        self.log.event("job-accepted", job=job_id, version=version.version.id, tx=receipt.tx_hash)

    def has_time_to_prove(self, version: ReproducedVersion) -> bool:
        """Whether all own open jobs and one more could be proven in turn if all were challenged."""
        owner = self.get_owner()
        if owner is None:
            return True  # the chain says why it cannot accept
        open_jobs = [
            job
            for job in map(self.context.contracts.market.get_job, self.context.list_jobs())
            if job.operator == owner and not job.state.is_terminal
        ]
        costs = [self.load_version(job).model.cost.seconds for job in open_jobs]
        needed = sum(costs) + version.model.cost.seconds
        given = self.context.contracts.game.get_prove_seconds(version.version.id, owner)
        return needed * TIME_MARGIN <= given

    def _commit(self, job_id: JobId, key: StepKey) -> None:
        job = self.context.contracts.market.get_job(job_id)
        digest = self._run(job)
        call = self.context.contracts.market.build_commit_result(job_id, digest, digest.hex())
        receipt = self.context.submitter.submit(key, call)
        self.context.journal.put_step(key, StepStatus.DONE)
        self.log.event("result-committed", job=job_id, digest=digest, tx=receipt.tx_hash)

    def _run(self, job: Job) -> Digest:
        """Run the inference once a job; a restart finds the digest in the journal."""
        key = self.context.key(job.id, name_step(RUN, job))
        step = self.context.journal.get_step(key)
        if step is not None and step.status is StepStatus.DONE:
            return Digest(bytes.fromhex(step.detail["digest"]))
        model = self.load_version(job).model
        raw = model.run(self.read_input(job), self.context.settings.backend)
        digest = self.context.content.put(raw, model.output_bits, model.output_shape)
        self.context.journal.put_step(key, StepStatus.DONE, {"digest": digest.hex()})
        return digest

    def _prove(self, job_id: JobId, key: StepKey) -> None:
        """Answer a challenge: prove in a child process, check the proof, publish it."""
        dispute = self.context.contracts.game.get_dispute_of(job_id)
        if dispute is None or not self._is_confirmed(dispute):
            return  # a later tick comes back; a reorganised challenge is proven again
        job = self.context.contracts.market.get_job(job_id)
        evidence = self._get_evidence(job, dispute)
        call = self.context.contracts.game.build_prove(
            dispute.id, evidence.raw_input, evidence.raw_output, evidence.proof
        )
        self.publish_proof(key, call, dispute)

    def publish_proof(self, key: StepKey, call: Call, dispute: Dispute) -> None:
        """Send a proof that was found valid here."""
        receipt = self.context.submitter.submit(key, call)
        self.context.journal.put_step(key, StepStatus.DONE)
        self.log.event("proof-accepted", dispute=dispute.id, tx=receipt.tx_hash)

    def _finalise(self, job_id: JobId, key: StepKey) -> None:
        call = self.context.contracts.market.build_finalise(job_id)
        try:
            receipt = self.context.submitter.submit(key, call)
        except ContractRevert:
            # Anyone may finalise: where somebody was first the job is closed already.
            if not self.context.contracts.market.get_job(job_id).state.is_terminal:
                raise
        else:
            self.log.event("job-finalised", job=job_id, tx=receipt.tx_hash)
        self.context.journal.put_step(key, StepStatus.DONE)

    def read_input(self, job: Job) -> bytes:
        """Return the job's input from this operator's own copy, made before it accepts.

        Somebody who can delete from the shared folder must not be able to keep it from proving.
        """
        model = self.context.versions.reproduce(job.version).model
        bits, shape = model.input_bits, model.input_shape
        own = ContentStore(self.context.settings.home / INPUTS)
        try:
            raw = own.get(job.in_digest, bits, shape)
        except ContentError:
            raw = self.context.content.get(job.in_digest, bits, shape)
            own.put(raw, bits, shape)
        model.check_input(raw)
        return raw

    def _get_evidence(self, job: Job, dispute: Dispute) -> Evidence:
        """Run again, prove unless that was done, and check before anybody pays gas for it."""
        version = self.load_version(job)
        statement = build_statement(
            version,
            job,
            dispute,
            chain_id=self.context.client.chain_id,
            market=self.context.contracts.market.address,
            prover=Address(self.context.submitter.account),
        )
        on_chain = self.context.contracts.game.get_statement(
            dispute.id, Address(self.context.submitter.account)
        )
        verify_statement(statement, on_chain)
        evidence = prove_dispute(
            self.context.journal,
            self.context.settings,
            statement,
            version.model,
            self.read_input(job),
        )
        if evidence.run is not None:
            self.log.event("proof-made", job=job.id, **asdict(evidence.run))
        self.verify_before_sending(version, evidence)
        return evidence

    def load_version(self, job: Job) -> ReproducedVersion:
        """Return the job's version, reproduced from its files."""
        return self.context.versions.reproduce(job.version)

    def verify_before_sending(self, version: ReproducedVersion, evidence: Evidence) -> None:
        """Check the proof before anybody pays gas for it."""
        verify_evidence(version.model, evidence)

    def _is_confirmed(self, dispute: Dispute) -> bool:
        """Whether the challenge is in a block that the cursor has passed."""
        return any(
            event.arguments["disputeId"] == dispute.id
            and event.arguments["challengeSeed"] == dispute.challenge_seed
            for event in self.context.cursor.get_events("ResultChallenged")
        )

    def get_owner(self) -> Address | None:
        """Return the owner whose stake this worker's jobs lock."""
        return self.context.contracts.vault.get_owner_of(self.context.submitter.account)
