"""ONNX file -> chain of affine layers; everything that cannot be imported is told at once."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import numpy as np

from offchain.errors import MissingDependencyError, UnsupportedModelError
from offchain.model.float_graph import FloatArray, FloatGraph, FloatLayer

# They hand a (rows, cols) matrix on as it is.
HARMLESS: Final = frozenset({"Identity", "Flatten", "Dropout"})
SUPPORTED: Final = frozenset({"Gemm", "MatMul", "Add", "Relu", "Constant"}) | HARMLESS
REMEDIES: Final = {
    "Softmax": "export the logits: softmax does not change the order of the classes",
    "LogSoftmax": "export the logits: log-softmax does not change the order of the classes",
    "BatchNormalization": "fold it into the layer before it",
    "Reshape": "use Flatten, or reshape before the model",
    "Sigmoid": "use ReLU",
    "Tanh": "use ReLU",
}
MATRIX: Final = 2


def load_onnx(path: Path) -> FloatGraph:
    """Return the layers of an ONNX file.

    Raises UnsupportedModelError with every unsupported operator (its name, node and what to do), or
    every reason why the nodes are not one chain; MissingDependencyError without the onnx package.
    """
    onnx = _load_package()
    try:
        graph = onnx.load(str(path)).graph
    except (OSError, ValueError, onnx.onnx_cpp2py_export.checker.ValidationError) as error:
        raise UnsupportedModelError(str(path), [f"cannot be read: {error}"]) from error
    except Exception as error:
        # protobuf's DecodeError is not importable on every protobuf release.
        if type(error).__name__ != "DecodeError":
            raise
        raise UnsupportedModelError(str(path), ["is not an ONNX file"]) from error
    problems = [_explain(index, node) for index, node in enumerate(graph.node) if _is_unknown(node)]
    if problems:
        raise UnsupportedModelError(path.name, problems)
    return _Chain(onnx, path.name, graph).build()


def _load_package() -> ModuleType:
    try:
        import onnx
    except ImportError as error:
        raise MissingDependencyError("onnx", "operator") from error
    return onnx


def _is_unknown(node: Any) -> bool:
    return node.op_type not in SUPPORTED or bool(node.domain)


def _label(index: int, node: Any) -> str:
    return f"node {node.name or index!r}"


def _explain(index: int, node: Any) -> str:
    remedy = REMEDIES.get(node.op_type, f"rewrite it with {', '.join(sorted(SUPPORTED))}")
    return f"operator {node.op_type} at {_label(index, node)} is not supported: {remedy}"


class _Chain:
    """Follows the one activation through the nodes and collects what breaks the chain."""

    def __init__(self, onnx: ModuleType, subject: str, graph: Any) -> None:
        self.subject = subject
        self.graph = graph
        self.problems: list[str] = []
        self.layers: list[FloatLayer] = []
        to_array = onnx.numpy_helper.to_array
        self.attributes = onnx.helper.get_attribute_value
        self.constants: dict[str, FloatArray] = {
            tensor.name: to_array(tensor).astype(np.float64) for tensor in graph.initializer
        }
        for node in graph.node:
            for attribute in node.attribute:
                if node.op_type == "Constant" and attribute.name == "value":
                    self.constants[node.output[0]] = to_array(attribute.t).astype(np.float64)

    def build(self) -> FloatGraph:
        """Return the chain or raise UnsupportedModelError."""
        inputs = [value for value in self.graph.input if value.name not in self.constants]
        if len(inputs) != 1 or len(self.graph.output) != 1:
            count = f"{len(inputs)} inputs and {len(self.graph.output)} outputs"
            raise UnsupportedModelError(self.subject, [f"has {count}, expected 1 and 1"])
        name = current = inputs[0].name
        self._refuse_branches()
        if self.problems:
            raise UnsupportedModelError(self.subject, self.problems)
        for index, node in enumerate(self.graph.node):
            if node.op_type != "Constant":
                current = self._follow(index, node, current)
        if current != self.graph.output[0].name:
            self.problems.append(f"the output {self.graph.output[0].name!r} is not the last node's")
        if not self.layers:
            self.problems.append("there is no Gemm or MatMul")
        if self.problems:
            raise UnsupportedModelError(self.subject, self.problems)
        return FloatGraph(name, self.layers[0].weight.shape[1], tuple(self.layers))

    def _refuse_branches(self) -> None:
        uses = Counter(name for node in self.graph.node for name in node.input)
        self.problems += [
            f"{name!r} is read by {count} nodes; only chains are supported"
            for name, count in uses.items()
            if count > 1 and name not in self.constants
        ]

    def _follow(self, index: int, node: Any, current: str) -> str:
        where = f"operator {node.op_type} at {_label(index, node)}"
        if current not in node.input:
            self.problems.append(f"{where} does not read {current!r}; only chains are supported")
            return str(node.output[0])
        others = [name for name in node.input if name and name != current]
        # Dropout's ratio and training flag do nothing at inference.
        if node.op_type != "Dropout":
            missing = [name for name in others if name not in self.constants]
            self.problems += [f"{where}: {name!r} is not a constant" for name in missing]
            if missing:
                return str(node.output[0])
        operands = [self.constants[name] for name in others if name in self.constants]
        match node.op_type:
            case "Gemm":
                self._gemm(where, node, operands, node.input[0] == current)
            case "MatMul":
                self._affine(where, operands[0].T, None, node.input[0] == current)
            case "Add":
                self._add(where, operands[0])
            case "Relu":
                self._relu(where)
        return str(node.output[0])

    def _gemm(self, where: str, node: Any, operands: list[FloatArray], is_left: bool) -> None:
        given = {a.name: self.attributes(a) for a in node.attribute}
        if given.get("transA", 0):
            self.problems.append(f"{where}: transA is not supported: transpose the weight instead")
            return
        weight = operands[0] if given.get("transB", 0) else operands[0].T
        bias = operands[1] * given.get("beta", 1.0) if len(operands) > 1 else None
        self._affine(where, weight * given.get("alpha", 1.0), bias, is_left)

    def _affine(
        self, where: str, weight: FloatArray, bias: FloatArray | None, is_left: bool
    ) -> None:
        if not is_left or weight.ndim != MATRIX:
            self.problems.append(f"{where}: the weight must be a matrix on the right")
            return
        if self.layers and self.layers[-1].weight.shape[0] != weight.shape[1]:
            self.problems.append(f"{where}: takes {weight.shape[1]} columns, not what is there")
        name = f"fc{len(self.layers)}"
        flat = None if bias is None else np.broadcast_to(bias.reshape(-1), weight.shape[:1]).copy()
        self.layers.append(FloatLayer(name, weight, flat, "identity"))

    def _add(self, where: str, operand: FloatArray) -> None:
        last = self.layers[-1] if self.layers else None
        if last is None or last.activation != "identity":
            self.problems.append(f"{where}: only a bias right after MatMul or Gemm is supported")
            return
        if operand.size not in (1, last.weight.shape[0]):
            self.problems.append(f"{where}: a bias of {operand.size} elements does not fit")
            return
        bias = np.broadcast_to(operand.reshape(-1), last.weight.shape[:1])
        self.layers[-1] = replace(last, bias=bias.copy() if last.bias is None else last.bias + bias)

    def _relu(self, where: str) -> None:
        if not self.layers:
            self.problems.append(f"{where}: before the first layer; apply it to the input instead")
            return
        self.layers[-1] = replace(self.layers[-1], activation="relu")
