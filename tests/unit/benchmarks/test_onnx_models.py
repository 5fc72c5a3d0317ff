"""The benchmarks' ONNX files compute what their description says, on the weights given by name."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt
import onnx
import pytest
from onnx.reference import ReferenceEvaluator

from tests.benchmarks.onnx_models import EPSILON, HEAD, FloatModel, build

Array = npt.NDArray[np.float64]
Weights = Mapping[str, Array]


def run_onnx(model: FloatModel) -> Array:
    loaded = onnx.load_from_string(model.onnx)
    (y,) = ReferenceEvaluator(loaded).run(None, {"x": model.x})
    return np.asarray(y, np.float64)


def relu(x: Array) -> Array:
    return np.maximum(x, 0)


def linear(w: Weights, name: str, x: Array) -> Array:
    return x @ w[f"{name}.w"].T + w.get(f"{name}.b", np.zeros(1))


def mlp_784(w: Weights, x: Array) -> Array:
    return linear(w, "fc2", relu(linear(w, "fc1", relu(linear(w, "fc0", x)))))


def matmul_1024(w: Weights, x: Array) -> Array:
    return linear(w, "fc0", x)


def conv(w: Weights, name: str, x: Array, pad: int) -> Array:
    """(channels, height, width), ReLU, then the maximum of each 2x2 square."""
    x = np.pad(x, ((0, 0), (pad, pad), (pad, pad)))
    windows = np.lib.stride_tricks.sliding_window_view(x, (5, 5), (1, 2))
    y = np.einsum("chwij,ocij->ohw", windows, w[f"{name}.w"]) + w[f"{name}.b"][:, None, None]
    channels, height, width = y.shape
    return relu(y).reshape(channels, height // 2, 2, width // 2, 2).max(axis=(2, 4))


def lenet5(w: Weights, x: Array) -> Array:
    h = conv(w, "conv1", conv(w, "conv0", x[0], pad=2), pad=0).reshape(1, -1)
    return linear(w, "fc2", relu(linear(w, "fc1", relu(linear(w, "fc0", h)))))


def layer_norm(w: Weights, name: str, x: Array) -> Array:
    mean, variance = x.mean(axis=1, keepdims=True), x.var(axis=1, keepdims=True)
    return (x - mean) / np.sqrt(variance + EPSILON) * w[f"{name}.g"] + w[f"{name}.b"]


def gelu(x: Array) -> Array:
    return x / 2 * (1 + np.vectorize(math.erf)(x / math.sqrt(2)))


def block_64(w: Weights, x: Array) -> Array:
    n = layer_norm(w, "ln0", x)
    q, k, v = (linear(w, name, n) for name in "qkv")
    mixed = np.zeros_like(x)
    for head in range(0, x.shape[1], HEAD):
        columns = slice(head, head + HEAD)
        for t in range(len(x)):  # a token sees those before it and itself
            scores = np.exp(k[: t + 1, columns] @ q[t, columns] / math.sqrt(HEAD))
            mixed[t, columns] = scores @ v[: t + 1, columns] / scores.sum()
    x = x + linear(w, "o", mixed)
    return x + linear(w, "down", gelu(linear(w, "up", layer_norm(w, "ln1", x))))


@pytest.mark.parametrize(
    ("name", "run"),
    [
        ("mlp-784", mlp_784),
        ("matmul-1024", matmul_1024),
        ("lenet5", lenet5),
        ("block-64", block_64),
    ],
)
def test_build__named_weights__give_the_file_output(
    name: str, run: Callable[[Weights, Array], Array]
) -> None:
    model = build(name)
    weights = {key: value.astype(np.float64) for key, value in model.weights.items()}
    expected = run(weights, model.x.astype(np.float64))
    assert np.abs(expected).max() > 0.1
    assert np.allclose(run_onnx(model), expected, atol=1e-4)


def test_build__twice__same_bytes() -> None:
    first, second = build("lenet5"), build("lenet5")
    assert first.onnx == second.onnx
    assert np.array_equal(first.x, second.x)
