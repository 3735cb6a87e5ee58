"""A network and images whose right answers are known: the class is the strongest color."""

import torch
from torch import Tensor, nn

from lit_cnn.data.preprocessing import Preprocessing
from lit_cnn.data.sources.arrays import ArraySplit
from lit_cnn.data.sources.decoding import RGB
from lit_cnn.evaluation.images import EvaluationImages
from lit_cnn.evaluation.trained import Trained

NAMES = ["red", "green", "blue"]


class Colors(nn.Module):
    """Logits (N, 3): the mean of each channel, times a parameter."""

    def __init__(self) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.ones(()))

    def forward(self, x: Tensor) -> Tensor:
        return self.gain * x.mean((2, 3))


def preprocessing(image_size: int = 8, crop_ratio: float = 1.0) -> Preprocessing:
    return Preprocessing(
        (image_size, image_size),
        round(image_size / crop_ratio),
        "shorter_side",
        "bilinear",
        (0.0,) * 3,
        (1.0,) * 3,
        3,
    )


def color_network(image_size: int = 8, crop_ratio: float = 1.0) -> Trained:
    return Trained(Colors().eval(), NAMES, preprocessing(image_size, crop_ratio), {})


def noise(count: int, height: int = 8, width: int = 8) -> Tensor:
    """uint8 (count, 3, height, width), always the same."""
    draws = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, (count, 3, height, width), generator=draws, dtype=torch.uint8)


def labelled(images: Tensor) -> EvaluationImages:
    """The images with the labels that the network gives whole images."""
    return EvaluationImages(ArraySplit(images, images.double().mean((2, 3)).argmax(1)), RGB, "noise")


def whole(images: Tensor, _: Tensor) -> list[Tensor]:
    """Each image as its only view, for worker processes, too, which cannot be sent a lambda."""
    return [images[:, None]]
