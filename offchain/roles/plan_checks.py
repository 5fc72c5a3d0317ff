"""What roles do about a version's plan on chain that is not the one its files give.

Operators refuse such a version: a dispute about one of its operators could not be won honestly.
Clients and challengers are warned, and may still demand a proof of the whole result.
"""

from __future__ import annotations

from offchain.errors import PlanMismatch
from offchain.roles.context import Context
from offchain.submit.versions import ReproducedVersion


def warn_of_plan(context: Context, version: ReproducedVersion) -> None:
    """Log, once in a while, that a version's plan is a lie."""
    try:
        context.plans.verify(version)
    except PlanMismatch as error:
        version_id = version.version.id
        if context.reminders.is_due(("plan", version_id)):
            context.log.event("plan-mismatch", version=version_id, reason=str(error))
