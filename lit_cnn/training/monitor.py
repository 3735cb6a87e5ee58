"""The metric by which a run's validations are compared: in which direction it is better, and how it is shown."""

import math
from typing import Literal

SMALLER_IS_BETTER = ("loss", "error", "perplexity")
"""Words in the last part of the name (val/loss, val/loss_raw) of a metric to minimize; others are maximized."""


def direction(metric: str) -> Literal["min", "max"]:
    """Whether a metric is to be minimized or maximized, by its name.

    >>> direction("val/acc1"), direction("val/loss_raw")
    ('max', 'min')
    """
    words = metric.rpartition("/")[2].lower().split("_")
    return "min" if any(word in SMALLER_IS_BETTER for word in words) else "max"


def is_better(metric: str, score: float, best: float | None) -> bool:
    """Whether ``score`` improves on the best one so far (None: there is none); NaN never does."""
    if math.isnan(score):
        return False
    if best is None or math.isnan(best):
        return True
    return score < best if direction(metric) == "min" else score > best


def metric_text(metric: str, value: float) -> str:
    """A loss with four decimals, an accuracy in percent.

    >>> metric_text("val/loss", 0.25), metric_text("val/acc1", 0.25)
    ('0.2500', '25.00 %')
    """
    return f"{value:.4f}" if "loss" in metric else f"{100 * value:.2f} %"


def is_of_validation(metric: str) -> bool:
    """Whether a metric is of the validation images, and so of the weights of one step."""
    return metric.startswith("val/")


def is_of_training(metric: str) -> bool:
    """Whether a metric is of the training images, which every epoch logs."""
    return metric.startswith("train/")
