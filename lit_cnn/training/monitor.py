"""The metric by which a run's validations are compared, and in which direction it is better."""

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


def is_of_validation(metric: str) -> bool:
    """Whether a metric is of the validation images, and so of the weights of one step."""
    return metric.startswith("val/")
