"""The package's own Celery application and task, performing the counting role's steps."""

from offchain.workers import tasks
from offchain.workers.app import app
from tests.servers.counting import CountingRole

vars(tasks)["build_role"] = CountingRole

__all__ = ["app"]
