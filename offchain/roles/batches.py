"""An operator's batches: which results make one, committing it once, finalising it.

What a batch holds is written down before its transaction is signed, and no other batch of the
session is begun before that one is mined or given up: whatever is killed, no nonce is committed
twice by this operator, and no signed result is forgotten.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from offchain.chain.job_ids import id_bytes
from offchain.chain.journal import Step, StepKey, StepStatus
from offchain.chain.session_ids import compute_batch_id
from offchain.commit.batch_tree import compute_leaf, compute_root
from offchain.errors import ContractRevert, ModelMissing
from offchain.roles.base import REFUSALS
from offchain.roles.exposure import OF, PLAN, REQUEST
from offchain.roles.intake import count_least_batch
from offchain.roles.pace import measure_pace
from offchain.roles.plan_checks import verify_defensible
from offchain.roles.session_book import SESSION, name_batch, name_session
from offchain.roles.session_rules import (
    BatchRules,
    Result,
    can_commit,
    choose_batch,
    compute_safety_s,
    is_lost,
    read_result,
)
from offchain.types import BatchId, JobId, Session, SessionId

if TYPE_CHECKING:
    from offchain.roles.operator import Operator

COMMIT_BATCH: Final = "commit-batch"
LATE: Final = "its time was over before it was committed"
NO_ROOM: Final = "deposit or stake leave no room for a result"


class BatchMoves:
    """Commits and settles the batches of one operator."""

    def __init__(self, operator: Operator) -> None:
        self._operator = operator
        self._context = operator.context
        self._role = operator.context.settings.role
        self._rewinds: int | None = None  # of the cursor, when the journal was compared with it

    # What is due

    def compute_commits(self, sessions: Sequence[Session], now: int) -> tuple[StepKey, ...]:
        """Return the commitments that are due, of these sessions and of what the journal holds."""
        self._reopen_undone()
        self._drop_overdue(now)
        waiting = self._read_waiting()
        by_id = {session.id: session for session in sessions}
        due: list[StepKey] = []
        for session_id in sorted({*waiting, *self._list_planned()}):
            session = by_id.get(session_id) or self._context.sessions.find_session(session_id)
            if session is None:
                continue  # reorganised away, with all that depends on it
            due += self._compute_commits_of(session, waiting.get(session_id, []), now)
        return tuple(due)

    def _compute_commits_of(
        self, session: Session, waiting: Sequence[Result], now: int
    ) -> list[StepKey]:
        due, is_busy = [], False
        for plan in self._get_plans(session.id, StepStatus.BEGUN):
            if self._context.cursor.is_known(name_batch(BatchId(plan.detail["batch"]))):
                self._context.journal.put_step(plan.key, StepStatus.DONE)
                continue
            key = self._name_commit(session.id, int(plan.key.step.partition(OF)[2]))
            due.append(key)  # mined or not: a reorganisation may have undone it
            is_busy = is_busy or not self._context.journal.is_done(key)
        left = self._drop_lost(session, waiting, now)
        if (
            left
            and not is_busy
            and choose_batch(left, session, now, self._read_rules(session), len(left))
        ):
            number = self._context.journal.get_counter(_name_counter(session.id))
            due.append(self._name_commit(session.id, number))
        return due

    def _drop_lost(self, session: Session, waiting: Sequence[Result], now: int) -> list[Result]:
        """Return what can still be committed, after giving up the rest."""
        left = []
        for result in waiting:
            if can_commit(session, now) and not is_lost(result, now):
                left.append(result)
            else:
                key = name_request(self._context, session.id, result.request.nonce)
                self._context.give_up(key, LATE)
        return left

    def _read_rules(self, session: Session) -> BatchRules:
        settings = self._context.settings
        head = self._context.client.get_head()
        safety_s = compute_safety_s(measure_pace(self._context.client, head))
        least = count_least_batch(self._context, session, head.base_fee_wei)
        return BatchRules(settings.batch_size, settings.batch_seconds, safety_s, least)

    def _drop_overdue(self, now: int) -> None:
        """Give up what was promised and never run, once its last second is over."""
        steps = self._context.journal.get_steps(
            self._role, begins=REQUEST + OF, status=StepStatus.BEGUN
        )
        for step in steps:
            if "out_digest" not in step.detail and step.detail.get("valid_until", 0) < now:
                self._context.give_up(step.key, LATE)

    def _read_waiting(self) -> dict[SessionId, list[Result]]:
        """Return the journalled results that no plan holds, by session."""
        found: dict[SessionId, list[Result]] = {}
        steps = self._context.journal.get_steps(
            self._role, begins=REQUEST + OF, status=StepStatus.BEGUN
        )
        for step in steps:
            session = SessionId(step.key.job.removeprefix(SESSION))
            result = read_result(session, int(step.key.step.partition(OF)[2]), step.detail)
            if result is not None:
                found.setdefault(session, []).append(result)
        return found

    def _list_planned(self) -> frozenset[SessionId]:
        steps = self._context.journal.get_steps(
            self._role, begins=PLAN + OF, status=StepStatus.BEGUN
        )
        return frozenset(SessionId(step.key.job.removeprefix(SESSION)) for step in steps)

    def _reopen_undone(self) -> None:
        """Look again after batches that a reorganisation took out of the chain."""
        cursor, journal = self._context.cursor, self._context.journal
        if cursor.rewinds == self._rewinds:
            return
        for plan in journal.get_steps(self._role, begins=PLAN + OF, status=StepStatus.DONE):
            if not cursor.is_known(name_batch(BatchId(plan.detail["batch"]))):
                journal.put_step(plan.key, StepStatus.BEGUN)
        self._rewinds = cursor.rewinds

    # What is done

    def commit(self, _: JobId, key: StepKey) -> None:
        """Commit a batch: the one that was planned under this number, or plan it now."""
        session_id = SessionId(key.job.removeprefix(SESSION))
        number = int(key.step.partition(OF)[2])
        plan_key = self._context.key(key.job, f"{PLAN}{OF}{number}")
        plan = self._context.journal.get_step(plan_key)
        if plan is not None and plan.status is StepStatus.GIVEN_UP:
            return
        session = self._context.sessions.find_session(session_id)
        if session is None:
            return
        if not self._context.submitter.is_under_way(key):
            plan = self._review(session, key, plan_key, plan)
        if plan is not None:
            self._send(session, key, plan)

    def _review(
        self, session: Session, key: StepKey, plan_key: StepKey, plan: Step | None
    ) -> Step | None:
        """Return what to commit, None where nothing is stood behind now.

        A plan of disputes that became active since the results were signed counts against them.
        """
        try:
            verify_defensible(self._context, session.terms.version)
        except (ModelMissing, *REFUSALS) as error:
            if plan is None:
                self._context.put_off(key, str(error))
            else:
                self._abandon(plan, str(error))
            return None
        if plan is None:
            return self._make_plan(session, key, plan_key)
        if not self._is_spoilt(session, plan):
            return plan
        self._abandon(plan, "a result of it cannot be committed any more")
        return None

    def _send(self, session: Session, key: StepKey, plan: Step) -> None:
        context = self._context
        items = [result.to_item() for result in self._read_planned(session.id, plan)]
        call = context.contracts.sessions.build_commit_batch(session.id, items)
        try:
            receipt = context.submitter.submit(key, call)
        except ContractRevert as revert:
            # Jail or a pause pass; of a spoilt batch the next try makes others.
            context.put_off(key, str(revert))
            return
        if not context.journal.is_done(key):
            context.journal.put_step(key, StepStatus.DONE)
            context.log.event(
                "batch-committed",
                session=session.id,
                batch=plan.detail["batch"],
                results=len(items),
                tx=receipt.tx_hash,
            )

    def _make_plan(self, session: Session, key: StepKey, plan_key: StepKey) -> Step | None:
        """Write down which results make the next batch; None where none is due any more."""
        context = self._context
        now = context.contracts.market.get_time().now
        waiting = self._drop_lost(session, self._read_waiting().get(session.id, []), now)
        waiting = [result for result in waiting if not self._is_committed(session.id, result)]
        room = self._measure_room(session)
        chosen = choose_batch(waiting, session, now, self._read_rules(session), room)
        if not chosen:
            if waiting and not room:
                context.put_off(key, NO_ROOM)
            return None
        detail: dict[str, Any] = {
            "batch": self._compute_id(session, chosen),
            "nonces": [result.request.nonce for result in chosen],
        }
        with context.journal.atomic():
            context.journal.put_step(plan_key, StepStatus.BEGUN, detail)
            context.journal.increment(_name_counter(session.id))
            for nonce in detail["nonces"]:
                context.journal.put_step(name_request(context, session.id, nonce), StepStatus.DONE)
        return Step(plan_key, StepStatus.BEGUN, detail)

    def _is_committed(self, session: SessionId, result: Result) -> bool:
        """Whether the chain has a result of this nonce: the journal may have been lost since."""
        nonce = result.request.nonce
        if not self._context.contracts.sessions.is_nonce_used(session, nonce):
            return False
        self._context.journal.put_step(name_request(self._context, session, nonce), StepStatus.DONE)
        return True

    def _is_spoilt(self, session: Session, plan: Step) -> bool:
        """Whether the chain would refuse this very batch for good, or for want of room."""
        now = self._context.contracts.market.get_time().now
        results = self._read_planned(session.id, plan)
        if not can_commit(session, now) or self._measure_room(session) < len(results):
            return True
        used = self._context.contracts.sessions.is_nonce_used
        return any(is_lost(r, now) or used(session.id, r.request.nonce) for r in results)

    def _abandon(self, plan: Step, reason: str) -> None:
        """Let the results of a batch wait for another one."""
        context = self._context
        session = SessionId(plan.key.job.removeprefix(SESSION))
        with context.journal.atomic():
            context.journal.put_step(plan.key, StepStatus.GIVEN_UP)
            for nonce in plan.detail["nonces"]:
                key = name_request(context, session, nonce)
                if not context.journal.is_given_up(key):
                    context.journal.put_step(key, StepStatus.BEGUN)
        context.log.event("batch-abandoned", session=session, reason=reason)

    def _measure_room(self, session: Session) -> int:
        """Return how many results deposit and free stake allow for."""
        context, terms = self._context, session.terms
        lock = context.contracts.market.compute_lock(terms.token, terms.fee)
        free = context.contracts.vault.get_account(terms.operator, terms.token).free
        return min(session.deposit // max(1, terms.fee), free // max(1, lock))

    def _read_planned(self, session: SessionId, plan: Step) -> list[Result]:
        results = []
        for nonce in plan.detail["nonces"]:
            step = self._context.journal.get_step(name_request(self._context, session, nonce))
            result = None if step is None else read_result(session, nonce, step.detail)
            if result is not None:
                results.append(result)
        return results

    def _compute_id(self, session: Session, results: Sequence[Result]) -> BatchId:
        leaves = []
        for result in results:
            terms = self._context.sessions.get_job_terms(
                session.id, result.request.nonce, result.request.in_digest
            )
            job = id_bytes(self._context.contracts.market.compute_job_id(terms))
            leaves.append(compute_leaf(job, result.out_digest))
        return compute_batch_id(session.id, compute_root(leaves))

    def _get_plans(self, session: SessionId, status: StepStatus) -> tuple[Step, ...]:
        name = name_session(session)
        return self._context.journal.get_steps(self._role, name, PLAN + OF, status)

    def _name_commit(self, session: SessionId, number: int) -> StepKey:
        return self._context.key(name_session(session), f"{COMMIT_BATCH}{OF}{number}")


def name_request(context: Any, session: SessionId, nonce: int) -> StepKey:
    """Return the journal's key of what is known of one request."""
    key: StepKey = context.key(name_session(session), f"{REQUEST}{OF}{nonce}")
    return key


def _name_counter(session: SessionId) -> str:
    return f"{PLAN}{OF}{session}"
