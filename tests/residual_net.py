"""A small convolutional network with residual connections, seeded: nine operators, two layers."""

from __future__ import annotations

import numpy as np

from offchain.model.graph import Graph, Linear, Op, Requant, TensorSpec, WeightSpec
from offchain.model.operators import Conv2d, ReduceSum, Sum
from offchain.model.weights import IntArray

SIDE, CHANNELS, CLASSES, BLOCKS = 12, 8, 10, 3


def build_residual_net(seed: int = 3) -> tuple[Graph, dict[str, IntArray]]:
    """Return the graph and its weights: conv, three residual blocks, pooling, a linear layer."""
    rng = np.random.default_rng(seed)
    specs: list[WeightSpec] = []
    weights: dict[str, IntArray] = {}
    ops: list[Op] = []

    def weight(name: str, shape: tuple[int, ...]) -> str:
        specs.append(WeightSpec(name, shape, 8))
        weights[name] = rng.integers(-40, 41, shape)
        return name

    def rescale(name: str, acc: str, m: int, s: int, table: str) -> str:
        lo = 0 if table == "relu" else -128
        digits = (s,) if s <= 16 else (s - 8, 8)
        ops.append(Requant(name, acc, m, s, digits, 16, table, 8, lo, 127))
        return name

    def convolve(name: str, x: str, table: str) -> str:
        w = weight(f"w.{name}", (CHANNELS, 3, 3, CHANNELS))
        ops.append(Conv2d(f"{name}.acc", x, w, None, 1, 1))
        return rescale(name, f"{name}.acc", 500, 16, table)

    h = convolve("h0", "x", "relu")
    for k in range(1, BLOCKS + 1):
        y = convolve(f"y{k}", h, "identity")
        ops.append(Sum(f"h{k}.acc", ((h, 3), (y, 5))))
        h = rescale(f"h{k}", f"h{k}.acc", 32, 8, "relu")
    ops.append(ReduceSum("p.acc", h, (SIDE, SIDE, 1)))
    p = rescale("p", "p.acc", 10, 8, "identity")
    ops.append(Linear("out.acc", p, weight("w.out", (CLASSES, CHANNELS)), None))
    out = rescale("out", "out.acc", 1000, 16, "identity")
    spec = TensorSpec("x", (SIDE, SIDE, CHANNELS), 8, -128, 127)
    graph = Graph((spec,), out, tuple(specs), tuple(ops))
    graph.verify()
    return graph, weights


def draw_sample(seed: int = 4) -> list[object]:
    """Return an input."""
    rng = np.random.default_rng(seed)
    sample: list[object] = rng.integers(-128, 128, (SIDE, SIDE, CHANNELS)).tolist()
    return sample
