"""Objects in files: in pixels of the file, above the thresholds, and files that cannot be read."""

from pathlib import Path

import pytest
import torch
from bright_squares import paint, trained

from lit_cnn.data.sources.decoding import PixelFormat
from lit_cnn.evaluation.predict import file_images
from lit_cnn.evaluation.predict_boxes import BATCH_SIZE, FileDetections, detect_files, find_objects
from lit_cnn.evaluation.trained_detector import TrainedDetector


def found_in(
    files: list[str], detector: TrainedDetector | None = None, max_pixels: int | None = None, workers: int = 0
) -> list[FileDetections]:
    images = file_images(files, PixelFormat(max_pixels=max_pixels), workers, "skip")
    return [each for batch in detect_files(detector or trained(), images) for each in batch]


def test_boxes_are_in_pixels_of_the_file(tmp_path: Path) -> None:
    wide = paint(tmp_path / "7.png", red=(40, 20, 80, 60), green=(100, 40, 140, 120))
    tall = paint(tmp_path / "tall.png", red=(20, 200, 60, 240), size=(120, 240))
    first, second = found_in([wide, tall])
    assert (first.file, first.image_id, first.width, first.height, first.error) == (wide, 7, 160, 120, None)
    torch.testing.assert_close(
        first.found.boxes, torch.tensor([[40, 20, 80, 60], [100, 40, 140, 120.0]]), atol=2.1, rtol=0
    )
    assert first.found.labels.tolist() == [0, 1]
    assert (second.image_id, second.width, second.height) == ("tall", 120, 240)
    torch.testing.assert_close(second.found.boxes, torch.tensor([[20, 200, 60, 240.0]]), atol=4.1, rtol=0)


def test_files_of_equal_names_have_different_ids(tmp_path: Path) -> None:
    files = [paint(tmp_path / folder / "1.png") for folder in "ab"]
    assert [each.image_id for each in found_in(files)] == ["a/1", "b/1"]


def test_what_is_below_the_score_of_its_class_is_not_shown(tmp_path: Path) -> None:
    file = paint(tmp_path / "a.png", red=(40, 20, 80, 60), green=(100, 40, 140, 120))
    (image,) = found_in([file], trained(score=(0.5, 0.5)))
    assert image.found.labels.tolist() == [0]


def test_stated_thresholds_replace_the_chosen_ones_and_reach_the_network() -> None:
    detector = trained()
    detector.show(score=0.01, nms=0.8)
    assert (detector.thresholds.score, detector.thresholds.nms) == ((0.01, 0.01), 0.8)
    assert (detector.network.decoding.score_threshold, detector.network.decoding.nms_threshold) == (0.01, 0.8)
    kept = trained()
    kept.show(nms=0.1)
    assert (kept.thresholds.score, kept.thresholds.nms) == ((0.5, 0.2), 0.1)
    assert kept.network.decoding == trained().network.decoding


def test_files_come_in_order_with_those_that_cannot_be_read_named(tmp_path: Path) -> None:
    good = [paint(tmp_path / f"{number}.png", red=(0, 0, 40, 40)) for number in range(BATCH_SIZE + 1)]
    (tmp_path / "broken.png").write_bytes(b"no image")
    files = [str(tmp_path / "broken.png"), *good[:4], str(tmp_path / "gone.png"), *good[4:]]
    images = found_in(files)
    assert [image.file for image in images] == files
    assert [len(image.found.scores) for image in images] == [0, *[1] * 4, 0, *[1] * (BATCH_SIZE - 3)]
    assert "broken.png cannot be decoded" in str(images[0].error)
    assert "gone.png" in str(images[5].error)
    assert all(image.error is None for image in images if len(image.found.scores))


def test_an_image_of_too_many_pixels_says_how_to_read_it(tmp_path: Path) -> None:
    (image,) = found_in([paint(tmp_path / "a.png")], max_pixels=1000)
    assert str(image.error).endswith("or raise --max-pixels")


def test_in_python_a_broken_file_ends_the_work_or_is_named(tmp_path: Path) -> None:
    good = paint(tmp_path / "good.png", red=(0, 0, 40, 40))
    (tmp_path / "broken.png").write_bytes(b"no image")
    files = [Path(good), tmp_path / "broken.png"]
    first, second = find_objects(trained(), files, on_error="skip")
    assert (len(first.found.scores), first.error) == (1, None)
    assert "broken.png cannot be decoded" in str(second.error)
    with pytest.raises(ValueError, match=r"broken\.png cannot be decoded"):
        find_objects(trained(), files)


def test_one_path_is_a_list_of_one_and_a_file_that_was_never_there_does_not_exist(tmp_path: Path) -> None:
    good = paint(tmp_path / "good.png", red=(0, 0, 40, 40))
    assert [image.file for image in find_objects(trained(), good)] == [good]
    with pytest.raises(ValueError, match=r"gone\.png does not exist"):
        find_objects(trained(), tmp_path / "gone.png")


@pytest.mark.slow
def test_other_processes_find_the_same(tmp_path: Path) -> None:
    files = [paint(tmp_path / f"{number}.png", red=(0, 0, 40 + number, 40)) for number in range(5)]
    (tmp_path / "2.png").write_bytes(b"no image")
    alone, shared = found_in(files), found_in(files, workers=2)
    for one, other in zip(alone, shared, strict=True):
        assert torch.equal(one.found.boxes, other.found.boxes)
        assert (one.file, one.error) == (other.file, other.error)
