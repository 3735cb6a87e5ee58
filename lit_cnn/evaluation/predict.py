"""Classes of image files."""

import contextlib
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from lit_cnn.data.loading.workers import available_cores, default_workers
from lit_cnn.data.settings import OnError
from lit_cnn.data.sources.arrays import ArraySplit
from lit_cnn.data.sources.decoding import RGB, EncodedImage, PixelFormat, TooManyPixels
from lit_cnn.data.sources.file_index import PathTable
from lit_cnn.data.sources.folders import FolderSplit
from lit_cnn.evaluation.choices import TOP_K
from lit_cnn.evaluation.images import EvaluationImages, NothingReadable, Prepare, Problem
from lit_cnn.evaluation.logits import Advance, Block, stream
from lit_cnn.evaluation.test_time_augmentation import make_views

if TYPE_CHECKING:
    from lit_cnn.evaluation.trained import Trained

BATCH_SIZE = 32
"""Images that are predicted at once."""


@dataclass(frozen=True)
class Prediction:
    """The most probable classes of one image.

    Attributes:
        file: Its path, or its number in a tensor.
        classes: Names, the most probable first; none where the file cannot be read.
        probabilities: Of these classes.
        error: What is wrong with a file that cannot be read, else None.
    """

    file: str
    classes: list[str]
    probabilities: list[float]
    error: str | None = None


def predict_files(
    trained: "Trained", images: EvaluationImages, top_k: int = TOP_K, advance: Advance | None = None
) -> Iterator[list[Prediction]]:
    """The ``top_k`` classes of the center crop of each file of ``file_images``, in batches and in order.

    Raises:
        BrokenImage: If a file cannot be read and ``images.on_error`` is stop; under skip its prediction has an
            ``error``.
    """
    assert isinstance(images.split, FolderSplit)
    views = make_views("center", trained.preprocessing)
    return _predictions(trained, images, views, images.split.paths, top_k, advance)


def predict_pixels(trained: "Trained", pixels: Tensor, top_k: int = TOP_K) -> Iterator[list[Prediction]]:
    """The ``top_k`` classes of pixels (N, C, H, W).

    Floating-point ones and those of the size of the preprocessing are taken as they are; uint8 ones of another size are
    resized and cropped as the pixels of a file are.
    """
    as_they_are = pixels.is_floating_point() or (pixels.shape[-2], pixels.shape[-1]) == trained.preprocessing.image_size
    prepare: Prepare = _as_they_are if as_they_are else make_views("center", trained.preprocessing)
    images = EvaluationImages(
        ArraySplit(pixels, torch.zeros(len(pixels), dtype=torch.int64)), PixelFormat(pixels.shape[1]), ""
    )
    return _predictions(trained, images, prepare, [str(number) for number in range(len(pixels))], top_k)


def _as_they_are(pixels: Tensor, _: Tensor) -> list[Tensor]:
    return [pixels[:, None]]


def _predictions(
    trained: "Trained",
    images: EvaluationImages,
    prepare: Prepare,
    names: Sequence[str],
    top_k: int,
    advance: Advance | None = None,
) -> Iterator[list[Prediction]]:
    broken: dict[int, str] = {}

    def note(row: int, problem: Problem) -> None:
        if isinstance(problem, TooManyPixels):
            problem = problem.with_advice("raise --max-pixels")
        broken[row] = str(problem) or type(problem).__name__
        if advance is not None:
            advance(1)

    def broken_before(row: int) -> Iterator[Prediction]:
        while broken and (first := next(iter(broken))) < row:
            yield Prediction(names[first], [], [], broken.pop(first))

    with contextlib.suppress(NothingReadable):
        for block in stream(trained, replace(images, on_broken=note), prepare, BATCH_SIZE, advance):
            batch = []
            for row, classes, probabilities in _top_classes(trained, block, top_k):
                batch += [*broken_before(row), Prediction(names[row], classes, probabilities)]
            yield batch
    yield list(broken_before(len(images)))


def _top_classes(trained: "Trained", block: Block, top_k: int) -> Iterator[tuple[int, list[str], list[float]]]:
    """Row, classes and probabilities of each image of a block."""
    order = block.logits.argsort(dim=1, descending=True, stable=True)[:, :top_k]
    best = block.logits.softmax(dim=1).gather(1, order)
    for row, values, indices in zip(block.rows.tolist(), best.tolist(), order.tolist(), strict=True):
        yield row, [trained.class_names[index] for index in indices], values


class NamedFiles(FolderSplit):
    """Files that a caller named, of which some may never have been there."""

    def read(self, row: int, pixel_format: PixelFormat = RGB) -> EncodedImage:
        """The file of a row.

        Raises:
            FileNotFoundError: If it does not exist, naming it; BrokenImage if it cannot be read.
        """
        try:
            return super().read(row, pixel_format)
        except FileNotFoundError:
            if os.path.islink(self.paths[row]):
                raise
            raise FileNotFoundError(f"the image {self.paths[row]} does not exist; correct its path") from None


def file_images(
    files: str | Path | Iterable[str | Path],
    pixel_format: PixelFormat,
    workers: int | None = None,
    on_error: OnError = "stop",
) -> EvaluationImages:
    """Image files as a split, without labels (all are 0).

    Args:
        files: Their paths, or the path of one.
        pixel_format: What their pixels become.
        workers: Processes that decode; None takes one for each core, up to 8, where there is more than one batch.
        on_error: What a file that cannot be read does.

    Raises:
        ValueError: If something else than a path is given, such as an array.
    """
    named = files if isinstance(files, Iterable) and not isinstance(files, str | Path) else [files]
    paths = PathTable.of(map(_path, named))
    if workers is None:
        workers = default_workers(in_memory=len(paths) <= BATCH_SIZE, cores=available_cores())
    split = NamedFiles(paths, torch.zeros(len(paths), dtype=torch.int64))
    return EvaluationImages(split, pixel_format, "the given files", workers, on_error)


def _path(file: object) -> str:
    if not isinstance(file, str | Path):
        raise ValueError(
            f"an image file is given by its path, got {type(file).__name__}: pixels are predicted from a tensor "
            "(N, C, H, W), uint8"
        )
    return str(file)
