"""Annotated images as a few arrays: workers share them when they are forked and unpickle them at once when spawned,
where a list of a hundred thousand images with five arrays each would cost both memory and seconds."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import overload

import numpy as np

from lit_cnn.data.sources.file_index import PathTable
from lit_cnn.detection.boxes import AnnotatedImage


@dataclass(frozen=True, eq=False)
class PackedImages(Sequence[AnnotatedImage]):
    """N annotated images with M boxes in all.

    Args:
        paths: of the files below the root of their split, with forward slashes.
        sizes: (N, 2) int64, width and height in pixels.
        starts: (N + 1,) int64: image n has the boxes ``starts[n]`` to ``starts[n + 1]``.
        boxes: (M, 4) float32, in pixels of the file.
        labels: (M,) int64.
        difficult: (M,) bool.
        crowd: (M,) bool.
        areas: (M,) float32.
        ids: what results call each image.
    """

    paths: PathTable
    sizes: np.ndarray
    starts: np.ndarray
    boxes: np.ndarray
    labels: np.ndarray
    difficult: np.ndarray
    crowd: np.ndarray
    areas: np.ndarray
    ids: Sequence[int | str]

    def __len__(self) -> int:
        return len(self.paths)

    @overload
    def __getitem__(self, row: int) -> AnnotatedImage: ...

    @overload
    def __getitem__(self, row: slice) -> "PackedImages": ...

    def __getitem__(self, row: "int | slice") -> "AnnotatedImage | PackedImages":
        if isinstance(row, slice):
            return self.take(np.arange(len(self))[row])
        path = self.paths[row]  # refuses a row that is not there
        row = row % len(self)
        own = slice(int(self.starts[row]), int(self.starts[row + 1]))
        width, height = self.sizes[row].tolist()
        boxes, labels, difficult, crowd, areas = self._of_boxes(own)
        return AnnotatedImage(path, width, height, boxes, labels, difficult, crowd, areas, self.ids[row])

    def __iter__(self) -> Iterator[AnnotatedImage]:
        return (self[row] for row in range(len(self)))

    def _of_boxes(
        self, chosen: slice | np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Boxes, labels, difficult, crowd and areas of the chosen boxes."""
        labels, difficult, crowd = self.labels[chosen], self.difficult[chosen], self.crowd[chosen]
        return self.boxes[chosen], labels, difficult, crowd, self.areas[chosen]

    @property
    def rows(self) -> np.ndarray:
        """(M,) int64, the image of each box."""
        return np.repeat(np.arange(len(self)), np.diff(self.starts))

    def take(self, rows: np.ndarray) -> "PackedImages":
        """The given images, in their order."""
        counts = np.diff(self.starts)[rows]
        starts = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        boxes = np.arange(starts[-1]) + np.repeat(self.starts[rows] - starts[:-1], counts)
        ids = [self.ids[row] for row in rows.tolist()]
        return PackedImages(self.paths.take(rows), self.sizes[rows], starts, *self._of_boxes(boxes), ids)

    def joined(self, other: "PackedImages") -> "PackedImages":
        """These images and then the others."""
        names = ("sizes", "boxes", "labels", "difficult", "crowd", "areas")
        parts = {name: np.concatenate([getattr(self, name), getattr(other, name)]) for name in names}
        starts = np.concatenate([self.starts, self.starts[-1] + other.starts[1:]])
        return PackedImages(
            PathTable.of([*self.paths, *other.paths]), starts=starts, ids=[*self.ids, *other.ids], **parts
        )
