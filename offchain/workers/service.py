"""A role as a service: its tick in this process, its work in a Celery worker process."""

from __future__ import annotations

from collections.abc import Sequence

from offchain.params.settings import Settings
from offchain.roles.build import build_role
from offchain.roles.loop import run_role
from offchain.workers.dispatch import Dispatcher
from offchain.workers.process import WorkerProcess
from offchain.workers.queue import enqueue


def run_with_workers(settings: Settings, stop: Sequence[int]) -> None:
    """Tick until told to stop or the role is finished; end the worker with it."""
    role = build_role(settings)
    role.log.settings(settings)
    worker = WorkerProcess(settings, role.log)
    try:
        run_role(
            role, Dispatcher(role, enqueue), settings.poll_s, lambda: bool(stop), worker.ensure
        )
    finally:
        worker.stop()
    role.log.event("stopped")
