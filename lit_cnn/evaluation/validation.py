"""The figures of trained weights on validation or test images: as the run reports them, and averaged over views."""

import copy
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch

from lit_cnn.evaluation.images import EvaluationImages
from lit_cnn.evaluation.logits import Advance, Average, Block, Outcome, collect, stream
from lit_cnn.evaluation.scores import accuracies, bootstrap_interval, hits
from lit_cnn.evaluation.test_time_augmentation import ViewKind, Views, make_views
from lit_cnn.evaluation.trained import Trained
from lit_cnn.training.metrics import EvaluationMetrics
from lit_cnn.training.precision import Precision, PrecisionChoice, evaluation_precision

_AUTOCAST: dict[Precision, torch.dtype] = {
    **dict.fromkeys(("bf16-mixed", "bf16"), torch.bfloat16),
    **dict.fromkeys(("16-mixed", "16", 16), torch.float16),
}
"""Mixed precision -> what convolutions and matrix products are computed in."""
_WEIGHTS: dict[Precision, torch.dtype] = {
    "bf16-true": torch.bfloat16,
    "16-true": torch.float16,
    **dict.fromkeys(("64-true", "64", 64), torch.float64),
}
"""Precision whose weights are not in float32 -> what they are in."""


def in_run_precision(trained: Trained) -> tuple[Trained, PrecisionChoice | None]:
    """The network in the precision of its training, so that its figures are those of the run.

    Returns:
        The network, and what it computes in instead where this machine would only emulate the run's precision.
    """
    stated = trained.recipe.get("trainer", {}).get("precision")
    choice = evaluation_precision(stated)
    computing = replace(trained, autocast=_AUTOCAST.get(choice.precision))
    if (number_format := _WEIGHTS.get(choice.precision)) is not None:
        computing.network = copy.deepcopy(trained.network).to(number_format)
    return computing, choice if choice.precision != stated else None


def validate(
    trained: Trained,
    images: EvaluationImages,
    *,
    batch_size: int,
    advance: Advance | None = None,
    on_block: Callable[[Block], object] | None = None,
) -> dict[str, float]:
    """{"loss", "acc1", "acc<k>"} of the center crop: cross-entropy and accuracies as ``fit`` reports them.

    Args:
        trained: The network, in the precision that is wanted.
        images: Of one split.
        batch_size: Images in one forward pass; that of ``fit`` repeats its figures to the last digit.
        advance: Called as images are done.
        on_block: Called with the logits of each batch.
    """
    metrics = EvaluationMetrics(len(trained.class_names))
    for block in stream(trained, images, make_views("center", trained.preprocessing), batch_size, advance):
        metrics.update(block.logits, images.labels[block.rows])
        if on_block is not None:
            on_block(block)
    return {name: float(value.float()) for name, value in metrics.compute().items()}


def run_views(trained: Trained, kind: ViewKind, scales: tuple[int, ...] | None = None, flip: bool = False) -> Views:
    """Views as ``make_views`` makes them, padded where the run's training crops were."""
    crop = trained.recipe.get("data", {}).get("crop", {})
    padding = crop.get("padding", 0) if crop.get("kind") == "pad" else 0
    return make_views(kind, trained.preprocessing, scales, flip, padding)


def compare_views(
    trained: Trained, images: EvaluationImages, views: Views, average: Average, advance: Advance | None = None
) -> tuple[Outcome, Outcome]:
    """The single center crop and the views; one and the same where the views are the center crop."""
    single = make_views("center", trained.preprocessing)
    center = collect(trained, images, single, advance=advance)
    return center, center if views == single else collect(trained, images, views, average=average, advance=advance)


def views_report(center: Outcome, outcome: Outcome, views: Views, average: Average) -> dict[str, Any]:
    """Both results, and the gain in top-1 with its 95 % interval, as built-in types."""
    gain = hits(outcome.probabilities, outcome.labels).double() - hits(center.probabilities, center.labels).double()
    return {
        "images": len(center.labels),
        "center": _figures(center),
        "views": {
            "kind": views.kind,
            "scales": list(views.scales),
            "padding": views.padding,
            "average": average,
            **_figures(outcome),
        },
        "gain": float(gain.mean()),
        "gain_interval": list(bootstrap_interval(gain, "views", views.kind)),
    }


def _figures(outcome: Outcome) -> dict[str, float]:
    return {
        **accuracies(outcome.probabilities, outcome.labels),
        "views_per_image": outcome.views,
        "images_per_second": outcome.images_per_second,
    }
