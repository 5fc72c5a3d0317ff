"""Train an MLP 64-32-10 with ReLU on scikit-learn's digits (1,797 real scans)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from offchain.errors import MissingDependencyError
from offchain.model.mlp import Mlp, load_torch, make_mlp, seeded_single_thread

if TYPE_CHECKING:
    import torch

PIXEL_MAX: Final = 16  # scikit-learn's digits count dark pixels in 4 x 4 blocks: 0..16
SIDE: Final = 8
INPUTS: Final = SIDE * SIDE
HIDDEN: Final = 32
CLASSES: Final = 10
EPOCHS: Final = 500  # full-batch steps; under two seconds on one core
LEARNING_RATE: Final = 0.01
WORST_CASE_PENALTY: Final = 3e-3  # per unit of the largest possible logit
HELD_OUT: Final = 360  # a fifth of the scans, seen by nobody before the report
CALIBRATION: Final = 360  # seen by the quantizer, not by training
SPLIT_SEED: Final = 2026


@dataclass(frozen=True)
class Digits:
    """Scans (rows, 64) with integer pixels in 0..16, and their classes (rows,)."""

    x: npt.NDArray[np.int64]
    y: npt.NDArray[np.int64]


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
    torch = load_torch()
    x, y = torch.from_numpy(digits.x).double(), torch.from_numpy(digits.y)  # (N, 64), (N,)
    with seeded_single_thread(seed):
        mlp = make_mlp(INPUTS, HIDDEN, CLASSES, PIXEL_MAX)
        _descend(torch, mlp, x, y)
    mlp.center()
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
