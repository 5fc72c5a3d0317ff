"""ONNX import: affine chains come in exactly; everything else is refused, all at once."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from offchain.errors import UnsupportedModelError
from offchain.model.mlp import Mlp, export_onnx
from offchain.model.onnx_import import load_onnx

W = np.arange(6, dtype=np.float32).reshape(2, 3) - 2  # (out 2, in 3)
V = np.array([[1.0, -1.0]], dtype=np.float32)  # (out 1, in 2)
B = np.array([0.5, -0.5], dtype=np.float32)
X = np.array([[1.0, 2.0, 3.0], [-1.0, 0.0, 4.0]])


def save(path: Path, nodes: Sequence[Any], output: str = "y", **constants: Any) -> Path:
    """Write a model with input x (rows, 3) and the given nodes and initializers."""
    graph = helper.make_graph(
        nodes,
        "test",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["rows", 3])],
        [helper.make_tensor_value_info(output, TensorProto.FLOAT, ["rows", None])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    onnx.save(helper.make_model(graph), str(path))
    return path


def node(kind: str, *inputs: str, to: str, **attributes: Any) -> Any:
    return helper.make_node(kind, list(inputs), [to], name=f"{kind.lower()}-{to}", **attributes)


def test_load__gemm_relu_gemm__same_function(tmp_path: Path) -> None:
    path = save(
        tmp_path / "m.onnx",
        [
            node("Flatten", "x", to="f"),
            node("Gemm", "f", "w", "b", to="h", transB=1, alpha=2.0, beta=3.0),
            node("Relu", "h", to="r"),
            node("Dropout", "r", to="d"),
            node("Gemm", "d", "v", to="i", transB=1),
            node("Identity", "i", to="y"),
        ],
        w=W,
        b=B,
        v=V,
    )
    model = load_onnx(path)
    expected = np.maximum(2 * X @ W.T + 3 * B, 0) @ V.T
    assert np.allclose(model.run(X), expected, atol=0)
    assert [layer.activation for layer in model.layers] == ["relu", "identity"]
    assert model.layers[1].bias is None


def test_load__matmul_add__is_one_layer_with_a_bias(tmp_path: Path) -> None:
    path = save(
        tmp_path / "m.onnx",
        [node("MatMul", "x", "w", to="m"), node("Add", "b", "m", to="y")],
        w=W.T.copy(),
        b=B,
    )
    model = load_onnx(path)
    assert len(model.layers) == 1
    assert np.allclose(model.run(X), X @ W.T + B, atol=0)


def test_load__exported_by_torch__same_function(tmp_path: Path) -> None:
    import torch

    torch.manual_seed(5)
    mlp = Mlp(torch.nn.Linear(64, 32), torch.nn.Linear(32, 10), 16)
    export_onnx(mlp, tmp_path / "mlp.onnx")
    x = np.random.default_rng(6).integers(0, 17, (20, 64)).astype(np.float64)
    with torch.no_grad():
        expected = mlp.logits(torch.from_numpy(x).float()).numpy()
    assert np.allclose(load_onnx(tmp_path / "mlp.onnx").run(x), expected, atol=1e-4)


def test_load__three_unsupported_operators__all_named_with_remedies(tmp_path: Path) -> None:
    path = save(
        tmp_path / "m.onnx",
        [
            node("Conv", "x", "w", to="c"),
            node("Sigmoid", "c", to="s"),
            node("Softmax", "s", to="y"),
        ],
        w=W,
    )
    with pytest.raises(UnsupportedModelError) as caught:
        load_onnx(path)
    assert len(caught.value.problems) == 3
    for problem, parts in zip(
        caught.value.problems,
        (
            ("Conv", "conv-c"),
            ("Sigmoid", "sigmoid-s", "use ReLU"),
            ("Softmax", "softmax-y", "logits"),
        ),
        strict=True,
    ):
        assert all(part in problem for part in parts)


@pytest.mark.parametrize(
    ("nodes", "reason"),
    [
        ([node("Relu", "x", to="y")], "before the first layer"),
        ([node("Identity", "x", to="y")], "no Gemm or MatMul"),
        ([node("Gemm", "x", "w", to="y", transA=1)], "transA"),
        ([node("MatMul", "w", "x", to="y")], "matrix on the right"),
        ([node("MatMul", "x", "lost", to="y")], "'lost' is not a constant"),
        ([node("MatMul", "x", "b", to="y")], "must be a matrix"),
        (
            [
                node("MatMul", "x", "t", to="m"),
                node("Relu", "m", to="r"),
                node("Add", "r", "b", to="y"),
            ],
            "only a bias right after",
        ),
        (
            [node("MatMul", "x", "t", to="m"), node("Add", "m", "m", to="y")],
            "'m' is read by 2 nodes",
        ),
        ([node("MatMul", "x", "t", to="m"), node("MatMul", "m", "t", to="y")], "takes 3 columns"),
        ([node("MatMul", "x", "t", to="m"), node("Add", "m", "c", to="y")], "5 elements"),
        ([node("MatMul", "x", "t", to="m")], "is not the last node's"),
    ],
)
def test_load__not_a_chain_of_layers__refused_with_the_reason(
    tmp_path: Path, nodes: list[Any], reason: str
) -> None:
    constants: dict[str, Any] = {
        "w": W,
        "t": W.T.copy(),
        "b": B,
        "c": np.zeros(5, dtype=np.float32),
    }
    with pytest.raises(UnsupportedModelError, match=reason):
        load_onnx(save(tmp_path / "m.onnx", nodes, **constants))


def test_load__custom_domain__refused_by_name(tmp_path: Path) -> None:
    path = save(tmp_path / "m.onnx", [node("Relu", "x", to="y", domain="elsewhere")])
    with pytest.raises(UnsupportedModelError, match="Relu"):
        load_onnx(path)


@pytest.mark.parametrize("content", [None, b"", b"not a model", b"\xff" * 100])
def test_load__no_onnx_file__refused(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "m.onnx"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UnsupportedModelError, match=r"m\.onnx"):
        load_onnx(path)
