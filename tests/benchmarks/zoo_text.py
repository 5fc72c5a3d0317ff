"""GPT-2 small on 64 tokens, seeded at the spread of the trained network's weights."""

from __future__ import annotations

from math import sqrt
from typing import Final

import numpy as np

from offchain.model.graph import TensorSpec
from offchain.model.weights import IntArray
from tests.benchmarks.zoo_net import Attention, Gelu, Net, Value
from tests.benchmarks.zoo_requant import FloatArray, Quantizer, Scaled, Widths
from tests.benchmarks.zoo_types import INPUTS, SEED, Benchmark

VOCABULARY: Final = 50_257
POSITIONS: Final = 1024
TOKENS: Final = 64
CHANNELS: Final = 768
HIDDEN: Final = 3072
LAYERS: Final = 12
HEADS: Final = 12
CALIBRATION: Final = 2
SPREAD: Final = 0.02  # of GPT-2's initialisation
EMBEDDING_SPREAD: Final = 0.14  # of the trained embedding, which is also the LM head
# Tables of 16 bits vanish beside some 20 million cells.
SIXTEEN: Final = Widths(clamp=16, free=16, digits=((16,), (12, 16), (16, 16)), residual=12)
ROOT_BITS: Final = 8
ATTENTION: Final = Attention(
    score_step=1 / 64, score_width=14, exp_top=4095, g=28, weight_width=16, mixed_width=12
)
GELU: Final = Gelu(step=1 / 64, largest=4.0)


def draw_weights() -> dict[str, FloatArray]:
    """Return 124 M weights in float32, matrices (out, in)."""
    rng = np.random.default_rng([SEED, 2])
    weights: dict[str, FloatArray] = {}

    def draw(name: str, shape: tuple[int, ...], spread: float) -> None:
        weights[name] = rng.standard_normal(shape, dtype=np.float32)
        weights[name] *= np.float32(spread)

    def linear(name: str, inner: int, outer: int, spread: float = SPREAD) -> None:
        draw(f"{name}.w", (outer, inner), spread)
        draw(f"{name}.b", (outer,), SPREAD)

    def norm(name: str) -> None:
        draw(f"{name}.g", (CHANNELS,), 0.1)
        weights[f"{name}.g"] += 1
        draw(f"{name}.b", (CHANNELS,), SPREAD)

    draw("wte.w", (VOCABULARY, CHANNELS), EMBEDDING_SPREAD)
    draw("wpe.w", (POSITIONS, CHANNELS), SPREAD)
    for layer in range(LAYERS):
        p = f"h{layer}."
        for part in ("q", "k", "v"):
            linear(p + part, CHANNELS, CHANNELS)
        linear(f"{p}o", CHANNELS, CHANNELS, SPREAD / sqrt(2 * LAYERS))
        linear(f"{p}up", CHANNELS, HIDDEN)
        linear(f"{p}down", HIDDEN, CHANNELS, SPREAD / sqrt(2 * LAYERS))
        norm(f"{p}ln0")
        norm(f"{p}ln1")
    norm("lnf")
    return weights


def define(weights: dict[str, FloatArray], quantizer: Quantizer | None, tokens: Value) -> Value:
    """Append the network; the result is the logits of the token after the last."""
    net = Net(weights, quantizer, GELU)
    x = net.embedding("embedding", tokens, "wte.w", "wpe.w")
    for layer in range(LAYERS):
        x = net.block(f"h{layer}.", x, HEADS, ATTENTION, ROOT_BITS)
    last = net.last_row("last", net.layer_norm("lnf", x, ROOT_BITS))
    return net.head("logits", last, "wte.w")


def build_gpt2() -> Benchmark:
    """Return the model; its reference draws the floats again, so that they do not stay."""
    weights = draw_weights()
    spec = TensorSpec("x", (TOKENS,), 32, 0, VOCABULARY - 1)
    quantizer = Quantizer((spec,), SIXTEEN)
    rng = np.random.default_rng([SEED, 3])
    drawn = rng.integers(0, VOCABULARY, (CALIBRATION + INPUTS, TOKENS))
    calibration = Value(drawn[:CALIBRATION], Scaled("x", 1.0))
    result = define(weights, quantizer, calibration)
    assert result.tensor is not None
    graph = quantizer.build(quantizer.argmax("token", result.tensor))
    floats: dict[str, FloatArray] = {}

    def reference(x: IntArray) -> FloatArray:
        if not floats:
            floats.update(draw_weights())
        return define(floats, None, Value(x[None])).real[0]

    return Benchmark(graph, quantizer.weights, list(drawn[CALIBRATION:]), reference)
