"""Write a benchmark model to a folder, in a process of its own (it may load torch and much memory).

graph.json  weights.npz  input.npy  expected.npy (by the reference)  about.json
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Final

import numpy as np

from offchain.execute import reference
from offchain.model.graph import Graph
from offchain.model.train_digits import load_split
from offchain.model.weights import IntArray, Weights
from tests.benchmarks import zoo

DIGITS: Final = "mlp-digits"
DEFAULT: Final = (DIGITS, "mlp-784", "matmul-1024", "lenet5", "block-64")
FULL: Final = ("resnet18-cifar", "vgg16-cifar", "gpt2-64tok")
# Four tokens instead of sixteen: the block that a peer's key set-up can hold in memory.
FEW_TOKENS: Final = ("block-64-4tok",)
NAMES: Final = (*DEFAULT, *FEW_TOKENS, *FULL)


def write_model(name: str, folder: Path) -> None:
    """Build a model and write it with one input and the reference's output."""
    graph, weights, x, fidelity = _build_digits(folder) if name == DIGITS else _build_zoo(name)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "graph.json").write_bytes(graph.to_bytes())
    np.savez(folder / "weights.npz", **{key: _narrow(value) for key, value in weights.items()})
    np.save(folder / "input.npy", x)
    np.save(folder / "expected.npy", reference.run(graph, weights, x))
    (folder / "about.json").write_text(json.dumps(fidelity), encoding="utf-8")


def _build_digits(folder: Path) -> tuple[Graph, Weights, IntArray, dict[str, float | None]]:
    """Train on scikit-learn's digits; the input is the first scan that was held out."""
    from offchain.commit.digits import build_digits_model

    built = build_digits_model(folder / "published")
    report = json.loads((folder / "published" / "report.json").read_text(encoding="utf-8"))
    agreement = report["sets"]["heldOut"]["agreement"]
    x = load_split().held_out.x[:1]
    return built.model.graph, built.model.weights, x, {"agreement": agreement, "cosine": None}


def _build_zoo(name: str) -> tuple[Graph, Weights, IntArray, dict[str, float | None]]:
    model = zoo.build(name)
    fidelity = zoo.measure_fidelity(model)
    about = {"agreement": fidelity.agreement, "cosine": fidelity.cosine}
    return model.graph, model.weights, model.inputs[0], about


def _narrow(values: IntArray) -> IntArray:
    """Return the values in the smallest signed type that holds them."""
    lo, hi = int(values.min()), int(values.max())
    for kind in (np.int8, np.int16, np.int32):
        if np.iinfo(kind).min <= lo and hi <= np.iinfo(kind).max:
            return values.astype(kind)
    return values


if __name__ == "__main__":
    write_model(sys.argv[1], Path(sys.argv[2]))
