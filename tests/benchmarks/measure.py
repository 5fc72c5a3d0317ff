"""Time the prover on one model, in a process that has no use for torch.

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
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from offchain import native
from offchain.commit.digest import encode_tensor
from offchain.commit.srs import insecure_srs_id
from offchain.execute import fast
from offchain.model.graph import Graph
from offchain.model.weights import IntArray
from offchain.prove.compile import Layout, compile_graph
from offchain.prove.key import build_key
from offchain.prove.program import Lookup, Opening, Program
from offchain.prove.program_bytes import hash_program
from offchain.prove.reference.public import boundary_digests
from offchain.prove.statement import FORMAT, MODE_PUBLIC, Statement
from offchain.prove.verification_key import VerificationKey
from offchain.prove.witness import build_fixed, build_witness

T = TypeVar("T")
MIB = 2**20
RSS_UNIT = 1 if sys.platform == "darwin" else 1024  # bytes of one ru_maxrss


@dataclass(frozen=True)
class Request:
    """What to measure."""

    folder: str  # written by tests.benchmarks.models
    runs: int
    limit_s: float  # no further run is started after this
    verifier: str  # address on the chain that will check the proof
    chain_id: int
    prover: str


def time_runs(runs: int, limit_s: float, action: Callable[[], T]) -> tuple[float, float, T]:
    """Return (least, median) seconds of at most `runs` calls and the last result."""
    seconds: list[float] = []
    while not seconds or (len(seconds) < runs and sum(seconds) < limit_s):
        began = time.perf_counter()
        result = action()
        seconds.append(time.perf_counter() - began)
    return min(seconds), statistics.median(seconds), result


@dataclass
class Session:
    """A model being measured."""

    request: Request
    graph: Graph
    weights: dict[str, IntArray]
    x: IntArray
    layout: Layout
    srs: bytes
    fixed: dict[int, IntArray]
    key: VerificationKey

    @property
    def program(self) -> Program:
        """The verification program."""
        return self.layout.program

    def prove(self) -> tuple[dict[str, float], bytes, IntArray, Statement]:
        """Compile, execute, fill the witness, prove: seconds of each, proof, output, statement."""
        began = time.perf_counter()
        layout = compile_graph(self.graph)
        compiled = time.perf_counter()
        execution = fast.run_traced(self.graph, self.weights, self.x)
        executed = time.perf_counter()
        tensors = build_witness(layout, self.weights, execution, self.fixed)
        filled = time.perf_counter()
        statement = self.statement(np.asarray(execution.output))
        vk = self.key.to_bytes()
        ordered = [tensors.get(k) for k in range(len(layout.program.tensors))]
        proof, phases = native.prove_timed(vk, self.srs, statement.hash(), ordered)
        seconds = {
            "compile": compiled - began,
            "execute": executed - compiled,
            "witness": filled - executed,
            "native": time.perf_counter() - filled,
            **{f"native.{name}": value for name, value in phases.items()},
        }
        return seconds, proof, np.asarray(execution.output), statement

    def statement(self, output: IntArray) -> Statement:
        """Return the statement of a whole-model proof in a made-up job of a made-up market."""
        program, request = self.program, self.request
        in_digest, out_digest = boundary_digests(
            program, self.input_bytes(), self.output_bytes(output), []
        )
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
            program_hash=hash_program(program),
            srs_id=insecure_srs_id(),
            mode=MODE_PUBLIC,
            op_range=program.op_count,
            in_digest=in_digest,
            out_digest=out_digest,
        )

    def input_bytes(self) -> bytes:
        """Return the public input."""
        return encode_tensor(self.x, 8 * self.program.inputs[0].bytes_per_element)

    def output_bytes(self, output: IntArray) -> bytes:
        """Return the public output."""
        return encode_tensor(output, 8 * self.program.output.bytes_per_element)


def measure(request: Request) -> dict[str, Any]:
    """Measure set-up, commitment, proof and verification; return one row and its evidence."""
    folder = Path(request.folder)
    graph = Graph.from_bytes((folder / "graph.json").read_bytes())
    with np.load(folder / "weights.npz") as stored:
        weights = {name: stored[name] for name in stored.files}
    layout = compile_graph(graph)
    began = time.perf_counter()
    srs = native.srs_insecure(layout.program.c)
    srs_s = time.perf_counter() - began
    fixed = build_fixed(layout, weights)
    c = layout.program.c
    key = build_key(
        layout, fixed, insecure_srs_id(), lambda cells: native.commit_chunks(srs, cells, c)
    )
    commit_s = time.perf_counter() - began - srs_s
    x = np.load(folder / "input.npy")
    session = Session(request, graph, weights, x, layout, srs, fixed, key)
    best_s, prove_s, made = time_runs(request.runs, request.limit_s, session.prove)
    phases, proof, output, statement = made
    rss = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * RSS_UNIT / MIB
    if not np.array_equal(output, np.load(folder / "expected.npy")):
        raise SystemExit("the output is not the reference's")
    vk, shown = key.to_bytes(), (session.input_bytes(), session.output_bytes(output))
    tau = native.tau_g2_insecure()
    _, verify_s, _ = time_runs(
        request.runs,
        request.limit_s,
        lambda: native.verify(vk, tau, statement.hash(), *shown, proof),
    )
    assert "torch" not in sys.modules, "the prover's process must not load torch"
    return {
        "srs_s": srs_s,
        "commit_s": commit_s,
        "prove_s": prove_s,
        "prove_best_s": best_s,
        "verify_s": verify_s,
        "peak_rss_mib": rss,
        "phases_s": phases,
        **count_work(layout, graph),
        "statement": [_plain(value) for value in asdict(statement).values()],
        "vk": vk.hex(),
        "input": shown[0].hex(),
        "output": shown[1].hex(),
        "proof": proof.hex(),
    }


def count_work(layout: Layout, graph: Graph) -> dict[str, Any]:
    """Return what the program consists of."""
    p = layout.program
    lookup_rounds = p.lam * (p.lam - 1) // 2 if p.lookup == Lookup.GKR else p.lam
    return {
        "weights": sum(int(np.prod(w.shape)) for w in graph.weights),
        "leaves": sum(1 << block.n for block in p.blocks),
        "slots": len(p.slots),
        "rounds": lookup_rounds + p.product_rounds + p.contraction_rounds + p.link_rounds + p.c,
        "c": p.c,
        "chunks": f"{p.fixed_chunks}+{p.proof_chunks}+{p.late_chunks}",
        "lookup": Lookup(p.lookup).name.lower(),
        "opening": Opening(p.opening).name.lower(),
    }


def _plain(value: object) -> str:
    return "0x" + value.hex() if isinstance(value, bytes) else str(value)


if __name__ == "__main__":
    print(json.dumps(measure(Request(**json.loads(sys.argv[1])))))
