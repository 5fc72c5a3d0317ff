"""Run the native prover in its own process: memory limit, timeout, cancellation, clean errors.

A prover that runs out of memory or hangs must not take a role down with it. The process is started
ahead of time, so that it loads while the witness is built, and makes one proof.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from offchain.errors import (
    NativeInputError,
    ProverCancelled,
    ProverCrashed,
    ProverFailed,
    ProverOutOfMemory,
    ProverTimeout,
)
from offchain.prove.child import EXIT_OUT_OF_MEMORY, EXIT_REFUSED, SHAPE_FILE
from offchain.prove.witness import Array

CANCEL_POLL_S: Final = 0.05  # how late a cancellation may be noticed
STDERR: Final = "stderr"
STDERR_TAIL: Final = 2_000  # characters of the child's last words in an error
# What allocators, the loader and the thread pool say when the address space is used up.
MEMORY_SIGNS: Final = (
    "memory allocation of",
    "MemoryError",
    "Cannot allocate memory",
    "failed to map segment from shared object",
    "Resource temporarily unavailable",
    "can't start new thread",
)
# One BLAS thread and few arenas: otherwise libraries reserve address space that they never touch.
ENVIRONMENT: Final = {"OPENBLAS_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "2"}


class ProverProcess:
    """A prover in a fresh Python process; use as a context manager, for one proof.

    `memory_mib` limits the process's address space, `timeout_s` the time from `prove` to the proof.
    Setting `cancelled` from another thread ends `prove` with ProverCancelled.
    """

    def __init__(
        self, memory_mib: int, timeout_s: float, cancelled: threading.Event | None = None
    ) -> None:
        self._memory_mib = memory_mib
        self._timeout_s = timeout_s
        self._cancelled = cancelled or threading.Event()
        self._started: _Child | None = None

    def __enter__(self) -> Self:
        workspace = tempfile.TemporaryDirectory(prefix="zkdps-prove-")
        with (Path(workspace.name) / STDERR).open("wb") as stderr:
            process = subprocess.Popen(
                [sys.executable, "-m", "offchain.prove.child", str(self._memory_mib)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                env={**os.environ, **ENVIRONMENT},
            )
        self._started = _Child(process, workspace)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._child.workspace, self._child.process:  # removes the files, closes the pipes
            self._child.kill()

    @property
    def pid(self) -> int:
        """Return the process id of the child."""
        return self._child.process.pid

    def prove(
        self, vk: bytes, srs: bytes, statement_hash: bytes, tensors: Sequence[Array | None]
    ) -> bytes:
        """Return the proof, as `native.prove` does.

        Raises NativeInputError for a malformed key or a wrong shape, and a ProverFailed:
        ProverTimeout, ProverCancelled, ProverOutOfMemory or ProverCrashed.
        """
        deadline = time.monotonic() + self._timeout_s
        folder = self._child.folder / "inputs"
        _write_inputs(folder, vk, srs, statement_hash, tensors)
        proof = self._communicate(f"{folder}\n".encode(), deadline)
        status = self._child.process.wait()
        if status != 0:
            raise self._failure(status)
        return proof

    def _communicate(self, said: bytes, deadline: float) -> bytes:
        """Return all that the child writes; kill it at the deadline or when cancelled."""
        unsent: bytes | None = said
        while (left := deadline - time.monotonic()) > 0:
            if self._cancelled.is_set():
                self._child.kill()
                raise ProverCancelled("prover cancelled")
            try:
                return self._child.process.communicate(unsent, min(left, CANCEL_POLL_S))[0]
            except subprocess.TimeoutExpired:
                unsent = None  # it is on its way
        self._child.kill()
        raise ProverTimeout(self._timeout_s)

    def _failure(self, status: int) -> ProverFailed | NativeInputError:
        """Return the error that the child's exit status and last words tell."""
        said = (self._child.folder / STDERR).read_text(encoding="utf-8", errors="replace").strip()
        if status == EXIT_REFUSED:
            return NativeInputError(said)
        if status == EXIT_OUT_OF_MEMORY or any(sign in said for sign in MEMORY_SIGNS):
            return ProverOutOfMemory(self._memory_mib)
        return ProverCrashed(status, said[-STDERR_TAIL:])

    @property
    def _child(self) -> _Child:
        if self._started is None:
            raise RuntimeError("ProverProcess is a context manager")
        return self._started


@dataclass(frozen=True)
class _Child:
    """The running process and the folder of its files."""

    process: subprocess.Popen[bytes]
    workspace: tempfile.TemporaryDirectory[str]

    @property
    def folder(self) -> Path:
        return Path(self.workspace.name)

    def kill(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()


def _write_inputs(
    folder: Path, vk: bytes, srs: bytes, statement_hash: bytes, tensors: Sequence[Array | None]
) -> None:
    """Write what the child reads; a tensor's file is named by its id and its cells' type."""
    folder.mkdir()
    for name, content in (("vk", vk), ("srs", srs), ("statement", statement_hash)):
        (folder / f"{name}.bin").write_bytes(content)
    (folder / SHAPE_FILE).write_text(str(len(tensors)), encoding="ascii")
    for index, values in enumerate(tensors):
        if values is not None:
            little = values.dtype.newbyteorder("<")
            values.astype(little, copy=False).tofile(folder / f"{index}.i{values.dtype.itemsize}")
