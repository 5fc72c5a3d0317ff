"""The float model between import and quantization: a chain of affine layers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
Activation = Literal["identity", "relu"]


@dataclass(frozen=True)
class FloatLayer:
    """y = f(x w^T + b); w (out, in), b (out,) or None."""

    name: str
    weight: FloatArray
    bias: FloatArray | None
    activation: Activation


@dataclass(frozen=True)
class FloatGraph:
    """Layers in execution order, from an input with `input_cols` columns."""

    input_name: str
    input_cols: int
    layers: tuple[FloatLayer, ...]

    def run(self, x: FloatArray) -> FloatArray:
        """Return the output (rows, out) for an input (rows, input_cols), in float64."""
        for layer in self.layers:
            x = x @ layer.weight.T  # (R, K) @ (K, J) -> (R, J)
            if layer.bias is not None:
                x = x + layer.bias  # (R, J) + (J,) -> (R, J)
            if layer.activation == "relu":
                x = np.maximum(x, 0.0)
        return x
