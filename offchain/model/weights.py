"""Weights of an integer graph as they are held in memory, and the check that they fit the graph."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import numpy.typing as npt

from offchain.errors import TensorError
from offchain.model.graph import Graph

IntArray = npt.NDArray[np.int64]
Weights = Mapping[str, IntArray]  # name of the graph -> int64 array of the declared shape


def check_weights(graph: Graph, weights: Weights) -> None:
    """Raise TensorError unless every declared weight is there, of its shape, and fits its bits."""
    for spec in graph.weights:
        if spec.name not in weights:
            raise TensorError(spec.name, "is missing from the weights")
        half = 1 << (spec.bits - 1)
        check_tensor(spec.name, weights[spec.name], spec.shape, -half, half - 1)
    unknown = set(weights) - {spec.name for spec in graph.weights}
    if unknown:
        raise TensorError(min(unknown), "is not a weight of the graph")


def check_tensor(name: str, values: object, shape: Iterable[int], lo: int, hi: int) -> None:
    """Raise TensorError unless `values` is an integer array of this shape with all of [lo, hi]."""
    if not isinstance(values, np.ndarray):
        raise TensorError(name, f"is a {type(values).__name__}, expected a numpy array")
    if values.dtype.kind not in "iu":  # bool and floats are not silently converted
        raise TensorError(name, f"has dtype {values.dtype}, expected integers")
    if values.shape != tuple(shape):
        raise TensorError(name, f"has shape {values.shape}, expected {tuple(shape)}")
    if values.size and not lo <= int(values.min()) <= int(values.max()) <= hi:
        outside = (values < lo) | (values > hi)
        where = tuple(int(k) for k in np.argwhere(outside)[0])
        raise TensorError(name, f"element {where} is {values[where]}, outside [{lo}, {hi}]")
