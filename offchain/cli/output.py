"""Answers and progress: JSON or a line for people, and exit codes that scripts can rely on."""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from enum import IntEnum
from typing import Any, Final

from offchain.errors import (
    BundleError,
    ConfigError,
    ContentError,
    ContractRevert,
    DownloadError,
    GatewayRefused,
    GatewayUnavailable,
    GraphError,
    InterfaceError,
    JobRefused,
    KeyFileError,
    ManifestError,
    ModelFolderError,
    NoAnswer,
    OffchainError,
    ProofError,
    RangeError,
    RpcUnavailable,
    SignerMismatch,
    SignerUnavailable,
    SrsError,
    TensorError,
    VersionMismatch,
)

DRAW_S: Final = 0.1
BAR_CELLS: Final = 12
BAR_MARKS: Final = 4


class ExitCode(IntEnum):
    """What a command's exit status means."""

    OK = 0
    FAILED = 1  # any other expected failure
    USAGE = 2  # options, settings, key files, manifest or input
    REFUSED = 3  # a contract or a role refused; no money moved
    UNAVAILABLE = 4  # the node or the remote signer does not answer
    MISMATCH = 5  # content, version or proof is not what it claims to be


MISMATCHES: Final = (
    BundleError,
    ContentError,
    GraphError,
    InterfaceError,
    ModelFolderError,
    ProofError,
    SignerMismatch,
    SrsError,
    VersionMismatch,
)

UNAVAILABLE: Final = (
    DownloadError,
    GatewayUnavailable,
    NoAnswer,
    RpcUnavailable,
    SignerUnavailable,
)

EXIT_HELP = """\b
Exit codes: 0 done, 1 failed, 2 wrong options, settings, key file, manifest or
input, 3 refused by a contract or a role (no money moved), 4 node or signer
unavailable, 5 content, version, proof or signature is not what it claims to be."""


def get_exit_code(error: OffchainError) -> ExitCode:
    """Return the exit status for an expected error."""
    if isinstance(error, (ConfigError, KeyFileError, ManifestError, RangeError, TensorError)):
        return ExitCode.USAGE
    if isinstance(error, MISMATCHES):
        return ExitCode.MISMATCH
    if isinstance(error, (ContractRevert, GatewayRefused, JobRefused)):
        return ExitCode.REFUSED
    if isinstance(error, UNAVAILABLE):
        return ExitCode.UNAVAILABLE
    return ExitCode.FAILED


def answer(facts: Mapping[str, Any], as_json: bool) -> None:
    """Print a command's result on standard output: one JSON object, or one fact a line."""
    if as_json:
        print(json.dumps(dict(facts), default=str), flush=True)
        return
    _print_facts(facts, "")


def _print_facts(facts: Mapping[str, Any], indent: str) -> None:
    width = max((len(name) for name in facts), default=0)
    for name, value in facts.items():
        label = f"{indent}{name.replace('_', ' '):<{width}}"
        if isinstance(value, Mapping) and value:
            print(label.rstrip(), flush=True)
            _print_facts(value, indent + "  ")
        elif isinstance(value, (list, tuple)) and value:
            print(label.rstrip(), flush=True)
            for item in value:
                print(f"{indent}  {item}", flush=True)
        else:
            print(f"{label}  {value}", flush=True)


def answer_rows(rows: Sequence[Mapping[str, Any]], as_json: bool) -> None:
    """Print a list on standard output: one JSON array, or a table."""
    if as_json:
        print(json.dumps([dict(row) for row in rows], default=str), flush=True)
        return
    if not rows:
        tell("none")
        return
    lines = [[name.replace("_", " ") for name in rows[0]]]
    lines += [[str(value) for value in row.values()] for row in rows]
    widths = [max(len(line[i]) for line in lines) for i in range(len(rows[0]))]
    for line in lines:
        cells = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        print("  ".join(cells).rstrip(), flush=True)


def tell(text: str) -> None:
    """Say something beside the answer, on standard error; what progress drew gives way."""
    start = "\r\x1b[K" if sys.stderr.isatty() else ""
    print(start + text, file=sys.stderr, flush=True)


@contextmanager
def progress(text: str) -> Iterator[None]:
    """Show what runs and for how long; nothing is drawn where nobody watches."""
    if not sys.stderr.isatty():
        yield
        return
    done = threading.Event()
    drawing = threading.Thread(target=_draw_progress, args=(text, done), daemon=True)
    drawing.start()
    try:
        yield
    finally:
        done.set()
        drawing.join()


def _draw_progress(text: str, done: threading.Event) -> None:
    started, frame = time.monotonic(), 0
    while not done.wait(DRAW_S):
        frame += 1
        bar = "".join("#" if (i - frame) % BAR_CELLS < BAR_MARKS else "." for i in range(BAR_CELLS))
        elapsed = time.monotonic() - started
        print(f"\r[{bar}] {text}, {elapsed:.0f} s", end="", file=sys.stderr, flush=True)
    print("\r\x1b[K", end="", file=sys.stderr, flush=True)
