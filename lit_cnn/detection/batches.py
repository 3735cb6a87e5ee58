"""The data set that turns a ``BatchPlan`` into a ``BoxBatch``. It can be pickled."""

import os
import warnings
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from lit_cnn.data.batch import SKIPPED
from lit_cnn.data.image_size import in_words
from lit_cnn.data.loading.oversized import naming_by_size
from lit_cnn.data.loading.sampling import BatchPlan
from lit_cnn.data.settings import OnError
from lit_cnn.data.sources.decoding import BrokenImage, attempt
from lit_cnn.data.sources.folders import read_file
from lit_cnn.data.sources.pillow_limits import MAX_PIXELS
from lit_cnn.detection.augmentation import Augmented, BoxTransform
from lit_cnn.detection.boxes import AnnotatedImage, AnnotatedSplit, BoxBatch
from lit_cnn.detection.preprocessing import CanvasPreprocessing


class BoxBatches(Dataset[BoxBatch]):
    """Batches of annotated image files on the canvas.

    Args:
        split: the images.
        preprocessing: what evaluation sees.
        transform: what training sees; None prepares for evaluation.
        on_error: what a file does that cannot be decoded, or whose size is not the annotated one: stop raises a
            ValueError that names it; skip warns once of each and yields an empty canvas of index ``SKIPPED``.
        max_pixels: pixels from which on a file counts as broken; None for no limit.
    """

    def __init__(
        self,
        split: AnnotatedSplit,
        preprocessing: CanvasPreprocessing,
        transform: BoxTransform | None = None,
        on_error: OnError = "stop",
        max_pixels: int | None = MAX_PIXELS,
    ) -> None:
        self.split, self.transform, self.on_error = split, transform, on_error
        self.pixel_format = replace(preprocessing.pixel_format, max_pixels=max_pixels)
        self.canvas = preprocessing.frame

    def __len__(self) -> int:
        return len(self.split)

    def __getitem__(self, plan: BatchPlan) -> BoxBatch:
        rows = plan.index.clip(min=0)  # padding shows image 0, whose boxes are left out
        index, parts = plan.index.copy(), []
        for place, (row, repeat) in enumerate(zip(rows.tolist(), plan.repeat.tolist(), strict=True)):
            part = attempt(partial(self._prepared, row, plan.epoch, repeat))
            if not isinstance(part, Augmented):
                if self.on_error == "stop":
                    raise part.with_advice(part.in_training) if isinstance(part, BrokenImage) else part
                warnings.warn(f"skipped: {part}", stacklevel=1)  # the same one is shown once
                part = self._blank()
                index[place] = SKIPPED if index[place] >= 0 else index[place]
            parts.append(part if index[place] >= 0 else _without_boxes(part))
        return _batch(parts, index, plan)

    def _prepared(self, row: int, epoch: int, repeat: int) -> Augmented:
        annotated = self.split.images[row]
        file = read_file(os.path.join(self.split.root, annotated.path), self.pixel_format)
        with naming_by_size(file):
            pixels = file.pixels()
            require_annotated_size(file.name, pixels, annotated)
            if self.transform is not None:
                return self.transform(pixels, annotated, epoch, row, repeat)
            image, scale, offset = self.canvas.frame(pixels)
        objects = torch.from_numpy(~annotated.crowd)
        boxes = self.canvas.boxes_to_canvas(torch.from_numpy(annotated.boxes)[objects], scale, offset)
        return Augmented(image, boxes, torch.from_numpy(annotated.labels)[objects], scale, offset)

    def _blank(self) -> Augmented:
        """The canvas without an image."""
        image = self.canvas.place(torch.zeros(3, 0, 0, dtype=torch.uint8))
        return Augmented(image, torch.zeros(0, 4), torch.zeros(0, dtype=torch.int64), 1.0, (0.0, 0.0))


def require_annotated_size(name: str, pixels: Tensor, annotated: AnnotatedImage) -> None:
    """Refuse an image whose boxes were drawn on one of another size, such as before it was resized or turned.

    Raises:
        BrokenImage: Naming the file and both sizes.
    """
    found, stated = (pixels.shape[-2], pixels.shape[-1]), (annotated.height, annotated.width)
    if found != stated:
        raise BrokenImage(
            f"the image {name} is {in_words(found)} px as it is shown, but its annotations are of "
            f"{in_words(stated)} px, so that its boxes would be at other places; correct the annotations or the image"
        )


def _without_boxes(part: Augmented) -> Augmented:
    return part._replace(boxes=part.boxes[:0], labels=part.labels[:0])


def _batch(parts: Sequence[Augmented], index: np.ndarray, plan: BatchPlan) -> BoxBatch:
    counts = torch.tensor([len(part.boxes) for part in parts])
    boxes = torch.cat([part.boxes for part in parts])
    return BoxBatch(
        images=torch.stack([part.image for part in parts]),
        boxes=boxes,
        labels=torch.cat([part.labels for part in parts]),
        rows=torch.arange(len(parts)).repeat_interleave(counts),
        shares=torch.ones(len(boxes)),
        scales=torch.tensor([part.scale for part in parts], dtype=torch.float32),
        offsets=torch.tensor([part.offset for part in parts], dtype=torch.float32),
        index=torch.from_numpy(index),
        position=torch.from_numpy(plan.position),
        weight=torch.tensor(plan.weight, dtype=torch.float32),
    )
