"""What the first epochs of a training say about its end.

All estimates are of plain numbers, high ones good; they cost the epochs that were trained, nothing more.
"""

import math
from collections.abc import Sequence

import numpy as np

EXPONENTS = tuple(0.1 * 1.35**step for step in range(12))
"""Of the power laws, from 0.1 to 2.7: from a curve that hardly flattens to one that is flat after five epochs."""


def last_value(curve: Sequence[float]) -> float:
    """The newest value of a validation curve.

    Raises:
        ValueError: If it is empty.
    """
    if not curve:
        raise ValueError("a learning curve needs at least one epoch, got none")
    return curve[-1]


def negative_loss_sum(losses: Sequence[float], epochs: int | None = None) -> float:
    """Minus the sum of the training losses of the last ``epochs`` epochs, by default of all.

    The sum over the whole training is SoTL, over the last epochs SoTL-E (Ru et al., "Speedy performance estimation for
    neural architecture search", 2021, arXiv:2006.04492).

    Raises:
        ValueError: If there are fewer losses than ``epochs``, or none.
    """
    count = len(losses) if epochs is None else epochs
    if not 1 <= count <= len(losses):
        raise ValueError(f"the loss of the last {max(count, 1)} epochs is asked for, but there are {len(losses)}")
    return -math.fsum(losses[-count:])


def extrapolate(curve: Sequence[float], epoch: int, noise: float = 0.02) -> float:
    """A validation accuracy at a later epoch, by power laws a - b · t^-c through the first epochs.

    Each exponent c of ``EXPONENTS`` has its own least-squares fit with a in [0, 1] and b >= 0; the result is the mean
    of their values at ``epoch``, weighted by the likelihood of the curve under normal noise. So three points, which
    three parameters fit exactly, do not decide by themselves how far the curve still rises. One of the families of
    Domhan et al., "Speeding up automatic hyperparameter optimization of deep neural networks by extrapolation of
    learning curves", 2015.

    Args:
        curve: Accuracies in [0, 1] after epochs 1, 2, ….
        epoch: The epoch asked for, at least ``len(curve)``.
        noise: Standard deviation of one accuracy around the curve.

    Raises:
        ValueError: If there are fewer than 3 accuracies, one is outside [0, 1], or ``epoch`` is in the past.
    """
    if len(curve) < 3 or epoch < len(curve):
        raise ValueError(
            f"an extrapolation needs at least 3 epochs and an epoch after them, got {len(curve)} and epoch {epoch}"
        )
    values = np.asarray(curve, dtype=float)
    if not ((values >= 0) & (values <= 1)).all():
        raise ValueError(f"accuracies must be from 0 to 1, got {list(curve)}")
    times = np.arange(1, len(values) + 1, dtype=float)
    errors, ends = [], []
    for exponent in EXPONENTS:
        limit, drop = _fit(times**-exponent, values)
        errors.append(((limit - drop * times**-exponent - values) ** 2).sum())
        ends.append(limit - drop * epoch**-exponent)
    weights = np.exp((min(errors) - np.asarray(errors)) / (2 * noise**2))
    return float(np.average(ends, weights=weights))


def _fit(decay: np.ndarray, values: np.ndarray) -> tuple[float, float]:
    """a and b of a - b · decay that fit best, with a in [0, 1] and b >= 0."""
    centered = decay - decay.mean()
    drop = max(-float(centered @ values) / float(centered @ centered), 0.0)
    limit = float(values.mean() + drop * decay.mean())
    if limit <= 1:
        return limit, drop
    return 1.0, float(decay @ (1 - values)) / float(decay @ decay)
