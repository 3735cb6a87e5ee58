"""An exported detector that finds other boxes than the checkpoint's is refused, and near ties are counted apart."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from sklearn.datasets import load_sample_images
from tiny_detectors import TorchSession, described, untrained_detector

from lit_cnn.detection.boxes import Detections
from lit_cnn.evaluation.trained_detector import TrainedDetector
from lit_cnn.exporting import onnx_detector
from lit_cnn.exporting.detector_exporting import images_below
from lit_cnn.exporting.detector_verifying import DetectorVerification, same_boxes, verify_detector
from lit_cnn.exporting.onnx_detector import OnnxDetector
from lit_cnn.exporting.real_images import RealImages

GOOD = DetectorVerification(images=90, boxes=2000, same=1998, ties=0, score=0.05, raw=1e-5, levels=1)
Opened = Callable[[], OnnxDetector]


@pytest.fixture(scope="module")
def trained() -> TrainedDetector:
    return untrained_detector("fcos")


@pytest.fixture
def opened(trained: TrainedDetector, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Opened, TorchSession]:
    """What opens the detector, and its session."""
    path, sessions = described(trained, tmp_path)
    monkeypatch.setattr(onnx_detector, "_session", lambda file, _: sessions[file.name])
    return (lambda: OnnxDetector(path, score=trained.network.decoding.score_threshold)), sessions[path.name]


def photographs(folder: Path, trained: TrainedDetector) -> RealImages:
    for number in range(3):
        pixels = load_sample_images().images[number % 2][30 * number :, : 400 - 90 * number]
        Image.fromarray(np.ascontiguousarray(pixels)).save(folder / f"{number}.png")
    return images_below(str(folder), trained, 2, skip_broken=False)


@pytest.mark.slow
def test_the_same_detector_has_every_box(
    trained: TrainedDetector, opened: tuple[Opened, TorchSession], tmp_path: Path
) -> None:
    images = photographs(tmp_path, trained)
    assert len(images) == 2
    found = verify_detector(trained, opened[0](), images)
    assert (found.images, found.levels <= 1, found.raw < 1e-4, found.score) == (2, True, True, 0.02)
    assert found.boxes > 20
    assert found.agreement == 1.0
    found.check("net.onnx")


@pytest.mark.slow
def test_other_outputs_are_refused(
    trained: TrainedDetector, opened: tuple[Opened, TorchSession], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_detector, session = opened
    images, run = photographs(tmp_path, trained), session.run
    for change, said in (
        (lambda x: 1.01 * x, "raw outputs differ by up to 0.01 "),
        (lambda x: x * np.nan, "up to inf"),
    ):
        monkeypatch.setattr(session, "run", lambda *given, change=change: [change(x) for x in run(*given)])
        found = verify_detector(trained, open_detector(), images)
        with pytest.raises(ValueError, match=r"^net\.onnx was not written, since its raw outputs differ") as error:
            found.check("net.onnx")
        assert said in str(error.value)


@pytest.mark.slow
def test_other_boxes_are_refused(trained: TrainedDetector, opened: tuple[Opened, TorchSession], tmp_path: Path) -> None:
    detector = opened[0]()
    detector.anchors = detector.anchors + 10  # the raw outputs are the network's, what is made of them is not
    found = verify_detector(trained, detector, photographs(tmp_path, trained))
    assert found.ties == 0
    with pytest.raises(ValueError, match=r"^net.onnx was not written, since only \d+ of \d+ boxes in 2 images are"):
        found.check("net.onnx")


def test_one_box_of_a_thousand_may_differ_and_no_box_is_agreement() -> None:
    GOOD.check("file")
    replace(GOOD, same=1990, ties=8).check("file")
    replace(GOOD, boxes=0, same=0).check("file")
    with pytest.raises(ValueError, match=r"only 1997 of 2000 boxes .* differ by up to 1 gray levels"):
        replace(GOOD, same=1997).check("file")
    with pytest.raises(ValueError, match=r"raw outputs differ by up to 0.002 of .* \(0.001 at most is required\)"):
        replace(GOOD, raw=2e-3).check("file")


def test_a_box_is_the_same_as_one_of_its_class_place_and_score_alone() -> None:
    box, moved = [10.0, 10, 30, 40], [10.0, 10, 30, 60]

    def made(*boxes: tuple[list[float], float, int]) -> Detections:
        columns = zip(*boxes, strict=True)
        return Detections(*(torch.tensor(column) for column in columns))

    one = made((box, 0.9, 1))
    assert same_boxes(one, made((box, 0.89, 1))) == 1
    for other in ((box, 0.87, 1), (box, 0.9, 0), (moved, 0.9, 1)):
        assert same_boxes(one, made(other)) == 0
    assert same_boxes(made((box, 0.9, 1), (box, 0.9, 1)), one) == 1
    assert same_boxes(one, Detections(torch.zeros(0, 4), torch.zeros(0), torch.zeros(0))) == 0


def test_no_image_is_one_sentence(trained: TrainedDetector, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"image"):
        images_below(str(tmp_path), trained, 2, skip_broken=False)
