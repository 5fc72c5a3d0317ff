"""One's own traces of jobs, and what others' traces are said and found to be."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from threading import RLock
from typing import Final

from offchain.chain.abi import DecodedEvent
from offchain.chain.contracts.pinpoint_game import PinpointGame
from offchain.chain.contracts.pinpoint_types import (
    PinpointDispute,
    PostedTrace,
    Search,
    make_search_key,
)
from offchain.chain.job_ids import id_bytes
from offchain.errors import ContentError, TraceError
from offchain.model.execution import Execution
from offchain.roles.context import Context
from offchain.roles.known_trace import KnownOutput, KnownTrace
from offchain.roles.pins import HEAD_BYTES
from offchain.roles.search_log import (
    Revealed,
    learn_output,
    learn_trace,
    list_reveals,
    read_calls,
)
from offchain.submit.models import Model
from offchain.submit.plans import VersionPlan
from offchain.submit.versions import ReproducedVersion
from offchain.trace.plan import TraceOp
from offchain.trace.recorder import (
    Granularity,
    Tensors,
    Trace,
    decode_trace,
    encode_trace,
    record_trace,
)
from offchain.trace.tensors import TiledTensor
from offchain.types import Digest, Job, JobId, JobState

KEPT: Final = 4  # executions in memory
MAX_PUBLISHED: Final = 64 << 20  # bytes of intermediate results that go with a trace
OPENED, MOVED, PINNED, RESOLVED, POSTED, EXPANDED = (
    "DisputeOpened",
    "SearchMoved",
    "OperatorPinned",
    "DisputeResolved",
    "TracePosted",
    "LayerExpanded",
)
GetModel = Callable[[Job], Model]
GetInput = Callable[[Job], bytes]


@dataclass(frozen=True)
class OwnTrace:
    """A job as it is computed here: every value, and the trace of it."""

    plan: VersionPlan
    model: Model
    execution: Execution
    trace: Trace
    raw_input: bytes

    @cached_property
    def tensors(self) -> Tensors:
        """Return the tensors, to be opened."""
        return Tensors(self.model.graph, self.model.weights, self.execution)


class TraceBook:
    """Traces of one role: its own, recomputed on the reference path, and the posted ones."""

    def __init__(self, context: Context, get_model: GetModel, get_input: GetInput) -> None:
        self._context = context
        self._get_model = get_model
        self._get_input = get_input
        self._own: OrderedDict[JobId, OwnTrace] = OrderedDict()
        self._lock = RLock()  # threads that need the same trace compute it once

    @property
    def game(self) -> PinpointGame:
        """Return the game over traces."""
        return self._context.contracts.pinpoint

    # Whether and how a job can be disputed so

    def find_plan(self, job: Job) -> VersionPlan | None:
        """Return the plan that counts for a job's disputes, recomputed, or None.

        A plan counts where whoever took the job could see it. Raises PlanMismatch where the one on
        chain is not that of the model's files.
        """
        registered = self._context.contracts.adjudicators.get_plan(job.version)
        if registered is None or not registered.active_at:
            return None
        parameters = self._context.parameters
        spans = {
            # What cannot count for an assigned job must not take time in which its result is due.
            JobState.ASSIGNED: parameters.exec_seconds,
            JobState.COMMITTED: parameters.exec_seconds + parameters.challenge_seconds,
            JobState.DISPUTED: parameters.exec_seconds + parameters.challenge_seconds,
        }
        is_late = job.state in spans and registered.active_at + spans[job.state] > job.deadline
        return None if is_late else self._context.plans.find(self._reproduce(job))

    def _reproduce(self, job: Job) -> ReproducedVersion:
        return self._context.versions.reproduce(job.version)

    # One's own

    def compute(self, job: Job) -> OwnTrace:
        """Return a job's trace as this role computes it; raises like input and plan do.

        Raises TraceError where the version has no plan.
        """
        with self._lock:
            if job.id in self._own:
                self._own.move_to_end(job.id)
                return self._own[job.id]
            plan = self._context.plans.find(self._reproduce(job))
            if plan is None:
                raise TraceError(f"version 0x{job.version.hex()} has no plan")
            model, raw_input = self._get_model(job), self._get_input(job)
            _, execution = model.run_traced(raw_input)
            trace = record_trace(plan.plan, model.graph, execution)
            self._own[job.id] = OwnTrace(plan, model, execution, trace, raw_input)
            while len(self._own) > KEPT:
                self._own.popitem(last=False)
            return self._own[job.id]

    def publish(self, own: OwnTrace) -> str:
        """Put a trace's digests, and what they are of, where everybody looks; return the URI."""
        content = self._context.content
        raw = encode_trace(own.trace)
        digest = content.offer(raw, 8, (1, len(raw)))
        sizes = [
            op.descriptor.out.count * op.descriptor.out.element_bytes for op in own.plan.plan.ops
        ]
        if sum(sizes) <= MAX_PUBLISHED:
            for op in own.plan.plan.ops:
                spec = op.descriptor.out
                tensor = own.tensors.get(op.name)
                content.offer(tensor.raw, 8 * spec.element_bytes, (spec.rows, spec.cols))
        return digest.hex()

    # Others'

    def fetch(self, own: OwnTrace, job: Job, posted: PostedTrace) -> KnownTrace | None:
        """Return the trace that was posted if its digests are to be had, else None."""
        events = self._context.cursor.get_events(POSTED, job.id)
        size = len(encode_trace(own.trace))
        granularity = get_granularity(posted)
        for event in events:
            try:
                digest = Digest(bytes.fromhex(str(event.arguments["uri"])))
                raw = self._context.content.get(digest, 8, (1, size))
                theirs = decode_trace(own.plan.plan, raw)
            except (ContentError, TraceError, ValueError):
                continue  # withheld, or not what it is said to be
            if theirs.root(granularity) == posted.root and theirs.in_digest == own.trace.in_digest:
                return KnownTrace(theirs, granularity)
        return None

    def fetch_output(self, op: TraceOp, digest: bytes) -> TiledTensor | None:
        """Return an operator's output as it is claimed, if its bytes are to be had."""
        spec = op.descriptor.out
        try:
            shape = (spec.rows, spec.cols)
            raw = self._context.content.get(Digest(digest), 8 * spec.element_bytes, shape)
        except ContentError:
            return None
        return TiledTensor(raw, spec.element_bytes)

    # Disputes

    def list_disputes(self, job_id: JobId) -> tuple[PinpointDispute, ...]:
        """Return the disputes about a job that confirmed events name, as they stand at the head."""
        events = self._context.cursor.get_events(OPENED, job_id)
        return tuple(self.game.get_dispute(job_id, int(e.arguments["key"])) for e in events)

    def find_dispute(self, job_id: JobId, digits: str) -> PinpointDispute:
        """Return the dispute whose id begins so; raise TraceError where no event names it."""
        for event in self._context.cursor.get_events(OPENED, job_id):
            if bytes(event.arguments["id"]).hex().startswith(digits):
                return self.game.get_dispute(job_id, int(event.arguments["key"]))
        raise TraceError(f"job {job_id} has no dispute 0x{digits}...")

    def list_moves(self, job_id: JobId, dispute: PinpointDispute) -> tuple[DecodedEvent, ...]:
        """Return how a search has moved, in chain order."""
        events = self._context.cursor.get_events(MOVED, job_id)
        return tuple(e for e in events if bytes(e.arguments["id"]) == dispute.id)

    def find_state(self, job_id: JobId, dispute: PinpointDispute) -> Search | None:
        """Return where a search stands, None while the events lag behind the head."""
        moves = self.list_moves(job_id, dispute)
        state = Search.of(moves[-1].arguments["state"]) if moves else None
        return state if state is not None and fits(dispute, state.hash()) else None

    def list_revealed(self, job_id: JobId, dispute: PinpointDispute) -> tuple[Revealed, ...]:
        """Return what a search has revealed."""
        game, client = self.game, self._context.client
        return list_reveals(
            game.abi,
            self.list_moves(job_id, dispute),
            id_bytes(job_id),
            str(dispute.challenger),
            lambda tx_hash: read_calls(client, tx_hash, str(game.address)),
        )

    def learn(self, own: OwnTrace, job_id: JobId, dispute: PinpointDispute) -> KnownTrace:
        """Return what a search has shown of a trace; raise TraceError for what cannot be."""
        known = KnownTrace(own.trace, get_granularity(self.game.get_trace(job_id)))
        for event in self._context.cursor.get_events(EXPANDED, job_id):
            layer = int(event.arguments["layer"])
            if layer < len(own.plan.plan.layers):
                known.tell_op_root(layer, bytes(event.arguments["opRoot"]))
        learn_trace(known, self.list_revealed(job_id, dispute))
        return known

    def learn_output(
        self, own: OwnTrace, job_id: JobId, dispute: PinpointDispute, op: TraceOp
    ) -> KnownOutput:
        """Return what a search has shown of an operator's output."""
        known = KnownOutput(own.tensors.get(op.name))
        learn_output(known, self.list_revealed(job_id, dispute))
        return known

    def find_pinned(self, job_id: JobId, dispute: PinpointDispute) -> DecodedEvent | None:
        """Return the event that says what a dispute is about, once it is pinned."""
        for event in self._context.cursor.get_events(PINNED, job_id):
            if bytes(event.arguments["id"]) == dispute.id:
                return event
        return None

    def find_own_search(self, job_id: JobId) -> PinpointDispute:
        """Return this account's search of a job; its phase is NONE where there is none."""
        account = str(self._context.submitter.account)
        return self.game.get_dispute(job_id, make_search_key(account))


def get_granularity(posted: PostedTrace) -> Granularity:
    """Return what a posted root commits to."""
    return Granularity.OP if posted.is_op_granular else Granularity.LAYER


def fits(dispute: PinpointDispute, hashed: bytes) -> bool:
    """Whether a dispute stands at what hashes so."""
    return dispute.head[:HEAD_BYTES] == hashed[:HEAD_BYTES]
