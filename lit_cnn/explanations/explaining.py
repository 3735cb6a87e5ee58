"""Images explained: what a trained network says of each, and where in the image that comes from."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import torch
from torch import Tensor

from lit_cnn.data.normalization import normalize
from lit_cnn.data.sources.channels import convert_channels
from lit_cnn.data.sources.folders import FolderSplit
from lit_cnn.evaluation.images import EvaluationImages
from lit_cnn.evaluation.logits import Advance
from lit_cnn.evaluation.test_time_augmentation import make_views
from lit_cnn.evaluation.trained import Trained
from lit_cnn.explanations.activation_maps import class_activation_map, enlarged, grad_cam
from lit_cnn.explanations.choices import AUTO, Method
from lit_cnn.explanations.layers import find_layer, pooled_classifier
from lit_cnn.explanations.occluding import occlusion
from lit_cnn.pretrained.imagenet import naming_of

_BATCH_SIZE = 16
"""Images that are explained at once, except by occlusion, which fills its own batches."""
_QUARTER = 4
"""The crop's shorter side over the patch's, and the patch's over the stride, where they are not stated."""


@dataclass(frozen=True)
class Explainer:
    """How maps are computed.

    Args:
        method: One of ``METHODS``.
        layer: Of Grad-CAM.
        patch: Side of the patch of an occlusion in pixels of the network's input.
        stride: Pixels between two places of the patch.
    """

    method: Method
    layer: str = ""
    patch: int = 0
    stride: int = 0

    def maps(self, trained: Trained, pixels: Tensor, classes: Tensor) -> Tensor:
        """The maps (N, M, H, W) of ``classes``, int64 (N, M), on the crops ``pixels``, uint8 (N, C, H, W)."""
        inputs = network_inputs(trained, pixels)
        network, classes = trained.network, classes.to(inputs.device)
        if self.method == "occlusion":
            return occlusion(network, inputs, classes, size=self.patch, stride=self.stride).cpu()
        if self.method == "cam":
            found = class_activation_map(network, inputs, classes)
        else:
            found = grad_cam(network, inputs, classes, self.layer)
        return enlarged(found, (pixels.shape[-2], pixels.shape[-1])).cpu()

    @property
    def name(self) -> str:
        """What the maps are called."""
        return {"cam": "class activation maps", "grad-cam": "Grad-CAM", "occlusion": "occlusion maps"}[self.method]

    @property
    def unit(self) -> str:
        """What a map's numbers are, for people."""
        if self.method == "cam":
            return "added to the logit (their mean plus the bias is the logit)"
        if self.method == "grad-cam":
            return f"Grad-CAM at {self.layer}: activation times mean gradient of the logit"
        return f"drop in probability where {self.patch}x{self.patch} px are covered by the mean color"


