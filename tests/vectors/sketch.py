"""Builds small graphs operator by operator, with multipliers as large as their tables allow."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np

from offchain.commit.srs_file import srs_id
from offchain.execute.reference import run_traced
from offchain.model.execution import Execution
from offchain.model.graph import Graph
from offchain.model.operators import Op, Requant, TensorSpec, WeightSpec
from offchain.prove.compile import Choice, Layout, compile_graph
from offchain.prove.program import Lookup, Opening, Program
from offchain.prove.reference.srs import insecure_tau_g2
from offchain.prove.verification_key import VerificationKey
from offchain.prove.witness import build_witness
from tests.vectors.models import Array, SmallModel, Tensors, commit, to_bytes

PROBE: Final = 32  # the width of a requantization that only measures its accumulator
MAX_M: Final = (1 << 15) - 1


@dataclass(frozen=True)
class CompiledModel(SmallModel):
    """A small model with its graph's compilation and execution."""

    layout: Layout
    weights: Mapping[str, Array]
    execution: Execution


@dataclass
class Sketch:
    """A graph in the making; every result is computed at once."""

    name: str
    inputs: tuple[TensorSpec, ...]
    x: dict[str, Array]
    weights: dict[str, Array] = field(default_factory=dict)
    specs: list[WeightSpec] = field(default_factory=list)
    ops: list[Op] = field(default_factory=list)

    def weight(self, name: str, values: Any, bits: int = 8) -> str:
        """Add a weight and return its name."""
        self.weights[name] = np.array(values, dtype=np.int64)
        self.specs.append(WeightSpec(name, self.weights[name].shape, bits))
        return name

    def add(self, op: Op) -> str:
        """Add an operator and return its name."""
        self.ops.append(op)
        return op.name

    def requant(
        self,
        op: Op,
        width: int = 6,
        digits: tuple[int, ...] = (8,),
        table: str = "identity",
        clamp: tuple[int, int] | None = None,
        scale: str | None = None,
        m: int | None = None,
    ) -> str:
        """Add an accumulator and its requantization; return the latter's name."""
        name, half = f"{op.name}_q", 1 << (min(width, 16) - 1)
        self.ops.append(op)
        if m is None:
            acc = int(np.abs(self._measure(op)).max())
            largest = 1 if scale is None else int(self.weights[scale].max())
            m = max(1, min(MAX_M, ((half - 1) << sum(digits)) // max(1, acc)) // largest)
        lo, hi = clamp or ((0, half - 1) if table == "relu" else (-half, half - 1))
        bits = 8 if lo >= -128 and hi <= 127 else 16
        self.ops.append(
            Requant(name, op.name, m, sum(digits), digits, width, table, bits, lo, hi, scale)
        )
        return name

    def _measure(self, op: Op) -> Array:
        probe = Requant("probe", op.name, 1, 16, (16,), PROBE, "identity", 16, -32768, 32767)
        ops = [*self.ops, probe]
        specs = self._used(ops)
        graph = Graph(self.inputs, "probe", tuple(specs), tuple(ops))
        graph.verify()
        weights = {spec.name: self.weights[spec.name] for spec in specs}
        return run_traced(graph, weights, self.x).values[op.name]

    def _used(self, ops: list[Op]) -> list[WeightSpec]:
        names = {str(value) for op in ops for value in vars(op).values()}
        names |= {term for op in ops for term, _ in getattr(op, "terms", ())}
        return [spec for spec in self.specs if spec.name in names]

    def finish(
        self,
        c: int = 7,
        lookup: Lookup = Lookup.GKR,
        opening: Opening = Opening.HYPERKZG,
        committed: Collection[str] = (),
    ) -> CompiledModel:
        """Compile, execute and commit; the last operator gives the output."""
        graph = Graph(self.inputs, self.ops[-1].name, tuple(self.specs), tuple(self.ops))
        graph.verify()
        layout = compile_graph(graph, Choice(c, lookup, opening), committed)
        execution = run_traced(graph, self.weights, self.x)
        filled = build_witness(layout, self.weights, execution)
        witness = {k: [int(v) for v in values] for k, values in sorted(filled.items())}
        public_in = b"".join(
            to_bytes(self.x[spec.name], spec.bits)
            for spec in self.inputs
            if spec.name not in committed
        )
        key = make_key(graph.hash(), layout.program, witness)
        return CompiledModel(
            self.name, key, witness, public_in, layout, dict(self.weights), execution
        )


def make_key(graph_hash: bytes, program: Program, tensors: Tensors) -> VerificationKey:
    """Return the key of these fixed tensors."""
    commitments = commit(program, tensors)[: program.fixed_chunks]
    return VerificationKey(graph_hash, srs_id(insecure_tau_g2()), program, tuple(commitments))


def reweigh(model: CompiledModel, weights: Mapping[str, Array]) -> CompiledModel:
    """Return the same graph with other weights, executed and registered."""
    graph = model.layout.graph
    x = {spec.name: model.execution.values[spec.name] for spec in graph.inputs}
    execution = run_traced(graph, dict(weights), x)
    filled = build_witness(model.layout, dict(weights), execution)
    witness = {k: [int(v) for v in values] for k, values in sorted(filled.items())}
    key = make_key(model.key.graph_hash, model.program, witness)
    return replace(model, key=key, witness=witness, weights=weights, execution=execution)


def feed(model: CompiledModel, x: Mapping[str, Array]) -> CompiledModel:
    """Return the model with other inputs, executed whether or not they are in range."""
    graph, weights = model.layout.graph, dict(model.weights)
    full = [1 << (spec.bits - 1) for spec in graph.inputs]
    wide = tuple(
        replace(spec, lo=-half, hi=half - 1) for spec, half in zip(graph.inputs, full, strict=True)
    )
    execution = run_traced(replace(graph, inputs=wide), weights, dict(x))
    filled = build_witness(model.layout, weights, execution)
    witness = {k: [int(v) for v in values] for k, values in sorted(filled.items())}
    public_in = b"".join(
        to_bytes(x[spec.name], spec.bits)
        for spec, public in zip(graph.inputs, model.program.inputs, strict=True)
        if public.byte_length
    )
    return replace(model, witness=witness, public_in=public_in, execution=execution)
