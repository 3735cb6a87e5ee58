"""Kendall's tau-b: how far two measures order the same things in the same way."""

from collections.abc import Sequence

import numpy as np


def kendall_tau(first: Sequence[float] | np.ndarray, second: Sequence[float] | np.ndarray) -> float:
    """tau-b of two measures of the same n >= 2 things (Kendall, 1945): 1 for the same order, -1 for the reverse.

    (concordant - discordant pairs) / sqrt(pairs not tied in the first · pairs not tied in the second).

    Returns:
        NaN if all values of one measure are equal.

    Raises:
        ValueError: If the lengths differ, there are fewer than 2 values, or one is NaN.
    """
    return float(resampled_tau(first, second, np.ones((1, len(first))))[0])


def resampled_tau(
    first: Sequence[float] | np.ndarray, second: Sequence[float] | np.ndarray, counts: np.ndarray
) -> np.ndarray:
    """tau-b of many samples of the same things.

    Args:
        first: One measure, (n,).
        second: The other, (n,).
        counts: How often each thing is in each sample, (samples, n). Pairs of a thing with itself are ties.

    Returns:
        (samples,); NaN where all values of one measure are equal.

    Raises:
        ValueError: If the lengths differ, there are fewer than 2 values, or one is NaN.
    """
    x, y = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    if x.shape != y.shape or x.ndim != 1 or len(x) < 2:
        raise ValueError(f"tau needs two measures of the same 2 or more things, got {len(x)} and {len(y)}")
    if np.isnan(x).any() or np.isnan(y).any():
        raise ValueError("tau needs an order, but a value is not a number: leave that network out")
    above = [(z[:, None] > z).astype(float) - (z[:, None] < z) for z in (x, y)]  # values may be infinite

    def pairs(kinds: np.ndarray) -> np.ndarray:
        return ((counts @ kinds) * counts).sum(1)

    untied = pairs(np.abs(above[0])) * pairs(np.abs(above[1]))
    with np.errstate(invalid="ignore"):
        return pairs(above[0] * above[1]) / np.sqrt(untied)
