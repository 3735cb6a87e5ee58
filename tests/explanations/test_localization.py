"""The overlaps of one map by hand, and images whose classes and boxes are read for a classifier."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from corner_net import NAMES, CornerNet
from PIL import Image
from test_explain import write_net
from tiny_layouts import Tiny, write_voc

from lit_cnn.data.crop_geometry import CropGeometry
from lit_cnn.data.sources.decoding import BrokenImage
from lit_cnn.detection.annotations import read_annotations
from lit_cnn.evaluation.trained import Trained, load_trained
from lit_cnn.explanations.boxed_images import boxed_images, mean_box_size, present_split
from lit_cnn.explanations.localization import THRESHOLDS, MapSource, found_box, localize, overlaps_of

MAX_PIXELS = 10**6


@pytest.fixture
def trained(tmp_path: Path) -> Trained:
    path = write_net(tmp_path / "net.ckpt", CornerNet(), "corner_net.CornerNet")
    return load_trained(path, trust=["corner_net.CornerNet"])


def test_overlaps_by_hand() -> None:
    levels = torch.tensor([[4.0, 4.0, 0.0, 1.0], [4.0, 4.0, 0.0, 1.0], [-9.0, 0.0, 0.0, 1.0], [0.0, 0.0, 0.0, 1.0]])
    true = torch.tensor([[6.0, 0.0, 8.0, 8.0], [0.0, 0.0, 4.0, 8.0]], dtype=torch.float64)
    geometry = CropGeometry((8, 8), (4, 4), 0, 0, (4, 4))  # twice as large as the crop
    found = overlaps_of(levels, true, geometry, 0.15)
    assert found.largest.tolist() == [0.5] * 100  # of 4 positions each, the first: upper half of the second box
    assert found.any.tolist() == [1.0 if each <= 0.25 else 0.5 for each in THRESHOLDS]
    box = found_box(levels, geometry, 0.15)
    assert box is not None
    assert box.tolist() == [0, 0, 4, 4]


def test_a_map_without_evidence_overlaps_nothing() -> None:
    geometry, true = CropGeometry((4, 4), (4, 4), 0, 0, (4, 4)), torch.tensor([[0.0, 0.0, 4.0, 4.0]]).double()
    found = overlaps_of(torch.full((4, 4), -1.0), true, geometry, 0.15)
    assert not found.largest.any()
    assert not found.any.any()
    assert found_box(torch.zeros(4, 4), geometry, 0.15) is None


def test_images_of_many_sizes_come_in_their_order_with_maps_of_the_first(trained: Trained, tmp_path: Path) -> None:
    images = [Tiny(f"{n:02}", 40 + n, 30, boxes=[("red", 4, 4, 20, 20)]) for n in range(18)]
    annotated = read_annotations(write_voc(tmp_path / "voc", {"train": images}))
    boxed = boxed_images(trained, annotated, "train", 0, MAX_PIXELS)
    found = localize(MapSource(trained, None), boxed, 0.15, keep_maps=2)
    assert [Path(each.name).stem for each in found] == [each.name for each in images]
    assert [each.geometry.file for each in found] == [(30, 40 + n) for n in range(18)]
    assert [len(each.maps) > 0 for each in found] == [True, True, *[False] * 16]


def test_a_file_of_another_size_than_its_boxes_is_refused_or_skipped(trained: Trained, tmp_path: Path) -> None:
    images = [Tiny(name, boxes=[("red", 4, 4, 20, 20)]) for name in "ab"]
    annotated = read_annotations(write_voc(tmp_path / "voc", {"train": images}))
    Image.new("RGB", (32, 24)).save(tmp_path / "voc" / "JPEGImages" / "b.png")
    boxed = boxed_images(trained, annotated, "train", 0, MAX_PIXELS)
    with pytest.raises(BrokenImage, match=r"b\.png is 32x24 px as it is shown, but its annotations are of 64x48 px"):
        localize(MapSource(trained, None), boxed, 0.15)
    broken: dict[int, object] = {}
    skipping = replace(boxed, images=replace(boxed.images, on_error="skip", on_broken=broken.__setitem__))
    assert len(localize(MapSource(trained, None), skipping, 0.15)) == 1
    assert list(broken) == [1]


def test_boxes_are_of_the_networks_classes_and_images_without_any_are_counted(trained: Trained, tmp_path: Path) -> None:
    images = [
        Tiny("a", boxes=[("red", 2, 2, 10, 10), ("blue", 20, 20, 36, 32), ("blue", 40, 2, 50, 12)]),
        Tiny("b"),
    ]
    annotated = read_annotations(write_voc(tmp_path / "voc", {"train": images}))
    boxed = boxed_images(trained, annotated, "train", 0, MAX_PIXELS)
    assert len(boxed) == 1
    assert {number: len(boxes) for number, boxes in boxed.boxes[0].items()} == {
        NAMES.index("red"): 1,
        NAMES.index("blue"): 2,
    }
    assert boxed.boxes[0][NAMES.index("red")].tolist() == [[2, 2, 10, 10]]
    assert "1 of 2 train images have no box: left out" in boxed.notes
    assert mean_box_size(annotated.train) == pytest.approx(((8 + 16 + 10) / 3 / 64, (8 + 12 + 10) / 3 / 48))


def test_the_split_is_test_where_there_is_one(tmp_path: Path) -> None:
    images = [Tiny("a", boxes=[("red", 2, 2, 10, 10)])]
    for splits, expected in ((["train"], "train"), (["train", "val"], "val"), (["train", "val", "test"], "test")):
        made = {split: [Tiny(f"{split}", boxes=images[0].boxes)] for split in splits}
        annotated = read_annotations(write_voc(tmp_path / expected, made))
        assert present_split(annotated, None) == expected
        assert present_split(annotated, "train") == "train"
