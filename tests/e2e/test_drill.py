"""Every fault against a fresh chain: who cheats loses, who is honest does not, no wei is lost."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from offchain.cli.drill.modes import MODES
from offchain.cli.drill.run import choose_modes
from offchain.errors import ConfigError

HONEST = {
    "honest": ("owner",),
    "lazy": ("watcher", "client"),
    "wrong-operator": ("watcher", "client"),
    "wrong-weights": ("watcher", "client"),
    "withhold": ("watcher", "client"),
    "equivocate": ("client",),
    "griefing-challenger": ("owner",),
    "colluding-majority": ("thirdowner", "thirdworker"),
}
CHEATS = {
    "lazy": ("owner",),
    "wrong-operator": ("owner",),
    "wrong-weights": ("owner",),
    "withhold": ("owner",),
    "late": ("owner",),
    "equivocate": ("owner",),
    "griefing-challenger": ("griefer",),
    "copy": ("thirdowner",),
    "colluding-majority": ("firstowner", "secondowner"),
}


def test_choose_modes__by_name_or_all__unknown_refused() -> None:
    assert [mode.name for mode in choose_modes(["late", "honest"])] == ["late", "honest"]
    assert choose_modes([]) == MODES
    with pytest.raises(ConfigError, match="no drill sabotage"):
        choose_modes(["sabotage"])


@pytest.mark.slow
def test_drill__every_mode__ends_as_it_must(tmp_path: Path) -> None:
    report = tmp_path / "drill.json"
    command = [sys.executable, "-m", "offchain.cli.main", "drill", "--json", str(report)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    runs = json.loads(report.read_text())["runs"]
    assert [run["mode"] for run in runs] == [mode.name for mode in MODES]
    for run in runs:
        assert run["outcome"] == run["expected"], run["mode"]
        assert run["conserved"], run["mode"]
        gained = {
            who: int(part["net_wei"]) + int(part["gas_wei"])
            for who, part in run["profit_and_loss"].items()
        }
        assert all(gained[who] > 0 for who in HONEST.get(run["mode"], ())), run
        assert all(gained[who] < 0 for who in CHEATS.get(run["mode"], ())), run
