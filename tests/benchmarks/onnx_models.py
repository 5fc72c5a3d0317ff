"""The float networks that benchmarks run on: seeded weights by name, one input, one ONNX file each.

An integer graph and another prover quantise the very same floats of a `FloatModel`. Matrices are
(out, in) and kernels (out, in, height, width), as in torch; biases and gains are vectors.

    mlp-digits     x (1, 64) pixels 0..16; fc0 64 -> 32, ReLU, fc1 32 -> 10; trained, needs torch
    mlp-784        x (1, 784); fc0 784 -> 512, ReLU, fc1 512 -> 512, ReLU, fc2 512 -> 10
    matmul-1024    x (1, 1024); fc0 1024 -> 1024 without bias
    lenet5         x (1, 1, 28, 28); conv0 1 -> 6, 5x5, pad 2, ReLU, 2x2 maximum; conv1 6 -> 16,
                   5x5, ReLU, 2x2 maximum; flatten (channel, row, column); fc0 400 -> 120, ReLU,
                   fc1 120 -> 84, ReLU, fc2 84 -> 10 (LeCun et al. 1998, with ReLU and maxima)
    block-64       x (16, 64), tokens by channels (block-64-4tok: 4 tokens), one decoder block,
                   LayerNorm first (GPT-2's order): x1 = x + o(attention(q(n), k(n), v(n))) with
                   n = ln0(x), 4 causal heads of 16 consecutive channels, scores over sqrt(16) = 4;
                   y = x1 + down(gelu(up(ln1(x1)))), up 64 -> 256, down 256 -> 64,
                   gelu(t) = t/2 (1 + erf(t / sqrt 2))

Layer `name` has the arrays `name.w` and `name.b`; LayerNorms have `name.g` (gain), `name.b` and
EPSILON.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from onnx import TensorProto, checker, helper, numpy_helper

FloatArray = npt.NDArray[np.float32]

SEED: Final = 2026
OPSET: Final = 14  # what importers have read for years: no operator of these networks is newer
IR_VERSION: Final = 8
TOKENS: Final = 16
FEW_TOKENS: Final = 4  # what fits into a peer's memory on this class of machine
CHANNELS: Final = 64
HEADS: Final = 4
HEAD: Final = CHANNELS // HEADS
HIDDEN: Final = 256
EPSILON: Final = 1e-5
# Hides a score: e^-30 is below a float32's resolution beside e^0, and fixed point can hold it.
MASKED: Final = -30.0


@dataclass(frozen=True)
class FloatModel:
    """A network: its weights by name, the ONNX file, and the value of the input tensor `x`."""

    name: str
    weights: Mapping[str, FloatArray]
    onnx: bytes
    x: FloatArray


@dataclass
class Net:
    """Collects the nodes and the weights of a graph; methods return the name of what they add."""

    rng: np.random.Generator
    weights: dict[str, FloatArray] = field(default_factory=dict)
    constants: dict[str, npt.NDArray[Any]] = field(default_factory=dict)
    nodes: list[Any] = field(default_factory=list)

    def add(self, operator: str, *inputs: str, to: str | None = None, **attributes: Any) -> str:
        """Append a node with one output."""
        to = to or f"t{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, list(inputs), [to], name=to, **attributes))
        return to

    def constant(self, name: str, value: npt.ArrayLike, dtype: type = np.float32) -> str:
        """Return a constant that is no weight."""
        self.constants[name] = np.asarray(value, dtype)
        return name

    def draw(self, name: str, shape: tuple[int, ...], gain: float) -> None:
        """Draw normal weights of variance gain / fan-in and small biases."""
        spread = math.sqrt(gain / math.prod(shape[1:]))
        self.weights[f"{name}.w"] = self.rng.normal(0, spread, shape).astype(np.float32)
        self.weights[f"{name}.b"] = self.rng.normal(0, 0.05, shape[0]).astype(np.float32)

    def linear(self, name: str, x: str, sizes: tuple[int, int], gain: float = 2.0) -> str:
        """Append a seeded linear layer, sizes (in, out); gain 2 is for a ReLU behind (He)."""
        self.draw(name, sizes[::-1], gain)
        return self.gemm(name, x)

    def gemm(self, name: str, x: str) -> str:
        """Append a linear layer whose weights are there."""
        return self.add("Gemm", x, f"{name}.w", f"{name}.b", transB=1)

    def conv(self, name: str, x: str, shape: tuple[int, int, int, int], pad: int) -> str:
        """Append a convolution with ReLU and a 2x2 maximum."""
        self.draw(name, shape, 2.0)
        # Some importers want the attributes that are at their defaults, too.
        grid: dict[str, Any] = {"strides": [1, 1], "dilations": [1, 1], "group": 1}
        grid |= {"kernel_shape": shape[2:], "pads": [pad] * 4}
        x = self.add("Conv", x, f"{name}.w", f"{name}.b", **grid)
        return self.add("MaxPool", self.add("Relu", x), kernel_shape=[2, 2], strides=[2, 2])

    def layer_norm(self, name: str, x: str) -> str:
        """Append a LayerNorm over the last axis, in operators that every importer knows."""
        self.weights[f"{name}.g"] = self.rng.normal(1, 0.1, CHANNELS).astype(np.float32)
        self.weights[f"{name}.b"] = self.rng.normal(0, 0.05, CHANNELS).astype(np.float32)
        centred = self.add("Sub", x, self.add("ReduceMean", x, axes=[-1], keepdims=1))
        square = self.add("Mul", centred, centred)
        variance = self.add("ReduceMean", square, axes=[-1], keepdims=1)
        shifted = self.add("Add", variance, self.constant("epsilon", EPSILON))
        unit = self.add("Div", centred, self.add("Sqrt", shifted))
        return self.add("Add", self.add("Mul", unit, f"{name}.g"), f"{name}.b")

    def gelu(self, x: str) -> str:
        """Append t/2 (1 + erf(t / sqrt 2))."""
        erf = self.add("Erf", self.add("Div", x, self.constant("root2", math.sqrt(2))))
        half = self.add("Mul", x, self.constant("half", 0.5))
        return self.add("Mul", half, self.add("Add", erf, self.constant("one", 1.0)))

    def heads(self, x: str, tokens: int, order: tuple[int, int, int]) -> str:
        """Split (tokens, channels) into heads and transpose (tokens, heads, channels)."""
        shape = self.constant("split", [tokens, HEADS, HEAD], np.int64)
        return self.add("Transpose", self.add("Reshape", x, shape), perm=order)

    def attention(self, x: str, tokens: int) -> str:
        """Append causal attention of several heads on (tokens, channels), without the residual."""
        q, k, v = (self.linear(name, x, (CHANNELS, CHANNELS), gain=1.0) for name in "qkv")
        scores = self.add(
            "MatMul", self.heads(q, tokens, (1, 0, 2)), self.heads(k, tokens, (1, 2, 0))
        )
        scores = self.add("Div", scores, self.constant("root_head", math.sqrt(HEAD)))
        hidden = np.triu(np.full((1, tokens, tokens), MASKED), k=1)
        scores = self.add("Add", scores, self.constant("mask", hidden))
        mixed = self.add(
            "MatMul", self.add("Softmax", scores, axis=-1), self.heads(v, tokens, (1, 0, 2))
        )  # (heads, tokens, channels)
        joined = self.add("Transpose", mixed, perm=(1, 0, 2))
        joined = self.add("Reshape", joined, self.constant("join", [tokens, CHANNELS], np.int64))
        return self.linear("o", joined, (CHANNELS, CHANNELS), gain=1.0)

    def build(self, name: str, x: FloatArray, last: str, shape: tuple[int, ...]) -> FloatModel:
        """Return the model whose output is the node `last`, with the given shape."""
        for node in self.nodes:
            node.output[:] = ["y" if output == last else output for output in node.output]
        tensors = {**self.weights, **self.constants}
        graph = helper.make_graph(
            self.nodes,
            name,
            [helper.make_tensor_value_info("x", TensorProto.FLOAT, x.shape)],
            [helper.make_tensor_value_info("y", TensorProto.FLOAT, shape)],
            [numpy_helper.from_array(value, key) for key, value in tensors.items()],
        )
        opsets = [helper.make_opsetid("", OPSET)]
        model = helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION)
        checker.check_model(model, full_check=True)
        return FloatModel(name, self.weights, model.SerializeToString(), x)


def build(name: str) -> FloatModel:
    """Return a float model; the same one whenever it is called. Raises KeyError if unknown."""
    # A stream for each model: one that is added leaves the others as they are.
    return BUILDERS[name](Net(np.random.default_rng([SEED, list(BUILDERS).index(name)])))


def _build_mlp_digits(net: Net) -> FloatModel:
    from offchain.model.train_digits import load_split, train_mlp

    split = load_split()
    mlp = train_mlp(split.train)
    for name, layer in (("fc0", mlp.first), ("fc1", mlp.second)):
        net.weights[f"{name}.w"] = layer.weight.detach().numpy().astype(np.float32)
        net.weights[f"{name}.b"] = layer.bias.detach().numpy().astype(np.float32)
    last = net.gemm("fc1", net.add("Relu", net.gemm("fc0", "x")))
    return net.build("mlp-digits", split.held_out.x[:1].astype(np.float32), last, (1, 10))


def _build_mlp_784(net: Net) -> FloatModel:
    x = net.rng.random((1, 784), dtype=np.float32)  # grey values
    h = net.add("Relu", net.linear("fc0", "x", (784, 512)))
    h = net.add("Relu", net.linear("fc1", h, (512, 512)))
    return net.build("mlp-784", x, net.linear("fc2", h, (512, 10), gain=1.0), (1, 10))


def _build_matmul_1024(net: Net) -> FloatModel:
    x = net.rng.standard_normal((1, 1024), dtype=np.float32)
    net.weights["fc0.w"] = net.rng.normal(0, 1 / 32, (1024, 1024)).astype(np.float32)
    return net.build("matmul-1024", x, net.add("Gemm", "x", "fc0.w", transB=1), (1, 1024))


def _build_lenet5(net: Net) -> FloatModel:
    x = net.rng.random((1, 1, 28, 28), dtype=np.float32)  # grey values
    h = net.conv("conv0", "x", (6, 1, 5, 5), pad=2)  # (1, 6, 14, 14)
    h = net.conv("conv1", h, (16, 6, 5, 5), pad=0)  # (1, 16, 5, 5)
    h = net.add("Relu", net.linear("fc0", net.add("Flatten", h), (400, 120)))
    h = net.add("Relu", net.linear("fc1", h, (120, 84)))
    return net.build("lenet5", x, net.linear("fc2", h, (84, 10), gain=1.0), (1, 10))


def _build_block_64(net: Net, name: str = "block-64", tokens: int = TOKENS) -> FloatModel:
    x = net.rng.standard_normal((tokens, CHANNELS), dtype=np.float32)
    x1 = net.add("Add", "x", net.attention(net.layer_norm("ln0", "x"), tokens))
    hidden = net.gelu(net.linear("up", net.layer_norm("ln1", x1), (CHANNELS, HIDDEN)))
    y = net.add("Add", x1, net.linear("down", hidden, (HIDDEN, CHANNELS), gain=1.0))
    return net.build(name, x, y, (tokens, CHANNELS))


BUILDERS: Final[Mapping[str, Callable[[Net], FloatModel]]] = {
    "mlp-digits": _build_mlp_digits,
    "mlp-784": _build_mlp_784,
    "matmul-1024": _build_matmul_1024,
    "lenet5": _build_lenet5,
    "block-64": _build_block_64,
    "block-64-4tok": partial(_build_block_64, name="block-64-4tok", tokens=FEW_TOKENS),
}
