"""A broker that is away loses no step and no deadline: the role works without it."""

from __future__ import annotations

from typing import Any

from offchain.chain.journal import StepKey
from offchain.errors import BrokerUnavailable
from offchain.workers.dispatch import WORKER_RETURNS_S, Dispatcher

KEY = StepKey("operator", "1", "commit")


class Broker:
    """Takes steps while it is there."""

    def __init__(self) -> None:
        self.is_there, self.taken = True, 0

    def enqueue(self, key: StepKey) -> None:
        if not self.is_there:
            raise BrokerUnavailable("ConnectionError")
        self.taken += 1


class Worker:
    """A role that counts what it performs itself."""

    def __init__(self) -> None:
        self.log = self
        self.told: list[str] = []
        self.performed = 0

    def event(self, name: str, **_: Any) -> None:
        self.told.append(name)

    def perform(self, key: StepKey) -> None:
        self.performed += 1


def test_dispatch__broker_there__nothing_performed_here() -> None:
    broker, role = Broker(), Worker()
    dispatch = Dispatcher(role, broker.enqueue)  # type: ignore[arg-type]
    dispatch(KEY)
    assert (broker.taken, role.performed, role.told) == (1, 0, [])


def test_dispatch__broker_lost__performed_here_until_the_workers_are_back() -> None:
    broker, role, now = Broker(), Worker(), [0.0]
    dispatch = Dispatcher(role, broker.enqueue, lambda: now[0])  # type: ignore[arg-type]
    broker.is_there = False
    dispatch(KEY)
    dispatch(KEY)
    assert (role.performed, role.told) == (2, ["broker-lost"])
    now[0] = WORKER_RETURNS_S
    dispatch(KEY)
    assert (role.performed, role.told) == (3, ["broker-lost"])
    broker.is_there = True
    now[0] += WORKER_RETURNS_S - 1
    dispatch(KEY)
    assert (broker.taken, role.performed) == (0, 4)
    now[0] += 1
    dispatch(KEY)
    assert (broker.taken, role.performed) == (1, 4)
    assert role.told == ["broker-lost", "broker-back"]
    broker.is_there = False
    dispatch(KEY)
    assert role.performed == 5
