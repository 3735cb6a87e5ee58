"""What is traced of a detector: from images on the canvas to the raw outputs of its heads, folded."""

import copy
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torchvision.ops import roi_align

from lit_cnn.detection.detector_network import DetectorNetwork
from lit_cnn.detection.faster_rcnn import FasterRCNN
from lit_cnn.detection.fcos import FCOSHead
from lit_cnn.detection.networks import DenseDetector
from lit_cnn.detection.preprocessing import CanvasPreprocessing
from lit_cnn.detection.region_head import POINTS, RegionHead
from lit_cnn.evaluation.trained_detector import TrainedDetector
from lit_cnn.exporting.folding import fold_for_inference

FOLDING = 1e-6
"""Largest difference of an output over the largest output: parts of a detector are float32 in a float64 network too."""


def output_names(network: DetectorNetwork) -> list[str]:
    """Of the graph's outputs."""
    if isinstance(network, FasterRCNN):
        return ["objectness", "regression", *map_names(network.regions)]
    assert isinstance(network, DenseDetector)
    return ["logits", "regression", *(["centerness"] if isinstance(network.head, FCOSHead) else [])]


def map_names(regions: RegionHead) -> list[str]:
    """Of the maps that the second stage reads."""
    return [f"map{number}" for number in range(len(regions.names))]


class RawOutputs(nn.Module):
    """Normalized images (N, 3, H, W) to the outputs named by ``output_names``.

    Args:
        network: In evaluation mode.
    """

    def __init__(self, network: DetectorNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        found = self.network(images)
        if isinstance(self.network, FasterRCNN):
            taken = found.maps[: len(self.network.regions.names)]
            return found.objectness, found.regression, *taken
        outputs, _ = found
        return tuple(part for part in outputs if part is not None)


class Normalized(nn.Module):
    """uint8 (N, H, W, 3) on the canvas to what ``outputs`` gives of the normalized images."""

    pixel_mean: Tensor
    pixel_std: Tensor

    def __init__(self, outputs: nn.Module, preprocessing: CanvasPreprocessing) -> None:
        super().__init__()
        self.outputs = outputs
        for name in ("mean", "std"):
            values = 255 * torch.tensor(getattr(preprocessing, name))
            self.register_buffer(f"pixel_{name}", values.view(1, -1, 1, 1), persistent=False)

    def forward(self, images: Tensor) -> Any:
        return self.outputs((images.permute(0, 3, 1, 2).to(torch.float32) - self.pixel_mean) / self.pixel_std)


class RegionOutputs(nn.Module):
    """Faster R-CNN's second stage for the P proposals of one image: class logits (P, columns) and coded boxes
    (P, columns, 4).

    Each proposal is pooled from every map, and the one of its level is taken: a graph has no lists of other lengths.

    Args:
        regions: The stage.
        scales: Positions per pixel of the canvas, of each map.
    """

    def __init__(self, regions: RegionHead, scales: Sequence[float]) -> None:
        super().__init__()
        self.box_head, self.box_predictor = regions.box_head, regions.box_predictor
        self.side, self.scales = regions.pool.output_size, list(scales)

    def forward(self, boxes: Tensor, levels: Tensor, maps: list[Tensor]) -> tuple[Tensor, Tensor]:
        rois = torch.cat([torch.zeros_like(boxes[:, :1]), boxes], 1)
        pooled = None
        for number, (level, scale) in enumerate(zip(maps, self.scales, strict=True)):
            read = roi_align(level, rois, self.side, scale, POINTS)
            pooled = read if pooled is None else torch.where((levels == number).view(-1, 1, 1, 1), read, pooled)
        logits, coded = self.box_predictor(self.box_head(pooled))
        return logits, coded.view(coded.shape[0], -1, 4)


class Joined(nn.Module):
    """A network's outputs as one (N, …), for comparing them."""

    def __init__(self, network: DetectorNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> Tensor:
        return torch.cat([part.flatten(1) for part in RawOutputs(self.network)(images)], 1)


def folded_detector(trained: TrainedDetector) -> DetectorNetwork:
    """A float32 copy on the CPU whose batch norms are in its convolutions; folded in float64.

    Raises:
        ValueError: If folding changes what it computes.
    """
    noise = torch.randn(1, 3, *trained.preprocessing.canvas, generator=torch.Generator().manual_seed(0))
    network = copy.deepcopy(trained.network).cpu().double()
    joined = fold_for_inference(Joined(network), noise.double(), tolerance=FOLDING).network
    folded = joined.network.float().requires_grad_(False)
    assert isinstance(folded, DetectorNetwork)
    return folded
