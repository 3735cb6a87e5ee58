"""How far predicted latencies of whole networks are from measured ones."""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Prediction:
    """A whole network, predicted and measured in the same run.

    Args:
        name: The network.
        image_size: Side of its images in px.
        used: Whether operations were timed for the table because of this network; False for one that is predicted from
            operations of others.
        predicted_ms: Sum over its operations, per batch.
        measured_ms: The whole pass, per batch.
    """

    name: str
    image_size: int
    used: bool
    predicted_ms: float
    measured_ms: float

    @property
    def error_percent(self) -> float:
        """Of the measured time; below 0 where the prediction is too low."""
        return 100 * (self.predicted_ms / self.measured_ms - 1)


@dataclass(frozen=True)
class PredictionErrors:
    """Errors over some networks, in percent of the measured times.

    Args:
        networks: How many.
        mean_absolute_percent: Mean of the errors without their signs.
        largest_percent: The one farthest from 0, with its sign.
        bias_percent: Mean of the errors with their signs.
        rank_correlation: Kendall's tau between predicted and measured times; nan for fewer than 2 networks or where one
            side is all equal.
    """

    networks: int
    mean_absolute_percent: float
    largest_percent: float
    bias_percent: float
    rank_correlation: float


def errors_of(predictions: Sequence[Prediction]) -> PredictionErrors:
    """The errors of at least one network.

    Raises:
        ValueError: If there is none.
    """
    if not predictions:
        raise ValueError("errors need at least one network that was predicted and measured")
    errors = [each.error_percent for each in predictions]
    pairs = [(each.predicted_ms, each.measured_ms) for each in predictions]
    mean_absolute = sum(map(abs, errors)) / len(errors)
    return PredictionErrors(
        len(errors), mean_absolute, max(errors, key=abs), sum(errors) / len(errors), kendall_tau(pairs)
    )


def kendall_tau(pairs: Sequence[tuple[float, float]]) -> float:
    """Kendall's tau-b, which takes ties into account; nan where one side has no two different values."""
    agreement, left, right = 0, 0, 0
    for (a, b), (c, d) in itertools.combinations(pairs, 2):
        first, second = (a > c) - (a < c), (b > d) - (b < d)
        agreement += first * second
        left += abs(first)
        right += abs(second)
    return agreement / math.sqrt(left * right) if left and right else math.nan
