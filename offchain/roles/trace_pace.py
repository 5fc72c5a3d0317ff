"""How long a version's trace takes to compute on this machine, against the time there is for it.

A trace rests on the reference run, whichever runtime the result came from. Whoever asks for a trace
that was not posted gives T_trace: what takes longer than half of it is computed before its result
is committed, and posted at once; what takes longer than all of it here is not served. Each machine
measures for itself, and looks again, ever more rarely, at what it does not serve.
"""

from __future__ import annotations

import platform
import time
from collections.abc import Callable
from typing import Final

from offchain.chain.journal import StepKey, StepStatus
from offchain.errors import JobRefused
from offchain.roles.base import OF
from offchain.roles.context import Context
from offchain.submit.models import Model
from offchain.submit.plans import VersionPlan
from offchain.submit.versions import ReproducedVersion
from offchain.trace.recorder import record_trace
from offchain.types import VersionId

# Journal step of a version, and a machine: the seconds that its trace takes there.
REFERENCE: Final = "reference-run"
ROOM: Final = 2  # times what was measured has to fit: other work runs beside it
Clock = Callable[[], float]


def measure_trace(
    context: Context,
    version: ReproducedVersion,
    plan: VersionPlan,
    clock: Clock = time.monotonic,
) -> float:
    """Return the seconds that a trace of the version takes here; measured once, then remembered.

    What seems too long is measured a second time, and the better of the two counts.
    """
    key = _name(context, version.version.id)
    with context.journal.locks.hold(f"{key.job}-{key.step}"):
        limit = context.contracts.pinpoint.trace_seconds
        known = context.journal.get_step(key)
        if known is not None:
            seconds = float(known.detail["seconds"])
            # A loaded machine may have been too slow once.
            if seconds <= limit or not context.reminders.is_due(key):
                return seconds
        seconds = _time(version.model, plan, clock)
        if ROOM * seconds > limit:
            seconds = min(seconds, _time(version.model, plan, clock))
        if seconds > limit:
            context.reminders.is_due(key)
        context.journal.put_step(key, StepStatus.DONE, {"seconds": seconds})
    context.log.event(
        "trace-measured",
        version=version.version.id,
        seconds=round(seconds, 3),
        trace_seconds=limit,
        posted_up_front=ROOM * seconds > limit,
    )
    return seconds


def verify_pace(context: Context, version: ReproducedVersion, plan: VersionPlan) -> None:
    """Raise JobRefused for a version whose trace could not be posted in time from here."""
    seconds, limit = measure_trace(context, version, plan), context.contracts.pinpoint.trace_seconds
    if seconds > limit:
        raise JobRefused(
            f"a trace takes {seconds:.1f} s to compute here, and {limit} s are all the time to "
            "post one that is asked for"
        )


def is_slow(context: Context, version: VersionId) -> bool:
    """Whether traces of a version that was measured are to be posted before anybody asks."""
    key = _name(context, version)
    # On any machine of the account: another may be asked for the trace.
    known = context.journal.get_steps(key.role, key.job, REFERENCE)
    longest = max((float(step.detail["seconds"]) for step in known), default=0.0)
    return longest > 0 and ROOM * longest > context.contracts.pinpoint.trace_seconds


def is_measured(context: Context, version: VersionId) -> bool:
    """Whether this machine knows how long a version's trace takes."""
    return context.journal.get_step(_name(context, version)) is not None


def _name(context: Context, version: VersionId) -> StepKey:
    return context.key(f"version-0x{version.hex()}", OF.join((REFERENCE, platform.node())))


def _time(model: Model, plan: VersionPlan, clock: Clock) -> float:
    raw = model.make_input()
    began = clock()
    _, execution = model.run_traced(raw)
    record_trace(plan.plan, model.graph, execution)
    return clock() - began
