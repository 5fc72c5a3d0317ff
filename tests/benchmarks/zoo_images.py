"""Convolutional networks for images of 32 x 32 x 3, seeded; BatchNorm is in the weights."""

from __future__ import annotations

from collections.abc import Callable
from math import sqrt
from typing import Final

import numpy as np

from tests.benchmarks.zoo_net import Net, Value
from tests.benchmarks.zoo_requant import FloatArray, Quantizer, Widths
from tests.benchmarks.zoo_types import INPUTS, NORMAL, SEED, Benchmark, draw_normals, quantize

# A hundred times more cells than the rows of a table of 16 bits: width costs nothing here, and one
# digit of 16 bits is cheaper than two.
SIXTEEN: Final = Widths(clamp=16, free=16, digits=((16,), (12, 16), (16, 16)))
CALIBRATION: Final = 4
SHAPE: Final = (32, 32, 3)
CLASSES: Final = 10
RESNET_STAGES: Final = ((64, 1), (128, 2), (256, 2), (512, 2))  # channels, stride of the first
VGG_STAGES: Final = ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3))  # channels, convolutions
VGG_HIDDEN: Final = 512

Shape = tuple[int, ...]


class Drawer:
    """Seeded weights by layer, drawn in the order of the network."""

    def __init__(self, stream: int) -> None:
        self.rng = np.random.default_rng([SEED, stream])
        self.weights: dict[str, FloatArray] = {}

    def draw(self, name: str, shape: Shape, gain: float = 2.0) -> None:
        """Draw weights of variance gain / fan-in times a folded BatchNorm's gains, and biases."""
        spread = sqrt(gain / float(np.prod(shape[1:])))
        gains = self.rng.lognormal(0, 0.2, (shape[0], *(1,) * (len(shape) - 1)))
        drawn = self.rng.standard_normal(shape, dtype=np.float32)
        self.weights[f"{name}.w"] = (drawn * gains * spread).astype(np.float32)
        self.weights[f"{name}.b"] = self.rng.normal(0, 0.1, shape[0]).astype(np.float32)


def draw_resnet18() -> dict[str, FloatArray]:
    """Return the weights of ResNet-18: kernels (O, KH, KW, C)."""
    drawer = Drawer(18)
    drawer.draw("stem", (64, 3, 3, 3))
    channels = 64
    for stage, (outputs, _) in enumerate(RESNET_STAGES):
        for block in range(2):
            name = f"s{stage}b{block}"
            drawer.draw(f"{name}.conv0", (outputs, 3, 3, channels))
            # A trained network's residual branches are weaker than what they are added to.
            drawer.draw(f"{name}.conv1", (outputs, 3, 3, outputs), gain=0.5)
            if channels != outputs:
                drawer.draw(f"{name}.short", (outputs, 1, 1, channels), gain=1.0)
            channels = outputs
    drawer.draw("fc", (CLASSES, channels), gain=1.0)
    return drawer.weights


def build_resnet18() -> Benchmark:
    """Return ResNet-18 with CIFAR's stem: 3x3 and no pooling."""
    floats = draw_resnet18()

    def define(quantizer: Quantizer | None, x: Value) -> Value:
        net = Net(floats, quantizer)
        x = net.conv("stem", x)
        for stage, (_, first) in enumerate(RESNET_STAGES):
            for block in range(2):
                name, stride = f"s{stage}b{block}", first if block == 0 else 1
                branch = net.conv(f"{name}.conv0", x, stride)
                branch = net.conv(f"{name}.conv1", branch, then="free")
                if f"{name}.short.w" in floats:
                    x = net.conv(f"{name}.short", x, stride, padding=0, then="free")
                x = net.add(f"{name}.add", x, branch, then="relu")
        return net.linear("fc", net.mean("pool", x), then="free")

    return _quantize_images(define)


def build_vgg16() -> Benchmark:
    """Return VGG-16 with three dense layers of 512, 512 and 10."""
    drawer, channels = Drawer(16), 3
    for stage, (outputs, layers) in enumerate(VGG_STAGES):
        for layer in range(layers):
            drawer.draw(f"s{stage}c{layer}", (outputs, 3, 3, channels))
            channels = outputs
    drawer.draw("fc0", (VGG_HIDDEN, 1, 1, channels))
    drawer.draw("fc1", (VGG_HIDDEN, VGG_HIDDEN))
    drawer.draw("fc2", (CLASSES, VGG_HIDDEN), gain=1.0)

    def define(quantizer: Quantizer | None, x: Value) -> Value:
        net = Net(drawer.weights, quantizer)
        for stage, (_, layers) in enumerate(VGG_STAGES):
            for layer in range(layers):
                x = net.conv(f"s{stage}c{layer}", x)
            x = net.max_pool(f"s{stage}.pool", x)
        x = net.linear("fc0", x, axes=3, then="relu")
        return net.linear("fc2", net.linear("fc1", x, then="relu"), then="free")

    return _quantize_images(define)


def draw_images(purpose: str, count: int) -> FloatArray:
    """Draw images of patches of 8 x 8 with finer noise, of mean 0 and variance 1."""
    coarse = draw_normals(f"{purpose} patches", count, (4, 4, 3))
    patches = coarse.repeat(8, axis=1).repeat(8, axis=2)
    noise = draw_normals(purpose, count, SHAPE)
    return (patches + noise) / np.float32(sqrt(2))


def _quantize_images(define: Callable[[Quantizer | None, Value], Value]) -> Benchmark:
    return quantize(
        NORMAL,
        draw_images("calibration", CALIBRATION),
        draw_images("inputs", INPUTS),
        define,
        lambda spec: Quantizer((spec,), SIXTEEN),
    )
