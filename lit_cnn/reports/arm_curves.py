"""A figure over the epochs for several arms: the mean over seeds, and each seed thin."""

from collections.abc import Mapping, Sequence
from statistics import fmean

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from lit_cnn.reports.canvas import INK, new_figure, plain_axes
from lit_cnn.reports.names import shortened
from lit_cnn.reports.search_curves import COLORS

_WIDTH, _TALL, _LINE, _COLUMNS = 5.2, 3.0, 0.22, 3
"""In inches: the picture, its axes, and a line of the legend."""
_STEEP = 100
"""Largest value over the smallest from which on the axis is logarithmic, as where a loss explodes before it falls."""
Curve = Sequence[tuple[float, float]]
"""(epoch, value), by epoch."""


def arm_curves_figure(arms: Mapping[str, Sequence[Curve]], label: str) -> Figure:
    """The curves of each arm in its color; the ninth arm has the first one's, dashed.

    Args:
        arms: Name -> a curve of each seed, all with the same epochs.
        label: Of the vertical axis.

    Raises:
        ValueError: If there is no curve.
    """
    if not any(arms.values()):
        raise ValueError("there is no curve to draw")
    legend = _LINE * -(-len(arms) // _COLUMNS) + 0.1
    height = _TALL + legend + 0.75
    figure = new_figure(_WIDTH, height)
    axes = figure.add_axes((0.13, (legend + 0.55) / height, 0.84, _TALL / height))
    plain_axes(axes)
    axes.xaxis.set_major_locator(MaxNLocator(7, integer=True))
    for place, (name, curves) in enumerate(arms.items()):
        color, style = COLORS[place % len(COLORS)], "--" if place // len(COLORS) % 2 else "-"
        for curve in curves if len(curves) > 1 else ():
            axes.plot(*zip(*curve, strict=True), color=color, linewidth=0.7, alpha=0.35, linestyle=style)
        mean = [(epoch, fmean(value for _, value in points)) for epoch, points in _by_epoch(curves)]
        axes.plot(*zip(*mean, strict=True), color=color, linewidth=2, linestyle=style, label=shortened(name, 24))
    values = [value for curves in arms.values() for curve in curves for _, value in curve]
    if min(values) > 0 and max(values) > _STEEP * min(values):
        axes.set_yscale("log")
    axes.set_xlabel("epoch", fontsize=9, color=INK)
    axes.set_ylabel(label, fontsize=9, color=INK)
    figure.legend(frameon=False, fontsize=8.5, loc="lower center", ncols=_COLUMNS, bbox_to_anchor=(0.5, 0.01),
                  labelcolor=INK)  # fmt: skip
    return figure


def _by_epoch(curves: Sequence[Curve]) -> list[tuple[float, Curve]]:
    epochs = dict.fromkeys(epoch for curve in curves for epoch, _ in curve)
    return [(epoch, [point for curve in curves for point in curve if point[0] == epoch]) for epoch in sorted(epochs)]
