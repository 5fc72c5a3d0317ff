"""A float MLP with one hidden layer whose worst case is known: trained here, exported to ONNX.

Training may penalise the largest magnitude that interval arithmetic allows a logit over all inputs
in range. This number sizes the tables of the proof, so a smaller one leaves more resolution to the
inputs that occur. The float model stays a plain MLP.
"""

from __future__ import annotations

import copy
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from offchain.errors import MissingDependencyError

if TYPE_CHECKING:
    import torch

OPSET: Final = 14


@dataclass(frozen=True)
class Mlp:
    """Linear (inputs -> hidden), ReLU, Linear (hidden -> classes) over inputs in 0..input_max."""

    first: torch.nn.Linear
    second: torch.nn.Linear
    input_max: int

    def logits(self, x: torch.Tensor) -> torch.Tensor:
        """Return the logits (rows, classes) of inputs (rows, inputs)."""
        hidden: torch.Tensor = self.first(x).relu()  # (R, I) -> (R, H)
        logits: torch.Tensor = self.second(hidden)  # (R, H) -> (R, C)
        return logits

    def worst_logit(self) -> torch.Tensor:
        """Return the largest magnitude that the bounds allow a logit over [0, input_max]^I."""
        # Operands are not negative: positive weights make the upper bound, negative the lower.
        top = self.first.weight.clamp(min=0).sum(dim=1) * self.input_max + self.first.bias  # (H,)
        hidden = top.relu()
        high = self.second.weight.clamp(min=0) @ hidden + self.second.bias  # (C,)
        low = self.second.weight.clamp(max=0) @ hidden + self.second.bias  # (C,)
        worst: torch.Tensor = high.max().maximum(-low.min())
        return worst

    def center(self) -> None:
        """Take the mean off all logits, which changes no softmax and makes their bounds tighter."""
        with load_torch().no_grad():
            self.second.weight.sub_(self.second.weight.mean(dim=0))
            self.second.bias.sub_(self.second.bias.mean())


def make_mlp(inputs: int, hidden: int, classes: int, input_max: int) -> Mlp:
    """Return an untrained network in float64, drawn from torch's random state."""
    torch = load_torch()
    mlp = Mlp(
        torch.nn.Linear(inputs, hidden, dtype=torch.float64),
        torch.nn.Linear(hidden, classes, dtype=torch.float64),
        input_max,
    )
    with torch.no_grad():
        mlp.first.weight.div_(input_max)  # as if inputs were in 0..1
    return mlp


def export_onnx(mlp: Mlp, path: Path) -> None:
    """Write the network, in float32, as an ONNX file with a free number of rows."""
    torch = load_torch()
    module = torch.nn.Sequential(mlp.first, torch.nn.ReLU(), mlp.second)
    with warnings.catch_warnings():
        # The exporter that torch recommends instead needs another package, for no gain here.
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.onnx.export(
            copy.deepcopy(module).float(),
            (torch.zeros(1, mlp.first.in_features),),
            str(path),
            dynamo=False,
            opset_version=OPSET,
            input_names=["x"],
            output_names=["y"],
            dynamic_axes={"x": {0: "rows"}, "y": {0: "rows"}},
        )


@contextmanager
def seeded_single_thread(seed: int) -> Iterator[None]:
    """Draw from `seed` and keep torch on one thread; leave both as they were.

    One thread means one order of sums, and no small kernel waits for a busy core.
    """
    torch = load_torch()
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            yield
    finally:
        torch.set_num_threads(threads)


def load_torch() -> Any:
    """Return torch; raise MissingDependencyError without it."""
    try:
        import torch
    except ImportError as error:
        raise MissingDependencyError("torch", "operator") from error
    return torch
