"""Detections in image files as files: COCO's results, rows of a table, and the images with their boxes."""

import os
from collections.abc import Sequence
from os.path import commonpath
from pathlib import Path
from typing import Any

from lit_cnn.data.sources.decoding import PixelFormat
from lit_cnn.data.sources.folders import read_file
from lit_cnn.detection.results_file import coco_results
from lit_cnn.evaluation.predict_boxes import FileDetections
from lit_cnn.evaluation.record_file import Record, RecordFile
from lit_cnn.reports.box_image import draw_box_image

COLUMNS = ("file", "class", "score", "left", "top", "right", "bottom")
JPEG = (".jpg", ".jpeg")
TABLE, RESULTS = "detections.csv", "results.json"
"""Names of the files in a folder of pictures."""


def detection_file(path: Path) -> RecordFile:
    """A file for ``detection_records``: as .csv a row for each box, as .json COCO's results."""
    return RecordFile(path, COLUMNS)


def detection_records(image: FileDetections, class_names: Sequence[str], category_ids: Sequence[int]) -> list[Record]:
    """A record for each box in an image."""
    results = coco_results(image.image_id, image.found, category_ids)
    rows = [
        [image.file, class_names[label], round(score, 6), *(round(side, 3) for side in box)]
        for box, score, label in zip(*(part.tolist() for part in image.found), strict=True)
    ]
    return [Record(row, result) for row, result in zip(rows, results, strict=True)]


def as_fields(image: FileDetections, class_names: Sequence[str]) -> dict[str, Any]:
    """An image and all that was found in it as built-in types."""
    found = [
        {"class": class_names[label], "score": round(score, 6), "box": [round(side, 3) for side in box]}
        for box, score, label in zip(*(part.tolist() for part in image.found), strict=True)
    ]
    sides = {"width": image.width, "height": image.height}
    return {"file": image.file, "image_id": image.image_id, **sides, "detections": found, "error": image.error}


class PictureFolder:
    """A folder for image files with their boxes drawn in, named as the files are below the folder that holds them all.

    JPEG files stay JPEG, others become PNG.

    Args:
        folder: It is made.
        files: All image files that may come.
        class_names: K names.
        pixel_format: What the pixels of a file become.

    Raises:
        ValueError: If a picture would replace one of the files.
    """

    def __init__(
        self, folder: Path, files: Sequence[str], class_names: Sequence[str], pixel_format: PixelFormat
    ) -> None:
        self.folder, self.class_names, self.pixel_format = folder, class_names, pixel_format
        self._common = commonpath([os.path.dirname(os.path.abspath(file)) for file in files])
        own = {os.path.abspath(file) for file in files}
        if replaced := next((file for file in files if os.path.abspath(self.place(file)) in own), None):
            raise ValueError(
                f"--out {folder} would replace the image {self.place(replaced)}: name a folder without images"
            )
        folder.mkdir(parents=True, exist_ok=True)

    def place(self, file: str) -> Path:
        """Where a file is drawn."""
        below = Path(os.path.relpath(os.path.abspath(file), self._common))
        kept = below.suffix.lower() in (*JPEG, ".png")
        return self.folder / (below if kept else below.with_name(f"{below.name}.png"))

    def draw(self, image: FileDetections) -> None:
        """Draw what was found in a file; nothing where it could not be read."""
        if image.error is not None:
            return
        pixels = read_file(image.file, self.pixel_format).pixels().permute(1, 2, 0).numpy()
        boxes, scores, labels = (part.numpy() for part in image.found)
        place = self.place(image.file)
        place.parent.mkdir(parents=True, exist_ok=True)
        draw_box_image(pixels, boxes, labels, self.class_names, place, scores=scores)
