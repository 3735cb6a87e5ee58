"""Filters of a convolution as small pictures."""

import math
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from lit_cnn.reports.canvas import INK, new_figure, write_figure
from lit_cnn.reports.names import shortened

_TILE = 0.42
"""Side of a filter in inches."""
_GAP = 0.06
_MARGIN = 0.2
_HEAD = 0.62
_LETTER = 0.075


def filter_tiles(weights: ArrayLike) -> np.ndarray:
    """Filters (F, C, k, k) as uint8 pictures (N, k, k, 3): N = F of three channels in color, else F · C in gray.

    All are on one scale: 0 is middle gray, and the largest weight of either sign is white or black, in its channel.
    """
    filters = np.asarray(weights, dtype=np.float64)
    shown = filters if filters.shape[1] == 3 else filters.reshape(-1, 1, *filters.shape[2:])
    largest = max(float(np.abs(shown).max()), np.finfo(np.float64).tiny)
    levels = np.round(127.5 + 127.5 * shown / largest).astype(np.uint8).transpose(0, 2, 3, 1)
    return np.broadcast_to(levels, (*levels.shape[:3], 3))


def draw_filters(weights: ArrayLike, out_png: Path, *, title: str) -> Path:
    """Draw filters (F, C, k, k) as ``filter_tiles`` makes them, and the scale.

    Args:
        weights: Of one convolution.
        out_png: The picture; parent folders are made.
        title: Which convolution this is.

    Returns:
        ``out_png``.

    Raises:
        ValueError: If there is no filter.
    """
    return write_figure(filters_figure(weights, title), out_png)


def filters_figure(weights: ArrayLike, title: str) -> Figure:
    """What ``draw_filters`` writes."""
    filters = np.asarray(weights, dtype=np.float64)
    if filters.ndim != 4 or not filters.size:
        raise ValueError(f"filters to draw have the shape (F, C, k, k), got {filters.shape}")
    tiles = filter_tiles(filters)
    channels = 1 if filters.shape[1] == 3 else filters.shape[1]
    columns = channels * max(1, round(math.sqrt(2 * len(tiles)) / channels))
    rows = math.ceil(len(tiles) / columns)
    width = max(2 * _MARGIN + columns * (_TILE + _GAP), 4.6)
    height = _HEAD + rows * (_TILE + _GAP) + _MARGIN
    figure = new_figure(width, height)
    fitting = shortened(title, int((width - 2 * _MARGIN) / (1.25 * _LETTER)))
    figure.text(_MARGIN / width, 1 - 0.13 / height, fitting, va="top", fontsize=11, fontweight="bold", color=INK)
    note = f"one scale: middle gray is 0, white and black are +/-{np.abs(filters).max():.3g}"
    figure.text(_MARGIN / width, 1 - 0.38 / height, note, va="top", fontsize=8, color=INK)
    for number, tile in enumerate(tiles):
        left = _MARGIN + number % columns * (_TILE + _GAP)
        bottom = height - _HEAD - number // columns * (_TILE + _GAP) - _TILE
        axes = figure.add_axes((left / width, bottom / height, _TILE / width, _TILE / height))
        axes.imshow(tile, interpolation="nearest")
        axes.set_axis_off()
    return figure
