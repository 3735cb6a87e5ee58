"""Real images that an exported file is verified or calibrated on: random pixels would not show a fault of resizing."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from torch import Tensor

from lit_cnn.data.sources.channels import convert_channels
from lit_cnn.evaluation.image_files import find_images
from lit_cnn.evaluation.images import EvaluationImages, workers_of
from lit_cnn.evaluation.predict import file_images
from lit_cnn.evaluation.recorded_data import load_data, load_images
from lit_cnn.evaluation.trained import Trained


@dataclass(frozen=True)
class RealImages:
    """Decoded images, each of its own size.

    Attributes:
        images: Which.
        labeled: Whether their labels are classes of the network.
        notes: Sentences on how they were chosen.
    """

    images: EvaluationImages
    labeled: bool
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.images)

    def decoded(self, channels: int) -> Iterator[tuple[Tensor, Tensor]]:
        """uint8 (n, channels, H, W) of one size, and their labels int64 (n,)."""
        for chunk in self.images.prepared(as_they_are):
            for part in chunk:
                yield convert_channels(part.views[0][:, 0], channels), self.images.labels[part.rows]


def as_they_are(pixels: Tensor, _: Tensor) -> list[Tensor]:
    """Images as one view of their own size."""
    return [pixels[:, None]]


def real_images(trained: Trained, data_path: str | None, count: int, *, skip_broken: bool = False) -> RealImages:
    """Up to ``count`` images of the checkpoint's validation split, or of ``data_path``.

    A folder whose class folders are not named as the network's classes still gives images, without labels.

    Raises:
        ValueError: If there is no data, or it holds no image.
    """
    notes: tuple[str, ...] = ()
    try:
        images, labeled = load_images(trained, data_path, "val"), True
        notes = images.notes
    except ValueError as error:
        if data_path is None or not Path(data_path).expanduser().is_dir():
            raise
        files = find_images([data_path])
        images, labeled = file_images(files.paths, trained.preprocessing.pixel_format), False
        notes = (*files.notes, f"these images count without their labels: {error}")
    return _sample(images, labeled, notes, count, skip_broken)


def calibration_images(trained: Trained, data_path: str | None, count: int, *, skip_broken: bool = False) -> RealImages:
    """Up to ``count`` images of a folder (of its ``train/`` where it has one), or of the recorded training images.

    Raises:
        ValueError: If there is no data, or it holds no image.
    """
    if data_path is not None and (folder := Path(data_path).expanduser()).is_dir():
        train = folder / "train"
        files = find_images([str(train if train.is_dir() else folder)])
        return _sample(
            file_images(files.paths, trained.preprocessing.pixel_format), False, tuple(files.notes), count, skip_broken
        )
    data = load_data(trained, data_path)
    split = data.loaded.train
    workers = workers_of(data.workers, split)
    images = EvaluationImages(split, data.pixel_format, data.loaded.origin, workers, data.on_error)
    return _sample(images, True, (), count, skip_broken)


def _sample(
    images: EvaluationImages, labeled: bool, notes: tuple[str, ...], count: int, skip_broken: bool
) -> RealImages:
    images = images.sample(count)
    return RealImages(replace(images, on_error="skip" if skip_broken else images.on_error), labeled, notes)
