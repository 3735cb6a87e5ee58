"""A detector comes back from its checkpoint with its weights, classes, canvas and thresholds."""

from pathlib import Path

import pytest
import torch
from checkpoint_files import write_checkpoint

from lit_cnn.detection.checkpoint_record import RecordedData, describe_detector
from lit_cnn.detection.detector import Detector
from lit_cnn.detection.preprocessing import CanvasPreprocessing
from lit_cnn.detection.pyramid import PyramidSettings
from lit_cnn.detection.thresholds import Thresholds
from lit_cnn.evaluation.trained_detector import detector_from, load_trained_detector
from lit_cnn.run_folder.checkpoint import load_checkpoint

CHOSEN = Thresholds((0.02, 0.5), 0.45, "val, 3 images")


def write(path: Path, thresholds: Thresholds | None = CHOSEN) -> Detector:
    """The checkpoint of an untrained detector, whose raw weights are twice the average."""
    made = CanvasPreprocessing((64, 96), (0.5,) * 3, (0.25,) * 3, (128,) * 3)
    model = Detector("mobilenet_v2", pyramid=PyramidSettings(width=32))
    model.configure_model(RecordedData(["cat", "dog"], (18, 21), made))
    model.thresholds = thresholds
    raw = {name: 2 * value for name, value in model.state_dict().items()}
    torch.save({**describe_detector(model), "state_dict": model.state_dict(), "current_model_state": raw}, path)
    return model


@pytest.mark.slow
def test_a_checkpoint_gives_back_the_network_and_what_it_shows(tmp_path: Path) -> None:
    model = write(tmp_path / "net.ckpt")
    trained = detector_from(load_checkpoint(tmp_path / "net.ckpt"), str(tmp_path / "net.ckpt"))
    assert (trained.class_names, trained.category_ids) == (["cat", "dog"], (18, 21))
    assert trained.preprocessing.canvas == (64, 96)
    assert trained.thresholds == CHOSEN
    assert trained.network.decoding.score_threshold == 0.02  # below the recipe's, since a class shows boxes from there
    assert not trained.network.training
    images = torch.randint(0, 256, (2, 3, 64, 96), dtype=torch.uint8)
    model.network.eval().decoding = trained.network.decoding
    with torch.inference_mode():
        expected = model.network.detect((images / 255 - 0.5) / 0.25)
    for mine, theirs in zip(trained.detect(images), expected, strict=True):
        shown = CHOSEN.apply(theirs)
        torch.testing.assert_close(mine.boxes, shown.boxes, atol=1e-2, rtol=1e-4)
    raw = detector_from(load_checkpoint(tmp_path / "net.ckpt"), str(tmp_path / "net.ckpt"), "raw")
    for name, value in trained.network.state_dict().items():
        assert torch.equal(raw.network.state_dict()[name], 2 * value)


@pytest.mark.slow
def test_without_a_validation_the_thresholds_are_stated_ones(tmp_path: Path) -> None:
    write(tmp_path / "net.ckpt", None)
    trained = load_trained_detector(tmp_path / "net.ckpt")
    assert trained.thresholds == Thresholds((0.3, 0.3), trained.network.decoding.nms_threshold, "no images")


def test_a_classifier_is_not_a_detector(tmp_path: Path) -> None:
    classifier = write_checkpoint(tmp_path / "c.ckpt", ["cat", "dog"])
    with pytest.raises(ValueError, match=r"c\.ckpt holds a classifier, but this needs a detector"):
        load_trained_detector(classifier)
