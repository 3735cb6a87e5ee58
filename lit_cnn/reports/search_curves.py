"""How good the best network of a search is after so many evaluations: a curve with a band for each strategy."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from lit_cnn.reports.canvas import GRAY, INK, new_figure, plain_axes, write_figure
from lit_cnn.reports.names import shortened

COLORS = ("#2f6db3", "#c8402f", "#3a8f5c", "#8a5fb0", "#d18f1f", "#2b9aa6", "#7a5b45", "#c45c9b")
"""Of the curves in their order; the ninth has the first one's, dashed."""
_WIDTH, _TALL = 5.6, 4.2
"""Of a panel in inches."""
_LEGEND_LINE = 0.23


class SearchCurve(NamedTuple):
    """One strategy.

    Args:
        name: Of the strategy.
        evaluations: Numbers of networks evaluated, increasing.
        mean: Of what the best of them reaches.
        low: Lower edge of the band, or nothing for a curve without one.
        high: Upper edge.
    """

    name: str
    evaluations: Sequence[int]
    mean: Sequence[float]
    low: Sequence[float] = ()
    high: Sequence[float] = ()


def draw_search_curves(
    panels: Mapping[str, Sequence[SearchCurve]], out_png: Path, *, title: str, metric: str, band: str = ""
) -> Path:
    """Draw the curves of each panel, with one legend of all strategies.

    Args:
        panels: Name of a data set or a study -> its curves.
        out_png: The picture; parent folders are made.
        title: What is compared.
        metric: What the curves show, with its unit.
        band: What the bands are.

    Returns:
        ``out_png``.

    Raises:
        ValueError: If there is no curve, or a curve's numbers are not as many as its evaluations.
    """
    for curve in (curve for curves in panels.values() for curve in curves):
        lengths = {len(curve.evaluations), len(curve.mean), *(len(edge) for edge in (curve.low, curve.high) if edge)}
        if len(lengths) > 1 or 0 in lengths:
            raise ValueError(f"the curve of {curve.name} needs one mean, and one band or none, for each evaluation")
    if not any(panels.values()):
        raise ValueError("none of these searches has a result yet, so there is no curve to draw")
    return write_figure(search_figure(panels, title, metric, band), out_png)


def search_figure(panels: Mapping[str, Sequence[SearchCurve]], title: str, metric: str, band: str = "") -> Figure:
    """What ``draw_search_curves`` writes."""
    names = list(dict.fromkeys(curve.name for curves in panels.values() for curve in curves))
    columns = min(len(names), 2 * len(panels))
    legend = _LEGEND_LINE * -(-len(names) // columns) + 0.15
    width, height = _WIDTH * len(panels), _TALL + legend + 0.55
    figure = new_figure(width, height)
    figure.text(
        0.25 / width, 1 - 0.3 / height, shortened(title, int(width / 0.105)), fontsize=12, fontweight="bold", color=INK
    )
    for number, (panel, curves) in enumerate(panels.items()):
        left, bottom = number * _WIDTH + 0.8, legend + 0.55
        axes = figure.add_axes((left / width, bottom / height, (_WIDTH - 1.0) / width, (_TALL - 0.85) / height))
        _draw_panel(axes, panel, curves, names)
        axes.set_xlabel("networks evaluated", color=INK, fontsize=9)
        if number == 0:
            axes.set_ylabel(metric + (f"; bands: {band}" if band else ""), color=INK, fontsize=9)
    handles = {line.get_label(): line for axes in figure.axes for line in axes.lines}
    figure.legend(
        [handles[name] for name in handles], [shortened(str(name), 40) for name in handles], frameon=False, fontsize=9,
        loc="lower center", ncols=columns, bbox_to_anchor=(0.5, 0.02), labelcolor=INK,
    )  # fmt: skip
    return figure


def _draw_panel(axes: Axes, panel: str, curves: Sequence[SearchCurve], names: Sequence[str]) -> None:
    plain_axes(axes)
    axes.text(0, 1.03, shortened(panel, 60), transform=axes.transAxes, fontsize=11, color=INK)
    axes.xaxis.set_major_locator(MaxNLocator(8, integer=True))
    for curve in curves:
        place = names.index(curve.name)
        color = COLORS[place % len(COLORS)]
        dashed = "--" if place // len(COLORS) % 2 else "-"
        marker = "o" if len(curve.evaluations) == 1 else None
        axes.plot(
            curve.evaluations, curve.mean, linestyle=dashed, color=color, linewidth=1.8, marker=marker, label=curve.name
        )
        if curve.low and curve.high:
            axes.fill_between(curve.evaluations, curve.low, curve.high, color=color, alpha=0.15, linewidth=0)
    if not curves:
        axes.text(0.5, 0.5, "no result yet", transform=axes.transAxes, ha="center", color=GRAY)
