"""Padded flat tensors in small integer types, and the error that names a bad element."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from offchain.errors import WitnessError
from offchain.prove.compile.points import View, ceil_log2

Array = npt.NDArray[Any]  # of a signed integer type
Bools = npt.NDArray[np.bool_]

_TYPES: Final = (np.int8, np.int16, np.int32, np.int64)


def fit_type(lo: int, hi: int) -> np.dtype[Any]:
    """Return the smallest signed integer type that holds lo ... hi."""
    for kind in _TYPES:
        limits = np.iinfo(kind)
        if limits.min <= lo and hi <= limits.max:
            return np.dtype(kind)
    raise ValueError(f"no integer type holds {lo} ... {hi}")


def narrow(values: Array) -> Array:
    """Return the values in the smallest type that holds them."""
    if not values.size:
        return values
    return values.astype(fit_type(int(values.min()), int(values.max())), copy=False)


def padded_shape(shape: Sequence[int]) -> tuple[int, ...]:
    """Return every axis' size as a power of two."""
    return tuple(1 << ceil_log2(size) for size in shape)


def pad(values: Array, kind: np.dtype[Any] | None = None, fill: int = 0) -> Array:
    """Return the values padded with `fill` to powers of two and flat, of type `kind`."""
    dtype = values.dtype if kind is None else kind
    shape = padded_shape(values.shape)
    if shape == values.shape:
        return np.ascontiguousarray(values, dtype=dtype).reshape(-1)
    padded = np.full(shape, fill, dtype=dtype)
    padded[tuple(slice(0, size) for size in values.shape)] = values
    return padded.reshape(-1)


def count_pads(shape: Sequence[int]) -> int:
    """Return the number of padding cells of a shape."""
    real = padded = 1
    for size in shape:
        real, padded = real * size, padded << ceil_log2(size)
    return padded - real


def read_view(view: View, tensor: Array) -> Array:
    """Return a view of a flat padded tensor, in the view's own padded shape."""
    shape = padded_shape(view.shape)
    if view.is_whole:
        return tensor.reshape(shape)
    cube = tensor.reshape((2,) * len(view.bits))
    cube = cube[tuple(b.at if b.axis < 0 else slice(None) for b in view.bits)]
    free = [b for b in view.bits if b.axis >= 0]
    order = sorted(range(len(free)), key=lambda k: (free[k].axis, -free[k].at))
    return np.ascontiguousarray(cube.transpose(order)).reshape(shape)


def require(name: str, holds: Bools, reason: str) -> None:
    """Raise WitnessError, naming the operator and the first element that fails."""
    if not holds.all():
        element = int(np.argmin(holds))
        where = tuple(int(k) for k in np.unravel_index(element, holds.shape))
        raise WitnessError(name, element, f"{reason}, at {where}")
