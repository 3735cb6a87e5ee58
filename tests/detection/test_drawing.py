"""Pictures of a detector as arrays: what is dashed, which images are the worst, and that all of them can be drawn."""

import importlib
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock

import numpy as np
import pytest
import torch
from found_boxes import detections, image, nothing, random_set, split
from PIL import Image

from lit_cnn.data.sources.decoding import PixelFormat
from lit_cnn.detection.boxes import AnnotatedSplit, BoxBatch
from lit_cnn.detection.detector import Detector
from lit_cnn.detection.drawing import (
    BATCH,
    SHOWN,
    first_batch,
    mistakes,
    spread,
    truth_and_found,
    validation_pictures,
    worst_rows,
)
from lit_cnn.detection.metrics import DetectionMetrics
from lit_cnn.detection.pictures import DetectionPictures
from lit_cnn.detection.thresholds import Thresholds

LEFT, RIGHT = (0.0, 0.0, 100.0, 100.0), (200.0, 0.0, 300.0, 100.0)
FAR = (400.0, 300.0, 450.0, 350.0)


def on_disk(annotated: AnnotatedSplit, folder: Path) -> AnnotatedSplit:
    for each in annotated.images:
        Image.new("RGB", (each.width, each.height), "gray").save(folder / each.path)
    return replace(annotated, root=str(folder))


def test_missed_and_wrong_boxes_are_named_and_counted() -> None:
    made = mistakes(image([LEFT, RIGHT], [0, 0]), detections([LEFT, LEFT, FAR], [0.9, 0.8, 0.7], [0, 0, 1]))
    assert (made.missed.tolist(), made.wrong.tolist(), made.correct) == ([False, True], [False, True, True], 1)
    assert made.f1 == pytest.approx(2 / (2 + 1 + 2))
    assert str(made) == "1 found, 1 missed, 2 wrong"


def test_difficult_objects_and_crowds_are_neither_missed_nor_wrongly_found() -> None:
    marked = image([LEFT, RIGHT], [0, 0], difficult=[0], crowd=[1])
    assert not mistakes(marked, nothing()).missed.any()
    made = mistakes(marked, detections([LEFT, RIGHT], [0.9, 0.8], [0, 0]))
    assert (made.wrong.any(), made.correct, made.f1) == (False, 0, 1.0)


def test_worst_images_come_by_rising_f1_then_by_mistakes_and_perfect_ones_do_not() -> None:
    truth = split([image([LEFT], [0]), image([LEFT], [0]), image([LEFT, RIGHT], [0, 0]), image([LEFT, RIGHT], [0, 0])])
    right = detections([LEFT], [0.9], [0])
    shown = {0: right, 1: nothing(), 2: nothing(), 3: right}
    assert worst_rows(truth, shown, 8) == [2, 1, 3]
    assert worst_rows(truth, shown, 1) == [2]


def test_rows_are_spread_evenly() -> None:
    assert spread([3, 4, 5, 6, 7], 3) == [3, 5, 7]
    assert spread([3, 4], 8) == [3, 4]
    assert spread([], 8) == []


def test_each_image_comes_with_its_truth_and_with_what_was_found_on_the_tile(tmp_path: Path) -> None:
    truth = on_disk(split([image([LEFT, RIGHT], [0, 1])]), tmp_path)
    sheet = truth_and_found(truth, {0: detections([FAR], [0.75], [1])}, [0], "validation")
    assert sheet["images"].shape == (2, 360, 480, 3)
    assert (sheet["images"][0, :360, :480] == 128).all()  # 640 × 480 fits at 0.75
    np.testing.assert_allclose(sheet["boxes"][0], np.array([LEFT, RIGHT]) * 0.75)
    np.testing.assert_allclose(sheet["boxes"][1], np.array([FAR]) * 0.75)
    assert [each.tolist() for each in sheet["dashed"]] == [[True, True], [True]]
    assert sheet["scores"][0] is None
    assert sheet["scores"][1].tolist() == [0.75]
    assert sheet["captions"] == ["a.jpg", "0 found, 2 missed, 1 wrong"]


