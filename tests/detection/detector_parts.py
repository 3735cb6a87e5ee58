"""What the tests of the detectors' networks share: a batch, and torchvision's detectors without their transform."""

from typing import Any

import torch
from torch import Tensor, nn
from torchvision.models.detection.image_list import ImageList

from lit_cnn.detection.boxes import BoxBatch


def made_batch(images: int, canvas: tuple[int, int]) -> BoxBatch:
    """Two boxes in the first image, one in the second, none in the others; noise for pixels."""
    return BoxBatch(
        images=torch.randn(images, 3, *canvas, generator=torch.Generator().manual_seed(1)),
        boxes=torch.tensor([[10.0, 12, 50, 60], [30, 20, 90, 60], [3, 5, 41, 33]]),
        labels=torch.tensor([0, 2, 1]),
        rows=torch.tensor([0, 0, 1]),
        shares=torch.ones(3),
        scales=torch.ones(images),
        offsets=torch.zeros(images, 2),
        index=torch.arange(images),
        position=torch.arange(images),
        weight=torch.tensor(1.0),
    )


def total(found: dict[str, Tensor]) -> Tensor:
    """The sum of the losses."""
    return torch.stack(list(found.values())).sum()


class AsTheyAre(nn.Module):
    """In the place of torchvision's resizing and normalization."""

    def forward(self, images: list[Tensor], targets: Any = None) -> tuple[ImageList, Any]:
        return ImageList(torch.stack(images), [(x.shape[1], x.shape[2]) for x in images]), targets

    def postprocess(self, result: list, *_: Any) -> list:
        return result
