"""The place of each image's label among the classes, which every top-1, top-k and rank counts."""

import torch
from torch import Tensor


def label_ranks(values: Tensor, labels: Tensor) -> Tensor:
    """How many classes come before the label: by their value and, of equal ones, by their number, as for ``argmax``.

    What is not a number comes before everything, so that a network without an answer is never right.

    Args:
        values: (N, K), logits or probabilities.
        labels: int64 (N,).

    Returns:
        int64 (N,), 0 where the label is the first.
    """
    own, numbers = values.gather(1, labels[:, None]), torch.arange(values.shape[1], device=values.device)
    not_before = (values < own) | ((values == own) & (numbers >= labels[:, None]))
    return values.shape[1] - not_before.sum(dim=1)
