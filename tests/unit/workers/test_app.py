"""How workers take their steps: in a process of its own, as the app is bound at import."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from offchain.params.settings import HOME_VARIABLE, Settings
from tests.unit.workers.test_queue import settings

__all__ = ["settings"]

ASK = """
import json
from offchain.workers.app import app
names = ("task_acks_late", "worker_prefetch_multiplier", "broker_connection_max_retries",
         "task_default_queue", "broker_transport_options", "task_ignore_result")
print(json.dumps({name: app.conf[name] for name in names}))
"""


def ask(settings: Settings) -> dict[str, Any]:
    settings.save()
    done = subprocess.run(
        [sys.executable, "-c", ASK],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, HOME_VARIABLE: str(settings.home)},
    )
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def test_app__redis__late_acknowledgement_little_in_advance_and_longer_than_any_step(
    settings: Settings,
) -> None:
    fleet = replace(settings, broker_url="redis://127.0.0.1:1/0", prover_timeout_s=7_200.0)
    conf = ask(fleet)
    assert conf["task_acks_late"] is True
    assert conf["worker_prefetch_multiplier"] == 2
    assert conf["broker_connection_max_retries"] is None
    assert conf["broker_transport_options"]["visibility_timeout"] > 3 * fleet.prover_timeout_s
    assert conf["broker_transport_options"]["socket_timeout"] <= 5


def test_queue__two_homes_on_one_broker__never_share_steps(
    settings: Settings, tmp_path: Path
) -> None:
    other = replace(settings, home=tmp_path / "other")
    assert settings.queue != other.queue
    assert settings.queue.startswith("zkdps-operator-")
    fleet = [replace(each, broker_queue="north") for each in (settings, other)]
    assert {each.queue for each in fleet} == {"zkdps-operator-north"}


REDIS_AWAY = """
from offchain.chain.journal import StepKey
from offchain.errors import BrokerUnavailable
from offchain.workers.queue import enqueue
try:
    enqueue(StepKey("operator", "7", "commit"))
except BrokerUnavailable as error:
    print("lost:", error)
"""


def test_enqueue__redis_away__said_at_once_and_without_its_password(settings: Settings) -> None:
    replace(settings, broker_url="redis://:secret@127.0.0.1:1/0").save()
    done = subprocess.run(
        [sys.executable, "-c", REDIS_AWAY],
        capture_output=True,
        text=True,
        check=True,
        timeout=20,
        env={**os.environ, HOME_VARIABLE: str(settings.home)},
    )
    assert done.stdout.startswith("lost:"), done.stderr
    assert "secret" not in done.stdout + done.stderr
