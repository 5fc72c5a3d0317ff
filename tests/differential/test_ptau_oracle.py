"""The ceremony's own verifier beside ours: snarkjs (GPL), a test oracle, no part of the product.

Where it accepts, so do we; where it refuses, so do we; what it lets pass and we refuse is listed.
"""

from __future__ import annotations

import random
import subprocess
from pathlib import Path

import pytest

from offchain.commit.ptau import import_ptau
from offchain.errors import PtauError
from tests.vectors.ptau_file import CONTRIBUTIONS, NAMES, PtauBytes

ORACLE = Path(__file__).parents[2] / "scripts" / "npm" / "oracle"
TOOL = ORACLE / "node_modules" / "snarkjs" / "build" / "cli.cjs"
# snarkjs does not compare these with anything.
UNCHECKED_BY_ORACLE = {
    "saved.betaG2", "saved.compressed", "saved.waiting", "saved.zero", "saved.point", "saved.state",
    "nextChallenge", "kind", "parametersLength",
}  # fmt: skip


@pytest.fixture(scope="module")
def tool() -> Path:
    """Install the oracle from its lock file."""
    if not TOOL.exists():
        subprocess.run(
            ["npm", "--prefix", str(ORACLE), "ci", "--ignore-scripts", "--loglevel=error"],
            check=True,
            timeout=300,
        )
    return TOOL


def ask_oracle(tool: Path, file: Path) -> bool:
    """Return whether snarkjs accepts a file; a crash on it is a refusal."""
    done = subprocess.run(
        ["node", str(tool), "powersoftau", "verify", str(file)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return done.returncode == 0 and "Powers of Tau Ok!" in done.stdout


def accepts(file: Path, out: Path) -> bool:
    """Return whether the import accepts a file."""
    try:
        import_ptau(file, out, 3, None, lambda *_: None)
    except PtauError:
        return False
    return True


@pytest.mark.slow
def test_import__files_and_their_damage__at_least_as_strict_as_the_oracle(
    tool: Path, tmp_path: Path
) -> None:
    rng = random.Random(11)
    file, out = tmp_path / "file.ptau", tmp_path / "out.srs"
    for name in ("raw-4.ptau", "prepared-4.ptau", "cut-3-of-5.ptau"):
        genuine = PtauBytes.load(name)
        file.write_bytes(genuine.content)
        assert ask_oracle(tool, file)
        assert accepts(file, out)
    genuine = PtauBytes.load("prepared-4.ptau")
    places = [
        (NAMES[number], start + rng.randrange(length))
        for number, (start, length) in genuine.spans.items()
        if number != CONTRIBUTIONS
    ]
    places += [
        (field.name, field.start + rng.randrange(field.length))
        for field in genuine.fields()
        if field.number in (1, 3) and not genuine.is_uncovered(field)
    ]
    for name, at in places:
        file.write_bytes(genuine.flipped(at, rng.randrange(1, 256)).content)
        assert not accepts(file, out), (name, at)
        assert not ask_oracle(tool, file) or name in UNCHECKED_BY_ORACLE, (name, at)
