"""Detectors as ONNX files: verified on photographs, run without torch, and nothing left where they are others."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_sample_images
from tiny_detectors import CANVAS, untrained_detector

from lit_cnn.architectures.entry import NetworkOptions
from lit_cnn.exporting import detector_exporting
from lit_cnn.exporting.detector_exporting import ExportedDetector, export_detector, images_below
from lit_cnn.exporting.graph import GraphForm
from lit_cnn.exporting.onnx_detector import OnnxDetector

pytestmark = pytest.mark.slow
BACKBONES = {
    "fcos": "efficientnet_lite0",
    "retinanet": "mobilenet_v2",
    "ssd": "vgg11",
    "faster_rcnn": "resnet50",
}
"""Detector -> a network of the catalog, as it is."""


def exported(kind: str, folder: Path, form: GraphForm, **network: object) -> tuple[ExportedDetector, list[Path]]:
    pytest.importorskip("onnxruntime")
    trained = untrained_detector(kind, **network)  # type: ignore[arg-type]
    photos = folder / "photographs"
    photos.mkdir()
    for number in range(3):
        pixels = load_sample_images().images[number % 2][30 * number :, : 400 - 90 * number]
        Image.fromarray(np.ascontiguousarray(pixels)).save(photos / f"{number}.png")
    images = images_below(str(photos), trained, 10, skip_broken=False)
    return export_detector(trained, folder / "net.onnx", form, images, license="CC0"), sorted(photos.iterdir())


@pytest.mark.parametrize("kind", BACKBONES)
def test_every_detector_leaves_with_its_boxes(kind: str, tmp_path: Path) -> None:
    """And finds the same in batches of one and two, and as a program of its own without torch and this package."""
    options = NetworkOptions(weight_init="glorot") if kind == "ssd" else NetworkOptions()
    done, photos = exported(kind, tmp_path, GraphForm(), architecture=BACKBONES[kind], options=options)
    checked = done.verification
    assert (checked.images, checked.agreement) == (3, 1.0)
    assert checked.raw < 1e-4
    assert checked.boxes > 0
    second = ["net.regions.onnx"] if kind == "faster_rcnn" else []
    names = ["net.onnx", *second, "net.detector.json", "onnx_detector.py"]
    assert [file.name for file in done.files] == names
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([*names, "photographs"])
    detector = OnnxDetector(tmp_path / "net.onnx", score=0.02)
    canvases = np.random.default_rng(0).integers(0, 256, (2, *CANVAS, 3), dtype=np.uint8)
    for one, both in zip(canvases, detector.detect(canvases), strict=True):
        (alone,) = detector.detect(one[None])
        np.testing.assert_allclose(alone.scores, both.scores, atol=1e-4)
    hidden = "import sys; sys.modules.update(dict.fromkeys(['torch', 'torchvision', 'lit_cnn'])); "
    code = f"{hidden}sys.argv = ['onnx_detector.py', 'net.onnx', {str(photos[0])!r}]; import runpy; "
    command = [sys.executable, "-c", f"{code}runpy.run_path('onnx_detector.py', run_name='__main__')"]
    ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert ran.returncode == 0, ran.stderr
    shown = OnnxDetector(tmp_path / "net.onnx").find(photos[0])
    objects = json.loads(ran.stdout)["objects"]
    assert [each["score"] for each in objects] == pytest.approx(shown.scores.tolist())
    import onnxruntime

    stored = onnxruntime.InferenceSession(str(tmp_path / "net.onnx")).get_modelmeta().custom_metadata_map
    assert json.loads(stored["class_names"]) == ["cat", "dog", "owl"]
    assert stored["license"] == "CC0"


def test_normalized_images_in_a_fixed_batch(tmp_path: Path) -> None:
    done, photos = exported("fcos", tmp_path, GraphForm(with_preprocessing=False, batch=2, opset=18))
    assert done.verification.agreement == 1.0
    stated = json.loads((tmp_path / "net.detector.json").read_text())
    assert stated["input"] == {"name": "images", "dtype": "float32", "shape": [2, 3, *CANVAS]}
    assert len(OnnxDetector(tmp_path / "net.onnx").find(photos[0]).boxes) > 0


def test_nothing_is_left_of_a_detector_that_finds_other_boxes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Crooked(OnnxDetector):
        def __init__(self, *given: object, **named: object) -> None:
            super().__init__(*given, **named)  # type: ignore[arg-type]
            self.anchors = self.anchors + 10

    monkeypatch.setattr(detector_exporting, "OnnxDetector", Crooked)
    (tmp_path / "net.onnx").write_text("of before")
    with pytest.raises(ValueError, match=r"net\.onnx was not written, since only \d+ of \d+ boxes"):
        exported("fcos", tmp_path, GraphForm())
    assert (tmp_path / "net.onnx").read_text() == "of before"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["net.onnx", "photographs"]
