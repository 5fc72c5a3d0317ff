"""Time the prover on one published model, in a process that has no use for torch.

Run by tests.benchmarks.prover as `python -m tests.benchmarks.measure REQUEST`, once for each model,
so that the peak of the resident set is the prover's and nobody else's.
"""

from __future__ import annotations

import json
import resource
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np

from offchain import native
from offchain.commit.digest import tensor_digest_of_bytes
from offchain.commit.srs import insecure_srs_id
from offchain.prove.compile import Layout, compile_layout
from offchain.prove.key import build_key
from offchain.prove.statement import FORMAT, MODE_PUBLIC, Statement
from offchain.prove.witness import build_witness
from offchain.submit.models import Model, load_model

T = TypeVar("T")
MIB = 2**20
RSS_UNIT = 1 if sys.platform == "darwin" else 1024  # bytes of one ru_maxrss


@dataclass(frozen=True)
class Request:
    """What to measure."""

    folder: str  # a published model
    input: str  # a file with one input of it
    runs: int
    verifier: str  # address on the chain that will check the proof
    chain_id: int
    prover: str


@dataclass(frozen=True)
class Measured:
    """Medians in seconds, sizes, and the proof with what a verifier needs to check it."""

    setup_s: float
    commit_s: float
    witness_s: float
    prove_s: float
    verify_s: float
    peak_rss_mib: float
    requantised: int
    lookups: int
    rounds: int
    weights: int
    statement: list[str]
    vk: str
    input: str
    output: str
    proof: str


def median_of(runs: int, action: Callable[[], T]) -> tuple[float, T]:
    """Return the median time of `runs` calls, after one that is not counted, and a result."""
    result = action()
    seconds = []
    for _ in range(runs):
        began = time.perf_counter()
        result = action()
        seconds.append(time.perf_counter() - began)
    return statistics.median(seconds), result


def measure(request: Request) -> Measured:
    """Measure set-up, commitment, witness, proof and verification."""
    model = load_model(Path(request.folder))
    raw_input = Path(request.input).read_bytes()

    def set_up() -> tuple[Layout, bytes]:
        layout = compile_layout(model.graph)
        return layout, native.srs_insecure(layout.program.c)

    setup_s, (layout, srs) = median_of(request.runs, set_up)
    commit_s, key = median_of(
        request.runs,
        lambda: build_key(layout, model.weights, insecure_srs_id(), partial(native.commit, srs)),
    )
    vk = key.to_bytes()

    def make_witness() -> tuple[bytes, dict[int, np.ndarray]]:
        output, trace = model.run_traced(raw_input)
        return output, build_witness(layout, model.weights, model.decode_input(raw_input), trace)

    witness_s, (output, tensors) = median_of(request.runs, make_witness)
    statement = make_statement(request, model, raw_input, output)
    prove_s, proof = median_of(
        request.runs, lambda: native.prove(vk, srs, statement.hash(), tensors)
    )
    tau = native.tau_g2_insecure()
    verify_s, _ = median_of(
        request.runs,
        lambda: native.verify(vk, tau, statement.hash(), raw_input, output, proof),
    )
    assert "torch" not in sys.modules, "the prover's process must not load torch"
    return Measured(
        setup_s=setup_s,
        commit_s=commit_s,
        witness_s=witness_s,
        prove_s=prove_s,
        verify_s=verify_s,
        peak_rss_mib=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * RSS_UNIT / MIB,
        **count_work(model, layout),
        statement=[_plain(value) for value in asdict(statement).values()],
        vk=vk.hex(),
        input=raw_input.hex(),
        output=output.hex(),
        proof=proof.hex(),
    )


def make_statement(request: Request, model: Model, raw_input: bytes, output: bytes) -> Statement:
    """Return the statement of a whole-model proof in a made-up job of a made-up market."""
    return Statement(
        format=FORMAT,
        chain_id=request.chain_id,
        verifier=request.verifier,
        market=request.verifier,
        job_id=1,
        shard=0,
        challenge_seed=b"benchmark".ljust(32, b"\0"),
        prover=request.prover,
        model_version=b"benchmark".ljust(32, b"\0"),
        program_hash=model.layout.program.hash(),
        srs_id=insecure_srs_id(),
        mode=MODE_PUBLIC,
        op_range=model.layout.program.op_count,
        in_digest=tensor_digest_of_bytes(raw_input, model.input_shape, model.input_bits),
        out_digest=tensor_digest_of_bytes(output, model.output_shape, model.output_bits),
    )


def count_work(model: Model, layout: Layout) -> dict[str, int]:
    """Return requantised elements, table lookups with padding, sum-check rounds and weights."""
    program = layout.program
    rounds = program.lam * (program.lam - 1) // 2 + program.rounds + program.c
    return {
        "requantised": sum(int(np.prod(layout.shapes[r.y])) for r in layout.requants),
        "lookups": sum(1 << block.n for block in program.blocks if not block.is_table),
        "rounds": rounds,
        "weights": sum(int(np.prod(w.shape)) for w in model.graph.weights),
    }


def _plain(value: object) -> str:
    return "0x" + value.hex() if isinstance(value, bytes) else str(value)


if __name__ == "__main__":
    print(json.dumps(asdict(measure(Request(**json.loads(sys.argv[1]))))))
