"""Whether an exported detector finds what the checkpoint does: on real images, by the program that goes with it."""

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor
from torchvision.ops import box_iou

from lit_cnn.data.normalization import normalize
from lit_cnn.detection import canvas
from lit_cnn.detection.boxes import Detections
from lit_cnn.evaluation.logits import Advance
from lit_cnn.evaluation.trained_detector import TrainedDetector
from lit_cnn.exporting.detector_graph import RawOutputs
from lit_cnn.exporting.onnx_detector import Framed, OnnxDetector, in_pixels_of_the_file
from lit_cnn.exporting.real_images import RealImages
from lit_cnn.exporting.verifying import AGREEMENT, ROUNDING, channels_last

RAW = 1e-3
"""Largest difference of a raw output over the largest output of its name."""
IOU, SCORE = 0.9, 0.02
"""Least overlap and largest difference of the scores of two boxes of a class that are the same."""


@dataclass(frozen=True)
class DetectorVerification:
    """An exported detector against the checkpoint's, asked as ``lit-cnn predict`` does.

    Attributes:
        images: How many were compared.
        boxes: Boxes of the file or of the network, the same ones counted once.
        same: Of these the ones that both have.
        ties: Of the others the near ties: on the canvas that the program makes, whose pixels differ by at most
            ``ROUNDING`` levels, the network itself has the boxes of the file.
        score: From which score on boxes were compared.
        raw: Largest difference of a raw output over the largest output of its name.
        levels: Largest difference of a pixel of the canvas to ours, in gray levels.
    """

    images: int
    boxes: int
    same: int
    ties: int
    score: float
    raw: float
    levels: int

    @property
    def agreement(self) -> float:
        """Share of the boxes on which the file agrees with the network; 1 where there are none."""
        return (self.same + self.ties) / self.boxes if self.boxes else 1.0

    def check(self, name: str) -> None:
        """Refuse a file whose raw outputs differ by more than ``RAW`` or whose boxes agree less than ``AGREEMENT``.

        Raises:
            ValueError: With what differs.
        """
        if not self.raw <= RAW:
            raise ValueError(
                f"{name} was not written, since its raw outputs differ by up to {self.raw:.2g} of the network's "
                f"largest on {self.images} images ({RAW:g} at most is required)"
            )
        if self.agreement < AGREEMENT:
            raise ValueError(
                f"{name} was not written, since only {self.same + self.ties} of {self.boxes} boxes in {self.images} "
                f"images are those of the network ({100 * self.agreement:.2f} %, {100 * AGREEMENT:g} % are required); "
                f"pixels of the canvas differ by up to {self.levels} gray levels"
            )


@torch.inference_mode()
def verify_detector(
    trained: TrainedDetector, detector: OnnxDetector, images: RealImages, advance: Advance = lambda _: None
) -> DetectorVerification:
    """Compare an exported detector with the checkpoint's.

    Args:
        trained: On the CPU.
        detector: The file; it shows all boxes of the score from which ``trained`` keeps any (see ``least_score``).
        images: On which.
        advance: Called as images are done.
    """
    score = least_score(trained)
    shown = replace(trained, thresholds=replace(trained.thresholds, score=(score,) * len(trained.class_names)))
    raw, levels, counted = 0.0, 0, 0
    boxes = same = ties = 0
    for pixels, _ in images.decoded(3):
        for image in pixels:
            ours, sides = trained.preprocessing.frame.frame(image), (image.shape[-2], image.shape[-1])
            theirs = detector.frame(channels_last(image[None])[0].numpy())
            framed = canvas.Framed(_channels_first(theirs.image), theirs.scale, theirs.offset)
            apart = int((framed.image.int() - ours.image.int()).abs().max())
            levels, counted = max(levels, apart), counted + 1
            raw = max(raw, raw_difference(trained, detector, ours.image))
            found = _found_by_file(detector, theirs, sides)
            expected = _found_by_network(shown, ours, sides)
            matched = same_boxes(found, expected)
            union = len(found.boxes) + len(expected.boxes) - matched
            boxes, same = boxes + union, same + matched
            if matched < union and apart <= ROUNDING:
                again = _found_by_network(shown, framed, sides)
                if same_boxes(found, again) == len(found.boxes) == len(again.boxes):
                    ties += union - matched
            advance(1)
    return DetectorVerification(counted, boxes, same, ties, score, raw, levels)


def least_score(trained: TrainedDetector) -> float:
    """From which score on boxes are kept: below it there is nothing to compare."""
    return trained.network.decoding.score_threshold


def raw_difference(trained: TrainedDetector, detector: OnnxDetector, image: Tensor) -> float:
    """Of a raw output of uint8 (3, H, W) on the canvas, over the largest of its name; infinite where it is NaN."""
    known = trained.preprocessing
    outputs = RawOutputs(trained.network)(normalize(image[None], known.mean, known.std))
    found = detector.raw(channels_last(image[None]).numpy())
    worst = 0.0
    for expected, array in zip(outputs, found.values(), strict=True):
        apart = float((expected - torch.from_numpy(array)).abs().max() / expected.abs().max().clamp(min=1e-6))
        worst = max(worst, apart if np.isfinite(apart) else np.inf)
    return worst


def same_boxes(found: Detections, expected: Detections) -> int:
    """How many of both are the same: of a class, of an IoU of ``IOU`` and scores that differ by at most ``SCORE``;
    each is the same as one at most."""
    if not len(found.boxes) or not len(expected.boxes):
        return 0
    overlaps = box_iou(found.boxes, expected.boxes)
    pairs = (found.labels[:, None] == expected.labels) & (overlaps >= IOU)
    pairs &= (found.scores[:, None] - expected.scores).abs() <= SCORE
    overlaps[~pairs] = -1
    count = 0
    for row in range(len(overlaps)):
        best = int(overlaps[row].argmax())
        if overlaps[row, best] >= 0:
            count += 1
            overlaps[:, best] = -1
    return count


def _found_by_network(shown: TrainedDetector, framed: canvas.Framed, sides: tuple[int, int]) -> Detections:
    """In pixels of a file of ``sides`` (height, width)."""
    (found,) = shown.detect(framed.image[None])
    return canvas.Canvas.to_file(found, framed.scale, framed.offset, sides[1], sides[0])


def _found_by_file(detector: OnnxDetector, framed: Framed, sides: tuple[int, int]) -> Detections:
    (found,) = detector.detect(framed.image[None])
    moved = in_pixels_of_the_file(found, framed, *sides)
    return Detections(*(torch.from_numpy(np.ascontiguousarray(part)) for part in moved))


def _channels_first(pixels: np.ndarray) -> Tensor:
    """(H, W, 3) to (3, H, W)."""
    return torch.from_numpy(pixels).permute(2, 0, 1).contiguous()