def test_files_are_drawn_in_the_pixel_format_of_the_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Image.fromarray(np.full((480, 640), 1000, dtype=np.uint16)).save(tmp_path / "a.png")
    truth = replace(split([replace(image([LEFT], [0]), path="a.png")]), root=str(tmp_path))
    metrics = DetectionMetrics(truth)
    metrics.update(torch.tensor([0]), [nothing()])
    module = Mock(spec=Detector, validated=metrics, thresholds=Thresholds((0.5, 0.5), 0.5, "val"))
    data = SimpleNamespace(pixel_format=PixelFormat(levels=(0, 2000)))
    trainer = SimpleNamespace(
        lightning_module=module, datamodule=data, is_global_zero=True, current_epoch=0, global_step=3
    )
    drawn: dict[str, dict[str, Any]] = {}
    pictures = DetectionPictures(tmp_path)
    monkeypatch.setattr(pictures, "draw", lambda _, name, __, **arguments: drawn.update({name: arguments}))
    pictures.draw_validation(trainer)  # type: ignore[arg-type]
    for name in ("found_boxes", "worst_images"):
        assert (drawn[name]["images"] == 128).all()


def test_a_file_that_is_gone_is_drawn_white(tmp_path: Path) -> None:
    truth = replace(split([image([LEFT], [0])]), root=str(tmp_path))
    assert (truth_and_found(truth, {0: nothing()}, [0], "")["images"] == 255).all()


@pytest.mark.slow
def test_all_pictures_of_a_validation_can_be_drawn(tmp_path: Path) -> None:
    truth, found = random_set(SHOWN + 2)
    metrics = DetectionMetrics(on_disk(truth, tmp_path))
    metrics.update(torch.arange(len(found)), found)
    pictures = validation_pictures(metrics, Thresholds((0.5,) * 3, 0.5, "val"), "epoch 3")
    assert [each.name for each in pictures] == ["found_boxes", "worst_images", "precision_recall", "confusion"]
    assert len(pictures[0].arguments["images"]) == 2 * SHOWN
    assert "lowest F1 at IoU 0.5" in pictures[1].arguments["title"]
    for name, function, arguments in pictures[1:]:  # the first is drawn as the second
        module, _, draw = function.rpartition(".")
        getattr(importlib.import_module(f"lit_cnn.reports.{module}"), draw)(out_png=tmp_path / name, **arguments)
        assert (tmp_path / name).stat().st_size > 1000


def test_dots_of_the_curves_are_at_the_chosen_scores() -> None:
    metrics = DetectionMetrics(split([image([LEFT, RIGHT], [0, 0])]))
    metrics.update(torch.tensor([0]), [detections([LEFT, FAR, RIGHT], [0.9, 0.8, 0.3], [0, 0, 0])])
    curves = validation_pictures(metrics, Thresholds((0.5, 0.5), 0.5, "val"), "")[-2].arguments
    assert curves["chosen"] == [(0.5, 0.5), (0.0, 1.0)]
    assert curves["average_precisions"][1] == -1


def test_the_first_batch_shows_each_image_with_its_own_boxes() -> None:
    images = torch.zeros(BATCH + 1, 3, 8, 12, dtype=torch.uint8)
    rows = torch.tensor([0, 0, 2])
    zeros = torch.zeros(len(images))
    batch = BoxBatch(
        images, torch.arange(12.0).reshape(3, 4), torch.tensor([1, 0, 1]), rows, torch.ones(3), zeros,
        torch.zeros(len(images), 2), zeros.long(), zeros.long(), torch.ones(()),
    )  # fmt: skip
    arguments = first_batch(images, batch, ["cat", "dog"]).arguments
    assert arguments["images"].shape == (BATCH, 8, 12, 3)
    assert [each.tolist() for each in arguments["labels"]][:3] == [[1, 0], [], [1]]
    assert arguments["boxes"][2].tolist() == [[8, 9, 10, 11]]
