"""A stranger's nested JSON is an error, not a crash, also where the reference is loaded."""

from __future__ import annotations

import subprocess
import sys


def test_json_loads__deep_nesting_after_the_reference_is_imported__raises() -> None:
    program = (
        "import json, offchain.prove.reference.curve\n"
        "try: json.loads('[' * 100_000)\n"
        "except RecursionError: print('refused')\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False
    )
    assert (run.returncode, run.stdout.strip()) == (0, "refused")
