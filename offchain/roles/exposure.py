"""What an operator may be asked for at once: proofs of its open jobs and of its sessions' results.

A result of a session counts from the moment at which it is promised: signed, it has to be
committed, and every one of a batch can be challenged on its own.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from offchain.chain.journal import StepStatus
from offchain.roles.context import Context
from offchain.roles.money import FINALISE_GAS, bound_job_gas
from offchain.roles.schedule import ProofLoad
from offchain.roles.session_book import SESSION, name_batch
from offchain.submit.versions import ReproducedVersion
from offchain.types import BatchId, Job, JobState, SessionId, VersionId

if TYPE_CHECKING:
    from offchain.roles.operator import Operator

REQUEST: Final = "request"  # journal step: a request that was taken, and what became of it
PLAN: Final = "plan"  # journal step: which results make a batch
OF: Final = ":"


@dataclass(frozen=True)
class Exposure:
    """Open jobs and results, each with its version as this operator runs it."""

    jobs: tuple[tuple[Job, ReproducedVersion], ...]
    # How many of a version could be challenged, or will be: orders on their way count here, too.
    results: tuple[tuple[ReproducedVersion, int], ...]

    @property
    def uncommitted(self) -> int:
        """Return how many jobs wait for their result."""
        return sum(job.state is JobState.ASSIGNED for job, _ in self.jobs)

    def list_loads(self) -> list[ProofLoad]:
        """Return what could be challenged and was not yet."""
        loads = [
            measure_load(version)
            for job, version in self.jobs
            if job.state is not JobState.DISPUTED
        ]
        for version, count in self.results:
            loads += [measure_load(version)] * count
        return loads

    def list_disputed(self) -> list[ProofLoad]:
        """Return what is proven already, or waits for its turn."""
        return [measure_load(v) for job, v in self.jobs if job.state is JobState.DISPUTED]

    def bound_gas(self) -> int:
        """Return the gas of everything that may still be asked for."""
        gas = sum(bound_job_gas(job, v.version) for job, v in self.jobs)
        return gas + sum(count * bound_result_gas(v) for v, count in self.results)


def measure_load(version: ReproducedVersion) -> ProofLoad:
    """Return what a proof takes here, and what its version declares."""
    return ProofLoad(version.model.cost.seconds, version.version.prove_seconds)


def bound_result_gas(version: ReproducedVersion) -> int:
    """Return the gas that a committed result may ask for: challenged, it is a job of its own."""
    return FINALISE_GAS + version.version.proof_gas


def measure_exposure(operator: Operator) -> Exposure:
    """Return what is open at the head, what the journal promised included."""
    jobs = tuple((job, operator.load_version(job.version)) for job in operator.list_open_jobs())
    counted = count_results(operator)
    counted.update(operator.list_promised_orders())
    results = tuple((operator.load_version(version), n) for version, n in counted.items() if n)
    return Exposure(jobs, results)


def count_results(operator: Operator) -> Counter[VersionId]:
    """Return, by version, how many results of sessions could be challenged or are promised."""
    context, owner = operator.context, operator.get_owner()
    now = context.contracts.market.get_time().now
    counted: Counter[VersionId] = Counter()
    for batch in context.read_batches():
        if batch.operator == owner and now <= batch.challenge_until:
            _count(context, counted, batch.session, len(batch.leaves))
    for session, promised in count_promised(context).items():
        _count(context, counted, session, promised)
    return counted


def count_promised(context: Context) -> Counter[SessionId]:
    """Return, by session, how many results are promised that no confirmed batch holds."""
    counted: Counter[SessionId] = Counter()
    role, journal = context.settings.role, context.journal
    for step in journal.get_steps(role, begins=REQUEST + OF, status=StepStatus.BEGUN):
        counted[SessionId(step.key.job.removeprefix(SESSION))] += 1
    for step in journal.get_steps(role, begins=PLAN + OF, status=StepStatus.BEGUN):
        if not context.cursor.is_known(name_batch(BatchId(step.detail["batch"]))):
            counted[SessionId(step.key.job.removeprefix(SESSION))] += len(step.detail["nonces"])
    return counted


def _count(context: Context, into: Counter[VersionId], session: SessionId, count: int) -> None:
    terms = context.sessions.get_terms(session)
    if terms is not None:
        into[terms.version] += count
