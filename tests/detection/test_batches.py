"""Batches of annotated files: boxes lie on what they enclose, padding and broken files have none."""

import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from tiny_layouts import COLORS, NAMES, Tiny, coco_content, paint, write_coco, write_json, write_voc

from lit_cnn.data.batch import SKIPPED
from lit_cnn.data.loading.sampling import BatchPlan
from lit_cnn.detection.annotations import read_annotations
from lit_cnn.detection.augmentation import BoxAugmentation, BoxTransform, ScaleJitter
from lit_cnn.detection.batches import BoxBatches
from lit_cnn.detection.boxes import BoxBatch
from lit_cnn.detection.preprocessing import CanvasPreprocessing

CANVAS = CanvasPreprocessing((96, 96), (0.485, 0.456, 0.406), (0.229, 0.224, 0.225), (124, 116, 104))


def plan(*rows: int, epoch: int = 0) -> BatchPlan:
    index = np.array(rows, dtype=np.int64)
    return BatchPlan(epoch, index, np.zeros_like(index), np.arange(len(rows)), 1.0)


def training(root: Path, **augmentation: object) -> BoxBatches:
    transform = BoxTransform(BoxAugmentation(**augmentation), CANVAS.frame, seed=3)  # type: ignore[arg-type]
    return BoxBatches(read_annotations(root).train, CANVAS, transform)


def require_painted(batch: BoxBatch, tolerance: float = 1.5) -> None:
    """The pixels in the color of each box's class, among those near the box, are those in it, to ``tolerance`` px."""
    assert len(batch.boxes)
    for box, label, row in zip(batch.boxes, batch.labels.tolist(), batch.rows.tolist(), strict=True):
        color = torch.tensor(COLORS[NAMES[label]])[:, None, None]
        painted = (batch.images[row].int() - color).abs().sum(0) < 60
        left, top, right, bottom = box.tolist()
        near = torch.zeros_like(painted)
        near[max(int(top) - 3, 0) : int(bottom) + 4, max(int(left) - 3, 0) : int(right) + 4] = True
        places = (painted & near).nonzero()
        found = torch.tensor([*places.min(0).values.flip(0).tolist(), *(places.max(0).values.flip(0) + 1).tolist()])
        assert (found - box).abs().max() <= tolerance


def test_evaluated_boxes_lie_on_what_they_enclose(tmp_path: Path) -> None:
    batch = BoxBatches(read_annotations(write_coco(tmp_path)).train, CANVAS)[plan(0, 1, 2, 5)]
    assert batch.images.shape == (4, 3, 96, 96)
    assert batch.images.dtype == torch.uint8
    assert batch.boxes.dtype == torch.float32
    assert batch.rows.tolist() == [0, 1, 1, 2, 2, 2]
    assert batch.scales.tolist() == [1.5] * 4
    require_painted(batch)


def test_augmented_boxes_lie_on_what_they_enclose(tmp_path: Path) -> None:
    batches = training(write_voc(tmp_path), scale_jitter=ScaleJitter((0.6, 1.6)))
    for epoch in range(4):
        require_painted(batches[plan(0, 1, 2, 3, epoch=epoch)])


def test_an_image_is_augmented_the_same_in_any_batch_and_process(tmp_path: Path) -> None:
    batches = training(write_voc(tmp_path), scale_jitter=ScaleJitter((0.6, 1.6)))
    whole, copy = batches[plan(0, 1, 2)], pickle.loads(pickle.dumps(batches))
    alone = copy[plan(2)]
    assert torch.equal(alone.images[0], whole.images[2])
    assert torch.equal(alone.boxes, whole.boxes[whole.rows == 2])
    assert not torch.equal(batches[plan(2, epoch=1)].images, alone.images)


def test_regions_of_crowds_are_not_among_the_targets(tmp_path: Path) -> None:
    image = Tiny("train_00", boxes=[("cat", 2, 2, 20, 20), ("dog", 30, 5, 50, 30)])
    content = coco_content([image])
    content["annotations"][0]["iscrowd"] = 1
    write_json(write_coco(tmp_path, {"train": [image]}) / "annotations" / "instances_train2017.json", content)
    split = read_annotations(tmp_path).train
    assert split.images[0].crowd.tolist() == [True, False]
    for batches in (BoxBatches(split, CANVAS), training(tmp_path)):
        assert batches[plan(0)].labels.tolist() == [1]


def test_padding_has_no_boxes(tmp_path: Path) -> None:
    batch = BoxBatches(read_annotations(write_voc(tmp_path)).train, CANVAS)[plan(-1, 0)]
    assert batch.index.tolist() == [-1, 0]
    assert batch.rows.tolist() == [1]


def test_a_broken_file_stops_and_is_named_or_is_skipped(tmp_path: Path) -> None:
    write_voc(tmp_path)
    (tmp_path / "JPEGImages" / "train_01.png").write_bytes(b"no image")
    split = read_annotations(tmp_path).train
    with pytest.raises(ValueError, match=r"train_01\.png cannot be decoded .*or set data\.on_error to skip"):
        BoxBatches(split, CANVAS)[plan(0, 1)]
    with pytest.warns(UserWarning, match=r"skipped: .*train_01\.png"):
        batch = BoxBatches(split, CANVAS, on_error="skip")[plan(0, 1)]
    assert batch.index.tolist() == [0, SKIPPED]
    assert batch.rows.tolist() == [0]
    assert batch.images[1, :, 0, 0].tolist() == [124, 116, 104]


def test_boxes_of_an_image_of_another_size_are_not_believed(tmp_path: Path) -> None:
    write_voc(tmp_path)
    paint(Tiny("train_01", width=48, height=64), tmp_path / "JPEGImages" / "train_01.png")
    with pytest.raises(ValueError, match=r"train_01\.png is 48x64 px as it is shown, but its annotations are of 64x48"):
        BoxBatches(read_annotations(tmp_path).train, CANVAS)[plan(1)]


def test_gray_files_become_color(tmp_path: Path) -> None:
    write_voc(tmp_path)
    Image.new("L", (64, 48), 77).save(tmp_path / "JPEGImages" / "train_00.png")
    batch = BoxBatches(read_annotations(tmp_path).train, CANVAS)[plan(0)]
    assert batch.images[0, :, 10, 10].tolist() == [77, 77, 77]


def test_a_batch_without_any_box_has_empty_boxes(tmp_path: Path) -> None:
    batch = training(write_voc(tmp_path))[plan(5)]
    assert batch.boxes.shape == (0, 4)
    assert batch.labels.dtype == batch.rows.dtype == torch.int64
