import pytest
import torch

from lit_cnn.detection.decoding import DecodingSettings, LevelBoxes, select

CANVAS = (50, 100)


def level(*rows: tuple[list[float], list[float]]) -> LevelBoxes:
    return LevelBoxes(torch.tensor([scores for _, scores in rows]), torch.tensor([box for box, _ in rows]))


def test_the_best_of_overlapping_boxes_of_a_class_is_kept_over_levels() -> None:
    fine = level(([0.0, 0, 10, 10], [0.9, 0.0]), ([40.0, 0, 60, 20], [0.04, 0.3]))
    coarse = level(([0.0, 0, 10, 11], [0.8, 0.7]))
    found = select([fine, coarse], CANVAS, DecodingSettings(score_threshold=0.05))
    assert found.scores.tolist() == pytest.approx([0.9, 0.7, 0.3])
    assert found.labels.tolist() == [0, 1, 1]
    assert found.boxes.tolist() == [[0, 0, 10, 10], [0, 0, 10, 11], [40, 0, 60, 20]]


def test_boxes_are_clipped_to_the_canvas_and_counted() -> None:
    rows = level(([-5.0, -5, 200, 20], [0.5]), ([60.0, 30, 70, 90], [0.6]), ([0.0, 40, 9, 49], [0.4]))
    found = select([rows], CANVAS, DecodingSettings(max_detections=2))
    assert found.boxes.tolist() == [[60, 30, 70, 50], [0, 0, 100, 20]]
    assert select([rows], CANVAS, DecodingSettings(candidates=1)).scores.tolist() == pytest.approx([0.6])


def test_an_image_without_candidates_has_no_detections() -> None:
    found = select([level(([0.0, 0, 9, 9], [0.01, 0.02]))], CANVAS, DecodingSettings())
    assert found.boxes.shape == (0, 4)
    assert found.scores.shape == found.labels.shape == (0,)
    assert found.labels.dtype == torch.int64


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("score_threshold", 1.5, r"decoding.score_threshold must be in \[0, 1\], got 1.5"),
        ("nms_threshold", -0.1, r"decoding.nms_threshold must be in \[0, 1\], got -0.1"),
        ("max_detections", 0, "decoding.max_detections must be at least 1, got 0"),
        ("candidates", 0, "decoding.candidates must be at least 1, got 0"),
    ],
)
def test_settings_are_checked(name: str, value: float, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        DecodingSettings(**{name: value})  # type: ignore[arg-type]


def test_each_class_may_have_a_box_of_its_own() -> None:
    boxes = torch.tensor([[[0.0, 0, 10, 10], [20, 20, 40, 40]]])
    found = select([LevelBoxes(torch.tensor([[0.6, 0.9]]), boxes)], (50, 50), DecodingSettings())
    assert found.labels.tolist() == [1, 0]
    assert found.boxes.tolist() == [[20, 20, 40, 40], [0, 0, 10, 10]]
