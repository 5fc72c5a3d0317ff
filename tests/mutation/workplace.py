"""Copies of the contracts and their tests in which mutants are judged, one build for nearly all."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from functools import cache
from pathlib import Path
from typing import Final

import click

from tests.mutation.mutants import Mutant, find_end
from tests.mutation.schemata import Schemata, make_views

ROOT: Final = Path(__file__).parents[2]
# Verifiers have forgeries of their own (tests/attacks); random walks take longer than all the rest,
# and a mutant that only they find lacks a test that says what is wrong.
# DigitConsumer's tests create contracts in others' names, which linked tests cannot.
# Limits of gas and of code sizes are for builds without mutants (IGNORED_TESTS as well).
IGNORED_SUITES: Final = (
    "Verifier*",
    "Openings*",
    "Adjudication*",
    "Element*",
    "Invariants*",
    "*Walk*",
    "HappyPathGas*",
    "PinpointGas*",
    "DigitConsumer*",
)
# One test of seconds each: last, because a run that fails waits for the test that it is in.
SLOW_SUITES: Final = ("AccessMatrix", "AccessModules", "DappVectors", "GameReplay")
IGNORED_TESTS: Final = "test_code__is_below_the_limit"
# Quick suites that are about a part of the contracts; the first that fits counts.
AREAS: Final = (
    ("core/Session", ("Session*", "Wiring")),
    ("core/Job", ("Job*", "Delivery", "ProofRequired", "RefundMode", "Wiring")),
    ("core/Or", ("OrderBook*",)),
    ("core/Ou", ("Delivery",)),
    ("core/R", ("ResultRelay",)),
    ("core/P", ("ProtocolClock", "Pause")),
    ("core/G", ("Guardian",)),
    ("core/M", ("ModelRegistry",)),
    ("core/Verdicts", ("Job*", "Delivery", "Cure", "HeldJobs", "Evidence", "RefundMode", "Proof*")),
    ("core/", ("Vault*", "StakeVault", "Ledger", "Workers", "Cure")),
    (
        "dispute/",
        ("DisputeGame", "Challengers", "Evidence", "Cure", "HeldJobs", "ProofRequired", "Wiring"),
    ),
    ("quorum/", ("Quorum*", "Audits", "Beacon", "CandidatePool", "Wiring")),
    ("trace/", ("Pinpoint*", "Wiring")),
    ("libraries/", ("Pricing", "Settlement", "Parameters", "QuorumVectors")),
)
FIRST_LIMIT_S: Final = 3600  # of the run without a mutant, which compiles everything
LIMIT_S: Final = 300  # of one mutant: a loop that a mutant makes endless counts as noticed
SETTINGS: Final = {
    "FOUNDRY_CONFIG": "contracts/foundry.toml",
    "FOUNDRY_OFFLINE": "true",
    "FOUNDRY_DYNAMIC_TEST_LINKING": "true",
    "FOUNDRY_CODE_SIZE_LIMIT": "1000000",
    # Few, fixed draws: a mutant that only luck finds is a survivor.
    "FOUNDRY_FUZZ_RUNS": "16",
    "FOUNDRY_INVARIANT_RUNS": "8",
}
# forge asks the compiler which files hold tests whenever it is to run some of them.
COMPILER: Final = """\
#!/usr/bin/env bash
set -euo pipefail
cd "$(dirname "$0")"
asked=$(mktemp ./asked.XXXXXX)
[ "${1-}" = --version ] || cat >"$asked"
answer=$({ echo "$@" && cat "$asked"; } | sha256sum | cut -c 1-64)
if [ ! -f "$answer" ]; then "%s" "$@" <"$asked" >"$asked.answer" && mv "$asked.answer" "$answer"; fi
rm "$asked"
cat "$answer"
"""
IMPORT: Final = re.compile(r'^import [^"]*"(\.[^"]+)"', re.MULTILINE)
CREATION: Final = re.compile(r"(?<=[;{}]\n)\s+new (\w+)\(")
FAILED_TEST: Final = re.compile(r"^\[FAIL.*\] (\w+)\(", re.MULTILINE)
SUITE: Final = re.compile(r"^Ran \d+ tests? for tests/contracts/(\w+)\.t\.sol", re.MULTILINE)


@dataclass(frozen=True)
class Outcome:
    """What became of a mutant: killed (by which test), survived, equivalent, or invalid."""

    mutant: str
    outcome: str
    test: str
    seconds: float


class Workplace:
    """A copy with a build of its own, in which any of the woven mutants can be turned on."""

    def __init__(self, folder: Path, schemata: Schemata) -> None:
        self.folder = folder
        self._schemata = schemata
        shutil.copytree(ROOT / "tests/vectors", folder / "tests/vectors")
        (folder / "scripts/npm").mkdir(parents=True)
        (folder / "scripts/npm/node_modules").symlink_to(ROOT / "scripts/npm/node_modules")
        for path in list_needed(list_suites()):
            text = schemata.sources.get(path) or adapt_test((ROOT / path).read_text("utf-8"))
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text, encoding="utf-8")
        shutil.copy(ROOT / "contracts/foundry.toml", folder / "contracts")
        compiler = folder / "compiler/solc"
        compiler.parent.mkdir()
        compiler.write_text(COMPILER % read_compiler(), encoding="utf-8")
        compiler.chmod(0o755)
        self._environment = {**os.environ, **SETTINGS, "FOUNDRY_SOLC": str(compiler)}

    def run_tests(
        self, limit: float, number: int = 0, suites: Sequence[str] = ("*",)
    ) -> tuple[int, str]:
        """Run some suites until a test fails; return the exit status and what was printed."""
        # One name in braces is no list of names to forge.
        names = suites[0] if len(suites) == 1 else f"{{{','.join(suites)}}}"
        command = ["forge", "test", "--fail-fast", "--no-match-test", IGNORED_TESTS]
        command += ["--match-path", f"tests/contracts/{names}.t.sol"]
        process = subprocess.Popen(
            command,
            cwd=self.folder,
            env={**self._environment, "FOUNDRY_BLOCK_COINBASE": f"0x{number:040x}"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        try:
            printed, _ = process.communicate(timeout=limit)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            return 1, f"[FAIL: more than {limit} s] timeout()"
        return process.returncode, printed

    def judge(self, mutant: Mutant, order: Order) -> Outcome:
        """Turn a mutant on, or compile it alone, and run the tests until one fails."""
        began = time.monotonic()
        number = self._schemata.numbers.get(mutant)
        if number is not None:
            outcome, test = self._try(mutant, number, order)
        else:
            path = self.folder / mutant.path
            source = (ROOT / mutant.path).read_text(encoding="utf-8")
            path.write_text(make_views(mutant.apply(source)), encoding="utf-8")
            try:
                outcome, test = self._try(mutant, 0, order)
            finally:
                path.write_text(self._schemata.sources[mutant.path], encoding="utf-8")
        return Outcome(mutant.name, outcome, test, round(time.monotonic() - began, 1))

    def _try(self, mutant: Mutant, number: int, order: Order) -> tuple[str, str]:
        for suites in order.list_steps(mutant):
            limit = LIMIT_S if number else FIRST_LIMIT_S
            status, printed = self.run_tests(limit, number, suites)
            if status == 0:
                continue
            failed = FAILED_TEST.search(printed)
            if failed is not None:
                for suite in SUITE.findall(printed[: failed.start()])[-1:]:
                    order.learn(mutant, suite)
                return "killed", failed[1]
            if "Compiler run failed" in printed or "Compiler error" in printed:
                return "invalid", ""
            raise click.ClickException(f"{mutant.name}: forge failed otherwise:\n{printed[-2000:]}")
        return "survived", ""


class Order:
    """Which suites to run first: those of the file's area, and those that killed a mutant of it."""

    def __init__(self) -> None:
        self.suites = list_suites()
        self._needed = {name: frozenset(list_needed([name])) for name in self.suites}
        self._near: defaultdict[str, set[str]] = defaultdict(set)

    def learn(self, mutant: Mutant, suite: str) -> None:
        """Remember that a suite noticed a mutant of a file."""
        self._near[mutant.path].add(suite)

    def list_steps(self, mutant: Mutant) -> Iterator[list[str]]:
        """Yield the suites that import the file in the order in which to run them, none twice."""
        able = [name for name in self.suites if mutant.path in self._needed[name]]
        quick = [name for name in able if name not in SLOW_SUITES]
        area = next((some for start, some in AREAS if mutant.path[10:].startswith(start)), ())
        near = [
            name
            for name in quick
            if name in self._near[mutant.path] or any(fnmatch(name, some) for some in area)
        ]
        steps = [near, [name for name in quick if name not in near]]
        steps.append([name for name in able if name in SLOW_SUITES])
        yield from (step for step in steps if step)


