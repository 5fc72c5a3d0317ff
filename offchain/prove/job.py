"""Prove one challenged job: the only door to the prover, shut without a challenge."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from offchain import native
from offchain.commit.srs import ReferenceString, choose_srs
from offchain.errors import UnchallengedProof
from offchain.model.execution import Execution
from offchain.model.graph import Graph
from offchain.model.weights import Weights
from offchain.prove.compile import Choice, Layout, compile_graph
from offchain.prove.key import build_key
from offchain.prove.statement import Statement
from offchain.prove.verification_key import VerificationKey
from offchain.prove.witness import Array, build_fixed, build_witness

# (key blob, SRS, statement hash, tensors by id, None for late ones) -> proof
Prover = Callable[[bytes, bytes, bytes, Sequence[Array | None]], bytes]


@dataclass(frozen=True)
class ProvableModel:
    """A model with all that a proof about it needs; recomputed from its files, never on trust."""

    layout: Layout
    weights: Weights
    fixed: Mapping[int, Array]
    key: VerificationKey
    reference: ReferenceString

    @property
    def srs(self) -> bytes:
        """The SRS powers for this model's chunk size."""
        return self.reference.load(self.layout.program.c)


def make_provable(
    graph: Graph,
    weights: Weights,
    choice: Choice | None = None,
    committed: Sequence[str] = (),
) -> ProvableModel:
    """Compile the graph and commit to the weights under this process's reference string.

    Raises ProgramError if the graph cannot be proven, TensorError if the weights do not fit it,
    SrsError where the string is too short.
    """
    return commit_weights(compile_graph(graph, choice or Choice(), committed), weights)


def commit_weights(layout: Layout, weights: Weights) -> ProvableModel:
    """Commit to the weights of a compiled graph; errors as for `make_provable`."""
    fixed = build_fixed(layout, weights)
    reference = choose_srs()
    c = layout.program.c
    powers = reference.load(c)
    key = build_key(
        layout, fixed, reference.id, lambda cells: native.commit_chunks(powers, cells, c)
    )
    return ProvableModel(layout, weights, fixed, key, reference)


def list_tensors(model: ProvableModel, execution: Execution) -> list[Array | None]:
    """Return every tensor by id, None for late ones, which the prover makes itself.

    Raises WitnessError where the execution violates the graph.
    """
    filled = build_witness(model.layout, model.weights, execution, model.fixed)
    return [filled.get(k) for k in range(len(model.layout.program.tensors))]


def prove_job(
    model: ProvableModel, statement: Statement, execution: Execution, prover: Prover
) -> bytes:
    """Return the proof of a challenged job.

    Raises UnchallengedProof without a challenge seed, WitnessError where the execution violates
    the graph.
    """
    if not any(statement.challenge_seed):
        raise UnchallengedProof(f"job {statement.job_id} has no open challenge: nothing to prove")
    tensors = list_tensors(model, execution)
    return prover(model.key.to_bytes(), model.srs, statement.hash(), tensors)
