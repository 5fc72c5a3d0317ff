"""The prover's process: it proves, and it dies cleanly."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass

import numpy as np
import pytest

from offchain import native
from offchain.errors import (
    NativeInputError,
    ProverCancelled,
    ProverCrashed,
    ProverFailed,
    ProverOutOfMemory,
    ProverTimeout,
)
from offchain.model.graph import Graph, Linear, Requant, TensorSpec, WeightSpec
from offchain.prove.compile import Choice, compile_graph
from offchain.prove.process import ProverProcess
from offchain.prove.program import Lookup, TensorKind
from offchain.prove.reference.curve import G1, encode
from offchain.prove.verification_key import VerificationKey
from offchain.prove.witness import Array
from tests.vectors.models import handmade_gkr

AMPLE_MIB = 4096
PATIENT_S = 60.0
STATEMENT = bytes(range(32))


@dataclass(frozen=True)
class Inputs:
    """Arguments of a prover."""

    vk: bytes
    srs: bytes
    statement_hash: bytes
    tensors: list[Array | None]


@pytest.fixture(scope="module")
def small() -> Inputs:
    """An honest proof of the smallest model."""
    model = handmade_gkr()
    srs = native.srs_insecure(model.program.c)
    tensors = [np.array(model.witness[k], dtype=np.int16) for k in range(len(model.witness))]
    return Inputs(model.key.to_bytes(), srs, STATEMENT, [*tensors])


@pytest.fixture(scope="module")
def large() -> Inputs:
    """2^21 leaves: hundreds of MiB, seconds of work. All tensors are zero: nobody has to accept."""
    rows = 1 << 13
    requant = Requant("y", "acc", 1, 16, (16,), 16, "relu", 16, 0, 100)
    graph = Graph(
        (TensorSpec("x", (rows, 1), 8, 0, 1),),
        "y",
        (WeightSpec("w", (64, 1), 8),),
        (Linear("acc", "x", "w", None), requant),
    )
    program = compile_graph(graph, Choice(c=16, lookup=Lookup.GKR)).program
    key = VerificationKey(bytes(32), bytes(32), program, (bytes(64),) * program.fixed_chunks)
    assert all(t.kind != TensorKind.LATE for t in program.tensors)
    tensors = [np.zeros(1 << t.n, dtype=np.int64) for t in program.tensors]
    return Inputs(key.to_bytes(), encode(G1) * (1 << program.c), STATEMENT, [*tensors])


def run(inputs: Inputs, prover: ProverProcess) -> bytes:
    return prover.prove(inputs.vk, inputs.srs, inputs.statement_hash, inputs.tensors)


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_prove__enough_of_everything__equals_the_proof_made_here(small: Inputs) -> None:
    with ProverProcess(AMPLE_MIB, PATIENT_S) as prover:
        assert prover.pid != os.getpid()
        proof = run(small, prover)
    assert proof == native.prove(small.vk, small.srs, small.statement_hash, small.tensors)
    assert not is_alive(prover.pid)


def test_prove__too_slow__killed_at_its_limit(large: Inputs) -> None:
    with ProverProcess(AMPLE_MIB, 0.3) as prover:
        started = time.monotonic()
        with pytest.raises(ProverTimeout) as raised:
            run(large, prover)
        assert time.monotonic() - started < 5
        assert not is_alive(prover.pid)
    assert raised.value.limit_s == 0.3
    assert isinstance(raised.value, ProverFailed)


def test_prove__cancelled_by_another_thread__killed(large: Inputs) -> None:
    cancelled = threading.Event()
    timer = threading.Timer(0.3, cancelled.set)
    with ProverProcess(AMPLE_MIB, PATIENT_S, cancelled) as prover:
        timer.start()
        with pytest.raises(ProverCancelled):
            run(large, prover)
        assert not is_alive(prover.pid)


def test_prove__witness_does_not_fit__out_of_memory(large: Inputs) -> None:
    limit_mib = 256
    with ProverProcess(limit_mib, PATIENT_S) as prover, pytest.raises(ProverOutOfMemory) as raised:
        run(large, prover)
    assert raised.value.limit_mib == limit_mib


def test_prove__libraries_do_not_fit__out_of_memory(small: Inputs) -> None:
    with ProverProcess(48, PATIENT_S) as prover, pytest.raises(ProverOutOfMemory):
        run(small, prover)


def test_prove__killed_from_outside__names_the_signal(small: Inputs) -> None:
    with ProverProcess(AMPLE_MIB, PATIENT_S) as prover:
        os.kill(prover.pid, signal.SIGKILL)
        with pytest.raises(ProverCrashed) as raised:
            run(small, prover)
    assert raised.value.status == -signal.SIGKILL


def test_prove__wrong_shape__names_the_tensor(small: Inputs) -> None:
    tensors = list(small.tensors)
    tensors[3] = np.zeros(1, dtype=np.int8)
    with (
        ProverProcess(AMPLE_MIB, PATIENT_S) as prover,
        pytest.raises(NativeInputError, match="tensor 3"),
    ):
        prover.prove(small.vk, small.srs, small.statement_hash, tensors)


def test_context__left_without_a_proof__child_is_gone() -> None:
    with ProverProcess(AMPLE_MIB, PATIENT_S) as prover:
        assert is_alive(prover.pid)
    assert not is_alive(prover.pid)


def test_child__everything_imported__torch_is_not_among_it() -> None:
    script = (
        "import sys; sys.argv = ['child', '4096']\n"
        "from offchain.prove import child\n"
        "assert child.main() == 0\n"
        "assert 'numpy' in sys.modules and 'offchain.native' in sys.modules\n"
        "assert 'torch' not in sys.modules\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], input=b"\n", capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
