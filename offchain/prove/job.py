"""Prove one challenged job: the only door to the prover, shut without a challenge."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from offchain import native
from offchain.commit.srs import insecure_srs_id, load_insecure_srs
from offchain.errors import UnchallengedProof
from offchain.model.graph import Graph
from offchain.prove.compile import Layout, compile_layout
from offchain.prove.key import build_key
from offchain.prove.program import VerificationKey
from offchain.prove.statement import Statement
from offchain.prove.witness import Array, RequantTrace, build_witness

# (key blob, SRS, statement hash, tensors by id) -> proof
Prover = Callable[[bytes, bytes, bytes, dict[int, Array]], bytes]


@dataclass(frozen=True)
class ProvableModel:
    """A model with all that a proof about it needs; recomputed from its files, never on trust."""

    layout: Layout
    weights: Mapping[str, Array]
    key: VerificationKey

    @property
    def srs(self) -> bytes:
        """The SRS powers for this model's chunk size."""
        return load_insecure_srs(self.layout.program.c)


def make_provable(graph: Graph, weights: Mapping[str, Array]) -> ProvableModel:
    """Compile the graph and commit to the weights; raise ProgramError if it cannot be proven."""
    layout = compile_layout(graph)
    commit = partial(native.commit, load_insecure_srs(layout.program.c))
    return ProvableModel(layout, weights, build_key(layout, weights, insecure_srs_id(), commit))


def prove_job(
    model: ProvableModel,
    statement: Statement,
    public_in: Array,
    trace: Mapping[str, RequantTrace],
    prover: Prover,
) -> bytes:
    """Return the proof of a challenged job.

    Raises UnchallengedProof without a challenge seed, WitnessError where the trace violates the
    graph.
    """
    if not any(statement.challenge_seed):
        raise UnchallengedProof(f"job {statement.job_id} has no open challenge: nothing to prove")
    tensors = build_witness(model.layout, model.weights, public_in, trace)
    return prover(model.key.to_bytes(), model.srs, statement.hash(), tensors)
