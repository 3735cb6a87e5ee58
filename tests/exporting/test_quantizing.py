"""int8: what is quantized, and which files are refused."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from exported_run import photographs, untrained

from lit_cnn.exporting.exporting import Exported, export_verified, int8_verified
from lit_cnn.exporting.graph import GraphForm
from lit_cnn.exporting.quantizing import (
    CalibrationReader,
    calibration_inputs,
    check_int8,
    multiplies_int8,
    nodes_before_weights,
)
from lit_cnn.exporting.real_images import RealImages, calibration_images
from lit_cnn.exporting.verifying import Verification

GOOD = Verification(100, 90, 0, 1.0, 8.0, 2, (80, 83))


def test_the_gate_is_90_percent_and_3_points() -> None:
    check_int8(GOOD, "file")
    with pytest.raises(ValueError, match=r"89 of 100 images \(90 % are required\) and loses 3.00 points"):
        check_int8(replace(GOOD, agreed=89), "file")
    with pytest.raises(ValueError, match=r"loses 4.00 points of accuracy \(3 are allowed\)"):
        check_int8(replace(GOOD, right=(79, 83)), "file")
    with pytest.raises(ValueError, match="its accuracy is unknown: pass --data"):
        check_int8(replace(GOOD, right=None), "file")


def test_only_nodes_before_the_first_weights_stay_in_float32() -> None:
    def node(name: str, kind: str, inputs: list[str], output: str) -> SimpleNamespace:
        return SimpleNamespace(name=name, op_type=kind, input=inputs, output=[output])

    nodes = [
        node("resize", "Resize", ["images"], "a"),
        node("conv", "Conv", ["a", "weight"], "b"),
        node("clip", "Clip", ["b"], "c"),
        node("shape", "Shape", ["images"], "d"),
        node("add", "Add", ["a", "c"], "e"),
    ]
    model = SimpleNamespace(graph=SimpleNamespace(node=nodes))
    assert nodes_before_weights(model) == ["resize", "shape"]


@pytest.mark.parametrize(("name", "known"), [("avx512_vnni", True), ("dotprod", True), ("avx2", False)])
def test_old_processors_get_weights_of_7_bits(name: str, known: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {name: True, "avx_vnni": False})
    assert multiplies_int8() == known


def test_calibration_takes_the_training_images_of_a_folder(tmp_path: Path) -> None:
    trained = untrained(tmp_path)
    photographs(tmp_path, trained)
    (tmp_path / "data" / "val").mkdir(parents=True)
    (tmp_path / "photographs").rename(tmp_path / "data" / "train")
    images = calibration_images(trained, str(tmp_path / "data"), 4)
    assert len(images) == 4
    reader = CalibrationReader(
        calibration_inputs(trained, GraphForm(), replace(images, images=images.images.sample(2)))
    )
    first, second = reader.get_next(), reader.get_next()
    assert first is not None
    assert second is not None
    assert first["images"].dtype == "uint8"
    assert first["images"].shape[3] == 3
    assert reader.get_next() is None


def test_calibration_leaves_out_the_broken_images_that_the_training_left_out(tmp_path: Path) -> None:
    trained = untrained(tmp_path)
    photographs(tmp_path, trained, 9)
    data = {"source": "imagefolder", "path": str(tmp_path / "photographs"), "image_size": 16, "workers": 0}
    trained.recipe.update(model={"architecture": "cifar_resnet8"}, data={**data, "on_error": "skip"})
    for file in sorted((tmp_path / "photographs").rglob("*.png"))[::2]:
        file.write_bytes(b"torn")
    images = calibration_images(trained, None, 9)
    with pytest.warns(UserWarning, match="skipped"):
        assert 0 < sum(len(pixels) for pixels, _ in images.decoded(3)) < len(images)


@pytest.mark.slow
@pytest.mark.parametrize("form", [GraphForm(), GraphForm(with_preprocessing=False, batch=2)])
def test_an_int8_file_keeps_metadata_and_float32_preprocessing(form: GraphForm, tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    trained = untrained(tmp_path)
    images = photographs(tmp_path, trained)
    exported = export_verified(trained, tmp_path / "net.onnx", "onnx", form, images)
    result = _int8(trained, exported, form, images)
    assert result.path == tmp_path / "net.int8.onnx"
    assert result.size < 0.6 * exported.size
    assert result.facts["weight_bits"] in (7, 8)
    model = onnx.load(str(result.path))
    entries = {entry.key: entry.value for entry in model.metadata_props}
    assert entries["quantization"] == "int8, static, QDQ, per channel"
    assert entries["class_names"] == '["blue", "green", "red"]'
    quantized = {name for node in model.graph.node if node.op_type == "DequantizeLinear" for name in node.output}
    for node in model.graph.node:
        assert node.op_type != "Resize" or not quantized.intersection(node.input)
        assert node.op_type != "Conv" or set(node.input[:2]) <= quantized


def _int8(trained: object, exported: Exported, form: GraphForm, images: RealImages) -> Exported:
    return int8_verified(trained, exported, form, images, images)  # type: ignore[arg-type]


@pytest.mark.slow
def test_a_refused_int8_file_is_not_written_and_the_float32_file_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("onnxruntime")
    trained, form = untrained(tmp_path), GraphForm()
    images = photographs(tmp_path, trained)
    exported = export_verified(trained, tmp_path / "net.onnx", "onnx", form, images)

    def wrong(_: Path) -> object:
        return lambda inputs: -trained.network(torch.zeros(len(inputs), 3, 16, 16))

    monkeypatch.setattr("lit_cnn.exporting.exporting.open_onnx", wrong)
    monkeypatch.setattr("lit_cnn.exporting.quantizing.LOSS", -2.0)
    with pytest.raises(ValueError, match=r"net.int8.onnx was not written.*keep the float32 file"):
        _int8(trained, exported, form, images)
    assert sorted(path.name for path in tmp_path.glob("*.onnx*")) == ["net.onnx"]
    assert not list(tmp_path.glob(".*partial"))
