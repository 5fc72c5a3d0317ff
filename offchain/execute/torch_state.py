"""Values of one execution on torch, and weights converted for it. Imported only where torch is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from offchain.model.execution import RequantStep, RowStep
from offchain.model.graph import Graph
from offchain.model.operators import Conv2d, Linear
from offchain.model.weights import IntArray, Weights


@dataclass(frozen=True)
class TorchWeights:
    """Weights as int64, and those that are only multiplied as float64 (G, K, J)."""

    integers: Mapping[str, Tensor]
    matrices: Mapping[str, Tensor]  # by operator: one weight may be laid out in several ways
    kernels: Mapping[str, tuple[int, int]]  # (KH, KW) by convolution


def convert_weights(graph: Graph, weights: Weights) -> TorchWeights:
    """Return the weights; those of linear and conv2d transposed for their products."""
    matrices: dict[str, Tensor] = {}
    kernels: dict[str, tuple[int, int]] = {}
    for op in graph.ops:
        if isinstance(op, Linear | Conv2d):
            groups = 1
            if isinstance(op, Conv2d):
                groups = op.groups
                _, height, width, _ = weights[op.w].shape
                kernels[op.name] = (height, width)
            w = torch.from_numpy(weights[op.w].astype(np.float64))
            matrices[op.name] = w.reshape(groups, len(w) // groups, -1).transpose(1, 2)
    # Shared with NumPy where that is possible; torch wants memory that could be written.
    integers = {
        name: torch.from_numpy(np.require(values, np.int64, ["C", "W"]))
        for name, values in weights.items()
    }
    return TorchWeights(integers, matrices, kernels)


class TorchState:
    """Values so far, and the records that go with some of them."""

    def __init__(self, weights: TorchWeights, inputs: Mapping[str, IntArray]) -> None:
        self.weights = weights
        self.values = {name: torch.from_numpy(x.astype(np.int64)) for name, x in inputs.items()}
        self.steps: dict[str, RequantStep] = {}
        self.rows: dict[str, RowStep] = {}

    def read(self, name: str) -> Tensor:
        """Return an activation or a weight as int64."""
        return self.values[name] if name in self.values else self.weights.integers[name]
