"""Vectors of dense models and their runs for the web page (dapp.py)."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from sklearn.datasets import load_digits

from offchain.commit.digest import as_matrix, encode_tensor, tensor_digest, weight_root
from offchain.execute import reference
from offchain.model.graph import Graph, Linear, Op, Requant, TensorSpec, WeightSpec
from offchain.model.operators import Argmax, ReluBits
from offchain.model.weights import IntArray, Weights
from offchain.quantize.ranges import verify_ranges
from tests.random_models import draw_model, draw_operator
from tests.small_mlp import Step, build
from tests.vectors.encoding import hexed

SEED: Final = 0xD16
DIGITS: Final = 50
RANDOM_MODELS: Final = 12
REFUSED: Final = ("conv2d", "softmax", "matmul", "embedding", "max_pool", "normalize")


def model_vector(
    name: str, graph: Graph, weights: Weights, inputs: list[IntArray]
) -> dict[str, Any]:
    """Return a model's files and its outputs for these inputs."""
    graph.verify()
    verify_ranges(graph, weights)
    source, out = graph.input, graph.output_spec()
    runs = []
    for x in inputs:
        y = reference.run(graph, weights, x)
        runs.append(
            {
                "input": hexed(encode_tensor(x, source.bits)),
                "inDigest": hexed(tensor_digest(x.reshape(as_matrix(x.shape)), source.bits)),
                "output": [int(v) for v in y.reshape(-1)],
                "outDigest": hexed(tensor_digest(y.reshape(as_matrix(y.shape)), out.bits)),
            }
        )
    digests = [tensor_digest(weights[s.name], s.bits) for s in graph.weights]
    return {
        "name": name,
        "graph": hexed(graph.to_bytes()),
        "graphHash": hexed(graph.hash()),
        "weights": {s.name: hexed(encode_tensor(weights[s.name], s.bits)) for s in graph.weights},
        "weightRoot": hexed(weight_root(digests)),
        "outputBits": out.bits,
        "outputShape": list(out.shape),
        "runs": runs,
    }


def digits_model() -> dict[str, Any]:
    """Return seeded layers 64-32-10 and an argmax, run on the first real scans of digits."""
    steps = (Step(32, 8, "relu", clamp=(0, 127)), Step(10, 12, "identity", digits=(8, 12)))
    model = build("digits", SEED, 1, 64, steps, lo=0, hi=16)
    graph = Graph(
        (TensorSpec("x", (64,), 8, 0, 16),),
        "best",
        model.graph.weights,
        (*model.graph.ops, Argmax("best", model.graph.output)),
    )
    scans = load_digits().data[:DIGITS].astype(np.int64)
    return model_vector("digits", graph, model.weights, list(scans))


def table_model(rng: np.random.Generator) -> dict[str, Any]:
    """Return a model with a table, multipliers a channel, ReluBits and a saturated quotient.

    Its products pass 2^53, so a runtime on floating numbers has to leave them.
    """
    low, high, columns = -(1 << 15), 1 << 15, 1024
    w0 = rng.integers(low, high, (3, columns))
    weights: dict[str, IntArray] = {
        "w0": w0,
        "scale": rng.integers(1 << 13, 1 << 14, (3,)),
        "w1": rng.integers(-128, 128, (4, 3)),
        "b1": rng.integers(-5000, 5000, (4,)),
        "square": np.clip(np.arange(-32, 32) ** 2 // 8 - 20, -100, 127),
    }
    specs = (
        WeightSpec("w0", (3, columns), 16),
        WeightSpec("scale", (3,), 16),
        WeightSpec("w1", (4, 3), 8),
        WeightSpec("b1", (4,), 32),
        WeightSpec("square", (64,), 8),
    )
    ops: tuple[Op, ...] = (
        Linear("a0", "x", "w0", None),
        Requant("y0", "a0", 2, 32, (16, 16), 27, "identity", 8, -128, 127, scale="scale"),
        ReluBits("r0", "y0"),
        Linear("a1", "r0", "w1", "b1"),
        Requant("y1", "a1", 27, 16, (8, 8), 6, "square", 8, -100, 127),
    )
    graph = Graph((TensorSpec("x", (2, columns), 16, low, high - 1),), "y1", specs, ops)
    # The second and third reach the sums' ends: every product has one sign.
    aligned = np.where(w0[:2] < 0, low, high - 1)
    inputs = [rng.integers(low, high, (2, columns)), aligned, -1 - aligned]
    return model_vector("tables", graph, weights, inputs)


def random_models() -> list[dict[str, Any]]:
    """Return seeded random dense models, one run each."""
    found = []
    for seed in range(RANDOM_MODELS):
        model = draw_model(seed, rows=1 + seed % 3, sizes=(8, 5, 3), max_width=12)
        found.append(model_vector(f"random-{seed}", model.graph, model.weights, [model.x]))
    return found


def refused_graphs() -> list[dict[str, str]]:
    """Return graphs that are not dense, with the operator that a page names."""
    dense = ("linear", "requant", "relubits", "argmax")
    found = []
    for seed, kind in enumerate(REFUSED):
        graph = draw_operator(kind, seed).graph
        other = next(op for op in graph.ops if type(op).__name__.lower() not in dense)
        name = type(other).__name__.lower()
        found.append({"graph": hexed(graph.to_bytes()), "operator": name, "name": other.name})
    return found
