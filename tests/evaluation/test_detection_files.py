"""What is written of detections: records, and images with boxes that never replace the images themselves."""

from pathlib import Path

import pytest
import torch
from bright_squares import paint
from PIL import Image

from lit_cnn.data.sources.decoding import RGB
from lit_cnn.detection.boxes import Detections
from lit_cnn.evaluation.detection_files import PictureFolder, as_fields, detection_records
from lit_cnn.evaluation.predict_boxes import FileDetections

NAMES = ["cat", "dog"]


def shown(file: str, error: str | None = None) -> FileDetections:
    found = Detections(torch.tensor([[10.0, 20.0, 50.0, 60.0]]), torch.tensor([0.75]), torch.tensor([1]))
    return FileDetections(file, 7, 160, 120, found if error is None else Detections(*(x[:0] for x in found)), error)


def test_a_record_is_a_row_and_an_entry_of_cocos_results() -> None:
    (record,) = detection_records(shown("a.png"), NAMES, (18, 21))
    assert record.cells == ["a.png", "dog", 0.75, 10, 20, 50, 60]
    assert record.fields == {"image_id": 7, "category_id": 21, "bbox": [10, 20, 40, 40], "score": 0.75}
    assert detection_records(shown("a.png", "broken"), NAMES, (18, 21)) == []


def test_fields_hold_everything_about_an_image() -> None:
    assert as_fields(shown("a.png"), NAMES) == {
        "file": "a.png", "image_id": 7, "width": 160, "height": 120, "error": None,
        "detections": [{"class": "dog", "score": 0.75, "box": [10, 20, 50, 60]}],
    }  # fmt: skip
    assert as_fields(shown("a.png", "broken"), NAMES)["error"] == "broken"


def test_pictures_keep_the_folders_below_the_common_one_and_jpeg_stays_jpeg(tmp_path: Path) -> None:
    files = [paint(tmp_path / "in" / name) for name in ("a/1.jpg", "b/1.png", "b/2.webp")]
    folder = PictureFolder(tmp_path / "out", files, NAMES, RGB)
    for file in files:
        folder.draw(shown(file))
    names = sorted(path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*.*"))
    assert names == ["a/1.jpg", "b/1.png", "b/2.webp.png"]
    with Image.open(tmp_path / "out/a/1.jpg") as picture:
        assert (picture.format, picture.size) == ("JPEG", (160, 120))


def test_a_file_that_cannot_be_read_is_not_drawn(tmp_path: Path) -> None:
    folder = PictureFolder(tmp_path / "out", [str(tmp_path / "a.png")], NAMES, RGB)
    folder.draw(shown(str(tmp_path / "a.png"), "broken"))
    assert list((tmp_path / "out").iterdir()) == []


def test_a_picture_that_would_replace_an_image_is_refused(tmp_path: Path) -> None:
    files = [paint(tmp_path / "a.png"), paint(tmp_path / "x" / "a.png")]
    for folder in (tmp_path, tmp_path / "x"):
        with pytest.raises(ValueError, match=r"would replace the image .*a\.png: name a folder without images$"):
            PictureFolder(folder, files, NAMES, RGB)
