"""The demonstration as a person runs it: it says where the page is, and an interrupt ends all."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from urllib.request import urlopen

import pytest

pytestmark = pytest.mark.slow

START_S = 300.0


def test_demo__interrupted__page_was_served_and_nothing_is_left(tmp_path: Path) -> None:
    facts = tmp_path / "facts.json"
    command = [sys.executable, "-m", "offchain.cli.main", "demo", "--dapp", "--json", str(facts)]
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    with (tmp_path / "said").open("w+") as said:
        process = subprocess.Popen(
            command, stdout=said, stderr=subprocess.STDOUT, env=environment, start_new_session=True
        )
        try:
            wait_for(facts, process)
            told = json.loads(facts.read_text())
            with urlopen(told["dapp"]) as answer:
                assert b"zkDPS" in answer.read()
            os.killpg(process.pid, signal.SIGINT)
            assert process.wait(60) == 0
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        said.seek(0)
        text = said.read()
    assert f"Open  {told['dapp']}" in text
    assert "nothing is left running" in text
    assert [name for name, pid in told["pids"].items() if Path(f"/proc/{pid}").exists()] == []
    assert list(tmp_path.glob("zkdps-demo-*")) == []


def wait_for(path: Path, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_S
    while not path.exists():
        assert process.poll() is None, f"ended with {process.returncode}"
        assert time.monotonic() < deadline
        time.sleep(0.2)
