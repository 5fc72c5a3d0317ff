"""A challenger's moves in its search of a trace: down to what differs, and pin it there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from offchain.chain.client import Call
from offchain.chain.contracts.pinpoint_types import EMPTY, WHOLE, Phase, PinpointDispute, Search
from offchain.chain.journal import StepKey
from offchain.errors import TraceError
from offchain.roles.differences import Differences
from offchain.roles.fraud_reports import FraudReports
from offchain.roles.known_trace import KnownTrace
from offchain.roles.pinned import read_searched
from offchain.roles.pins import build_claim, build_layer_end, build_pin
from offchain.roles.search_moves import (
    ChallengerMove,
    Contradiction,
    Padding,
    PinElement,
    PinOperator,
    Select,
    SelectLayer,
    follow_output,
    follow_trace,
)
from offchain.roles.trace_book import OwnTrace, TraceBook
from offchain.roles.trace_turns import MOVE, name_move, parse_id
from offchain.trace.plan import TraceOp
from offchain.types import Job, JobId, JobTerms

if TYPE_CHECKING:
    from offchain.roles.base import BaseRole

REPORTS: Final = ("proveStructural", "provePadding")
NO_SEARCH: Final = Search(EMPTY, EMPTY, 0)


class TraceSearch:
    """Moves in one account's searches."""

    def __init__(self, role: BaseRole, book: TraceBook) -> None:
        self._role = role
        self._context = role.context
        self._book = book
        self._differences = Differences(book)
        self._reports = FraudReports(role, book)

    def move(self, job_id: JobId, key: StepKey) -> None:
        """Go on in a search, or pin what it has come to."""
        job, dispute = self._read(job_id, key)
        if name_move(MOVE, dispute) != key.step:
            return  # it has moved meanwhile
        own = self._book.compute(job)
        if dispute.phase is Phase.TRACE:
            call: Call | None = self._build_first_move(own, job)
        else:
            call = self._build_move(own, job, dispute, key)
        if call is not None and call.function in REPORTS:
            self._reports.make(job_id, key, call)
        elif call is not None:
            self._role.send(job_id, key, call, "search-moved", move=call.function)

    def _build_first_move(self, own: OwnTrace, job: Job) -> Call:
        game = self._book.game
        posted = game.get_trace(job.id)
        found = self._differences.fetch(own, job, posted)
        if found is None:
            return game.build_search(job.id, posted.root)
        return self._build_pin(own, job, NO_SEARCH, *found)

    def _build_move(
        self, own: OwnTrace, job: Job, dispute: PinpointDispute, key: StepKey
    ) -> Call | None:
        """Return the next move; None while the events lag behind the head."""
        state = self._book.find_state(job.id, dispute)
        if state is None:
            return None
        game = self._book.game
        if state.context != EMPTY:
            return self._build_output_move(own, job, dispute, state)
        found = self._differences.fetch(own, job, game.get_trace(job.id))
        if found is not None:  # nothing is left to be searched for
            return self._build_pin(own, job, state, *found)
        known = self._book.learn(own, job.id, dispute)
        move = follow_trace(known, state)
        if isinstance(move, Contradiction | Padding):
            return self._build_report(job, key, known, move)
        return self._build_trace_move(own, job, state, known, move)

    def _build_trace_move(
        self, own: OwnTrace, job: Job, state: Search, known: KnownTrace, move: ChallengerMove
    ) -> Call:
        game = self._book.game
        if isinstance(move, Select):
            return game.build_select(job.id, state, move.index, move.child, move.siblings)
        if isinstance(move, SelectLayer):
            return game.build_select_layer(
                job.id, state, move.index, move.digest, move.op_root, move.siblings
            )
        if not isinstance(move, PinOperator):
            raise TraceError(f"a trace's search leads to its operators, not to {move}")
        return self._build_pin(own, job, state, known, move.op)

    def _build_report(
        self, job: Job, key: StepKey, known: KnownTrace, fault: Contradiction | Padding
    ) -> Call:
        """Return what shows that a trace is none: nothing in it is to be pinned."""
        game, salt = self._book.game, self._reports.get_salt(job.id, key)
        end = build_layer_end(known, fault.layer)
        if isinstance(fault, Contradiction):
            return game.build_prove_structural(job.id, end, salt)
        siblings = known.ops(fault.layer).path(fault.position)
        return game.build_prove_padding(job.id, end, fault.position, fault.digest, siblings, salt)

    def _build_pin(
        self, own: OwnTrace, job: Job, state: Search, known: KnownTrace, op: TraceOp
    ) -> Call:
        """Pin an operator, in an element if that is known; else its output is searched."""
        game, terms = self._book.game, self._get_terms(job)
        elem = self._differences.choose_element(own, op, known)
        if elem is None:
            return game.build_search_tiles(job.id, state, build_pin(known, op, WHOLE, terms))
        return game.build_pin_searched(job.id, state, build_pin(known, op, elem, terms))

    def _build_output_move(
        self, own: OwnTrace, job: Job, dispute: PinpointDispute, state: Search
    ) -> Call:
        """Go on in the tiles of an operator's output, or name the element that differs."""
        game = self._book.game
        op = read_searched(self._book, self._context, own, job, dispute)
        move = follow_output(self._book.learn_output(own, job.id, dispute, op), state)
        if isinstance(move, Select):
            return game.build_select(job.id, state, move.index, move.child, move.siblings)
        if not isinstance(move, PinElement):
            raise TraceError(f"an output's search leads to its elements, not to {move}")
        known = self._book.learn(own, job.id, dispute)
        claim = build_claim(known, job, op, move.element, EMPTY)
        return game.build_pin_element(job.id, state, claim)

    def _read(self, job_id: JobId, key: StepKey) -> tuple[Job, PinpointDispute]:
        job = self._context.contracts.market.get_job(job_id)
        return job, self._book.find_dispute(job_id, parse_id(key.step))

    def _get_terms(self, job: Job) -> JobTerms:
        return self._context.get_terms(job.id)
