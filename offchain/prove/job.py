"""Prove one challenged job: the only door to the prover, shut without a challenge."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from offchain import native
from offchain.commit.srs import ReferenceString, choose_srs
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
    reference: ReferenceString

    @property
    def srs(self) -> bytes:
        """The SRS powers for this model's chunk size."""
        return self.reference.load(self.layout.program.c)


def make_provable(graph: Graph, weights: Mapping[str, Array]) -> ProvableModel:
    """Compile the graph and commit to the weights under this process's reference string.

    Raises ProgramError if the graph cannot be proven, SrsError where the string is too short.
    """
    layout = compile_layout(graph)
    reference = choose_srs()
    commit = partial(native.commit, reference.load(layout.program.c))
    key = build_key(layout, weights, reference.id, commit)
    return ProvableModel(layout, weights, key, reference)


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
