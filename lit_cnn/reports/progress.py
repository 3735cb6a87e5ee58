"""A figure of merit over the years of publication."""

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from lit_cnn.reports.canvas import BLUE, INK, RED, new_figure, plain_axes
from lit_cnn.reports.names import shortened

_WIDTH, _HEIGHT = 6.6, 4.4
_KINDS = ((BLUE, "o"), (RED, "D"))
_APART = 0.8
"""Least distance of two names of a year, in the unit of the figure of merit."""


@dataclass(frozen=True)
class Milestone:
    """One publication.

    Args:
        name: What is written at the point.
        year: Of the publication.
        value: Of the figure of merit.
        kind: What was measured, of which there are at most two; each has its color and mark.
    """

    name: str
    year: int
    value: float
    kind: str


def progress_figure(milestones: Sequence[Milestone], label: str) -> Figure:
    """The points by year, with their names.

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
    for each, height in _name_heights(milestones):
        axes.annotate(shortened(each.name, 22), (each.year, each.value), xytext=(each.year + 0.14, height),
                      fontsize=8.5, color=INK, va="center")  # fmt: skip
    years = [each.year for each in milestones]
    axes.set_xlim(min(years) - 0.4, max(years) + 1.6)
    axes.set_ylim(0, 1.1 * max(each.value for each in milestones))
    axes.xaxis.set_major_locator(MaxNLocator(12, integer=True))
    axes.set_ylabel(label, fontsize=9, color=INK)
    axes.legend(frameon=False, fontsize=9, loc="lower left", bbox_to_anchor=(0, 1.0), ncols=2, labelcolor=INK)
    return figure


def _name_heights(milestones: Sequence[Milestone]) -> list[tuple[Milestone, float]]:
    """Where the names stand: at their points, lifted where the one below in the same year is too near."""
    heights = []
    for year in sorted({each.year for each in milestones}):
        last = float("-inf")
        for each in sorted((each for each in milestones if each.year == year), key=lambda each: each.value):
            last = max(each.value, last + _APART)
            heights.append((each, last))
    return heights
