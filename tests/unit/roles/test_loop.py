"""The tick hands out what is left, again and again, and one policy decides what a failure means."""

from __future__ import annotations

from pathlib import Path

import pytest

from offchain.chain.journal import Journal, StepKey
from offchain.errors import ConfigError, QueueFull, TransactionPending
from offchain.roles import loop
from offchain.roles.lock import hold_step
from offchain.roles.log import Log
from offchain.roles.loop import hand_out, perform_inline, run_role, take_turns

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


def test_run_role__queue_full__the_rest_with_the_next_tick_urgent_first() -> None:
    keys = tuple(StepKey("operator", str(number), "accept") for number in range(3))
    urgent = StepKey("operator", "9", "commit")
    handed_out: list[StepKey] = []
    room = [2]

    def dispatch(key: StepKey) -> None:
        if room[0] == 0:
            raise QueueFull
        room[0] -= 1
        handed_out.append(key)

    noted: dict[StepKey, float] = {}
    hand_out(take_turns(keys, noted), noted, dispatch)
    assert handed_out == list(keys[:2])
    room[0] = 2
    hand_out(take_turns((urgent, *keys), noted), noted, dispatch)
    assert handed_out == [*keys[:2], urgent, keys[2]]


def test_take_turns__put_off_again_and_again__others_first_but_nothing_before_the_urgent() -> None:
    first, second, fresh = (StepKey("operator", str(number), "accept") for number in range(3))
    urgent = StepKey("operator", "9", "commit")
    noted = {urgent: 9.0, first: 2.0, second: 1.0}
    assert take_turns((urgent, first, second, fresh), noted) == (urgent, fresh, second, first)


@pytest.mark.parametrize(
    "error", [TransactionPending("0x00", 60.0), OSError(28, "No space left on device")]
)
def test_perform_inline__expected_failure__tried_again(
    monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    monkeypatch.setattr(loop, "REDISPATCH_S", 0.0)
    role = OneStep(3, error)
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
