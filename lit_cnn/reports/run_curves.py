"""Curves of several runs over each other: loss and metric over the epochs, a color for each group of runs."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullFormatter

from lit_cnn.reports.canvas import GRAY, INK, new_figure, plain_axes, write_figure
from lit_cnn.reports.curves import epochs_done
from lit_cnn.reports.names import distinct, shortened
from lit_cnn.reports.search_curves import COLORS

LOSS, TRAIN_LOSS, ACCURACY = "val/loss", "train/loss", "val/acc1"
_WIDTH, _TALL = 11.0, 3.6
"""Of the figure, and of its panels, in inches."""
_LEGEND_LINE = 0.19
_LEGEND_CELLS = 100
_NARROW, _NARROW_LEGEND_CELLS = 4.7, 48
"""Of a panel alone: its width in inches, and the cells of a group's name."""
_RISE = 8
"""Epochs from which on the first quarter, where accuracies rise steeply, does not choose the scale."""
_SPREAD = 20.0
"""Largest loss / smallest loss from which on the axis is logarithmic."""

Curve = tuple[np.ndarray, np.ndarray]


class RunCurves(NamedTuple):
    """One run.

    Args:
        group: Label of the runs that share a color.
        rows: Of its ``metrics.csv``.
    """

    group: str
    rows: list[dict[str, float]]


def draw_run_curves(runs: Sequence[RunCurves], out: Path, *, title: str, metric: str = ACCURACY) -> Path:
    """Draw each run as a thin line, and the mean of each group of several runs as a thick one.

    Args:
        runs: One or more, the groups in the order of the legend.
        out: The picture, PNG, SVG or PDF by its ending; parent folders are made.
        title: What is compared.
        metric: Shown next to the loss; of a loss the accuracy is shown too.

    Returns:
        ``out``.

    Raises:
        ValueError: If there is no run, or none has logged the metric.
    """
    if not any(metric in row for run in runs for row in run.rows):
        raise ValueError(f"none of these {len(runs)} runs has logged {metric}, so there is no curve to draw")
    return write_figure(run_figure(runs, title, metric), out)