def adapt_test(source: str) -> str:
    """Return a test's text with views for pure functions, and creations that revert spelt out.

    Linking makes a cheat of `new`; an expected revert of a cheat ends the test, which then passes.
    """
    position = 0
    while (match := CREATION.search(source, position)) is not None:
        position = find_end(source, match.end() - 1)
        values = source[match.end() : position - 1]
        code = f"abi.encodePacked(type({match[1]}).creationCode, abi.encode({values}))"
        create = "assembly { if iszero(create(0, add(code, 32), mload(code))) { revert(0, 0) } }"
        text = f"{{ bytes memory code = {code}; {create} }}"
        source = source[: match.start()] + text + source[position + 1 :]
    return make_views(source)


def list_suites() -> list[str]:
    """Return the names of the files of tests that judge mutants."""
    found = sorted(path.name[:-6] for path in (ROOT / "tests/contracts").glob("*.t.sol"))
    return [name for name in found if not any(fnmatch(name, some) for some in IGNORED_SUITES)]


def list_needed(suites: Iterable[str]) -> list[str]:
    """Return the Solidity files, from the root, that some suites import, and theirs."""
    open_paths = [ROOT / f"tests/contracts/{name}.t.sol" for name in suites]
    found: set[Path] = set()
    while open_paths:
        path = open_paths.pop()
        if path not in found:
            found.add(path)
            open_paths += list_imports(path)
    return sorted(str(path.relative_to(ROOT)) for path in found)


@cache
def list_imports(path: Path) -> list[Path]:
    """Return the files of this repository that a Solidity file names."""
    names = IMPORT.findall(path.read_text(encoding="utf-8"))
    return [(path.parent / name).resolve() for name in names]


def read_compiler() -> str:
    """Return the path of the Solidity compiler that the set-up found."""
    return (ROOT / ".local/solc-path").read_text(encoding="utf-8").strip()


def copy_build(first: Workplace, folder: Path, schemata: Schemata) -> Workplace:
    """Make another workplace with what the first one has compiled."""
    place = Workplace(folder, schemata)
    shutil.copytree(first.folder / ".local", folder / ".local")
    for path in (first.folder / "compiler").glob("[0-9a-f]*"):
        shutil.copy(path, folder / "compiler")
    return place
