"""A download's progress: bytes, rate, what is left, and nothing twice."""

from __future__ import annotations

import pytest

from offchain.cli import meter
from offchain.cli.meter import Meter, show_bytes


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [100.0]
    monkeypatch.setattr(meter.time, "monotonic", lambda: now[0])
    return now


def test_report__two_files__bytes_rate_and_time_left(
    clock: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    told = Meter(total=3 << 20)
    told.report("a", 0, 1 << 20)
    for _ in range(4):
        clock[0] += 0.25
        told.report("a", int((clock[0] - 100) * (1 << 20)), 1 << 20)
    last = capsys.readouterr().err.splitlines()[-1]
    assert last == "1.0 MiB of 3.0 MiB, 1.0 MiB/s, 2 s left, a"


def test_report__what_was_there_before__counts_as_there_and_not_as_received(
    clock: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    told = Meter(total=2048)
    told.report("a", 1024, 1024)
    clock[0] += 1
    told.report("b", 1024, 1024)
    assert capsys.readouterr().err.splitlines()[-1].startswith("2.0 KiB of 2.0 KiB, 0 B/s")


def test_report__where_nobody_watches__a_line_now_and_then(
    clock: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    told = Meter(total=1000)
    told.report("a", 0, 1000)
    for held in range(1, 100):
        clock[0] += 0.01
        told.report("a", held, 1000)
    assert len(capsys.readouterr().err.splitlines()) == 1
    told.close()
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("count", "said"), [(0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (3 << 30, "3.0 GiB")]
)
def test_show_bytes__units(count: int, said: str) -> None:
    assert show_bytes(count) == said
