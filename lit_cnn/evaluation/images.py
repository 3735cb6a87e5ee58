"""The images of one split as they are stored, before any preprocessing: what every evaluation starts from."""

import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from lit_cnn.data.loading.oversized import naming_by_size
from lit_cnn.data.loading.workers import available_cores, default_workers, leave_interrupts_to_the_parent
from lit_cnn.data.settings import OnError
from lit_cnn.data.sources.arrays import ArraySplit
from lit_cnn.data.sources.decoding import BrokenImage, PixelFormat, attempt
from lit_cnn.data.sources.load import Split
from lit_cnn.data.summary import DataSummary
from lit_cnn.randomness import generator

if TYPE_CHECKING:  # prediction starts faster without Lightning
    from lit_cnn.data.module import ImageData

SplitName = Literal["val", "test"]

FILES = 4
"""Images of files in a chunk."""
ARRAYS = 256
"""Images in memory in a chunk, at most."""
CHUNK_BYTES = 2**26
"""Size of the views of such images at most, where there are several."""

Prepare = Callable[[Tensor, Tensor], list[Tensor]]
"""From uint8 images (n, C, H, W) of one size and their rows int64 (n,) to the network's uint8 inputs, in one tensor
(n, views, C, height, width) for each size of input. A ``BrokenImage`` that it raises counts as the file's."""


class Prepared(NamedTuple):
    """Inputs of n images: ``rows`` int64 (n,) of the split, and the tensors that a ``Prepare`` returned."""

    rows: Tensor
    views: list[Tensor]


Problem = BrokenImage | OSError
"""What is wrong with a file that cannot be read."""
OnBroken = Callable[[int, Problem], object]
"""Told the row of such a file, and its problem."""


class NothingReadable(ValueError):
    """All images are broken, so there is nothing to compute figures from."""


class Chunk(NamedTuple):
    """Some images in a row, prepared, and by row what is wrong with those that cannot be read."""

    parts: list[Prepared]
    broken: dict[int, Problem]


@dataclass(frozen=True)
class EvaluationImages:
    """M images with labels.

    Attributes:
        split: Where they are: in memory or in files.
        pixel_format: What the pixels of files become.
        origin: What was read, for people.
        workers: Processes that decode and prepare; 0 does it in this one.
        on_error: What a file that cannot be decoded does: stop raises an error that names it, skip leaves it out of
            ``prepared``.
        on_broken: Told each file that is left out, before the images after it come. Without it a warning counts them.
        notes: Sentences on what else a user should know of how they were chosen.
        summary: What set they are of.
    """

    split: Split
    pixel_format: PixelFormat
    origin: str
    workers: int = 0
    on_error: OnError = "stop"
    on_broken: OnBroken | None = None
    notes: tuple[str, ...] = ()
    summary: DataSummary | None = None

    def __len__(self) -> int:
        return len(self.split)

    @property
    def facts(self) -> dict[str, Any] | None:
        """``summary`` in built-in types."""
        return None if self.summary is None else self.summary.as_dict()

    @property
    def labels(self) -> Tensor:
        """int64 (M,)."""
        return self.split.labels

    def image(self, row: int) -> Tensor:
        """uint8 (C, H, W), of the image's own size."""
        if isinstance(self.split, ArraySplit):
            return self.split.images[row]
        image = self.split.read(row, self.pixel_format)
        with naming_by_size(image):
            return image.pixels()

    def sample(self, count: int) -> "EvaluationImages":
        """``count`` images drawn without replacement, always the same, in order; all of them where there are fewer."""
        rows = torch.randperm(len(self), generator=generator("evaluation sample"))[:count].sort().values
        return replace(self, split=self.split.take(rows))

    def prepared(self, prepare: Prepare) -> Iterator[list[Prepared]]:
        """Every image once, in order; images of files come one by one since each has its own size.

        Broken files that ``on_error`` skips do not come.

        Raises:
            BrokenImage: If a file cannot be read and ``on_error`` is stop; FileNotFoundError if it is gone.
            NothingReadable: If all are skipped.
        """
        chunks = PreparedChunks(replace(self, on_broken=None), prepare, self._chunk_size(prepare))
        broken: dict[int, Problem] = {}
        for chunk in DataLoader(chunks, None, num_workers=self.workers, worker_init_fn=leave_interrupts_to_the_parent):
            for row, problem in chunk.broken.items():
                if self.on_error == "stop":
                    raise problem
                broken[row] = problem
                if self.on_broken is not None:
                    self.on_broken(row, problem)
            if chunk.parts:
                yield chunk.parts
        if not broken:
            return
        first = next(iter(broken.values()))
        if len(broken) == len(self):
            raise NothingReadable(f"none of the {len(self)} images of {self.origin} can be evaluated: {first}")
        if self.on_broken is None:
            warnings.warn(
                f"skipped {len(broken)} of {len(self)} images of {self.origin}, the first: {first}", stacklevel=2
            )

    def _chunk_size(self, prepare: Prepare) -> int:
        """Images that are prepared at once: of those in memory as many as have room for their views."""
        if not isinstance(self.split, ArraySplit) or not len(self):
            return FILES
        first = torch.tensor([0])
        one = sum(views.nbytes for views in prepare(self.split.images[first], first))
        return min(max(CHUNK_BYTES // one, 1), ARRAYS)


class PreparedChunks(Dataset[Chunk]):
    """Chunk number i holds the images from i * size on, prepared.

    Args:
        images: What is prepared.
        prepare: How.
        size: Images of a chunk.
    """

    def __init__(self, images: EvaluationImages, prepare: Prepare, size: int) -> None:
        self.images, self.prepare, self.size = images, prepare, size

    def __len__(self) -> int:
        return -(-len(self.images) // self.size)

    def __getitem__(self, number: int) -> Chunk:
        if not 0 <= number < len(self):
            raise IndexError(number)
        rows = torch.arange(number * self.size, min((number + 1) * self.size, len(self.images)))
        if isinstance(self.images.split, ArraySplit):
            return Chunk([Prepared(rows, self.prepare(self.images.split.images[rows], rows))], {})
        chunk = Chunk([], {})
        for row in rows.split(1):
            part = attempt(partial(self._prepared, row))
            if isinstance(part, Prepared):
                chunk.parts.append(part)
            else:
                chunk.broken[int(row)] = part
        return chunk

    def _prepared(self, row: Tensor) -> Prepared:
        """The one image of ``row`` int64 (1,)."""
        return Prepared(row, self.prepare(self.images.image(int(row))[None], row))


def workers_of(stated: int | None, split: Split) -> int:
    """Processes that decode and prepare the images of a split: the stated number, or the default."""
    in_memory = isinstance(split, ArraySplit)
    return default_workers(in_memory=in_memory, cores=available_cores()) if stated is None else stated


def evaluation_images(data: "ImageData", split: SplitName) -> EvaluationImages:
    """The validation or test images of a data module.

    Raises:
        ValueError: If the source has no test split.
    """
    chosen = data.loaded.val if split == "val" else data.loaded.test
    if chosen is None:
        raise ValueError(f"{data.loaded.origin} has no test split; use the validation split instead")
    summary = data.summary.of_split(split)
    return EvaluationImages(
        chosen,
        data.pixel_format,
        data.loaded.origin,
        workers_of(data.workers, chosen),
        data.on_error,
        notes=summary.notes,
        summary=summary,
    )
