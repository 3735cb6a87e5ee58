"""A linear classifier fitted to features, as the weight and bias of a network's last layer."""

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from lit_cnn.choosing.trainings import imbalanced
from lit_cnn.run_folder.atomic import replacing

STRENGTH = 0.1
"""Inverse of the penalty on squared weights of standardized features."""
ABSENT = -10.0
"""Logit of a class of which there was no image to fit to."""


class LinearHead(NamedTuple):
    """Args: weight float32 (K, D); bias float32 (K,), or None in a network whose classifier has none."""

    weight: Tensor
    bias: Tensor | None

    def logits(self, features: Tensor) -> Tensor:
        """(N, K) of features (N, D)."""
        return torch.nn.functional.linear(features, self.weight, self.bias)


def fit_head(features: Tensor, labels: Tensor, classes: int, *, bias: bool = True) -> LinearHead:
    """Logistic regression on standardized features, folded into a layer that reads the features as they are.

    Without a bias the features are scaled, but not centered. Images are weighted by class by the same rule as losses
    (``trainings.imbalanced``).

    Args:
        features: float (N, D).
        labels: int64 (N,).
        classes: K.
        bias: Whether the layer has a bias.
    """
    values = features.double().numpy()
    center = values.mean(0) if bias else np.zeros(values.shape[1])
    spread = values.std(0)
    scale = np.where(spread > 0, spread, 1.0)
    rows, intercepts, known = _logistic_regression((values - center) / scale, labels.numpy(), bias)
    weight, offset = np.zeros((classes, values.shape[1])), np.full(classes, ABSENT)
    weight[known] = rows / scale
    offset[known] = intercepts - weight[known] @ center
    return LinearHead(torch.from_numpy(weight).float(), torch.from_numpy(offset).float() if bias else None)


def _logistic_regression(features: np.ndarray, labels: np.ndarray, bias: bool) -> tuple[np.ndarray, ...]:
    """Rows (k, D) and intercepts (k,) of the k classes that occur, and which these are."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    known = np.unique(labels)
    if len(known) < 2:
        return np.zeros((len(known), features.shape[1])), np.zeros(len(known)), known
    weights = "balanced" if imbalanced(np.bincount(labels)[known].tolist()) else None
    classifier = LogisticRegression(C=STRENGTH, max_iter=300, fit_intercept=bias, class_weight=weights)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        classifier.fit(features, labels)
    rows, intercepts = classifier.coef_, np.broadcast_to(classifier.intercept_, len(classifier.coef_))
    if len(known) == 2:  # one row decides between two classes: half of it for each is the same softmax
        rows, intercepts = np.concatenate([-rows, rows]) / 2, np.concatenate([-intercepts, intercepts]) / 2
    return rows, intercepts, known


def save_heads(file: Path, heads: Sequence[LinearHead]) -> None:
    """Write heads to a file, which ``load_heads`` reads."""
    with replacing(file) as partial:
        torch.save([tuple(head) for head in heads], partial)


def load_heads(file: Path) -> list[LinearHead]:
    """The heads in a file."""
    return [LinearHead(*pair) for pair in torch.load(file, weights_only=True)]
