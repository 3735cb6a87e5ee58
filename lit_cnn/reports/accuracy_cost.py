"""Accuracy against multiply-adds: one point per network."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from lit_cnn.reports.canvas import BLUE, GRAY, INK, new_figure, plain_axes, write_figure
from lit_cnn.reports.names import shortened

OWN = "#c97a1e"
"""Color of own checkpoints."""


@dataclass(frozen=True)
class Point:
    """One network.

    Args:
        name: What is written at the point.
        madds: Multiply-adds of one image.
        top1: Accuracy in percent.
        own: Whether its weights were trained here.
    """

    name: str
    madds: float
    top1: float
    own: bool = False


def draw_accuracy_cost(points: Sequence[Point], label: str, out_png: Path) -> Path:
    """Draw the points with multiply-adds on a logarithmic axis.

    Args:
        points: At least one.
        label: Of the accuracy's axis, with the images it was measured on.
        out_png: Where; parent folders are made.

    Raises:
        ValueError: If there is no point.
    """
    return write_figure(accuracy_cost_figure(points, label), out_png)


def accuracy_cost_figure(points: Sequence[Point], label: str) -> Figure:
    """What ``draw_accuracy_cost`` writes."""
    if not points:
        raise ValueError("no row has an accuracy to draw: add --data FOLDER")
    figure = new_figure(8.0, 5.0)
    axes = figure.add_axes((0.1, 0.13, 0.86, 0.8))
    plain_axes(axes)
    for point in points:
        axes.scatter(point.madds / 1e6, point.top1, s=42, color=OWN if point.own else BLUE, zorder=3)
        place = (point.madds / 1e6, point.top1)
        axes.annotate(shortened(point.name, 40), place, xytext=(6, 4), fontsize=8.5, color=INK,
                      textcoords="offset points")  # fmt: skip
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))
    axes.xaxis.set_minor_locator(NullLocator())
    kinds = [(BLUE, "published weights"), (OWN, "trained here")]
    shown = [(color, words) for color, words in kinds if any((OWN if point.own else BLUE) == color for point in points)]
    axes.legend(handles=[Patch(color=color, label=words) for color, words in shown], frameon=False, fontsize=9,
                loc="lower left", bbox_to_anchor=(0, 1.01), ncols=2)  # fmt: skip
    axes.margins(x=0.25, y=0.15)
    axes.set_xlabel("multiply-adds of one image (M)", fontsize=9, color=GRAY)
    axes.set_ylabel(shortened(label, 80), fontsize=9, color=GRAY)
    return figure
