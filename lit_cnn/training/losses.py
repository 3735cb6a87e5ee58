"""Classification losses on class indices or soft targets, with padding rows left out."""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional as F

_NAMES = ("cross_entropy", "binary_cross_entropy")


@dataclass(frozen=True)
class LossSettings:
    """What training minimizes.

    Args:
        name: cross_entropy over the softmax of the classes, or binary_cross_entropy of each class against its own
            sigmoid, averaged over the classes (ResNet strikes back, arXiv:2110.00476).
        label_smoothing: Share of the target spread evenly over all classes, in [0, 1).
        auxiliary_weight: Weight of the loss of each auxiliary head: 0.3 in GoogLeNet's paper, 0.4 for NASNet.
        target_threshold: binary_cross_entropy takes each class whose (mixed, smoothed) target is above this as fully
            present and the others as absent, so that both images of a mixture are to be found; null keeps soft targets.
        class_weights: equal, or balanced for classes of different size: an image weighs N / (K n) where n of the N
            training images are of its class, so that all K classes weigh the same and the mean weight is 1; a mixture
            weighs as its parts do. Validation counts all images equally.
    """

    name: Literal["cross_entropy", "binary_cross_entropy"] = "cross_entropy"
    label_smoothing: float = 0.0
    auxiliary_weight: float = 0.3
    target_threshold: float | None = None
    class_weights: Literal["equal", "balanced"] = "equal"

    def __post_init__(self) -> None:
        if self.name not in _NAMES:
            raise ValueError(f"loss.name must be one of {', '.join(_NAMES)}, got {self.name!r}")
        if self.class_weights not in ("equal", "balanced"):
            raise ValueError(f"loss.class_weights must be equal or balanced, got {self.class_weights!r}")
        if not 0 <= self.label_smoothing < 1:
            raise ValueError(f"loss.label_smoothing must be in [0, 1), got {self.label_smoothing}")
        if self.auxiliary_weight < 0:
            raise ValueError(f"loss.auxiliary_weight must be at least 0, got {self.auxiliary_weight}")
        if self.target_threshold is not None:
            if not 0 <= self.target_threshold < 1:
                raise ValueError(f"loss.target_threshold must be in [0, 1) or null, got {self.target_threshold}")
            if self.name != "binary_cross_entropy":
                raise ValueError("loss.target_threshold needs loss.name binary_cross_entropy")


def balanced_weights(counts: Tensor) -> Tensor:
    """Weight of each class, float32 (K,): N / (K n_k), for ``counts`` n, int64 (K,), of N images.

    Raises:
        ValueError: If a class has no image.
    """
    if not bool((counts > 0).all()):
        missing = int((counts == 0).sum())
        raise ValueError(
            f"loss.class_weights is balanced, but {missing} of {len(counts)} classes have no training image: "
            "add images or set it to equal"
        )
    return (counts.sum() / (len(counts) * counts.double())).float()


def row_losses(logits: Tensor, targets: Tensor, settings: LossSettings, class_weights: Tensor | None = None) -> Tensor:
    """The loss of each row, (N,), in float32 also for half-precision logits.

    Args:
        logits: (N, K).
        targets: int64 (N,) class indices, or float (N, K) on the simplex.
        settings: Loss and label smoothing.
        class_weights: float (K,) factors on the losses, by the targets before smoothing; None for 1.
    """
    losses = _unweighted(logits, targets, settings)
    if class_weights is None:
        return losses
    weights = targets.to(class_weights.dtype) @ class_weights if targets.is_floating_point() else class_weights[targets]
    return losses * weights


def _unweighted(logits: Tensor, targets: Tensor, settings: LossSettings) -> Tensor:
    logits = logits.to(torch.promote_types(logits.dtype, torch.float32))
    smoothing, classes = settings.label_smoothing, logits.shape[1]
    if targets.is_floating_point():
        targets = targets.to(logits.dtype)
    if settings.name == "cross_entropy":
        return F.cross_entropy(logits, targets, reduction="none", label_smoothing=smoothing)
    if not targets.is_floating_point():
        targets = F.one_hot(targets, classes).to(logits.dtype)
    if smoothing:
        targets = targets * (1 - smoothing) + smoothing / classes
    if settings.target_threshold is not None:
        targets = (targets > settings.target_threshold).to(logits.dtype)
    return F.binary_cross_entropy_with_logits(logits, targets, reduction="none").mean(dim=1)


def classification_loss(
    logits: Tensor,
    targets: Tensor,
    valid: Tensor | None,
    settings: LossSettings,
    class_weights: Tensor | None = None,
) -> Tensor:
    """The mean of ``row_losses`` over the valid rows, 0-dim; exactly 0, with zero gradients, if there is none.

    Rows that are not valid have no influence, whatever their logits (nan included) and targets.

    Args:
        logits: (N, K).
        targets: int64 (N,) class indices, or float (N, K) on the simplex.
        valid: bool (N,), or None if every row counts.
        settings: Loss and label smoothing.
        class_weights: As in ``row_losses``.
    """
    if valid is None:
        return row_losses(logits, targets, settings, class_weights).sum() / max(len(logits), 1)
    logits, targets = masked_rows(logits, valid), masked_rows(targets, valid)
    losses = row_losses(logits, targets, settings, class_weights)
    return masked_rows(losses, valid).sum() / valid.sum().clamp(min=1)


def loss_of_heads(
    output: Tensor | tuple[Tensor, ...],
    targets: Tensor,
    valid: Tensor | None,
    settings: LossSettings,
    class_weights: Tensor | None = None,
) -> Tensor:
    """Loss of the network's output, which in training may be (logits, auxiliary logits, …)."""
    heads = (output,) if isinstance(output, Tensor) else output
    losses = [classification_loss(logits, targets, valid, settings, class_weights) for logits in heads]
    return losses[0] + settings.auxiliary_weight * sum(losses[1:], torch.zeros_like(losses[0]))


def masked_rows(values: Tensor, valid: Tensor) -> Tensor:
    """``values`` (N, ...) with 0 in the rows that are not ``valid`` (N,)."""
    return values.masked_fill(~valid.reshape(-1, *[1] * (values.ndim - 1)), 0)
