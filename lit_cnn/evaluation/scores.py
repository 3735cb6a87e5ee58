"""Figures of merit as pure functions of (probabilities (M, K), labels (M,)), and their intervals.

Accuracies and errors are shares in [0, 1].
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from lit_cnn.randomness import derive_key
from lit_cnn.training.ranks import label_ranks

BOOTSTRAP_SAMPLES = 10_000


def hits(probabilities: Tensor, labels: Tensor, k: int = 1) -> Tensor:
    """bool (M,): whether the label is among the k most probable classes, of equal ones the first by their number."""
    return label_ranks(probabilities, labels) < k


def accuracies(probabilities: Tensor, labels: Tensor) -> dict[str, float]:
    """{"acc1", "acc<k>"} with k = min(5, K)."""
    k = min(5, probabilities.shape[1])
    return {f"acc{n}": float(hits(probabilities, labels, n).double().mean()) for n in (1, k)}


def log_loss(probabilities: Tensor, labels: Tensor) -> float:
    """Mean negative log-likelihood in nats; a probability of 0 counts as the smallest positive double."""
    of_label = probabilities.double().gather(1, labels[:, None])
    return -float(of_label.clamp(min=torch.finfo(torch.float64).tiny).log().mean())


def brier_score(probabilities: Tensor, labels: Tensor) -> float:
    """Mean over images of the squared distance of the probabilities to the one-hot label, in [0, 2] (Brier, 1950)."""
    target = torch.nn.functional.one_hot(labels, probabilities.shape[1])
    return float(((probabilities.double() - target) ** 2).sum(dim=1).mean())


def bootstrap_interval(differences: Tensor, *key: int | str) -> tuple[float, float]:
    """95 % percentile interval of the mean of paired differences (M,), from 10,000 resamples of the images.

    A resample depends on the images only through how often each distinct difference occurs, so these counts are drawn
    (multinomially) instead of the images themselves. The draws are a function of ``key``.
    """
    values, counts = torch.unique(differences.double(), return_counts=True)
    draws = np.random.default_rng(derive_key("bootstrap", *key) & 0x7FFFFFFFFFFFFFFF)
    resampled = draws.multinomial(len(differences), counts.double().numpy() / len(differences), BOOTSTRAP_SAMPLES)
    low, high = np.quantile(resampled @ values.numpy() / len(differences), [0.025, 0.975])
    return float(low), float(high)


def wilson_interval(right: int, total: int) -> tuple[float, float]:
    """95 % interval of a share of which ``right`` of ``total`` images were counted (Wilson, 1927, JASA 22:209).

    It holds what it promises near 0 and 1 and for few images too, where the normal one does not.

    >>> [round(end, 4) for end in wilson_interval(9, 10)]
    [0.5958, 0.9821]

    Raises:
        ValueError: If there are no images, or fewer than are right.
    """
    if not 0 <= right <= total or total < 1:
        raise ValueError(f"an interval needs 0 to n right images of n, got {right} of {total}")
    z = 1.959964
    share, spread = right / total, z**2 / total
    middle = (share + spread / 2) / (1 + spread)
    half = math.sqrt(spread * (share * (1 - share) + spread / 4)) / (1 + spread)
    return middle - half if right else 0.0, middle + half if right < total else 1.0


def confusion_matrix(predicted: Tensor, labels: Tensor, classes: int) -> Tensor:
    """int64 (K, K); entry (i, j) counts images of class i that were called j."""
    return torch.bincount(labels * classes + predicted, minlength=classes**2).view(classes, classes)


@dataclass(frozen=True)
class ClassScore:
    """How one class fares.

    Attributes:
        name: The class.
        images: How many images have this label.
        recall: Share of them that are called so: the class's accuracy; nan without images.
        precision: Share of what is called so that is; nan if nothing is.
        f1: 2 · right / (labelled so + called so); nan if both are none.
        confused_with: The wrong class its images are most often called, or None if none is.
        confused: How many are.
    """

    name: str
    images: int
    recall: float
    precision: float
    f1: float
    confused_with: str | None
    confused: int


def class_scores(probabilities: Tensor, labels: Tensor, class_names: Sequence[str]) -> list[ClassScore]:
    """One row per class, the lowest recall first; classes without images stand last."""
    matrix = confusion_matrix(probabilities.argmax(dim=1), labels, len(class_names))
    right, true, called = matrix.diagonal().double(), matrix.sum(dim=1), matrix.sum(dim=0)
    recall, precision, f1 = right / true, right / called, 2 * right / (true + called)
    wrong = (matrix - matrix.diagonal().diag()).max(dim=1)
    rows = [
        ClassScore(
            name,
            int(true[k]),
            float(recall[k]),
            float(precision[k]),
            float(f1[k]),
            class_names[int(wrong.indices[k])] if wrong.values[k] else None,
            int(wrong.values[k]),
        )
        for k, name in enumerate(class_names)
    ]
    return sorted(rows, key=lambda row: (row.images == 0, row.recall if row.images else 0.0))


def balanced_accuracy(scores: Sequence[ClassScore]) -> float:
    """Mean recall of the classes that have images."""
    return float(np.mean([row.recall for row in scores if row.images]))
