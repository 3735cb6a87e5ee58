"""A figure of merit over the years of publication."""

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

from lit_cnn.reports.canvas import BLUE, INK, RED, new_figure, plain_axes
from lit_cnn.reports.names import shortened

_WIDTH, _HEIGHT = 6.6, 4.4
_KINDS = ((BLUE, "o"), (RED, "D"))
_APART = 1.08
"""Least ratio of the heights of two names of a year and kind."""
_TICKS = (1, 2, 3, 5, 10, 20, 30, 50, 100)


@dataclass(frozen=True)
class Milestone:
    """One publication.

    Args:
        name: What is written at the point.
        year: Of the publication.
        value: Of the figure of merit, above 0.
        kind: What was measured, of which there are at most two; each has its color and mark.
    """

    name: str
    year: int
    value: float
    kind: str


def progress_figure(milestones: Sequence[Milestone], label: str) -> Figure:
    """The points by year on a logarithmic axis, named on the right, those of the second kind on the left.

    Args:
        milestones: At least one.
        label: Of the vertical axis.

    Raises:
        ValueError: If there is none, or more than two kinds.
    """
    kinds = list(dict.fromkeys(each.kind for each in milestones))
    if not kinds or len(kinds) > len(_KINDS):
        raise ValueError(f"a picture of progress has one or two kinds of points, got {len(kinds)}")
    figure = new_figure(_WIDTH, _HEIGHT)
    axes = figure.add_axes((0.085, 0.12, 0.9, 0.78))
    plain_axes(axes)
    for kind, (color, marker) in zip(kinds, _KINDS, strict=False):
        chosen = [each for each in milestones if each.kind == kind]
        axes.scatter([each.year for each in chosen], [each.value for each in chosen], s=36, color=color, marker=marker,
                     label=kind, zorder=3)  # fmt: skip
        _write_names(axes, chosen, 1 if kind == kinds[0] else -1)
    years, values = ([getattr(each, name) for each in milestones] for name in ("year", "value"))
    axes.set_xlim(min(years) - 1.1, max(years) + 1.5)
    axes.set_yscale("log")
    axes.set_ylim(min(values) / 1.15, max(values) * 1.15)
    axes.yaxis.set_major_locator(FixedLocator(_TICKS))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_locator(MaxNLocator(12, integer=True))
    axes.set_ylabel(label, fontsize=9, color=INK)
    axes.legend(frameon=False, fontsize=9, loc="lower left", bbox_to_anchor=(0, 1.0), ncols=2, labelcolor=INK)
    return figure


def _write_names(axes: Axes, milestones: Sequence[Milestone], side: int) -> None:
    """On the right of their points (``side`` 1) or left (-1), lifted where the one below in that year is too near."""
    for year in {each.year for each in milestones}:
        last = 0.0
        for each in sorted((each for each in milestones if each.year == year), key=lambda each: each.value):
            last = max(each.value, last * _APART)
            axes.text(year + 0.14 * side, last, shortened(each.name, 22), fontsize=8.5, color=INK, va="center",
                      ha="left" if side > 0 else "right")  # fmt: skip
