"""Train an MLP 64-32-10 with ReLU on scikit-learn's digits (1,797 real scans); export it to ONNX.

Training penalises the network's worst case: the largest magnitude that interval arithmetic allows a
logit over all inputs in range. This number sizes the tables of the proof, so a smaller one leaves
more resolution to the inputs that occur. The float model stays a plain MLP.
"""

from __future__ import annotations

import copy
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from offchain.errors import MissingDependencyError

if TYPE_CHECKING:
    import torch

PIXEL_MAX: Final = 16  # scikit-learn's digits count dark pixels in 4 x 4 blocks: 0..16
INPUTS: Final = 64
HIDDEN: Final = 32
CLASSES: Final = 10
EPOCHS: Final = 500  # full-batch steps; under two seconds on one core
LEARNING_RATE: Final = 0.01
WORST_CASE_PENALTY: Final = 3e-3  # per unit of the largest possible logit
HELD_OUT: Final = 360  # a fifth of the scans, seen by nobody before the report
CALIBRATION: Final = 360  # seen by the quantizer, not by training
SPLIT_SEED: Final = 2026
OPSET: Final = 14


@dataclass(frozen=True)
class Digits:
    """Scans (rows, 64) with integer pixels in 0..16, and their classes (rows,)."""

    x: npt.NDArray[np.int64]
    y: npt.NDArray[np.int64]


@dataclass(frozen=True)
class Mlp:
    """Linear (64 -> 32), ReLU, Linear (32 -> 10) in float64."""

    first: torch.nn.Linear
    second: torch.nn.Linear

    def logits(self, x: torch.Tensor) -> torch.Tensor:
        """Return the logits (rows, 10) of scans (rows, 64)."""
        hidden: torch.Tensor = self.first(x).relu()  # (R, 64) -> (R, 32)
        logits: torch.Tensor = self.second(hidden)  # (R, 32) -> (R, 10)
        return logits

    def worst_logit(self) -> torch.Tensor:
        """Return the largest magnitude that the bounds allow a logit over [0, 16]^64."""
        # Operands are not negative: positive weights make the upper bound, negative the lower.
        top = self.first.weight.clamp(min=0).sum(dim=1) * PIXEL_MAX + self.first.bias  # (32,)
        hidden = top.relu()
        high = self.second.weight.clamp(min=0) @ hidden + self.second.bias  # (10,)
        low = self.second.weight.clamp(max=0) @ hidden + self.second.bias  # (10,)
        worst: torch.Tensor = high.max().maximum(-low.min())
        return worst


@dataclass(frozen=True)
class DigitsSplit:
    """A fixed, stratified split; no scan is in two parts."""

    train: Digits
    calibration: Digits
    held_out: Digits


def load_split() -> DigitsSplit:
    """Return the split; raise MissingDependencyError without scikit-learn."""
    try:
        # scikit-learn ships no types.
        from sklearn.datasets import load_digits  # type: ignore[import-untyped]
        from sklearn.model_selection import (  # type: ignore[import-untyped]
            train_test_split,
        )
    except ImportError as error:
        raise MissingDependencyError("scikit-learn", "operator") from error
    x, y = load_digits(return_X_y=True)
    every = Digits(x.astype(np.int64), y.astype(np.int64))

    def cut(rows: npt.NDArray[np.int64], size: int) -> list[npt.NDArray[np.int64]]:
        parts: list[npt.NDArray[np.int64]] = train_test_split(
            rows, test_size=size, stratify=every.y[rows], random_state=SPLIT_SEED
        )
        return parts

    rest, held_out = cut(np.arange(len(every.y)), HELD_OUT)
    train, calibration = cut(rest, CALIBRATION)
    parts = (Digits(every.x[rows], every.y[rows]) for rows in (train, calibration, held_out))
    return DigitsSplit(*parts)


def train_mlp(digits: Digits, seed: int = 0) -> Mlp:
    """Return the trained network, which takes raw pixels.

    Deterministic for a seed on one machine; the caller's random state is left alone. Raises
    MissingDependencyError without torch.
    """
    torch = _load_torch()
    x, y = torch.from_numpy(digits.x).double(), torch.from_numpy(digits.y)  # (N, 64), (N,)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        mlp = Mlp(
            torch.nn.Linear(INPUTS, HIDDEN, dtype=torch.float64),
            torch.nn.Linear(HIDDEN, CLASSES, dtype=torch.float64),
        )
    with torch.no_grad():
        mlp.first.weight.div_(PIXEL_MAX)  # as if pixels were in 0..1
    with _single_thread(torch):
        _descend(torch, mlp, x, y)
    with torch.no_grad():
        # Softmax does not see a common shift of all logits; without it their bounds are tighter.
        mlp.second.weight.sub_(mlp.second.weight.mean(dim=0))
        mlp.second.bias.sub_(mlp.second.bias.mean())
    return mlp


def _descend(torch: Any, mlp: Mlp, x: torch.Tensor, y: torch.Tensor) -> None:
    """Minimise cross-entropy plus the penalty by full-batch Adam; x (N, 64), y (N,)."""
    parameters = [*mlp.first.parameters(), *mlp.second.parameters()]
    optimizer = torch.optim.Adam(parameters, lr=LEARNING_RATE)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, LEARNING_RATE, total_steps=EPOCHS)
    for _ in range(EPOCHS):
        loss = torch.nn.functional.cross_entropy(mlp.logits(x), y)
        loss = loss + WORST_CASE_PENALTY * mlp.worst_logit()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()


def export_onnx(mlp: Mlp, path: Path) -> None:
    """Write the network, in float32, as an ONNX file with a free number of rows."""
    torch = _load_torch()
    module = torch.nn.Sequential(mlp.first, torch.nn.ReLU(), mlp.second)
    with warnings.catch_warnings():
        # The exporter that torch recommends instead needs another package, for no gain here.
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.onnx.export(
            copy.deepcopy(module).float(),
            (torch.zeros(1, INPUTS),),
            str(path),
            dynamo=False,
            opset_version=OPSET,
            input_names=["x"],
            output_names=["y"],
            dynamic_axes={"x": {0: "rows"}, "y": {0: "rows"}},
        )


@contextmanager
def _single_thread(torch: Any) -> Iterator[None]:
    """Keep torch on one thread: one order of sums, and no small kernel waits for a busy core."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def _load_torch() -> Any:
    try:
        import torch
    except ImportError as error:
        raise MissingDependencyError("torch", "operator") from error
    return torch
