"""The tick hands out what is left, again and again, and one policy decides what a failure means."""

from __future__ import annotations

from pathlib import Path

import pytest

from offchain.chain.journal import Journal, StepKey
from offchain.errors import ConfigError, TransactionPending
from offchain.roles import loop
from offchain.roles.lock import hold_step
from offchain.roles.log import Log
from offchain.roles.loop import perform_inline, run_role

KEY = StepKey("operator", "1", "commit")


class OneStep:
    """A role with one step, done when it was performed `needed` times."""

    def __init__(self, needed: int, error: Exception | None = None) -> None:
        self.log = Log("operator")
        self.performed = 0
        self._needed, self._error = needed, error

    def compute_due_steps(self) -> tuple[StepKey, ...]:
        return (KEY,)

    def perform(self, key: StepKey) -> None:
        self.performed += 1
        if self._error is not None and self.performed < self._needed:
            raise self._error

    def is_finished(self) -> bool:
        return self.performed >= self._needed


def test_run_role__message_lost__handed_out_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "REDISPATCH_S", 0.0)
    role = OneStep(1)
    handed_out: list[StepKey] = []

    def lossy(key: StepKey) -> None:
        handed_out.append(key)
        if len(handed_out) == 3:
            role.perform(key)

    run_role(role, lossy, 0.0, lambda: False)
    assert handed_out == [KEY] * 3


def test_run_role__step_under_way__not_handed_out_twice() -> None:
    role = OneStep(1)
    handed_out: list[StepKey] = []
    ticks = iter(range(5))
    run_role(role, handed_out.append, 0.0, lambda: next(ticks, 5) == 4)
    assert handed_out == [KEY]


def test_perform_inline__expected_failure__tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "REDISPATCH_S", 0.0)
    role = OneStep(3, TransactionPending("0x00", 60.0))
    run_role(role, perform_inline(role), 0.0, lambda: False)
    assert role.performed == 3


@pytest.mark.parametrize("error", [ConfigError("no"), ZeroDivisionError()])
def test_perform_inline__fatal_or_unexpected__raised(error: Exception) -> None:
    role = OneStep(2, error)
    with pytest.raises(type(error)):
        run_role(role, perform_inline(role), 0.0, lambda: False)


def test_hold_step__held_elsewhere__refused_until_released(tmp_path: Path) -> None:
    journal, elsewhere = Journal(tmp_path / "j"), Journal(tmp_path / "j")
    with hold_step(journal, KEY) as mine:
        assert mine
        with (
            hold_step(elsewhere, KEY) as again,
            hold_step(elsewhere, StepKey("o", "2", "x")) as other,
        ):
            assert not again
            assert other
    with hold_step(elsewhere, KEY) as mine:
        assert mine
