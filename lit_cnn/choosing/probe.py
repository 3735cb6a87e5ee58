"""The first rung of candidates with weights: a linear classifier on their features, cross-validated.

The features are computed once, without augmentation, so a candidate costs one pass over the images.
"""

import warnings
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from lit_cnn.choosing.answering import image_names
from lit_cnn.data.module import ImageData
from lit_cnn.evaluation.trained import load_trained

PARTS = 5
"""Folds of the probe where the images themselves have none: of those that are validated on."""
STRENGTH = 1.0
"""Inverse of the penalty on squared weights."""


def probe(weights: str, folds: Sequence[ImageData], device: torch.device) -> dict[str, bool]:
    """Image -> whether a linear classifier that was fitted to the other folds' features classifies it correctly.

    Args:
        weights: What the features are of.
        folds: Each with another part of the images to validate on; a single one is divided into ``PARTS``.
        device: Where the features are computed.
    """
    network = load_trained(weights).network.to(device)
    network.reset_classifier(0)  # type: ignore[operator]
    features, labels, names, parts = [], [], [], []
    for number, data in enumerate(folds):
        own = _features(network, data, device)
        features.append(own[0])
        labels.append(own[1])
        names += image_names(data, own[2])
        parts.append(np.arange(len(own[1])) % PARTS if len(folds) == 1 else np.full(len(own[1]), number))
    right = cross_validated(torch.cat(features).numpy(), torch.cat(labels).numpy(), np.concatenate(parts))
    return dict(zip(names, right.tolist(), strict=True))


def cross_validated(features: np.ndarray, labels: np.ndarray, parts: np.ndarray) -> np.ndarray:
    """bool (N,): whether each image is classified correctly by logistic regression on the images of the other parts.

    Args:
        features: float (N, D).
        labels: int (N,).
        parts: int (N,), the part of each image.
    """
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    right = np.zeros(len(labels), dtype=bool)
    for part in np.unique(parts).tolist():
        own = parts == part
        if len(np.unique(labels[~own])) < 2:
            continue
        classifier = LogisticRegression(C=STRENGTH, max_iter=300)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            classifier.fit(features[~own], labels[~own])
        right[own] = classifier.predict(features[own]) == labels[own]
    return right


@torch.inference_mode()
def _features(network: torch.nn.Module, data: ImageData, device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
    """Features (N, D), labels (N,) and rows (N,) of the images to validate on."""
    data.setup("fit")
    found = []
    for batch in data.val_dataloader():
        ready = data.prepare(batch, training=False, step=0, epoch=0)
        kept = ready.index >= 0
        values = network(ready.images.to(device)).flatten(1).float().cpu()
        found.append((values[kept], ready.targets[kept], ready.index[kept]))
    features, labels, rows = (torch.cat(column) for column in zip(*found, strict=True))
    return features, labels, rows
