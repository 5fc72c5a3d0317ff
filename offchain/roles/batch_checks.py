"""A challenger's look at batches: every result recomputed, wrong ones challenged by inclusion.

A challenged result is a job of its own from then on, and everything else about it is as for jobs.
What could not be recomputed here is never challenged; it is looked at again while the window lasts.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from offchain.chain.client import Call
from offchain.chain.fees import compute_reserve_wei
from offchain.chain.journal import StepKey, StepStatus
from offchain.commit.batch_tree import compute_path
from offchain.errors import ContentError, ModelMissing, NoSuchSession, OffchainError
from offchain.roles.base import OF, REFUSALS, BaseRole
from offchain.roles.disputes import CHALLENGE_GAS, GAS_TO_THE_END, compute_bond_to_send
from offchain.roles.session_book import BATCH, name_batch
from offchain.submit.models import Model
from offchain.types import BatchId, BatchLeaf, BatchState, CommittedBatch, JobId, Wei

CHECK_BATCH: Final = "check-batch"
CHALLENGE_RESULT: Final = "challenge-result"
FINDINGS: Final = "findings"  # journal step: which results were recomputed, and which are wrong
SLICE_S: Final = 4.0  # then other deadlines have their turn
EXTRACTION_GAS: Final = 250_000  # on top of a challenge's: the result becomes a job
AHEAD: Final = 12  # challenges sent before the first is waited for: a pool takes about 16


@dataclass(frozen=True)
class Findings:
    """What is known of a batch's results, by their place in it."""

    right: frozenset[int] = frozenset()
    wrong: frozenset[int] = frozenset()

    @property
    def checked(self) -> frozenset[int]:
        """Return the results that were recomputed."""
        return self.right | self.wrong

    def to_detail(self) -> dict[str, list[int]]:
        """Return them as the journal holds them."""
        return {"right": sorted(self.right), "wrong": sorted(self.wrong)}


def choose_objections(findings: Findings, is_to_all: bool) -> tuple[int, ...]:
    """Return the results to challenge, in order: wrong ones, or in a drill whatever was checked."""
    return tuple(sorted(findings.checked if is_to_all else findings.wrong))


