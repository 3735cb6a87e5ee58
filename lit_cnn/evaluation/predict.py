"""Classes of image files."""

import csv
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from lit_cnn.data.loading.workers import available_cores, default_workers
from lit_cnn.data.sources.arrays import ArraySplit
from lit_cnn.data.sources.decoding import PixelFormat
from lit_cnn.data.sources.file_index import PathTable
from lit_cnn.data.sources.folders import FolderSplit
from lit_cnn.data.sources.pillow_limits import MAX_PIXELS
from lit_cnn.data.sources.tree import list_images
from lit_cnn.evaluation.images import EvaluationImages, Prepare
from lit_cnn.evaluation.logits import Advance, stream
from lit_cnn.evaluation.test_time_augmentation import make_views

if TYPE_CHECKING:
    from lit_cnn.evaluation.trained import Trained

BATCH_SIZE = 32
"""Images that are predicted at once."""


@dataclass(frozen=True)
class Prediction:
    """The most probable classes of one image, the best first; ``file`` is its path, or its number in a tensor."""

    file: str
    classes: list[str]
    probabilities: list[float]


def predict_files(trained: "Trained", images: EvaluationImages, advance: Advance | None = None) -> list[Prediction]:
    """The top classes (at most five) of the center crop of each file of ``file_images``.

    Raises:
        ValueError: If a file cannot be decoded, naming it.
    """
    assert isinstance(images.split, FolderSplit)
    return _predictions(
        trained, images, make_views("center", trained.preprocessing), images.split.paths, advance=advance
    )


def predict_pixels(trained: "Trained", pixels: Tensor) -> list[Prediction]:
    """The top classes (at most five) of uint8 pixels (N, C, H, W) at the size of the preprocessing."""
    images = EvaluationImages(
        ArraySplit(pixels, torch.zeros(len(pixels), dtype=torch.int64)), PixelFormat(pixels.shape[1]), ""
    )
    return _predictions(trained, images, _as_they_are, [str(number) for number in range(len(pixels))])


def _as_they_are(pixels: Tensor, _: Tensor) -> list[Tensor]:
    return [pixels[:, None]]


def _predictions(
    trained: "Trained",
    images: EvaluationImages,
    prepare: Prepare,
    names: Sequence[str],
    advance: Advance | None = None,
) -> list[Prediction]:
    count = min(5, len(trained.class_names))
    found = {}
    for block in stream(trained, images, prepare, BATCH_SIZE, advance):
        best = block.logits.softmax(dim=1).topk(count, dim=1)
        columns = block.rows.tolist(), best.values.tolist(), best.indices.tolist()
        for row, probabilities, classes in zip(*columns, strict=True):
            found[row] = Prediction(names[row], [trained.class_names[index] for index in classes], probabilities)
    return [found[row] for row in sorted(found)]  # without the broken files that ``on_error`` skips


def file_images(files: Iterable[str | Path], pixel_format: PixelFormat, workers: int | None = None) -> EvaluationImages:
    """Image files as a split, without labels (all are 0).

    Args:
        files: Their paths.
        pixel_format: What their pixels become.
        workers: Processes that decode; None takes one for each core, up to 8, where there is more than one batch.
    """
    paths = PathTable.of(str(file) for file in files)
    if workers is None:
        workers = default_workers(in_memory=len(paths) <= BATCH_SIZE, cores=available_cores())
    split = FolderSplit(paths, torch.zeros(len(paths), dtype=torch.int64))
    return EvaluationImages(split, pixel_format, "the given files", workers)


def find_images(names: list[str]) -> list[str]:
    """Image files of files and folders, in order.

    Raises:
        ValueError: If a name does not exist or a folder holds no image.
    """
    files: list[str] = []
    for name in names:
        path = Path(name).expanduser()
        if path.is_dir():
            found = list_images(path)
            if not found:
                raise ValueError(f"the folder {name} holds no image")
            files += found
        elif path.is_file():
            files.append(str(path))
        else:
            raise ValueError(f"there is no image {name}")
    return files


def readable_files(trained: "Trained", files: Sequence[str], max_pixels: int | None = MAX_PIXELS) -> EvaluationImages:
    """The files as a split; where the recipe says ``data.on_error`` skip, broken ones are left out, of which those of
    more than ``max_pixels`` are some."""
    images = file_images(files, replace(trained.preprocessing.pixel_format, max_pixels=max_pixels))
    skips = trained.recipe.get("data", {}).get("on_error") == "skip"
    return replace(images, on_error="skip") if skips else images


def write_predictions(predictions: list[Prediction], path: Path) -> None:
    """Write CSV or JSON, by the ending of ``path``.

    Raises:
        ValueError: If the ending is another.
    """
    if path.suffix == ".json":
        path.write_text(json.dumps([vars(prediction) for prediction in predictions], indent=2) + "\n")
    elif path.suffix == ".csv":
        # names that are not UTF-8 keep their bytes
        with path.open("w", newline="", encoding="utf-8", errors="surrogateescape") as file:
            writer = csv.writer(file)
            width = len(predictions[0].classes) if predictions else 0
            columns = [f"{name}{rank}" for rank in range(1, width + 1) for name in ("class", "probability")]
            writer.writerow(["file", *columns])
            for prediction in predictions:
                pairs = zip(prediction.classes, prediction.probabilities, strict=True)
                writer.writerow([prediction.file, *[value for pair in pairs for value in pair]])
    else:
        raise ValueError(f"predictions are written as .csv or .json, not {path.suffix or 'without an ending'}: {path}")
