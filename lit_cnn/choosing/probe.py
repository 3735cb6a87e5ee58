"""The first rung of candidates with weights: a linear classifier on their features, cross-validated.

The features are computed once, without augmentation, so a candidate costs one pass over the images. Its trainings start
from the same classifier (``head_starts.py``).
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from lit_cnn.choosing.answering import image_names
from lit_cnn.choosing.head_starts import Backbone, read_backbone
from lit_cnn.choosing.linear_head import LinearHead, fit_head
from lit_cnn.data.module import ImageData
from lit_cnn.data.sources.load import Split
from lit_cnn.evaluation.images import EvaluationImages, workers_of
from lit_cnn.evaluation.logits import stream
from lit_cnn.evaluation.test_time_augmentation import make_views
from lit_cnn.evaluation.trained import Trained

FITTED = 5000
"""Training images that a head is fitted to at most, where the images have no folds."""


class Probed(NamedTuple):
    """What a probe has found.

    Args:
        heads: One for each fold, fitted to the images of the others; of images without folds the only one, fitted to
            training images.
        answers: Image -> whether the head that was not fitted to it classifies it correctly.
    """

    heads: list[LinearHead]
    answers: dict[str, bool]


class Features(NamedTuple):
    """Args: values float32 (N, D), labels int64 (N,), rows int64 (N,) among the images of the split."""

    values: Tensor
    labels: Tensor
    rows: Tensor


def probe(weights: str, folds: Sequence[ImageData], device: torch.device) -> Probed:
    """Fit heads to the features of trained weights, and judge each on images that it has not seen.

    Args:
        weights: What the features are of.
        folds: Each with another part of the images to validate on; a single one has its own training images.
        device: Where the features are computed.
    """
    for data in folds:
        data.setup("fit")
    backbone = backbone_for(weights, folds[0])
    validated = [features_of(backbone, data, data.loaded.val, device) for data in folds]
    groups = [[each for each in validated if each is not own] for own in validated]
    if len(folds) == 1:
        groups = [[features_of(backbone, folds[0], folds[0].loaded.train, device)]]
    heads = [_head(group, folds[0].num_classes, has_bias(backbone)) for group in groups]
    answers: dict[str, bool] = {}
    for data, own, head in zip(folds, validated, heads, strict=True):
        right = head.logits(own.values).argmax(1) == own.labels
        answers |= dict(zip(image_names(data, own.rows), right.tolist(), strict=True))
    return Probed(heads, answers)


def _head(fitted: Sequence[Features], classes: int, bias: bool) -> LinearHead:
    values, labels = (torch.cat([getattr(each, name) for each in fitted]) for name in ("values", "labels"))
    return fit_head(values, labels, classes, bias=bias)


def backbone_for(weights: str, data: ImageData) -> Backbone:
    """The weights in a network for these images, which are set up."""
    return read_backbone(weights, data.class_names, data.preprocessing.in_channels)


def has_bias(backbone: Backbone) -> bool:
    """Whether the classifier has one."""
    return getattr(backbone.network.classifier, "bias", None) is not None


def features_of(backbone: Backbone, data: ImageData, split: Split, device: torch.device) -> Features:
    """What the classifier reads, of the images of a split as ``data`` prepares them; of the training images of
    ``FITTED``, drawn once for all.

    Files that ``data.on_error`` skips are left out.
    """
    network = backbone.network.to(device)
    images = EvaluationImages(
        split, data.pixel_format, data.loaded.origin, workers_of(data.workers, split), data.on_error
    )
    if split is data.loaded.train:
        images = images.sample(FITTED)
    read: list[Tensor] = []
    hook = network.classifier.register_forward_pre_hook(lambda _, inputs: read.append(inputs[0].float().cpu()))
    try:
        trained = Trained(network, list(data.class_names), data.preprocessing, {})
        batch = data.eval_batch_size or data.batch_size
        blocks = list(stream(trained, images, make_views("center", data.preprocessing), batch))
    finally:
        hook.remove()
    rows = torch.cat([block.rows for block in blocks])
    return Features(torch.cat(read), images.labels[rows], rows)