class BatchWatch:
    """Watches all batches for one account."""

    def __init__(self, role: BaseRole, clock: Callable[[], float] = time.monotonic) -> None:
        self._role = role
        self._context = role.context
        self._clock = clock

    # What is due

    def compute_steps(self, now: int) -> tuple[StepKey, ...]:
        """Return what open batches ask for: challenges first, they have a deadline."""
        objections: list[StepKey] = []
        checks: list[StepKey] = []
        for batch in self._context.read_batches():
            if now > batch.challenge_until:
                continue
            findings = self._read_findings(batch.id)
            objections += self._compute_objections(batch, findings)
            if not self._is_over(batch.id) and len(findings.checked) < len(batch.leaves):
                # Named by what is known: the next slice is another step, and due at once.
                step = f"{CHECK_BATCH}{OF}{len(findings.checked)}"
                checks.append(self._context.key(name_batch(batch.id), step))
        return (*objections, *checks)

    def _compute_objections(self, batch: CommittedBatch, findings: Findings) -> list[StepKey]:
        due = []
        is_to_all = self._context.settings.challenge_always
        for index in choose_objections(findings, is_to_all):
            key = self._name_challenge(batch.id, index)
            # Once it is a job, whoever made it one, it is watched as jobs are.
            job_id = self._context.sessions.get_job_id(batch.session, batch.leaves[index])
            if not self._context.cursor.is_known(job_id):
                due.append(key)
        return due

    # What is done

    def check(self, _: JobId, key: StepKey) -> None:
        """Recompute results of a batch on the CPU reference, for a while, and note what differs."""
        batch = self._context.sessions.get_committed(BatchId(key.job.removeprefix(BATCH)))
        if batch is None:
            return
        try:
            terms = self._context.sessions.get_terms(batch.session)
            if terms is None:
                return
            model = self._context.versions.reproduce(terms.version).model
        except ModelMissing as error:
            self._context.put_off(key, str(error))
            return
        except REFUSALS as error:
            self._context.give_up(self._name_findings(batch.id), str(error))
            return
        self._check_slice(batch, model, key)

    def _check_slice(self, batch: CommittedBatch, model: Model, key: StepKey) -> None:
        before = self._read_findings(batch.id)
        right, wrong = set(before.right), set(before.wrong)
        started = self._clock()
        for leaf in batch.leaves:
            if leaf.index in before.checked:
                continue
            is_right = self._recompute(model, leaf, key)
            if is_right is not None:
                (right if is_right else wrong).add(leaf.index)
            if self._clock() - started > SLICE_S:
                break
        findings = Findings(frozenset(right), frozenset(wrong))
        if findings == before:
            return
        is_whole = len(findings.checked) == len(batch.leaves)
        status = StepStatus.DONE if is_whole else StepStatus.BEGUN
        self._context.journal.put_step(self._name_findings(batch.id), status, findings.to_detail())
        self._context.log.event(
            "batch-recomputed",
            batch=batch.id,
            checked=len(findings.checked),
            results=len(batch.leaves),
            differ=len(findings.wrong),
        )

    def _recompute(self, model: Model, leaf: BatchLeaf, key: StepKey) -> bool | None:
        """Return whether a result is right, None where its input is not to be had."""
        try:
            raw = self._context.content.get(leaf.in_digest, model.input_bits, model.input_shape)
        except ContentError as error:
            self._context.put_off(key, str(error), index=leaf.index)
            return None
        try:
            model.check_input(raw)
        except REFUSALS as error:
            # The model says nothing about such an input: neither right nor wrong.
            self._context.put_off(key, str(error), index=leaf.index)
            return None
        output = model.run(raw, "numpy")
        found = self._context.content.offer(output, model.output_bits, model.output_shape)
        return found == leaf.out_digest

    def challenge(self, _: JobId, key: StepKey) -> None:
        """Post the bond and demand a proof of one result; send for its neighbours meanwhile."""
        batch = self._context.sessions.get_committed(BatchId(key.job.removeprefix(BATCH)))
        if batch is None:
            return
        index = int(key.step.partition(OF)[2])
        objections = choose_objections(
            self._read_findings(batch.id), self._context.settings.challenge_always
        )
        if index not in objections:
            return
        leaves = self._context.sessions.compute_leaves(batch)
        for other in [i for i in objections if i > index][:AHEAD]:
            self._begin(batch, leaves, other)
        if not self._may_spend(batch, key):
            return
        call, bond = self._build(batch, leaves, index)
        self._role.send(JobId(key.job), key, call, "result-challenged", index=index, bond=bond)

    def is_still_asked(self, key: StepKey) -> bool:
        """Whether a refused challenge is still possible: then it is tried again."""
        batch_id = BatchId(key.job.removeprefix(BATCH))
        batch = self._context.sessions.find_batch(batch_id)
        committed = self._context.sessions.get_committed(batch_id)
        if batch is None or committed is None or batch.state is not BatchState.COMMITTED:
            return False
        if self._context.contracts.market.get_time().now > batch.challenge_until:
            return False
        leaf = committed.leaves[int(key.step.partition(OF)[2])]
        job_id = self._context.sessions.get_job_id(committed.session, leaf)
        return self._context.find_job(job_id) is None

    def _begin(self, batch: CommittedBatch, leaves: Sequence[bytes], index: int) -> None:
        """Send a challenge without waiting for it; its own step finds out what became of it."""
        key = self._name_challenge(batch.id, index)
        if self._context.submitter.is_under_way(key) or not self._may_spend(batch, key):
            return
        call, _ = self._build(batch, leaves, index)
        with suppress(OffchainError):
            self._context.submitter.begin(key, call)

    def _build(
        self, batch: CommittedBatch, leaves: Sequence[bytes], index: int
    ) -> tuple[Call, Wei]:
        """Return the challenge of one result, and what it sends for a bond."""
        bond = self._compute_bond(batch)
        call = self._context.contracts.sessions.build_challenge(
            batch.id, batch.leaves[index], compute_path(leaves, index), bond
        )
        return call, bond

    def _compute_bond(self, batch: CommittedBatch) -> Wei:
        terms = self._context.sessions.get_terms(batch.session)
        if terms is None:
            raise NoSuchSession(batch.session)
        return compute_bond_to_send(self._context.contracts.game.get_bond(terms.version))

    def _may_spend(self, batch: CommittedBatch, key: StepKey) -> bool:
        """Whether the balance covers one more dispute to its end."""
        context = self._context
        if context.submitter.is_under_way(key):
            return True
        bond = self._compute_bond(batch)
        later = compute_reserve_wei(GAS_TO_THE_END, context.client.get_head().base_fee_wei)
        gas = CHALLENGE_GAS + EXTRACTION_GAS
        if context.submitter.can_spend(bond, gas, obligations_wei=later):
            return True
        context.put_off(key, "the balance does not cover this dispute to its end", bond=bond)
        return False

    def _read_findings(self, batch: BatchId) -> Findings:
        step = self._context.journal.get_step(self._name_findings(batch))
        if step is None or "right" not in step.detail:
            return Findings()
        return Findings(frozenset(step.detail["right"]), frozenset(step.detail["wrong"]))

    def _is_over(self, batch: BatchId) -> bool:
        return self._context.journal.is_given_up(self._name_findings(batch))

    def _name_findings(self, batch: BatchId) -> StepKey:
        return self._context.key(name_batch(batch), FINDINGS)

    def _name_challenge(self, batch: BatchId, index: int) -> StepKey:
        return self._context.key(name_batch(batch), f"{CHALLENGE_RESULT}{OF}{index}")
