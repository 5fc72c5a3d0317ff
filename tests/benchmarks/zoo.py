"""The benchmark models as integer graphs, seeded and calibrated, with their floats beside them.

    mlp-784, matmul-1024, lenet5, block-64    the floats of onnx_models.py
    resnet18-cifar  3x32x32, 11.2 M weights, BatchNorm folded (He et al. 2016, CIFAR's stem)
    vgg16-cifar     3x32x32, 15.2 M weights (Simonyan and Zisserman 2015)
    gpt2-64tok      GPT-2 small on 64 tokens: embedding, 12 layers, final LayerNorm, LM head over
                    50,257 at the last position, tied to the embedding; the greatest logit's token

mlp-digits is in models.py. `python -m tests.benchmarks.zoo NAME...` prints sizes and fidelity.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np

from offchain.execute import fast
from offchain.model.operators import Argmax
from tests.benchmarks import onnx_models
from tests.benchmarks.zoo_images import build_resnet18, build_vgg16
from tests.benchmarks.zoo_small import (
    build_block_64,
    build_lenet5,
    build_matmul_1024,
    build_mlp_784,
)
from tests.benchmarks.zoo_text import build_gpt2
from tests.benchmarks.zoo_types import Benchmark

__all__ = ["BUILDERS", "Benchmark", "Fidelity", "build", "measure_fidelity"]

BUILDERS: Final[Mapping[str, Callable[[], Benchmark]]] = {
    "mlp-784": build_mlp_784,
    "matmul-1024": build_matmul_1024,
    "lenet5": build_lenet5,
    "block-64": build_block_64,
    "block-64-4tok": partial(build_block_64, "block-64-4tok", onnx_models.FEW_TOKENS),
    "resnet18-cifar": build_resnet18,
    "vgg16-cifar": build_vgg16,
    "gpt2-64tok": build_gpt2,
}


@dataclass(frozen=True)
class Fidelity:
    """Integer against float results over the seeded inputs: outputs, or what an argmax reads."""

    cosine: float  # mean
    agreement: float  # share of inputs with the same greatest element


def build(name: str) -> Benchmark:
    """Return a benchmark model; the same one whenever it is called. Raises KeyError if unknown."""
    return BUILDERS[name]()


def measure_fidelity(model: Benchmark) -> Fidelity:
    """Compare the integer model with its float network on the model's inputs."""
    last = model.graph.ops[-1]
    result = last.x if isinstance(last, Argmax) else model.graph.output
    cosines, agreements = [], []
    for x in model.inputs:
        exact = model.reference(x).reshape(-1).astype(np.float64)
        values = fast.run_traced(model.graph, model.weights, x).values
        found = values[result].reshape(-1).astype(np.float64)
        cosines.append(exact @ found / np.linalg.norm(exact) / np.linalg.norm(found))
        agreements.append(exact.argmax() == found.argmax())
    return Fidelity(float(np.mean(cosines)), float(np.mean(agreements)))


def main(names: list[str]) -> None:
    """Print size and fidelity of every model named."""
    for name in names:
        started = time.perf_counter()
        model = build(name)
        built = time.perf_counter()
        fast.run(model.graph, model.weights, model.inputs[0])
        ran = time.perf_counter()
        fidelity = measure_fidelity(model)
        weights = sum(int(np.prod(spec.shape)) for spec in model.graph.weights)
        print(
            f"{name}: {weights} weights, {len(model.graph.ops)} operators,"
            f" built in {built - started:.1f} s, run in {ran - built:.3f} s, {fidelity}"
        )


if __name__ == "__main__":
    main(sys.argv[1:] or list(BUILDERS))
