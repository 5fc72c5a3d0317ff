"""Random models with their plans, executions and traces."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

from offchain.commit.digest import digest_of_root
from offchain.execute.reference import run_traced
from offchain.model.execution import Execution
from offchain.model.weights import IntArray
from offchain.trace.descriptor import MatrixSpec
from offchain.trace.evidence import ElementClaim
from offchain.trace.plan import Plan, TraceOp, build_plan, weight_roots
from offchain.trace.recorder import Tensors, Trace, record_trace
from offchain.trace.tensors import TiledTensor
from tests.random_models import RandomModel, draw_graph, draw_operator
from tests.random_operators import DRAWERS

KINDS = tuple(DRAWERS)


@dataclass(frozen=True)
class Run:
    """A model that ran on its input."""

    model: RandomModel

    @cached_property
    def plan(self) -> Plan:
        return build_plan(self.model.graph, weight_roots(self.model.graph, self.model.weights))

    @cached_property
    def execution(self) -> Execution:
        return run_traced(self.model.graph, self.model.weights, self.model.x)

    @cached_property
    def trace(self) -> Trace:
        return record_trace(self.plan, self.model.graph, self.execution)

    @cached_property
    def tensors(self) -> Tensors:
        return Tensors(self.model.graph, self.model.weights, self.execution)

    def value(self, op: TraceOp) -> IntArray:
        """Return an operator's result, flat."""
        return self.execution.values[op.name].reshape(-1)

    def falsify(self, op: TraceOp, element: int) -> tuple[ElementClaim, TiledTensor]:
        """Return the claim of somebody who computed one element wrong, and the false result."""
        values = self.value(op).copy()
        values[element] += 1 if values[element] < 100 else -1
        spec = op.descriptor.out
        false = TiledTensor.of(values, 8 * spec.element_bytes)
        claim = self.trace.claim(op.index, element)
        return replace(claim, out_digest=digest(false, spec)), false


def digest(tensor: TiledTensor, spec: MatrixSpec) -> bytes:
    return digest_of_root(tensor.root, (spec.rows, spec.cols), 8 * spec.element_bytes)


def graph_run(seed: int, operators: int = 6) -> Run:
    return Run(draw_graph(seed, operators))


def operator_run(kind: str, seed: int) -> Run:
    return Run(draw_operator(kind, seed))
