"""A detector that finds bright rectangles on black, and images of them: what is found can be said by hand."""

from pathlib import Path

import torch
from PIL import Image, ImageDraw
from torch import Tensor, nn

from lit_cnn.detection.boxes import Detections
from lit_cnn.detection.decoding import DecodingSettings
from lit_cnn.detection.preprocessing import CanvasPreprocessing
from lit_cnn.detection.thresholds import Thresholds
from lit_cnn.evaluation.trained_detector import TrainedDetector

CANVAS = (60, 80)


class BrightSquares(nn.Module):
    """The rectangle around red pixels is of class 0 and score 0.9, around green ones of class 1 and score 0.4."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1))
        self.decoding = DecodingSettings()

    def detect(self, images: Tensor) -> list[Detections]:
        assert images.is_floating_point()
        return [self._of(image) for image in images]

    def _of(self, image: Tensor) -> Detections:
        boxes, scores, labels = [], [], []
        for label, score in enumerate((0.9, 0.4)):
            bright = image[label] > 0.5
            if bright.any():
                rows, columns = (bright.any(dim=side).nonzero() for side in (1, 0))
                boxes.append([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1])
                scores.append(score)
                labels.append(label)
        return Detections(torch.tensor(boxes).reshape(-1, 4).float(), torch.tensor(scores), torch.tensor(labels).long())


def trained(score: tuple[float, float] = (0.5, 0.2)) -> TrainedDetector:
    preprocessing = CanvasPreprocessing(CANVAS, (0.0,) * 3, (1.0,) * 3, (0, 0, 0))
    thresholds = Thresholds(score, 0.5, "val, 7 images")
    network = BrightSquares().eval()
    return TrainedDetector(network, ["cat", "dog"], (18, 21), preprocessing, thresholds, "net.ckpt")  # type: ignore[arg-type]


def paint(
    path: Path, red: tuple[int, ...] = (), green: tuple[int, ...] = (), size: tuple[int, int] = (160, 120)
) -> str:
    """An image with the rectangles (left, top, right, bottom); twice as wide and high as the canvas."""
    image = Image.new("RGB", size)
    draw = ImageDraw.Draw(image)
    for box, color in ((red, (255, 0, 0)), (green, (0, 255, 0))):
        if box:
            draw.rectangle((box[0], box[1], box[2] - 1, box[3] - 1), fill=color)
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path)
    return str(path)
