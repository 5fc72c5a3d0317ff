"""A challenger's moves in disputes over traces: pin what differs or, where it is withheld, search.

Everything is decided from the chain's state: a restart, a second machine or a lost journal go on
where the dispute stands.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from offchain.chain.client import Call
from offchain.chain.contracts.pinpoint_game import compute_report_commitment
from offchain.chain.contracts.pinpoint_types import (
    EMPTY,
    WHOLE,
    Phase,
    Pin,
    PinClaim,
    PinpointDispute,
    PostedTrace,
    Ruling,
    Search,
    make_pin_key,
)
from offchain.chain.fees import compute_reserve_wei
from offchain.chain.journal import StepKey
from offchain.errors import (
    EvidenceError,
    EvidenceTooLarge,
    PlanMismatch,
    TraceError,
    WitnessError,
)
from offchain.roles.base import OF, Action
from offchain.roles.disputes import compute_bond_to_send, name_step
from offchain.roles.known_trace import KnownTrace
from offchain.roles.pinned import read_claim, read_searched
from offchain.roles.pins import build_claim, build_layer_end, build_pin
from offchain.roles.rulings import Rulings
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
from offchain.roles.trace_turns import (
    MOVE,
    RESOLVE,
    RULE,
    TIMEOUT,
    VOID_HELD,
    get_deadline,
    is_challengers_turn,
    name_move,
    parse_id,
)
from offchain.trace.find import find_element_in_tile
from offchain.trace.plan import TraceOp
from offchain.trace.tensors import Opened, TiledTensor
from offchain.types import Job, JobId, JobState, JobTerms, ProtocolTime, Verdict, Wei

if TYPE_CHECKING:
    from offchain.roles.base import BaseRole

PINPOINT: Final = "pinpoint"
PIN_GAS: Final = 400_000
VERDICT_GAS: Final = 3_000_000  # of the dearest element: 96 KiB of evidence
MOVE_GAS: Final = 180_000
END_GAS: Final = 700_000  # timeout or resolution, division, withdrawal
MOVES_BESIDE_TREES: Final = 6  # of a search: its beginning, its pin, and the leaves of every tree
REPORTS: Final = ("proveStructural", "provePadding")
MAX_PLACES: Final = 16  # of challengers of a job's trace
MAX_JOINED: Final = 3  # of a dispute about an element, beside its first challenger
NO_SEARCH: Final = Search(EMPTY, EMPTY, 0)


class TraceMoves:
    """Disputes one account's findings over traces, to the end."""

    def __init__(self, role: BaseRole, book: TraceBook) -> None:
        self._role = role
        self._context = role.context
        self._book = book
        self._rulings = Rulings(role.context)

    # What is due

    @property
    def actions(self) -> Mapping[str, Action]:
        """Return step name -> what performs it."""
        return {
            PINPOINT: self.pinpoint,
            MOVE: self.move,
            RULE: self.rule,
            TIMEOUT: self.claim_timeout,
            RESOLVE: self.resolve,
            VOID_HELD: self.void_held,
        }

    def may_open(self, job: Job) -> bool:
        """Whether a wrong result is disputed over its trace, and not by a proof of all of it."""
        if self._context.settings.game == "prove" or job.proof_required:
            return False
        try:
            has_plan = self._book.find_plan(job) is not None
        except PlanMismatch:
            return False  # a plan that lies is no plan
        return has_plan and not self.has_searched(job.id) and not self._is_shut_out(job.id)

    def _is_shut_out(self, job_id: JobId) -> bool:
        """Whether others, who need not mean to win, have taken all places: a proof needs none."""
        is_full = self._book.game.get_trace(job_id).challengers >= MAX_PLACES
        return is_full and not self.is_challenging(job_id)

    def choose_opening(self, job: Job, now: int) -> str | None:
        """Return the step that opens a dispute over the job's trace while one may be opened."""
        is_late = now > job.deadline or self.is_challenging(job.id)
        return None if is_late else name_step(PINPOINT, job)

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
        pin = self._find_pin(own, job, posted) if posted.is_posted else None
        if pin is not None and not self._may_pin(job_id, pin):
            pin = None  # a search is nobody else's, and may come to the same element
        bond = compute_bond_to_send(game.get_required_bond(job_id))
        later = compute_reserve_wei(self._bound_gas(own, pin), self._get_gas_price())
        if not self._context.submitter.can_spend(bond, PIN_GAS, obligations_wei=later):
            reason = "the balance does not cover this dispute to its end"
            self._context.put_off(key, reason, bond=bond, later=later)
            return
        call = self._build_opening(job, posted, pin, bond)
        facts = {} if pin is None else {"op": own.plan.plan.ops[pin.op].name, "element": pin.elem}
        event = "search-opened" if pin is None else "pinpointed"
        self._role.send(job_id, key, call, event, sent_wei=bond, **facts)

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
        """Return the first operator that differs with an element, if all that can be told."""
        known = self._book.fetch(own, job, posted)
        if known is None:
            return None
        op = self._find_operator(own, known)
        elem = self._choose_element(own, op, known)
        if elem is None and any(op.descriptor.op_key):
            elem = WHOLE
        return None if elem is None else build_pin(known, op, elem, self._get_terms(job))

    def _find_operator(self, own: OwnTrace, known: KnownTrace) -> TraceOp:
        mine, theirs = own.trace.digests, known.own.digests
        differing = (k for k, (a, b) in enumerate(zip(mine, theirs, strict=True)) if a != b)
        # Without a difference only a drill goes on: it doubts what is right.
        return own.plan.plan.ops[next(differing, len(mine) // 2)]

    def _choose_element(self, own: OwnTrace, op: TraceOp, known: KnownTrace) -> int | None:
        """Return the element to pin, None where the output as it is claimed is not to be had."""
        digest = known.op_digest(op.layer, op.position)
        if digest == own.trace.digests[op.index]:
            return 0
        theirs = self._book.fetch_output(op, digest)
        return None if theirs is None else self._compare(own, op, theirs)

    def _compare(self, own: OwnTrace, op: TraceOp, theirs: TiledTensor) -> int:
        """Return the first element that differs; the last one where only padding does."""
        mine, size = own.tensors.get(op.name), op.descriptor.out.element_bytes
        for k in range(mine.tiles):
            found = find_element_in_tile(mine.tile(k), theirs.tile(k), k, size)
            if found is not None:
                return min(found, op.descriptor.out.count - 1)
        return op.descriptor.out.count - 1

    # The search

    def move(self, job_id: JobId, key: StepKey) -> None:
        """Go on in a search, or pin what it has come to."""
        job, dispute = self._read(job_id, key)
        if name_move(MOVE, dispute) != key.step:
            return  # it has moved meanwhile
        own = self._book.compute(job)
        if dispute.phase is Phase.TRACE:
            call: Call | None = self._build_first_move(own, job)
        else:
            call = self._build_move(own, job, dispute)
        if call is not None and call.function in REPORTS:
            self._report(job_id, key, call)
        elif call is not None:
            self._role.send(job_id, key, call, "search-moved", move=call.function)

    def _report(self, job_id: JobId, key: StepKey, report: Call) -> None:
        """Announce a report, and make it a block later: who copies it comes too late."""
        context = self._context
        commitment = compute_report_commitment(str(context.submitter.account), report)
        announced = context.contracts.game.get_announced_at(commitment)
        if announced is None:
            step = context.key(job_id, f"{key.step}{OF}announce")
            call = context.contracts.game.build_announce_evidence(commitment)
            self._role.send(job_id, step, call, "evidence-announced")
        elif announced < context.client.get_head().number:
            step = context.key(job_id, f"{key.step}{OF}report")
            self._role.send(job_id, step, report, "fraud-reported", fault=report.function)

    def _build_first_move(self, own: OwnTrace, job: Job) -> Call:
        game = self._book.game
        posted = game.get_trace(job.id)
        known = self._book.fetch(own, job, posted)
        if known is None:
            return game.build_search(job.id, posted.root)
        return self._build_pin(own, job, NO_SEARCH, known, self._find_operator(own, known))

    def _build_move(self, own: OwnTrace, job: Job, dispute: PinpointDispute) -> Call | None:
        """Return the next move; None while the events lag behind the head."""
        state = self._book.find_state(job.id, dispute)
        if state is None:
            return None
        game = self._book.game
        if state.context != EMPTY:
            return self._build_output_move(own, job, dispute, state)
        whole = self._book.fetch(own, job, game.get_trace(job.id))
        if whole is not None:  # nothing is left to be searched for
            return self._build_pin(own, job, state, whole, self._find_operator(own, whole))
        known = self._book.learn(own, job.id, dispute)
        move = follow_trace(known, state)
        if isinstance(move, Contradiction | Padding):
            return self._build_report(job, dispute, known, move)
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
        self, job: Job, dispute: PinpointDispute, known: KnownTrace, fault: Contradiction | Padding
    ) -> Call:
        """Return what shows that a trace is none: nothing in it is to be pinned."""
        game, salt = self._book.game, dispute.id
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
        elem = self._choose_element(own, op, known)
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

    # Verdicts and ends

    def rule(self, job_id: JobId, key: StepKey) -> None:
        """Show a pinned claim inconsistent, where that can be shown from here."""
        job, dispute = self._read(job_id, key)
        claim = read_claim(self._book, self._context, job, dispute)
        if name_move(RULE, dispute) != key.step or claim is None:
            return  # it is decided, or the events lag behind the head
        own = self._book.compute(job)
        op = own.plan.plan.ops[claim.op]
        try:
            ruling = self._refute(own, job, dispute, op, claim)
        except (EvidenceError, EvidenceTooLarge, TraceError, WitnessError) as error:
            self._context.give_up(key, str(error))  # the asserter shows it, or defaults
            return
        call = self._book.game.build_adjudicate(job_id, dispute.key, claim, [ruling])
        self._role.send(job_id, key, call, "fraud-shown", op=op.name, element=claim.elem)

    def _refute(
        self, own: OwnTrace, job: Job, dispute: PinpointDispute, op: TraceOp, claim: PinClaim
    ) -> Ruling:
        """Return evidence that a claim is inconsistent: one element, or a proof of the operator."""
        if claim.out_digest == own.trace.digests[op.index]:
            raise EvidenceError("the claim is what is computed here, too")
        try:
            output = self._find_output(own, job, dispute, op, claim.out_digest)
            element = claim.elem
            if claim.elem == WHOLE and isinstance(output, TiledTensor):
                element = self._compare(own, op, output)
            expected = Verdict.INCONSISTENT
            return self._rulings.build_element(own, op, claim, element, expected, output)
        except (EvidenceTooLarge, TraceError):
            if claim.elem != WHOLE:
                raise
        return self._rulings.attack(own, op, claim)

    def _find_output(
        self, own: OwnTrace, job: Job, dispute: PinpointDispute, op: TraceOp, digest: bytes
    ) -> Opened:
        """Return the output as it is claimed: its bytes, or the tile that a search revealed."""
        theirs = self._book.fetch_output(op, digest)
        if theirs is not None:
            return theirs
        return self._book.learn_output(own, job.id, dispute, op).open_tile()

    def claim_timeout(self, job_id: JobId, key: StepKey) -> None:
        """End a dispute whose other side was silent."""
        call = self._book.game.build_claim_timeout(job_id, self._read(job_id, key)[1].key)
        self._role.send(job_id, key, call, "timeout-claimed")

    def resolve(self, job_id: JobId, key: StepKey) -> None:
        """End a dispute whose job was settled otherwise; bonds go where they belong."""
        call = self._book.game.build_resolve(job_id, self._read(job_id, key)[1].key)
        self._role.send(job_id, key, call, "dispute-resolved")

    def void_held(self, job_id: JobId, key: StepKey) -> None:
        """In the refund mode, give everybody the money of a held job back."""
        call = self._book.game.build_void_held(job_id)
        self._role.send(job_id, key, call, "job-voided")

    def _read(self, job_id: JobId, key: StepKey) -> tuple[Job, PinpointDispute]:
        job = self._context.contracts.market.get_job(job_id)
        return job, self._book.find_dispute(job_id, parse_id(key.step))

    def _get_terms(self, job: Job) -> JobTerms:
        return self._context.get_terms(job.id)
