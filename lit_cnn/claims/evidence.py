"""What is known when a claim is judged: the figures of its runs, and what was counted or measured without them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Metric:
    """A figure of a run.

    Args:
        title: What it is.
        unit: Of differences as they are shown.
        factor: From the figure as it is kept to that.
    """

    title: str
    unit: str = ""
    factor: float = 1.0

    @property
    def level_unit(self) -> str:
        """Of the figure itself, of which differences are in ``unit``."""
        return "%" if self.unit == "points" else self.unit


METRICS = {
    "accuracy": Metric("accuracy on the evaluated images, last epoch", "points", 100),
    "nll": Metric("negative log-likelihood of the evaluated images, last epoch", "nats"),
    "train_accuracy": Metric("accuracy on the training images as they were trained on, last epoch", "points", 100),
    "train_loss": Metric("loss of the training images as they were trained on, last epoch", "nats"),
    "gap": Metric("training accuracy minus accuracy on the evaluated images, last epoch", "points", 100),
    "seconds": Metric("seconds of training without validation", "s"),
    "log_seconds": Metric("logarithm of the seconds of training, so that a difference is a ratio", ""),
}
"""Name -> a figure of every run. Accuracies are shares in [0, 1] until they are shown."""


@dataclass(frozen=True)
class Evidence:
    """Figures, by what they were measured on.

    Args:
        runs: Arm -> seed -> figures, by the names of ``METRICS``. A run whose loss stopped being a number has those of
            a guess.
        measured: Name -> a figure that was counted, or measured on stored runs.
    """

    runs: Mapping[str, Mapping[int, Mapping[str, float]]] = field(default_factory=dict)
    measured: Mapping[str, float] = field(default_factory=dict)

    def values(self, arm: str, metric: str, seeds: int) -> list[float]:
        """The figure of the seeds 0 to ``seeds`` - 1.

        Raises:
            KeyError: If one of them has not ended.
        """
        return [self.runs[arm][seed][metric] for seed in range(seeds)]

    def lacking(self, arms: Sequence[str], metric: str, seeds: int) -> int:
        """How many runs of these arms have ended without this figure."""
        ended = [self.runs.get(arm, {}).get(seed) for arm in arms for seed in range(seeds)]
        return sum(figures is not None and metric not in figures for figures in ended)

    def missing(self, arms: Sequence[str], seeds: int) -> int:
        """How many runs of these arms have not ended."""
        return sum(seed not in self.runs.get(arm, {}) for arm in arms for seed in range(seeds))