def make_explainer(
    trained: Trained, method: str = AUTO, layer: str | None = None, patch: int | None = None, stride: int | None = None
) -> Explainer:
    """The explainer that is asked for.

    Args:
        trained: The network.
        method: One of ``METHODS``, or auto: the exact map where there is one, unless a layer is named, else Grad-CAM.
        layer: Of Grad-CAM; None: ``features``.
        patch: Of occlusion, in pixels; None: a quarter of the crop's shorter side.
        stride: Of occlusion; None: a quarter of the patch.

    Raises:
        ValueError: If the network has no exact map or no such layer, or the patch or the stride does not fit the crop.
    """
    side = min(trained.preprocessing.image_size)
    if method == "occlusion":
        patch = max(side // _QUARTER, 1) if patch is None else patch
        stride = max(patch // _QUARTER, 1) if stride is None else stride
        if not 1 <= patch <= side:
            raise ValueError(f"--patch is {patch} but must be 1 to {side} pixels, the crop's shorter side")
        if not 1 <= stride <= patch:
            raise ValueError(f"--stride is {stride} but must be 1 to {patch} pixels, the patch's side")
        return Explainer("occlusion", patch=patch, stride=stride)
    if method == "cam" or (method == AUTO and layer is None and pooled_classifier(trained.network) is not None):
        if layer is not None:
            raise ValueError("--layer is of grad-cam: the exact class activation map is that of the last layer")
        if pooled_classifier(trained.network) is None:
            raise ValueError(
                f"{type(trained.network).__name__} does not end in global average pooling and one linear layer, so it "
                "has no exact class activation map: use --method grad-cam"
            )
        return Explainer("cam")
    black = torch.zeros(1, trained.preprocessing.in_channels, *trained.preprocessing.image_size, dtype=torch.uint8)
    return Explainer("grad-cam", find_layer(trained.network, layer, network_inputs(trained, black)))


def network_inputs(trained: Trained, pixels: Tensor) -> Tensor:
    """Crops uint8 (N, C, H, W) as ``Trained.logits`` gives them to the network, on its device."""
    stated = trained.preprocessing
    pixels = pixels.to(next(trained.network.parameters()).device)
    return normalize(convert_channels(pixels, stated.in_channels), stated.mean, stated.std)


class Evidence(NamedTuple):
    """One class of one image: its number, its probability, and its map float (H, W) on the crop."""

    number: int
    probability: float
    map: Tensor

    @property
    def highest(self) -> tuple[float, tuple[int, int]]:
        """The largest value of the map, and its x and y in pixels of the crop."""
        place = int(self.map.argmax())
        y, x = divmod(place, self.map.shape[1])
        return float(self.map.flatten()[place]), (x, y)


@dataclass(frozen=True)
class ExplainedImage:
    """One image as the network sees it.

    Attributes:
        name: Its file, or its row in an array.
        pixels: uint8 (C, H, W), the evaluation's crop.
        predicted: The most probable class.
        probability: Its probability.
        true: The class of its label; None where there is no label.
        evidence: Of the class that is asked for; else of the predicted one, and of the true one where they differ.
    """

    name: str
    pixels: Tensor
    predicted: int
    probability: float
    true: int | None
    evidence: tuple[Evidence, ...]


def explain_images(
    trained: Trained,
    images: EvaluationImages,
    explainer: Explainer,
    true: Sequence[int | None],
    asked: int | None = None,
    advance: Advance | None = None,
) -> list[ExplainedImage]:
    """Explain the images that can be read, in their order.

    Args:
        trained: The network.
        images: M images; ``on_broken`` is told those that cannot be read.
        explainer: How.
        true: M classes, None where unknown.
        asked: The class to explain; None: the predicted one, and the true one where they differ.
        advance: Called as images are done.

    Raises:
        NothingReadable: If no image can be read.
    """
    explained: list[ExplainedImage] = []
    names = image_names(images)
    parts = [part for chunk in images.prepared(make_views("center", trained.preprocessing)) for part in chunk]
    size = 1 if explainer.method == "occlusion" else _BATCH_SIZE
    rows = torch.cat([part.rows for part in parts]).split(size)
    pixels = torch.cat([part.views[0][:, 0] for part in parts]).split(size)
    for numbers, crops in zip(rows, pixels, strict=True):
        labels = [true[row] for row in numbers.tolist()]
        for row, image in zip(numbers.tolist(), _explain(trained, crops, labels, explainer, asked), strict=True):
            explained.append(replace(image, name=names[row]))
        if advance is not None:
            advance(len(numbers))
    return explained


def _explain(
    trained: Trained, crops: Tensor, labels: Sequence[int | None], explainer: Explainer, asked: int | None
) -> list[ExplainedImage]:
    """A batch of crops uint8 (n, C, H, W), explained."""
    probabilities = trained.logits(crops).softmax(dim=1).cpu()
    best, predicted = probabilities.max(dim=1)
    second = [int(found) if label is None else label for label, found in zip(labels, predicted.tolist(), strict=True)]
    pairs = torch.stack([predicted, torch.tensor(second)], dim=1)
    if asked is not None:
        pairs = torch.full((len(crops), 1), asked)
    elif torch.equal(pairs[:, 0], pairs[:, 1]):
        pairs = pairs[:, :1]
    maps = explainer.maps(trained, crops, pairs)
    images = []
    for number, label in enumerate(labels):
        classes = list(dict.fromkeys(pairs[number].tolist()))
        evidence = tuple(
            Evidence(each, float(probabilities[number, each]), maps[number, place])
            for place, each in enumerate(classes)
        )
        share = float(best[number])
        images.append(ExplainedImage("", crops[number], int(predicted[number]), share, label, evidence))
    return images


def image_names(images: EvaluationImages) -> Sequence[str]:
    """The file of each image, or its row."""
    if isinstance(images.split, FolderSplit):
        return images.split.paths
    return [f"row {row}" for row in range(len(images))]


def classes_by_folder(paths: Sequence[str], class_names: Sequence[str]) -> list[int | None]:
    """The class of each file whose folder is named after one (ImageNet's also by synset or index), else None."""
    folders = [os.path.basename(os.path.dirname(os.path.abspath(path))) for path in paths]
    numbers = {name: number for number, name in enumerate(naming_of(set(folders), class_names))}
    return [numbers.get(folder) for folder in folders]
