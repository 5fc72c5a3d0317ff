"""Models that are run wrongly on purpose, for drills on development chains."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Final

import numpy as np

from offchain.execute.fast import FAST_KERNELS
from offchain.execute.interpreter import Kernel, State, interpret
from offchain.model.execution import Execution
from offchain.model.graph import Graph
from offchain.model.operators import Requant
from offchain.model.weights import IntArray
from offchain.prove.job import ProvableModel
from offchain.submit.models import Model

LOST_BITS: Final = 0b11111  # a 3-bit network in place of the registered 8-bit one


@dataclass(frozen=True)
class FaultyModel(Model):
    """A registered model, run otherwise than registered; its graph and key stay what they are."""

    registered: Model

    @cached_property
    def provable(self) -> ProvableModel:
        """Return the registered program and key."""
        return self.registered.provable

    def run(self, raw_input: bytes, backend: str) -> bytes:  # noqa: ARG002
        """Return the wrong output's bytes; every backend is as wrong."""
        return self.run_traced(raw_input)[0]

    def run_traced(self, raw_input: bytes) -> tuple[bytes, Execution]:
        """Return the wrong output and everything on the way to it."""
        x = self.decode_input(raw_input)
        execution = interpret(self.graph, self.weights, x, self.get_kernels())
        return self.encode_output(execution.output), execution

    def get_kernels(self) -> Mapping[type, Kernel]:
        """Return the operators as they are run."""
        return FAST_KERNELS


@dataclass(frozen=True)
class WrongOperatorModel(FaultyModel):
    """One requantization in the middle rounds down one unit too far; all others are right."""

    def get_kernels(self) -> Mapping[type, Kernel]:
        """Return the operators, one of them wrong."""
        wrong = choose_middle(self.graph)
        honest: Kernel = FAST_KERNELS[Requant]

        def requant(op: Any, state: State) -> IntArray:
            y = honest(op, state)
            return np.maximum(y - 1, op.lo) if op.name == wrong else y

        return {**FAST_KERNELS, Requant: requant}


@dataclass(frozen=True)
class LazyModel(FaultyModel):
    """Runs nothing: every activation is the least that its range allows."""

    def get_kernels(self) -> Mapping[type, Kernel]:
        """Return operators of which none computes what it is for."""
        honest: Kernel = FAST_KERNELS[Requant]

        def requant(op: Any, state: State) -> IntArray:
            return np.full_like(honest(op, state), op.lo)

        return {**FAST_KERNELS, Requant: requant}


@dataclass(frozen=True)
class PerturbedModel(FaultyModel):
    """Other weights under the registered model's key."""

    @cached_property
    def provable(self) -> ProvableModel:
        """Return the registered key, with the weights that are really run as witness."""
        return replace(self.registered.provable, weights=self.weights)


def spoil_operator(model: Model) -> Model:
    """Return the model with one wrong operator in the middle."""
    return WrongOperatorModel(model.folder, model.graph, model.weights, model)


def spoil_everything(model: Model) -> Model:
    """Return the model as somebody runs it who saves all computing."""
    return LazyModel(model.folder, model.graph, model.weights, model)


def perturb(model: Model) -> Model:
    """Return the model without the low bits of its first weight matrix, as if cheaply quantized."""
    return PerturbedModel(model.folder, model.graph, coarsen(model), model)


def coarsen(model: Model) -> dict[str, np.ndarray[tuple[int, ...], np.dtype[np.int64]]]:
    """Return the model's weights without the low bits of the first matrix."""
    first = model.graph.weights[0].name
    exact = np.asarray(model.weights[first])
    # Towards zero, so that no accumulator leaves the ranges that the graph declares.
    coarse = np.sign(exact) * (np.abs(exact) & ~np.int64(LOST_BITS))
    return {**model.weights, first: coarse}


def choose_middle(graph: Graph) -> str:
    """Return the requantization in the middle of a graph that is not its output."""
    names = [op.name for op in graph.ops if isinstance(op, Requant) and op.name != graph.output]
    return names[len(names) // 2]
