"""ONNX files in ONNX Runtime: any batch and size, metadata, operators' versions."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from exported_run import photographs, untrained

import lit_cnn.exporting
from lit_cnn.data.preprocessing import evaluate_images
from lit_cnn.evaluation.trained import Trained
from lit_cnn.exporting import OnnxFile, export_onnx
from lit_cnn.exporting.exporting import export_verified
from lit_cnn.exporting.graph import GraphForm
from lit_cnn.exporting.onnx_file import open_onnx
from lit_cnn.exporting.preprocessed import PreprocessedNetwork

pytest.importorskip("onnxruntime")


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    return untrained(tmp_path_factory.mktemp("net"))


@pytest.fixture(scope="module")
def written(trained: Trained, tmp_path_factory: pytest.TempPathFactory) -> OnnxFile:
    return export_onnx(trained, tmp_path_factory.mktemp("onnx") / "net.onnx", license="MIT")


@pytest.mark.slow
@pytest.mark.parametrize("shape", [(1, 427, 640, 3), (5, 18, 18, 3), (2, 33, 250, 3), (3, 90, 17, 3)])
def test_any_number_and_size_of_images_gives_the_networks_logits(
    shape: tuple[int, ...], trained: Trained, written: OnnxFile
) -> None:
    images = torch.randint(0, 256, shape, generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    expected = PreprocessedNetwork(trained.network, trained.preprocessing)(images)
    torch.testing.assert_close(open_onnx(written.path)(images), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.slow
def test_the_nearest_filter_takes_the_same_pixels(tmp_path: Path) -> None:
    trained = untrained(tmp_path)
    trained.recorded_preprocessing = replace(trained.preprocessing, interpolation="nearest")
    run = open_onnx(export_onnx(trained, tmp_path / "nearest.onnx").path)
    for height, width in ((427, 640), (18, 18), (33, 250), (90, 17), (231, 333)):
        images = torch.randint(0, 256, (1, height, width, 3), dtype=torch.uint8)
        expected = trained.logits(evaluate_images(images.permute(0, 3, 1, 2), trained.preprocessing))
        torch.testing.assert_close(run(images), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.slow
def test_metadata_is_in_the_file_and_floats_are_refused(written: OnnxFile) -> None:
    import onnxruntime

    session = onnxruntime.InferenceSession(str(written.path), providers=["CPUExecutionProvider"])
    entries = session.get_modelmeta().custom_metadata_map
    assert entries["license"] == "MIT"
    assert json.loads(entries["class_names"]) == ["blue", "green", "red"]
    assert json.loads(entries["input"])["shape"] == ["batch", "height", "width", 3]
    (given,) = session.get_inputs()
    assert (given.name, given.type, given.shape) == ("images", "tensor(uint8)", ["batch", "height", "width", 3])
    with pytest.raises(Exception, match="uint8"):  # so preprocessing cannot be done twice
        session.run(None, {"images": torch.zeros(1, 20, 20, 3).numpy()})


@pytest.mark.slow
def test_the_opset_can_be_chosen_and_no_batch_norm_is_left(trained: Trained, tmp_path: Path) -> None:
    import onnx

    found = export_onnx(trained, tmp_path / "old.onnx", opset=18)
    model = onnx.load(str(found.path))
    assert found.opset == 18
    assert found.nodes == len(model.graph.node)
    assert "BatchNormalization" not in {node.op_type for node in model.graph.node}
    assert "Resize" in {node.op_type for node in model.graph.node}


@pytest.mark.slow
def test_the_newest_opset_can_be_chosen(trained: Trained, tmp_path: Path) -> None:
    """Which another converter writes than the usual ones: it refuses names that a constant and an operation share."""
    import onnx

    newest = onnx.defs.onnx_opset_version()
    assert export_onnx(trained, tmp_path / "new.onnx", opset=newest).opset == newest


@pytest.mark.slow
@pytest.mark.parametrize(
    "form", [GraphForm(with_preprocessing=False), GraphForm(batch=4), GraphForm(with_preprocessing=False, batch=1)]
)
def test_other_forms_are_verified(form: GraphForm, trained: Trained, tmp_path: Path) -> None:
    found = export_verified(trained, tmp_path / "net.onnx", "onnx", form, photographs(tmp_path, trained))
    assert found.verification.agreed == 6
    limit = 0.05 if form.with_preprocessing else 1e-5
    assert found.verification.difference <= limit * found.verification.logit


def test_an_opset_that_cannot_be_written_is_refused(trained: Trained, tmp_path: Path) -> None:
    for opset in (11, 999):
        with pytest.raises(ValueError, match=f"--opset is {opset} but must lie between 18 and"):
            export_onnx(trained, tmp_path / "net.onnx", opset=opset)
    assert not list(tmp_path.iterdir())


def test_the_package_names_nothing_else() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'export_caffe'"):
        _ = lit_cnn.exporting.export_caffe
