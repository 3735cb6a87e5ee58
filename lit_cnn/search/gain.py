"""By how much a network beats the average network of its space, of which a few were drawn.

The drawn networks are the sample: with the seeds alone as replicates, an interval tells how far it is from these few
and leaves out zero in up to half of the cases where it is an average network itself.
"""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from lit_cnn.evaluation.paired import LEVEL, t_quantile


@dataclass(frozen=True)
class Gain:
    """A network's mean over its seeds minus the mean of the random networks' means.

    Args:
        mean: The difference.
        low: Lower end of its 95 % interval; None where that cannot be known.
        high: Its upper end.
        networks: Number of random networks.
        limited_by: Of what more narrows the interval most, or of what two are needed for one.
    """

    mean: float
    low: float | None
    high: float | None
    networks: int
    limited_by: str

    @property
    def decided(self) -> bool:
        """Whether there is an interval, and it leaves out 0."""
        return self.low is not None and self.high is not None and (self.low > 0 or self.high < 0)


NETWORKS, SEEDS = "random networks", "seeds"


def gain_over(values: Sequence[float], means: Sequence[float]) -> Gain:
    """The difference, with Welch's interval: its standard error is made of the variance of the network over its seeds
    and that of the random networks' means, with Satterthwaite's degrees of freedom, rounded down.

    Args:
        values: Of the network, one for each seed; at least one.
        means: Of the random networks over their seeds; at least one.
    """
    mean = statistics.fmean(values) - statistics.fmean(means)
    if len(values) < 2 or len(means) < 2:
        return Gain(mean, None, None, len(means), NETWORKS if len(means) < 2 else SEEDS)
    own, others = (statistics.variance(each) / len(each) for each in (values, means))
    half = 0.0
    if own + others > 0:
        freedom = (own + others) ** 2 / (own**2 / (len(values) - 1) + others**2 / (len(means) - 1))
        half = t_quantile((1 + LEVEL) / 2, int(freedom + 1e-9)) * math.sqrt(own + others)
    return Gain(mean, mean - half, mean + half, len(means), NETWORKS if others >= own else SEEDS)