def run_figure(runs: Sequence[RunCurves], title: str, metric: str = ACCURACY) -> Figure:
    """What ``draw_run_curves`` writes."""
    groups = list(dict.fromkeys(run.group for run in runs))
    columns = max(min(len(groups), _LEGEND_CELLS // (max(map(len, groups)) + 6)), 1)
    legend = _LEGEND_LINE * -(-len(groups) // columns) + 0.2
    height = _TALL + legend + 0.65
    figure = new_figure(_WIDTH, height)
    figure.text(0.35 / _WIDTH, 1 - 0.32 / height, shortened(title, 95), fontsize=12, fontweight="bold", color=INK)
    first, second = figure.subplots(1, 2)
    figure.subplots_adjust(left=0.06, right=0.985, wspace=0.16, bottom=(legend + 0.55) / height, top=1 - 0.85 / height)
    _draw_losses(first, runs, groups)
    _draw_metric(second, runs, groups, metric if metric != LOSS else ACCURACY)
    names = distinct(groups, _LEGEND_CELLS)
    marks = [Line2D([], [], color=_color(place), linestyle=_dash(place), linewidth=2) for place in range(len(groups))]
    figure.legend(marks, names, loc="lower center", ncols=columns, frameon=False, fontsize=9, labelcolor=INK)
    return figure


def run_panels(runs: Sequence[RunCurves], metric: str = ACCURACY) -> dict[str, Figure]:
    """The same panels as pictures of their own, narrow enough for a phone: name -> figure."""
    groups = list(dict.fromkeys(run.group for run in runs))
    legend = _LEGEND_LINE * len(groups) + 0.2
    height = 3.2 + legend
    names = distinct(groups, _NARROW_LEGEND_CELLS)
    marks = [Line2D([], [], color=_color(place), linestyle=_dash(place), linewidth=2) for place in range(len(groups))]
    shown = metric if metric != LOSS else ACCURACY
    panels = {}
    for name in ("loss", shown):
        panels[name] = figure = new_figure(_NARROW, height)
        axes = figure.add_axes((0.13, (legend + 0.5) / height, 0.83, (3.2 - 0.9) / height))
        if name == "loss":
            _draw_losses(axes, runs, groups)
        else:
            _draw_metric(axes, runs, groups, shown)
        figure.legend(marks, names, loc="lower center", frameon=False, fontsize=9, labelcolor=INK)
    return panels


def _color(number: int) -> str:
    return COLORS[number % len(COLORS)]


def _dash(number: int) -> Literal["-", "--"]:
    return "-" if number < len(COLORS) else "--"


def curve_of(rows: list[dict[str, float]], metric: str) -> Curve:
    """(epochs ended, finite values) of the rows with the metric; steps where no epoch has ended."""
    epochs = epochs_done(rows) if rows else None
    if epochs is None:
        epochs = np.array([row["step"] + 1 for row in rows])
    pairs = [(x, row[metric]) for x, row in zip(epochs, rows, strict=True) if np.isfinite(row.get(metric, np.nan))]
    x, y = np.array(pairs).T if pairs else (np.empty(0), np.empty(0))
    return x, y


def mean_curve(curves: Sequence[Curve]) -> Curve:
    """The mean at the epochs that all the curves have."""
    values = [dict(zip(np.round(x, 6).tolist(), y.tolist(), strict=True)) for x, y in curves]
    shared = sorted(set.intersection(*map(set, values)))
    return np.array(shared), np.array([np.mean([own[x] for own in values]) for x in shared])


def _draw_losses(axes: Axes, runs: Sequence[RunCurves], groups: Sequence[str]) -> None:
    _heading(axes, "Loss: validation, and training dotted")
    for number, group in enumerate(groups):
        members = [run for run in runs if run.group == group]
        train = [curve_of(run.rows, TRAIN_LOSS) for run in members]
        axes.plot(*mean_curve(train), color=_color(number), linestyle=":", linewidth=1.4)
        _draw_group(axes, [curve_of(run.rows, LOSS) for run in members], number)
    values = np.concatenate([np.asarray(line.get_ydata(), dtype=float) for line in axes.lines] or [np.empty(0)])
    if len(values) and values.min() > 0 and values.max() > _SPREAD * values.min():
        axes.set_yscale("log")
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axes.yaxis.set_minor_formatter(NullFormatter())
    elif len(values):
        axes.set_ylim(bottom=min(0.0, values.min()))
    _finish(axes, len(values) > 0)


def _draw_metric(axes: Axes, runs: Sequence[RunCurves], groups: Sequence[str], metric: str) -> None:
    _heading(axes, metric)
    is_loss = "loss" in metric
    scale = 1.0 if is_loss else 100.0
    curves = {
        group: [_scaled(curve_of(run.rows, metric), scale) for run in runs if run.group == group] for group in groups
    }
    for number, group in enumerate(groups):
        _draw_group(axes, curves[group], number)
    drawn = [curve for members in curves.values() for curve in members if len(curve[0])]
    if not is_loss:
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g} %"))
        _leave_out_the_rise(axes, drawn)
    _finish(axes, bool(drawn))


def _scaled(curve: Curve, scale: float) -> Curve:
    return curve[0], curve[1] * scale


def _leave_out_the_rise(axes: Axes, curves: Sequence[Curve]) -> None:
    """Let the lowest value after the first quarter choose the scale, so that late differences can be seen."""
    longest = max((x[-1] for x, _ in curves), default=0.0)
    late = [y[x >= longest / 4] for x, y in curves]
    values = np.concatenate(late) if late else np.empty(0)
    if longest < _RISE or not len(values):
        return
    highest = max(float(y.max()) for _, y in curves)
    margin = max(0.06 * (highest - float(values.min())), 0.1)
    axes.set_ylim(float(values.min()) - margin, highest + margin)
    for line in axes.lines:
        line.set_clip_on(True)


def _draw_group(axes: Axes, curves: Sequence[Curve], number: int) -> None:
    """Each run thin and, of several, their mean thick."""
    drawn = [curve for curve in curves if len(curve[0])]
    several = len(drawn) > 1
    for x, y in drawn:
        (line,) = axes.plot(x, y, color=_color(number), linestyle=_dash(number), clip_on=False)
        line.set(linewidth=0.8 if several else 1.9, alpha=0.45 if several else 1.0, marker="o" if len(x) == 1 else "")
    if several:
        x, y = mean_curve(drawn)
        axes.plot(x, y, color=_color(number), linestyle=_dash(number), linewidth=2.2, clip_on=False)


def _heading(axes: Axes, text: str) -> None:
    plain_axes(axes)
    axes.set_title(shortened(text, 60), loc="left", fontsize=10, color=INK)


def _finish(axes: Axes, filled: bool) -> None:
    axes.set_xlabel("epoch", color=INK, fontsize=9)
    axes.set_xlim(left=0)
    axes.xaxis.set_major_locator(MaxNLocator(8, integer=True))
    if not filled:
        axes.text(0.5, 0.5, "not logged", transform=axes.transAxes, ha="center", color=GRAY)
