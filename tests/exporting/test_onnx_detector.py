"""The program that finds boxes without torch does what torch does, in every step."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from one_in import one_in
from sklearn.datasets import load_sample_images
from tiny_detectors import CANVAS, described, untrained_detector
from torchvision.ops import batched_nms

from lit_cnn.detection.canvas import Canvas
from lit_cnn.detection.networks import DETECTORS
from lit_cnn.exporting import onnx_detector
from lit_cnn.exporting.graph import GraphForm
from lit_cnn.exporting.onnx_detector import OnnxDetector, resized, suppress


@pytest.mark.parametrize("kind", one_in(2, DETECTORS))
def test_objects_are_those_of_the_checkpoint(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trained = untrained_detector(kind)
    path, sessions = described(trained, tmp_path)
    monkeypatch.setattr(onnx_detector, "_session", lambda file, _: sessions[file.name])
    detector = OnnxDetector(path)
    images = torch.randint(0, 256, (2, 3, *CANVAS), generator=torch.Generator().manual_seed(1), dtype=torch.uint8)
    found = detector.detect(images.permute(0, 2, 3, 1).numpy())
    expected = trained.detect(images)
    for ours, theirs in zip(found, expected, strict=True):
        assert len(theirs.scores) > 3
        assert ours.labels.tolist() == theirs.labels.tolist()
        np.testing.assert_allclose(ours.scores, theirs.scores, atol=1e-5)
        np.testing.assert_allclose(ours.boxes, theirs.boxes, atol=5e-3)
    if kind != "retinanet":  # whose best boxes are of one class here
        assert len({label for ours in found for label in ours.labels.tolist()}) > 1


@pytest.mark.slow
def test_stated_thresholds_replace_those_of_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trained = untrained_detector("ssd")
    path, sessions = described(trained, tmp_path, GraphForm(with_preprocessing=False, batch=3))
    monkeypatch.setattr(onnx_detector, "_session", lambda file, _: sessions[file.name])
    pixels = np.random.default_rng(0).integers(0, 256, (2, *CANVAS, 3), dtype=np.uint8)
    few, many = (OnnxDetector(path, score=score, nms=0.7).detect(pixels) for score in (0.9, 0.01))
    trained.show(0.01, 0.7)
    expected = trained.detect(torch.from_numpy(pixels).permute(0, 3, 1, 2))
    assert [len(each.scores) for each in many] == [len(each.scores) for each in expected]
    assert all(len(each.scores) < len(every.scores) for each, every in zip(few, many, strict=True))
    assert all((each.scores >= 0.9).all() for each in few)


@pytest.mark.parametrize("canvas", [(64, 96), (700, 500)], ids=["smaller", "larger"])
def test_the_canvas_is_that_of_predict_within_a_level(canvas: tuple[int, int]) -> None:
    detector, fill = OnnxDetector.__new__(OnnxDetector), (100, 110, 120)  # without a network
    detector.canvas, detector.known = canvas, {"canvas": {"fill": fill}}
    photo = np.ascontiguousarray(load_sample_images().images[0][:300, :211])
    ours = detector.frame(photo)
    theirs = Canvas(*canvas, fill).frame(torch.from_numpy(photo).permute(2, 0, 1))
    apart = np.abs(ours.image.astype(int) - theirs.image.permute(1, 2, 0).numpy())
    assert apart.max() <= 1
    assert apart.mean() < 0.1
    assert ours.scale == theirs.scale
    assert ours.offset == pytest.approx(theirs.offset)
    with pytest.raises(ValueError, match=r"^RGB pixels, uint8 \(height, width, 3\), are expected, got float32"):
        detector.frame(photo.astype(np.float32))


def test_a_file_is_turned_upright_and_its_transparent_pixels_show_the_background(tmp_path: Path) -> None:
    from PIL import Image

    turned = Image.new("RGB", (8, 4), (200, 0, 0))
    exif = turned.getexif()
    exif[0x0112] = 6
    turned.save(tmp_path / "turned.png", exif=exif)
    Image.new("RGBA", (4, 4), (200, 0, 0, 0)).save(tmp_path / "clear.png")
    background = {"background": (255, 255, 255)}
    assert onnx_detector.read(tmp_path / "turned.png", background).shape == (8, 4, 3)
    assert (onnx_detector.read(tmp_path / "clear.png", background) == 255).all()
    assert (onnx_detector.read(tmp_path / "clear.png", {"background": None}) == (200, 0, 0)).all()


def test_suppression_is_torchvisions() -> None:
    random = np.random.default_rng(0)
    corners = random.uniform(0, 60, (300, 2))
    boxes = np.concatenate([corners, corners + random.uniform(0, 30, (300, 2))], 1).astype(np.float32)
    scores, groups = random.random(300).astype(np.float32), random.integers(0, 3, 300)
    kept = suppress(boxes, scores, groups, 0.3)
    expected = batched_nms(*(torch.from_numpy(part) for part in (boxes, scores, groups)), 0.3)
    assert 10 < len(kept) < 290
    assert kept.tolist() == expected.tolist()
    assert suppress(boxes[:0], scores[:0], groups[:0], 0.3).tolist() == []


def test_a_size_that_is_kept_changes_no_pixel() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (5, 7, 3), dtype=np.uint8)
    assert (resized(pixels, 5, 7) == pixels).all()


def test_the_program_needs_neither_torch_nor_this_package(tmp_path: Path) -> None:
    program = Path(str(onnx_detector.__file__))
    code = (
        "import sys, runpy; sys.argv = ['onnx_detector.py']\n"
        f"try: runpy.run_path({str(program)!r}, run_name='__main__')\n"
        "except SystemExit as stop: code = stop.code\n"
        "print(code, sorted({'torch', 'torchvision', 'lit_cnn', 'PIL'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.stdout == "2 []\n"
    assert done.stderr == "usage: python onnx_detector.py DETECTOR.onnx IMAGE…\n"
