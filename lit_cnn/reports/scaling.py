"""What scaling a network buys: one line per rule from the base on, over the multiply-adds."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from lit_cnn.reports.canvas import BLUE, GRAY, INK, RED, new_figure, plain_axes, write_figure
from lit_cnn.reports.names import shortened

COLORS = {"compound": RED, "depth": GRAY, "width": BLUE, "resolution": "#c97a1e", "width_first": "#3a9a78"}
"""Rule -> color; others take the colors in their order."""
BASE = "base"
"""Rule of the network that the others scale: every line begins at it."""
_SHIFT = 0.012
"""By how much the points of neighboring rules are moved aside, as a share of the multiply-adds."""


@dataclass(frozen=True)
class ScaledPoint:
    """The runs of one network.

    Args:
        rule: What was scaled, or ``base``.
        madds: Multiply-adds of one image.
        values: A figure of each run, such as its accuracy.
    """

    rule: str
    madds: float
    values: tuple[float, ...]

    @property
    def mean(self) -> float:
        return statistics.fmean(self.values)


def draw_scaling(panels: Mapping[str, Sequence[ScaledPoint]], title: str, out_png: Path) -> Path:
    """Draw a panel for each figure: means as lines, runs as faint points.

    Args:
        panels: Label of the vertical axis -> the networks.
        title: What was trained.
        out_png: Where; parent folders are made.

    Returns:
        ``out_png``.

    Raises:
        ValueError: If there is no panel, or one has no point.
    """
    return write_figure(scaling_figure(panels, title), out_png)


def scaling_figure(panels: Mapping[str, Sequence[ScaledPoint]], title: str) -> Figure:
    """What ``draw_scaling`` writes."""
    if not panels or not all(panels.values()):
        raise ValueError("there is no run to draw: train the networks first")
    width = 5.6 * len(panels)
    figure = new_figure(width, 4.9)
    figure.subplots_adjust(left=0.72 / width, right=1 - 0.2 / width, bottom=0.12, top=0.81, wspace=0.2)
    figure.suptitle(shortened(title, 90), x=0.2 / width, y=0.97, ha="left", fontsize=12, fontweight="bold", color=INK)
    rules = list(dict.fromkeys(point.rule for points in panels.values() for point in points if point.rule != BASE))
    colors = dict(zip(rules, _colors(rules), strict=True))
    for place, (label, points) in enumerate(panels.items()):
        axes = figure.add_subplot(1, len(panels), place + 1)
        _draw_panel(axes, points, colors, label)
    handles = [Line2D([], [], color=color, marker="o", label=rule) for rule, color in colors.items()]
    handles.append(Line2D([], [], color=INK, marker="D", linestyle="none", label=BASE))
    figure.legend(handles=handles, loc="upper left", bbox_to_anchor=(0.1 / width, 0.92), ncols=len(handles),
                  frameon=False, fontsize=9)  # fmt: skip
    return figure


def _colors(rules: Sequence[str]) -> list[str]:
    spare = [color for rule, color in COLORS.items() if rule not in rules] or [INK]
    unknown = [rule for rule in rules if rule not in COLORS]
    return [COLORS[rule] if rule in COLORS else spare[unknown.index(rule) % len(spare)] for rule in rules]


def _draw_panel(axes: Axes, points: Sequence[ScaledPoint], colors: Mapping[str, str], label: str) -> None:
    plain_axes(axes)
    base = [point for point in points if point.rule == BASE]
    for number, (rule, color) in enumerate(colors.items()):
        own = sorted((point for point in points if point.rule == rule), key=lambda point: point.madds)
        line = [*base, *own]
        places = [point.madds / 1e6 for point in line], [point.mean for point in line]
        (size, line_width, layer) = (6, 2.4, 4) if rule == "compound" else (5, 1.5, 3)
        axes.plot(*places, color=color, marker="o", markersize=size, linewidth=line_width, zorder=layer)
        shift = 1 + _SHIFT * (number - (len(colors) - 1) / 2)
        for point in own:
            axes.scatter([point.madds * shift / 1e6] * len(point.values), point.values, 16, color=color, alpha=0.45,
                         linewidths=0, zorder=2)  # fmt: skip
    for point in base:
        axes.scatter([point.madds / 1e6], [point.mean], 46, color=INK, marker="D", zorder=5)
        axes.scatter([point.madds / 1e6] * len(point.values), point.values, 16, color=INK, alpha=0.45, linewidths=0)
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 3, 5, 7)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.margins(x=0.08, y=0.08)
    axes.set_xlabel("multiply-adds of one image (M)", fontsize=9, color=GRAY)
    axes.set_ylabel(shortened(label, 60), fontsize=9, color=GRAY)
