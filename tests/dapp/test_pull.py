"""A model by its registered version alone: from the address and hash that its registrant named."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from offchain.cli.demo.offers import CHEAT_TITLE
from offchain.cli.demo.showcase import Showcase


def pull(stage: Showcase, out: Path) -> dict[str, Any]:
    command = [
        sys.executable, "-m", "offchain.cli.main", "model", "pull", "--json", "--out", str(out),
        "--version", stage.versions["cheat"], "--rpc", stage.anvil.url,
        "--manifest", str(stage.manifest),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def test_pull__by_version__reproduced_and_not_fetched_twice(
    stage: Showcase, tmp_path: Path
) -> None:
    first = pull(stage, tmp_path / "models")
    assert first["source"].startswith(stage.gateway)
    assert (first["fetched"], first["compared_with_registration"]) == (True, True)
    told = json.loads((Path(first["folder"]) / "interface.json").read_text())
    assert told["title"] == CHEAT_TITLE
    again = pull(stage, tmp_path / "models")
    assert (again["fetched"], again["folder"]) == (False, first["folder"])
