"""Somebody's ONNX file and calibration data become a published model, or are refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from onnx import TensorProto, helper, numpy_helper, save

from offchain.commit.imported import CalibrationData, import_model, read_calibration
from offchain.commit.model_folder import publish_model_folder, read_model_folder
from offchain.errors import FidelityError, ModelFolderError, TensorError, UnsupportedModelError
from offchain.quantize.layers import InputRange

FEATURES, CLASSES, ROWS, TOP = 8, 3, 200, 15
MARGIN = 2.0
SOURCE = InputRange(bits=8, lo=0, hi=TOP, scale=1.0)


def make_weights() -> npt.NDArray[np.float32]:
    """Return fixed weights (classes, features)."""
    return np.random.default_rng(1).normal(size=(CLASSES, FEATURES)).astype(np.float32)


def write_onnx(path: Path, kind: str = "Gemm") -> None:
    """Write y = W x."""
    weights = make_weights()
    bias = np.zeros(CLASSES, dtype=np.float32)
    node = helper.make_node(kind, ["x", "w", "b"], ["y"], transB=1)
    graph = helper.make_graph(
        [node],
        "net",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, FEATURES])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, CLASSES])],
        [numpy_helper.from_array(weights, "w"), numpy_helper.from_array(bias, "b")],
    )
    save(helper.make_model(graph), str(path))


def draw(seed: int) -> npt.NDArray[np.float64]:
    """Return rows on which the network's answer is clear, as real data's mostly are."""
    x = np.random.default_rng(seed).integers(0, TOP + 1, (5 * ROWS, FEATURES)).astype(np.float64)
    scores = np.sort(x @ make_weights().T.astype(np.float64), axis=1)
    return x[scores[:, -1] - scores[:, -2] > MARGIN][:ROWS]


@pytest.fixture
def onnx_file(tmp_path: Path) -> Path:
    write_onnx(tmp_path / "net.onnx")
    return tmp_path / "net.onnx"


def test_import_model__without_classes__agreement_is_reported_and_accuracy_is_not(
    tmp_path: Path, onnx_file: Path
) -> None:
    np.savez(tmp_path / "data.npz", x=draw(2), x_held_out=draw(3))
    data = read_calibration(tmp_path / "data.npz")
    published = import_model(tmp_path / "net", onnx_file, data, SOURCE)
    assert published.report["sets"]["heldOut"]["agreement"] >= 0.99
    for figures in published.report["sets"].values():
        assert "floatAccuracy" not in figures and "integerAccuracy" not in figures
    with pytest.raises(ModelFolderError, match="exists already"):
        import_model(tmp_path / "net", onnx_file, data, SOURCE)


def test_import_model__with_classes__accuracy_is_measured_against_them(
    tmp_path: Path, onnx_file: Path
) -> None:
    x, weights = draw(2), make_weights()
    y = (x @ weights.T.astype(np.float64)).argmax(axis=1)
    y[: ROWS // 2] = (y[: ROWS // 2] + 1) % CLASSES  # half of the classes are other ones
    np.savez(tmp_path / "data.npz", x=x, y=y)
    data = read_calibration(tmp_path / "data.npz")
    figures = import_model(tmp_path / "net", onnx_file, data, SOURCE).report["sets"]["calibration"]
    assert figures["floatAccuracy"] == 0.5


def test_import_model__other_data_held_out__refused_when_the_answers_differ(
    tmp_path: Path, onnx_file: Path
) -> None:
    data = CalibrationData({"calibration": draw(2), "heldOut": draw(3) * 1000}, {})
    with pytest.raises(FidelityError, match="agrees"):
        import_model(tmp_path / "net", onnx_file, data, SOURCE)
    assert not (tmp_path / "net").exists()


def test_import_model__operator_that_cannot_be_proven__refused(tmp_path: Path) -> None:
    write_onnx(tmp_path / "net.onnx", "Einsum")
    with pytest.raises(UnsupportedModelError):
        import_model(tmp_path / "out", tmp_path / "net.onnx", CalibrationData({}, {}), SOURCE)


@pytest.mark.parametrize(
    ("arrays", "reason"),
    [
        ({"z": np.zeros((2, 2))}, "no array x"),
        ({"x": np.zeros(3)}, "rows, cols"),
        ({"x": np.zeros((0, 3))}, "rows, cols"),
        ({"x": np.zeros((2, 3)), "y": np.zeros(3)}, "rows,"),
        ({"x": np.array([[{}]], dtype=object)}, "cannot be read"),
    ],
    ids=["no x", "vector", "empty", "classes", "objects"],
)
def test_read_calibration__what_is_no_data__refused(
    tmp_path: Path, arrays: dict[str, npt.NDArray[np.float64]], reason: str
) -> None:
    np.savez(tmp_path / "data.npz", **arrays)
    with pytest.raises(TensorError, match=reason):
        read_calibration(tmp_path / "data.npz")


def test_read_calibration__no_npz__refused(tmp_path: Path) -> None:
    (tmp_path / "data.npz").write_text("x")
    with pytest.raises(TensorError, match="cannot be read"):
        read_calibration(tmp_path / "data.npz")


def test_publish_model_folder__copied_once__another_model_refused(
    tmp_path: Path, onnx_file: Path
) -> None:
    data = CalibrationData({"calibration": draw(2)}, {})
    source = tmp_path / "net"
    import_model(source, onnx_file, data, SOURCE)
    shared = tmp_path / "shared"
    first = publish_model_folder(source, shared)
    assert publish_model_folder(source, shared).weight_root == first.weight_root
    assert read_model_folder(shared / "net").graph == first.graph

    other, wider = tmp_path / "other" / "net", replace(SOURCE, hi=TOP + 1)
    import_model(other, onnx_file, data, wider)
    with pytest.raises(ModelFolderError, match="another model"):
        publish_model_folder(other, shared)
