"""An operator's replicas: commit blindly, open together, stand behind or object, settle.

A result is not shown to anybody before all commitments are fixed: it lies in the home folder, no
log names it, and output and receipt are published when the opening begins.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from offchain.chain.journal import StepKey, StepStatus
from offchain.errors import ContentError, OffchainError
from offchain.roles.base import OF, UNUSABLE, Action
from offchain.roles.blinding import Blinding
from offchain.roles.candidacy import Candidacy
from offchain.roles.quorum_book import OpenQuorum, name_quorum, parse_quorum
from offchain.roles.quorum_keeping import QuorumKeeping
from offchain.roles.quorum_steps import KEEPER_STEPS, choose_keeper_step
from offchain.roles.quorum_watch import QuorumWatch, find_others
from offchain.roles.receipts import stand_by
from offchain.submit.content import FolderStore
from offchain.types import (
    Digest,
    JobId,
    ProtocolTime,
    QuorumState,
    ReplicaState,
    VersionId,
)

if TYPE_CHECKING:
    from offchain.roles.operator import Operator

COMMIT: Final = "commit-replica"
RUN: Final = "run-replica"
REFUSE: Final = "refuse-replica"
REVEAL: Final = "reveal-replica"
STAND: Final = "stand-behind"
OUTPUTS: Final = "outputs"  # folder of results that are not public yet
REFUSAL_PART: Final = 4  # an input may be called unusable within a quarter of T_exec
PRESSING_PART: Final = 4  # of the time to open: then the head has to do
IN_ROUND: Final = (ReplicaState.REVEALED, ReplicaState.EXTRACTED)
OPEN_STATES: Final = (ReplicaState.DRAWN, ReplicaState.COMMITTED, ReplicaState.REVEALED)


class ReplicaMoves:
    """Serves the replicas of one operator."""

    def __init__(self, operator: Operator) -> None:
        self._operator = operator
        self._context = operator.context
        self._candidacy = Candidacy(operator)
        self._blinding = Blinding(operator.context)
        self._keeping = QuorumKeeping(operator)
        self._watch = QuorumWatch(
            operator, lambda version: operator.load_version(version).model, operator.read_input
        )

    @property
    def actions(self) -> Mapping[str, Action]:
        """Return step name -> what performs it."""
        return {
            **self._candidacy.actions,
            COMMIT: self.commit,
            REFUSE: self.refuse,
            REVEAL: self.reveal,
            STAND: self.stand,
            **self._watch.actions,
            **dict.fromkeys(KEEPER_STEPS, self._keeping.keep),
        }

    # What is due

    def compute_steps(self, time: ProtocolTime) -> tuple[StepKey, ...]:
        """Return what lists and quorums ask of this operator."""
        if time.is_paused and not time.is_refund_mode:
            return ()
        due = [] if time.is_refund_mode else list(self._candidacy.compute_steps())
        for quorum in self._context.read_quorums():
            job = name_quorum(quorum.id)
            due += [self._context.key(job, step) for step in self._choose_own(quorum, time)]
            keeper = self._keeping.choose(quorum, time)
            due += [] if keeper is None else [keeper]
        return tuple(due)

    def _choose_own(self, quorum: OpenQuorum, time: ProtocolTime) -> tuple[str, ...]:
        index, facts = quorum.find_own(self._operator.get_owner()), quorum.facts
        if index is None or time.is_refund_mode or time.now > facts.deadline:
            return ()
        state = quorum.replicas[index].state
        if facts.state is QuorumState.COMMITTING and state is ReplicaState.DRAWN:
            is_unusable = self._context.journal.is_given_up(self._name_run(quorum, index))
            may_refuse = is_unusable and time.now <= self._refusable_until(quorum)
            return (f"{REFUSE if may_refuse else COMMIT}{OF}{index}",)
        if facts.state is QuorumState.REVEALING and state is ReplicaState.COMMITTED:
            return (f"{REVEAL}{OF}{index}",)
        return self._choose_in_round(quorum, index, time.now) if quorum.is_round else ()

    def _choose_in_round(self, quorum: OpenQuorum, index: int, now: int) -> tuple[str, ...]:
        """Return what a round asks of somebody whose replica was not beaten."""
        facts, own = quorum.facts, quorum.replicas[index]
        if own.state not in IN_ROUND:
            return ()
        if facts.state is QuorumState.SPLIT:
            return self._watch.choose(quorum, now) if find_others(quorum, own.out_digest) else ()
        if own.out_digest != facts.out_digest:
            return self._watch.choose(quorum, now)
        is_due = facts.is_suspect and own.state is ReplicaState.REVEALED
        return (f"{STAND}{OF}{index}{OF}{facts.deadline}",) if is_due else ()

    def list_promised(self) -> tuple[VersionId, ...]:
        """Return the versions of replicas that may still be disputed, or are to be computed."""
        owner = self._operator.get_owner()
        found = []
        for quorum in self._context.read_quorums():
            index = quorum.find_own(owner)
            if index is not None and quorum.replicas[index].state in OPEN_STATES:
                found.append(quorum.facts.terms.version)
        return tuple(found)

    def is_still_asked(self, key: StepKey) -> bool:
        """Whether a step of a quorum is asked for at the head, after it was refused."""
        quorum = self._context.quorums.find(parse_quorum(key.job))
        if quorum is None:
            return False
        time = self._context.contracts.market.get_time()
        asked = [*self._choose_own(quorum, time)]
        keeper = choose_keeper_step(self._context.quorums, quorum, time)
        asked += [] if keeper is None else [keeper]
        # A commitment has a step for each salt, below the one that is asked.
        return any(key.step == step or key.step.startswith(step + OF) for step in asked)

    # What is done

    def commit(self, _: JobId, key: StepKey) -> None:
        """Compute a replica's result and commit to it blindly."""
        quorum, index = self._read(key)
        if quorum is None or key.step not in self._choose_own(quorum, self._read_time()):
            return
        try:
            digest = self.run(quorum, index)
        except UNUSABLE as error:
            self._doubt(quorum, index, error)
            return
        taken = frozenset(r.commitment for k, r in enumerate(quorum.replicas) if k != index)
        made = self.make_commitment(quorum, index, digest, taken)
        if made is None:
            self._context.put_off(key, "every commitment of this worker was copied")
            return
        attempt, own = made
        commitment = self._operator.choose_commitment(quorum, index, own)
        if commitment is None:
            return
        call = self._context.contracts.quorum.build_commit(quorum.id, commitment)
        step = self._context.key(key.job, f"{key.step}{OF}{attempt}")
        self._operator.send(JobId(key.job), step, call, "replica-committed", replica=index)

    def _doubt(self, quorum: OpenQuorum, index: int, error: OffchainError) -> None:
        """Note that an input cannot be used; one that is not there may come in the first half.

        A refusal in time costs nothing; later the computation is tried again until the end.
        """
        key = self._name_run(quorum, index)
        whole = self._context.parameters.exec_seconds
        waits_until = self._refusable_until(quorum) - whole // REFUSAL_PART // 2
        if isinstance(error, ContentError) and self._read_time().now < waits_until:
            self._context.put_off(key, str(error))
            return
        self._context.give_up(key, str(error))

    def _refusable_until(self, quorum: OpenQuorum) -> int:
        whole = self._context.parameters.exec_seconds
        return quorum.facts.deadline - whole + whole // REFUSAL_PART

    def refuse(self, _: JobId, key: StepKey) -> None:
        """Give a replica back whose input cannot be used."""
        quorum, index = self._read(key)
        if quorum is None or key.step not in self._choose_own(quorum, self._read_time()):
            return
        call = self._context.contracts.quorum.build_refuse(quorum.id)
        self._operator.send(JobId(key.job), key, call, "replica-refused", replica=index)

    def make_commitment(
        self, quorum: OpenQuorum, index: int, digest: Digest, taken: frozenset[bytes]
    ) -> tuple[int, bytes] | None:
        """Return a commitment that is no other replica's, with its number."""
        job_id = self._context.quorums.get_job_id(quorum, index)
        operator = quorum.replicas[index].operator
        return self._blinding.commit(job_id, operator, digest, taken)

    def run(self, quorum: OpenQuorum, index: int) -> Digest:
        """Compute a replica's result once; a restart finds its digest in the journal.

        Raises ContentError, TensorError or RangeError where the input cannot be used.
        """
        key = self._name_run(quorum, index)
        step = self._context.journal.get_step(key)
        if step is not None and step.status is StepStatus.DONE:
            return Digest(bytes.fromhex(step.detail["digest"]))
        digest = self._keep(quorum, self._compute(quorum))
        stand_by(self._context, self._context.quorums.get_job_id(quorum, index), digest)
        self._context.journal.put_step(key, StepStatus.DONE, {"digest": digest.hex()})
        return digest

    def _name_run(self, quorum: OpenQuorum, index: int) -> StepKey:
        return self._context.key(name_quorum(quorum.id), f"{RUN}{OF}{index}")

    def _compute(self, quorum: OpenQuorum) -> bytes:
        terms = quorum.facts.terms
        model = self._operator.load_version(terms.version).model
        raw = self._operator.read_input(terms.version, terms.in_digest)
        return model.run(raw, self._context.settings.backend)

    def _keep(self, quorum: OpenQuorum, raw: bytes) -> Digest:
        """Store an output where nobody else looks and return its digest."""
        model = self._operator.load_version(quorum.facts.terms.version).model
        return self._open_outputs().put(raw, model.output_bits, model.output_shape)

    def reveal(self, _: JobId, key: StepKey) -> None:
        """Open this worker's commitment, and publish what is behind it."""
        quorum, index = self._read(key)
        if quorum is None or key.step not in self._choose_own(quorum, self._read_time()):
            return
        if not (self._is_confirmed(quorum) or self._is_pressing(quorum)):
            return  # while commitments may be undone, an opened result could be copied
        job_id, replica = self._context.quorums.get_job_id(quorum, index), quorum.replicas[index]
        digest = self.run(quorum, index)
        salt = self._blinding.open(job_id, replica.operator, digest, replica.commitment)
        if salt is None:
            self._context.give_up(key, "the commitment was not made by this key, or its home")
            return
        self._publish(quorum, digest)
        self._operator.vouch(job_id, digest)
        call = self._context.contracts.quorum.build_reveal(quorum.id, index, digest, salt)
        self._operator.send(JobId(key.job), key, call, "replica-revealed", replica=index)

    def _publish(self, quorum: OpenQuorum, digest: Digest) -> None:
        version = quorum.facts.terms.version
        model = self._operator.load_version(version).model
        try:
            raw = self._open_outputs().get(digest, model.output_bits, model.output_shape)
        except ContentError:
            raw = self._compute(quorum)
        self._operator.publish_output(version, raw)

    def stand(self, _: JobId, key: StepKey) -> None:
        """Make this operator's replica a job of its own, because a verdict went against another.

        Only after computing it again on the reference path: whoever stands behind a wrong result
        loses a bond more.
        """
        quorum, index = self._read(key)
        if quorum is None or key.step not in self._choose_own(quorum, self._read_time()):
            return
        own = self._watch.get_own(quorum)
        if own is None:
            self._watch.check(JobId(key.job), self._watch.name_check(quorum))
            own = self._watch.get_own(quorum)
        if own is not None and own != quorum.replicas[index].out_digest:
            self._context.give_up(key, "computed again, the result is another one")
            return
        call = self._context.contracts.quorum.build_extract(quorum.id, index)
        self._operator.send(JobId(key.job), key, call, "stood-behind", replica=index)

    # What it rests on

    def _is_confirmed(self, quorum: OpenQuorum) -> bool:
        return self._context.quorums.are_reveals_confirmed(quorum.id)

    def _is_pressing(self, quorum: OpenQuorum) -> bool:
        """Whether so little time is left that the head has to do: silence costs the whole lock."""
        left = quorum.facts.deadline - self._read_time().now
        return left < self._context.parameters.exec_seconds // PRESSING_PART

    def _read(self, key: StepKey) -> tuple[OpenQuorum | None, int]:
        quorum = self._context.quorums.find(parse_quorum(key.job))
        return quorum, int(key.step.split(OF)[1])

    def _read_time(self) -> ProtocolTime:
        return self._context.contracts.market.get_time()

    def _open_outputs(self) -> FolderStore:
        return FolderStore(self._context.settings.home / OUTPUTS)
