"""A challenger's moves in disputes over traces: pin what differs or, where it is withheld, search.

Everything is decided from the chain's state: a restart, a second machine or a lost journal go on
where the dispute stands.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from offchain.chain.client import Call
from offchain.chain.contracts.pinpoint_types import (
    Phase,
    Pin,
    PinpointDispute,
    PostedTrace,
    make_pin_key,
)
from offchain.chain.fees import compute_reserve_wei
from offchain.chain.journal import StepKey
from offchain.errors import (
    PlanMismatch,
)
from offchain.roles.base import Action
from offchain.roles.differences import Differences
from offchain.roles.disputes import compute_bond_to_send, name_step
from offchain.roles.fraud_reports import FraudReports
from offchain.roles.trace_book import OwnTrace, TraceBook
from offchain.roles.trace_search import TraceSearch
from offchain.roles.trace_turns import (
    MOVE,
    RESOLVE,
    RULE,
    TIMEOUT,
    VOID_HELD,
    get_deadline,
    is_challengers_turn,
    name_move,
)
from offchain.roles.trace_verdicts import TraceVerdicts
from offchain.types import Job, JobId, JobState, ProtocolTime, Wei

if TYPE_CHECKING:
    from offchain.roles.base import BaseRole

PINPOINT: Final = "pinpoint"
REPORT_FRAUD: Final = "report-fraud"
PIN_GAS: Final = 400_000
VERDICT_GAS: Final = 3_000_000  # of the dearest element: 96 KiB of evidence
MOVE_GAS: Final = 180_000
END_GAS: Final = 700_000  # timeout or resolution, division, withdrawal
MOVES_BESIDE_TREES: Final = 6  # of a search: its beginning, its pin, and the leaves of every tree
MAX_PLACES: Final = 16  # of challengers of a job's trace
MAX_JOINED: Final = 3  # of a dispute about an element, beside its first challenger


class TraceMoves:
    """Disputes one account's findings over traces, to the end."""

    def __init__(self, role: BaseRole, book: TraceBook) -> None:
        self._role = role
        self._context = role.context
        self._book = book
        self._differences = Differences(book)
        self._reports = FraudReports(role, book)
        self._search = TraceSearch(role, book)
        self._verdicts = TraceVerdicts(role, book)

    # What is due

    @property
    def actions(self) -> Mapping[str, Action]:
        """Return step name -> what performs it."""
        return {
            PINPOINT: self.pinpoint,
            REPORT_FRAUD: self.report_fraud,
            MOVE: self._search.move,
            RULE: self._verdicts.rule,
            TIMEOUT: self._verdicts.claim_timeout,
            RESOLVE: self._verdicts.resolve,
            VOID_HELD: self._verdicts.void_held,
        }

    def may_open(self, job: Job) -> bool:
        """Whether a wrong result is disputed over its trace, and not by a proof of all of it."""
        if self._context.settings.game == "prove" or job.proof_required:
            return False
        try:
            has_plan = self._book.find_plan(job) is not None
        except PlanMismatch:
            return False  # a plan that lies is no plan
        if not has_plan or self.has_searched(job.id):
            return False
        posted = self._book.game.get_trace(job.id)
        return not self._is_shut_out(job.id, posted) or self._may_report(job, posted)

    def _is_shut_out(self, job_id: JobId, posted: PostedTrace) -> bool:
        """Whether others, who need not mean to win, have taken all places of challengers."""
        return posted.challengers >= MAX_PLACES and not self.is_challenging(job_id)

    def _may_report(self, job: Job, posted: PostedTrace) -> bool:
        """Whether fraud can be shown without a place; if not, a proof is asked for."""
        key = self._context.key(job.id, name_step(REPORT_FRAUD, job))
        return posted.is_posted and not self._reports.is_over(job.id, key)

    def choose_opening(self, job: Job, now: int) -> str | None:
        """Return the step that opens a dispute over the job's trace, or makes up for one, in time.

        None where it is too late, or this account has one.
        """
        if now > job.deadline or self.is_challenging(job.id):
            return None
        is_shut_out = self._is_shut_out(job.id, self._book.game.get_trace(job.id))
        return name_step(REPORT_FRAUD if is_shut_out else PINPOINT, job)

    def is_challenging(self, job_id: JobId) -> bool:
        """Whether this account's bond is in an open dispute over the job's trace."""
        return bool(self._list_own(job_id))

    def has_searched(self, job_id: JobId) -> bool:
        """Whether this account's search of the job is over: there is no second one."""
        phase = self._book.find_own_search(job_id).phase
        return phase is not Phase.NONE and not phase.is_open

    def choose_moves(self, job: Job, time: ProtocolTime) -> tuple[str, ...]:
        """Return one step for each of this account's disputes that waits for it."""
        own = self._list_own(job.id)
        posted = self._book.game.get_trace(job.id) if own else None
        steps = (self._choose_move(job, d, posted, time) for d in own if posted is not None)
        return tuple(dict.fromkeys(step for step in steps if step is not None))

    def _list_own(self, job_id: JobId) -> tuple[PinpointDispute, ...]:
        account = str(self._context.submitter.account)
        return tuple(
            dispute
            for dispute in self._book.list_disputes(job_id)
            if dispute.phase.is_open
            and account in map(str, self._book.game.get_challengers(job_id, dispute.key))
        )

    def _choose_move(
        self, job: Job, dispute: PinpointDispute, posted: PostedTrace, time: ProtocolTime
    ) -> str | None:
        if job.state is not JobState.DISPUTED or time.is_refund_mode:
            return name_move(RESOLVE, dispute)
        is_mine = str(dispute.challenger) == str(self._context.submitter.account)
        is_over = time.now > get_deadline(self._book.game, dispute, posted)
        if is_challengers_turn(dispute, posted):
            return name_move(MOVE, dispute) if is_mine and not is_over else None
        if is_over:
            return name_move(TIMEOUT, dispute)
        return name_move(RULE, dispute) if dispute.phase is Phase.LEAF else None

    # The opening

    def pinpoint(self, job_id: JobId, key: StepKey) -> None:
        """Pin the first operator that differs or, where that cannot be told, begin a search."""
        job = self._context.contracts.market.get_job(job_id)
        if name_step(PINPOINT, job) != key.step:
            return  # not the result that was found wrong: the next tick looks at this one
        own, game = self._book.compute(job), self._book.game
        posted = game.get_trace(job_id)
        found = self._find_pin(own, job, posted)
        # A search is nobody else's, and may come to the same element.
        pin = found if found is not None and self._may_pin(job_id, found) else None
        bond = compute_bond_to_send(game.get_required_bond(job_id))
        later = compute_reserve_wei(self._bound_gas(own, pin), self._get_gas_price())
        if not self._context.submitter.can_spend(bond, PIN_GAS, obligations_wei=later):
            if posted.is_posted and self._reports.report_pin(key, job, own, found):
                return
            reason = "the balance does not cover this dispute to its end"
            self._context.put_off(key, reason, bond=bond, later=later)
            return
        call = self._build_opening(job, posted, pin, bond)
        facts = {} if pin is None else {"op": own.plan.plan.ops[pin.op].name, "element": pin.elem}
        event = "search-opened" if pin is None else "pinpointed"
        self._role.send(job_id, key, call, event, sent_wei=bond, **facts)

    def report_fraud(self, job_id: JobId, key: StepKey) -> None:
        """Show a trace inconsistent where no place is left to dispute it."""
        job = self._context.contracts.market.get_job(job_id)
        if name_step(REPORT_FRAUD, job) != key.step:
            return  # not the result that was found wrong: the next tick looks at this one
        own = self._book.compute(job)
        pin = self._find_pin(own, job, self._book.game.get_trace(job_id))
        self._reports.report_pin(key, job, own, pin)

    def _may_pin(self, job_id: JobId, pin: Pin) -> bool:
        """Whether an element is undisputed, or its dispute can still be joined.

        Whoever disputes it need not mean to win.
        """
        game, context = self._book.game, self._context
        there = game.get_dispute(job_id, make_pin_key(pin.op, pin.elem))
        if there.phase is not Phase.LEAF:
            return there.phase is Phase.NONE
        # A transaction is mined in the next block at the earliest.
        last = there.opened_at_block + context.parameters.share_blocks
        is_late = context.client.get_head().number + 1 > last
        return not is_late and len(game.get_challengers(job_id, there.key)) <= MAX_JOINED

    def _get_gas_price(self) -> Wei:
        base_fee = self._context.client.get_head().base_fee_wei
        return Wei(max(base_fee, self._context.parameters.gas_price_floor))

    def _bound_gas(self, own: OwnTrace, pin: Pin | None) -> int:
        """Return the gas of everything that a dispute may still ask for once it is open."""
        if pin is not None:
            return VERDICT_GAS + END_GAS
        plan = own.plan.plan
        tiles = max(op.descriptor.out.tiles for op in plan.ops)
        levels = plan.layer_depth + plan.op_depth + tiles.bit_length()
        return (levels // 5 + MOVES_BESIDE_TREES) * MOVE_GAS + VERDICT_GAS + END_GAS

    def _build_opening(self, job: Job, posted: PostedTrace, pin: Pin | None, bond: Wei) -> Call:
        game = self._book.game
        if pin is None:
            return game.build_open_dispute(job.id, job.out_digest, bond)
        there = make_pin_key(pin.op, pin.elem)
        if game.get_dispute(job.id, there).phase is Phase.LEAF:
            return game.build_join(job.id, there, posted.root, bond)
        return game.build_pinpoint(job.id, job.out_digest, posted.root, pin, bond)

    def _find_pin(self, own: OwnTrace, job: Job, posted: PostedTrace) -> Pin | None:
        if not posted.is_posted:
            return None
        return self._differences.find_pin(own, job, self._context.get_terms(job.id), posted)
