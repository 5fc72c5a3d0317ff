"""The one task: perform a step of the role whose home folder this worker serves."""

from __future__ import annotations

from functools import lru_cache
from threading import Lock
from typing import Final

from celery.signals import worker_init

from offchain.chain.journal import StepKey
from offchain.params.settings import read_home_settings
from offchain.roles.build import build_role
from offchain.roles.loop import Role, perform_inline
from offchain.submit.models import load_runtime
from offchain.workers.app import app

_opening: Final = Lock()


def get_role() -> Role:
    """Return this process's one role, which its threads share; it is opened on first use."""
    with _opening:  # or several threads would open one each
        return _open_role()


@lru_cache(maxsize=1)
def _open_role() -> Role:
    return build_role(read_home_settings())


@worker_init.connect  # type: ignore[untyped-decorator]
def warm_up(**_: object) -> None:
    """Load the runtime before the first job asks for it: its seconds would count as the job's."""
    load_runtime(read_home_settings().backend)


@app.task(name="zkdps.perform")  # type: ignore[untyped-decorator]
def perform(role: str, job: str, step: str) -> None:
    """Perform one step; arguments are ids only."""
    perform_inline(get_role())(StepKey(role, job, step))
