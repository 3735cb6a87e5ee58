"""What a checkpoint records of the canvas is read back, and nothing else is."""

import json

import pytest
import torch

from lit_cnn.detection.preprocessing import CanvasPreprocessing

SETTINGS = CanvasPreprocessing((48, 64), (0.5, 0.4, 0.3), (0.2, 0.2, 0.2), (128, 102, 76), levels=(0, 4095))


def test_it_is_read_back_from_json() -> None:
    assert CanvasPreprocessing.from_dict(json.loads(json.dumps(SETTINGS.as_dict()))) == SETTINGS


@pytest.mark.parametrize("change", [{"image_size": [8, 8]}, {"fill": None}])
def test_missing_or_unknown_entries_are_named(change: dict) -> None:
    values = {**SETTINGS.as_dict(), **change}
    values = {name: value for name, value in values.items() if value is not None or name == "background"}
    with pytest.raises(ValueError, match=f"missing or unknown entries.*{next(iter(change))}"):
        CanvasPreprocessing.from_dict(values)


def test_its_canvas_and_pixels_are_the_recorded_ones() -> None:
    framed = SETTINGS.frame.frame(torch.zeros(3, 48, 32, dtype=torch.uint8))
    assert framed.image.shape == (3, 48, 64)
    assert framed.image[:, 0, -1].tolist() == [128, 102, 76]
    assert SETTINGS.pixel_format.levels == (0, 4095)
    assert SETTINGS.pixel_format.channels == 3
