"""The small benchmark models, quantised from the floats of onnx_models.py.

Their proofs' cost is that of the tables as much as of the cells, so all tables have 8 or 12 bits.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import numpy as np

from offchain.model.float_graph import FloatGraph, FloatLayer
from offchain.model.weights import IntArray
from offchain.quantize.layers import Choice, InputRange, quantize_layers
from tests.benchmarks import onnx_models
from tests.benchmarks.zoo_net import Attention, Gelu, Net, Value
from tests.benchmarks.zoo_requant import FloatArray, Quantizer, Widths
from tests.benchmarks.zoo_types import (
    GREY,
    INPUTS,
    NORMAL,
    Benchmark,
    draw_greys,
    draw_normals,
    quantize,
)

TWELVE: Final = Widths(clamp=12, free=12, digits=((8,), (12,), (12, 12)), residual=12)
CALIBRATION: Final = 64
ROOT_BITS: Final = 9  # of a reciprocal root: a row's scale is exact to 0.2 %
HEADS: Final = 4
ATTENTION: Final = Attention(
    score_step=1 / 16, score_width=12, exp_top=1023, g=22, weight_width=12, mixed_width=12
)
GELU: Final = Gelu(step=1 / 18, largest=6.0)

Draw = Callable[[str, int, tuple[int, ...]], FloatArray]


def build_mlp_784() -> Benchmark:
    """Return 784-512-512-10."""
    return _quantize_dense(
        onnx_models.build("mlp-784").weights,
        (("fc0", "relu"), ("fc1", "relu"), ("fc2", "identity")),
        GREY,
        draw_greys,
        Choice((12,), hidden_width=10, output_width=12, is_equalized=True, top=92),
    )


def build_matmul_1024() -> Benchmark:
    """Return 1 x 1024 by 1024 x 1024."""
    weights = onnx_models.build("matmul-1024").weights
    choice = Choice((8, 12), hidden_width=4, output_width=12, is_equalized=False)
    return _quantize_dense(weights, (("fc0", "identity"),), NORMAL, draw_normals, choice)


def _quantize_dense(
    weights: Mapping[str, FloatArray],
    layers: tuple[tuple[str, str], ...],
    source: InputRange,
    draw: Draw,
    choice: Choice,
) -> Benchmark:
    """Return dense layers with the tables of `choice`.

    The choices are those that offchain.quantize.search finds in two to five minutes for a cosine of
    0.999 on 64 seeded inputs: the smallest tables that reach it.
    """
    floats = FloatGraph(
        "x",
        weights[f"{layers[0][0]}.w"].shape[1],
        tuple(
            FloatLayer(
                name,
                weights[f"{name}.w"].astype(np.float64),
                weights[f"{name}.b"].astype(np.float64) if f"{name}.b" in weights else None,
                "relu" if activation == "relu" else "identity",
            )
            for name, activation in layers
        ),
    )
    model = quantize_layers(floats, source, choice)

    def reference(x: IntArray) -> FloatArray:
        return floats.run(x * source.scale)

    inputs = source.to_integers(draw("inputs", INPUTS, (1, floats.input_cols)).astype(np.float64))
    return Benchmark(model.graph, model.weights, list(inputs), reference)


def build_lenet5() -> Benchmark:
    """Return LeNet-5 with channels last."""
    floats = dict(onnx_models.build("lenet5").weights)
    for name in ("conv0.w", "conv1.w"):
        floats[name] = floats[name].transpose(0, 2, 3, 1)
    floats["fc0.w"] = floats["fc0.w"].reshape(120, 16, 5, 5).transpose(0, 2, 3, 1)

    def define(quantizer: Quantizer | None, x: Value) -> Value:
        net = Net(floats, quantizer)
        h = net.max_pool("pool0", net.conv("conv0", x, padding=2))
        h = net.max_pool("pool1", net.conv("conv1", h, padding=0))
        h = net.linear("fc0", h, axes=3, then="relu")
        h = net.linear("fc1", h, then="relu")
        return net.linear("fc2", h, then="free")

    return quantize(
        GREY,
        draw_greys("calibration", CALIBRATION, (28, 28, 1)),
        draw_greys("inputs", INPUTS, (28, 28, 1)),
        define,
        lambda spec: Quantizer((spec,), TWELVE),
    )


def build_block_64(name: str = "block-64", tokens: int = onnx_models.TOKENS) -> Benchmark:
    """Return one decoder block on (tokens, channels)."""
    floats = dict(onnx_models.build(name).weights)

    def define(quantizer: Quantizer | None, x: Value) -> Value:
        net = Net(floats, quantizer, GELU)
        return net.block("", net.enter("entry", x), HEADS, ATTENTION, ROOT_BITS)

    shape = (tokens, onnx_models.CHANNELS)
    return quantize(
        NORMAL,
        draw_normals("calibration", CALIBRATION, shape),
        draw_normals("inputs", INPUTS, shape),
        define,
        lambda spec: Quantizer((spec,), TWELVE),
    )
