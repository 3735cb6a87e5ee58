"""Objects in image files."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from lit_cnn.data.loading.workers import leave_interrupts_to_the_parent
from lit_cnn.data.settings import OnError
from lit_cnn.data.sources.decoding import BrokenImage, TooManyPixels, attempt
from lit_cnn.data.sources.folders import FolderSplit
from lit_cnn.detection.boxes import Detections
from lit_cnn.detection.canvas import Canvas
from lit_cnn.detection.results_file import image_ids_of
from lit_cnn.evaluation.images import EvaluationImages, Problem
from lit_cnn.evaluation.logits import Advance
from lit_cnn.evaluation.predict import file_images
from lit_cnn.evaluation.trained_detector import TrainedDetector

BATCH_SIZE = 8
"""Images that are looked at at once."""


@dataclass(frozen=True, eq=False)
class FileDetections:
    """What is shown in one image file.

    Attributes:
        file: Its path.
        image_id: What results call it, different from that of every other file that it was looked at with.
        width: Of the image in pixels; 0 where it cannot be read.
        height: Of the image in pixels.
        found: In pixels of the file.
        error: What is wrong with a file that cannot be read, else None.
    """

    file: str
    image_id: int | str
    width: int
    height: int
    found: Detections
    error: str | None = None


class FramedFile(NamedTuple):
    """An image file on the canvas.

    Attributes:
        image: (3, H, W) uint8.
        scale: Pixels of the canvas per pixel of the file.
        offset: (x, y) on the canvas of the file's upper left corner.
        width: Of the file in pixels.
        height: Of the file in pixels.
    """

    image: Tensor
    scale: float
    offset: tuple[float, float]
    width: int
    height: int


class FramedFiles(Dataset["FramedFile | Problem"]):
    """Each image file on the canvas, or what is wrong with it.

    Args:
        images: The files.
        canvas: What they are fitted into.
    """

    def __init__(self, images: EvaluationImages, canvas: Canvas) -> None:
        self.images, self.canvas = images, canvas

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, row: int) -> "FramedFile | Problem":
        return attempt(partial(self._framed, row))

    def _framed(self, row: int) -> FramedFile:
        pixels = self.images.image(row)
        return FramedFile(*self.canvas.frame(pixels), pixels.shape[-1], pixels.shape[-2])


def detect_files(
    trained: TrainedDetector, images: EvaluationImages, advance: Advance | None = None
) -> Iterator[list[FileDetections]]:
    """What is shown in each file of ``file_images``, in batches and in order; one that cannot be read has an
    ``error``."""
    assert isinstance(images.split, FolderSplit)
    paths = list(images.split.paths)
    named = iter(zip(paths, image_ids_of(paths), strict=True))
    files = FramedFiles(images, trained.preprocessing.frame)
    batches = DataLoader(
        files,
        BATCH_SIZE,
        collate_fn=list,
        num_workers=images.workers,
        worker_init_fn=leave_interrupts_to_the_parent,
    )
    for batch in batches:
        readable = [each for each in batch if isinstance(each, FramedFile)]
        found = iter(_detect(trained, readable))
        yield [_named(*next(named), each, found) for each in batch]
        if advance is not None:
            advance(len(batch))


def find_objects(
    trained: TrainedDetector,
    files: str | Path | Iterable[str | Path],
    workers: int = 0,
    on_error: OnError = "stop",
) -> list[FileDetections]:
    """What is shown in each image file.

    Args:
        trained: As ``load_trained_detector`` gives it.
        files: Their paths, or the path of one.
        workers: Processes that decode files; 0 does it in this one.
        on_error: What a file that cannot be read does: stop raises a ValueError that names it, skip gives it an
            ``error``.
    """
    images = file_images(files, trained.preprocessing.pixel_format, workers, on_error)
    found = [each for batch in detect_files(trained, images) for each in batch]
    if on_error == "stop":
        for each in found:
            if each.error is not None:
                raise BrokenImage(each.error)
    return found


def _detect(trained: TrainedDetector, files: Sequence[FramedFile]) -> list[Detections]:
    """Of each, in pixels of the file."""
    if not files:
        return []
    found = trained.detect(torch.stack([file.image for file in files]))
    return [
        Canvas.to_file(each, file.scale, file.offset, file.width, file.height)
        for each, file in zip(found, files, strict=True)
    ]


def _named(path: str, image_id: int | str, file: "FramedFile | Problem", found: Iterator[Detections]) -> FileDetections:
    if isinstance(file, FramedFile):
        return FileDetections(path, image_id, file.width, file.height, next(found))
    problem = file.with_advice("raise --max-pixels") if isinstance(file, TooManyPixels) else file
    nothing = Detections(torch.zeros(0, 4), torch.zeros(0), torch.zeros(0, dtype=torch.int64))
    return FileDetections(path, image_id, 0, 0, nothing, str(problem) or type(problem).__name__)
