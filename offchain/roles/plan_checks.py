"""What roles do about a version's plan that is a lie, or that asks for more than they can show.

Operators refuse such a version: a dispute about one of its operators could not be won honestly.
Clients and challengers are warned, and may still demand a proof of the whole result.
"""

from __future__ import annotations

from offchain.errors import JobRefused, PlanMismatch
from offchain.roles.context import Context
from offchain.roles.trace_pace import verify_pace
from offchain.submit.plans import VersionPlan
from offchain.submit.versions import ReproducedVersion
from offchain.types import VersionId


def warn_of_plan(context: Context, version: ReproducedVersion) -> None:
    """Log, once in a while, that a version's plan is a lie."""
    try:
        context.plans.verify(version)
    except PlanMismatch as error:
        version_id = version.version.id
        if context.reminders.is_due(("plan", version_id)):
            context.log.event("plan-mismatch", version=version_id, reason=str(error))


def verify_defensible(context: Context, version: VersionId) -> None:
    """Raise unless every dispute about an honest result of the version can be won from here.

    PlanMismatch for a plan that is not that of the files, JobRefused for one with operators that
    only a proof of the whole result defends, unless the settings allow for that, and for traces
    that take too long. A version without a plan is disputed by proofs of whole results alone, which
    `check_provable` is about.
    """
    found = context.versions.reproduce(version)
    plan = context.plans.find(found)
    if plan is not None:
        _verify_answerable(context, version, plan)
        verify_pace(context, found, plan)


def _verify_answerable(context: Context, version: VersionId, plan: VersionPlan) -> None:
    names = plan.list_undefendable()
    if not names:
        return
    listed = ", ".join(names)
    if not context.settings.whole_proofs:
        raise JobRefused(
            f"a claim about {listed} may take a proof of the whole result to defend, within the "
            "time of one operator's; --whole-proofs says that this machine can make it"
        )
    if context.reminders.is_due(("whole-proofs", version)):
        context.log.event("whole-proofs-needed", version=version, operators=names)
