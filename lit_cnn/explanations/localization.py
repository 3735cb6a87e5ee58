"""Where a classifier says the object is: the box around the largest region of its class activation map, and the true
boxes (Zhou et al. 2016, arXiv:1512.04150, section 3.2; Yun et al. 2019, "CutMix", arXiv:1905.04899, appendix B)."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import torch
from torch import Tensor
from torchvision.ops import box_iou

from lit_cnn.data.crop_geometry import CropGeometry
from lit_cnn.evaluation.images import Prepared
from lit_cnn.evaluation.logits import Advance
from lit_cnn.evaluation.trained import Trained
from lit_cnn.explanations.boxed_images import BoxedImages, CropAndSides
from lit_cnn.explanations.explaining import Explainer, image_names, network_inputs
from lit_cnn.explanations.map_boxes import region_boxes
from lit_cnn.explanations.map_stride import with_map_stride

THRESHOLDS = tuple(step / 100 for step in range(100))
"""Those among which the best is looked for."""
_BATCH_SIZE = 16


def swept(threshold: float) -> tuple[float, ...]:
    """``THRESHOLDS`` and the chosen one, in order."""
    return tuple(sorted({*THRESHOLDS, threshold}))


class Overlaps(NamedTuple):
    """IoU with the best true box of a class at each of T thresholds, 0 where there is no region.

    Attributes:
        largest: (T,) of the box around the largest region.
        any: (T,) of the best box around any region.
    """

    largest: Tensor
    any: Tensor


@dataclass(frozen=True, eq=False)
class LocalizedImage:
    """One image.

    Attributes:
        name: Its file.
        geometry: Where its crop lies in it.
        true: The number of a class -> its true boxes (M, 4) in pixels of the file.
        predicted: The most probable class.
        probability: Its probability.
        overlaps: Of each true class.
        boxes: Of each true class and of the predicted one the box (4,) that was found at the chosen threshold, in
            pixels of the file; without one where the map is nowhere above 0.
        maps: Of each true class and of the predicted one, float (H, W) on the crop; empty where they are not kept.
    """

    name: str
    geometry: CropGeometry
    true: Mapping[int, Tensor]
    predicted: int
    probability: float
    overlaps: Mapping[int, Overlaps]
    boxes: Mapping[int, Tensor]
    maps: Mapping[int, Tensor]

    @property
    def right(self) -> bool:
        """Whether the image has a box of the predicted class."""
        return self.predicted in self.true

    def shown_class(self, shown: str) -> int:
        """The predicted class, or for "true" a true one: the predicted where it is right, else the first."""
        return self.predicted if shown == "predicted" or self.right else next(iter(self.true))

    def overlap(self, number: int) -> float | None:
        """IoU of the found box of a class with the best true box; 0 without a found one, None without a true one."""
        if number not in self.true:
            return None
        found = self.boxes.get(number)
        return 0.0 if found is None else float(box_iou(found[None], self.true[number]).max())


class MapSource:
    """The exact class activation maps of a network, of its own stride or a finer one.

    Args:
        trained: The network, whose answers are always its own.
        stride: Pixels of the input for each position of the map; None: the network's own.

    Raises:
        ValueError: If the network has no exact map, or not of that stride.
    """

    def __init__(self, trained: Trained, stride: int | None) -> None:
        self.trained = self.finer = trained
        if stride is not None:
            stated = trained.preprocessing
            black = torch.zeros(1, stated.in_channels, *stated.image_size, dtype=torch.uint8)
            self.finer = replace(
                trained, network=with_map_stride(trained.network, stride, network_inputs(trained, black))
            )

    def maps(self, crops: Tensor, classes: Tensor) -> Tensor:
        """(N, M, H, W) of ``classes`` int64 (N, M) on the crops uint8 (N, C, H, W)."""
        return Explainer("cam").maps(self.finer, crops, classes)


def localize(
    source: MapSource, boxed: BoxedImages, threshold: float, *, keep_maps: int = 0, advance: Advance | None = None
) -> list[LocalizedImage]:
    """Localize the objects of the images that can be read, in their order.

    Args:
        source: Of the maps.
        boxed: Images with true boxes; ``images.on_broken`` is told those that cannot be read or are not of
            the annotated size.
        threshold: Share of a map's maximum above which the found boxes are; overlaps are of all ``swept(threshold)``.
        keep_maps: Of so many images the maps are kept, for pictures.
        advance: Called as images are done.

    Raises:
        BrokenImage: If a file cannot be read or is not of the annotated size, and ``images.on_error`` is stop.
        NothingReadable: If no image can be read.
    """
    found: list[LocalizedImage] = []
    names = image_names(boxed.images)
    for rows, crops, sides in _batches(boxed, source.trained):
        shares, predicted = source.trained.logits(crops).softmax(dim=1).cpu().max(dim=1)
        pairs = zip(rows, predicted.tolist(), strict=True)
        asked = [list(dict.fromkeys([*boxed.boxes[row], best])) for row, best in pairs]
        maps = _maps(source, crops, asked)
        for place, row in enumerate(rows):
            height, width = sides[place].tolist()
            geometry = CropGeometry.of((height, width), source.trained.preprocessing)
            true, best = boxed.boxes[row], int(predicted[place])
            levels = maps[place]
            overlaps = {each: overlaps_of(levels[each], boxes, geometry, threshold) for each, boxes in true.items()}
            boxes = {each: found_box(levels[each], geometry, threshold) for each in levels}
            there = {each: box for each, box in boxes.items() if box is not None}
            kept = levels if len(found) < keep_maps else {}
            share = float(shares[place])
            found.append(LocalizedImage(names[row], geometry, true, best, share, overlaps, there, kept))
        if advance is not None:
            advance(len(rows))
    return found


def _maps(source: MapSource, crops: Tensor, asked: Sequence[Sequence[int]]) -> list[dict[int, Tensor]]:
    """Of each crop the map (H, W) of each class that is asked for."""
    most = max(map(len, asked))
    classes = torch.tensor([[*each, *[each[0]] * (most - len(each))] for each in asked])
    maps = source.maps(crops, classes)
    return [{each: levels[place] for place, each in enumerate(own)} for own, levels in zip(asked, maps, strict=True)]


def _batches(boxed: BoxedImages, trained: Trained) -> Iterator[tuple[list[int], Tensor, Tensor]]:
    """Rows, crops uint8 (n, C, H, W) and sides of files int64 (n, 2)."""
    waiting: list[Prepared] = []
    for chunk in boxed.images.prepared(CropAndSides(trained.preprocessing, boxed.annotated)):
        waiting += chunk
        while len(waiting) >= _BATCH_SIZE:
            yield _joined(waiting[:_BATCH_SIZE])
            waiting = waiting[_BATCH_SIZE:]
    if waiting:
        yield _joined(waiting)


def _joined(parts: Sequence[Prepared]) -> tuple[list[int], Tensor, Tensor]:
    crops, sides = (torch.cat([part.views[number] for part in parts]) for number in (0, 1))
    return torch.cat([part.rows for part in parts]).tolist(), crops, sides


def overlaps_of(levels: Tensor, true: Tensor, geometry: CropGeometry, threshold: float) -> Overlaps:
    """How well the regions of a map, float (H, W) on the crop, fit true boxes (M, 4) in pixels of the file."""
    array = levels.numpy()
    regions = [region_boxes(array, each) for each in swept(threshold)]
    boxes = torch.cat([each.boxes for each in regions])
    fits = box_iou(geometry.to_file(boxes), true).amax(dim=1).split([len(each.boxes) for each in regions])
    largest, best = torch.zeros(2, len(regions), dtype=torch.float64)
    for place, (each, own) in enumerate(zip(regions, fits, strict=True)):
        if each.largest is not None:
            largest[place], best[place] = own[each.largest], own.max()
    return Overlaps(largest, best)


def found_box(levels: Tensor, geometry: CropGeometry, threshold: float) -> Tensor | None:
    """(4,) in pixels of the file, around the largest region of a map on the crop; None where nothing is above 0."""
    regions = region_boxes(levels.numpy(), threshold)
    return None if regions.largest is None else geometry.to_file(regions.boxes)[regions.largest]
