"""Average precision as Pascal VOC counts it: 11-point of 2007, area under the curve from 2010 on.

Source: Everingham et al., The PASCAL Visual Object Classes Challenge, IJCV 2010, section 4.2, and the development kit.
Both are of one class, which has at least one object that is not difficult.
"""

import numpy as np

from lit_cnn.detection.matching import ClassMatches

POINTS = 11
"""Recalls 0, 0.1, …, 1 of the metric of 2007."""


def eleven_point(matches: ClassMatches) -> float:
    """Mean of the highest precision at a recall of at least 0, 0.1, …, 1."""
    best = np.append(_highest_from_here(matches.precision), 0.0)
    # in integers, since 0.1 * k is not the recall k / 10
    first = np.searchsorted(matches.found * (POINTS - 1), np.arange(POINTS) * matches.objects)
    return float(best[first].mean())


def area_under_curve(matches: ClassMatches) -> float:
    """Area under the precision over the recall, the precision made to fall."""
    steps = np.diff(matches.found, prepend=0)
    return float((steps * _highest_from_here(matches.precision)).sum() / matches.objects)


def _highest_from_here(precision: np.ndarray) -> np.ndarray:
    return np.maximum.accumulate(precision[::-1])[::-1]
