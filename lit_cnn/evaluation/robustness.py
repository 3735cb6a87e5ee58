"""Accuracy of a network on corrupted images."""

from dataclasses import dataclass

import torch
from torch import Tensor

from lit_cnn.evaluation.corruptions import CorruptedViews
from lit_cnn.evaluation.images import EvaluationImages
from lit_cnn.evaluation.logits import Advance, stream
from lit_cnn.evaluation.trained import Trained


@dataclass(frozen=True)
class CorruptionScores:
    """Top-1 accuracies, as shares.

    Attributes:
        clean: On the images as they are.
        accuracy: float64 (kinds, severities).
    """

    clean: float
    accuracy: Tensor

    @property
    def mean_error(self) -> float:
        """Mean over kinds of the mean error over severities: the paper's mCE without its division by AlexNet's."""
        return 1 - float(self.accuracy.mean())

    @property
    def added_error(self) -> float:
        """Mean error - error on clean images."""
        return self.mean_error - (1 - self.clean)


def corruption_scores(
    trained: Trained,
    images: EvaluationImages,
    views: CorruptedViews,
    *,
    batch_size: int = 64,
    advance: Advance | None = None,
) -> CorruptionScores:
    """Run every image clean and under each of ``views.kinds`` at each of ``views.severities``; each is read once."""
    kinds, severities = len(views.kinds), len(views.severities)
    right, seen = torch.zeros(2, 1 + kinds * severities, dtype=torch.float64)
    for block in stream(trained, images, views, batch_size, advance):
        right.index_add_(0, block.views, (block.logits.argmax(dim=1) == images.labels[block.rows]).double())
        seen += torch.bincount(block.views, minlength=len(seen))
    shares = right / seen
    return CorruptionScores(float(shares[0]), shares[1:].view(kinds, severities))
