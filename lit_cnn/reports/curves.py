"""Learning curves: loss, top-1 and learning rate of one run over its epochs."""

import math
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from lit_cnn.reports.canvas import BLUE, GRAY, INK, RED, ROSE, new_figure, plain_axes, write_figure
from lit_cnn.reports.names import shortened
from lit_cnn.run_folder.metrics_csv import read_metrics

_LABEL_GAP = 13.0
"""Least vertical distance of two labels, in points."""

_TITLE_LENGTH = 120

MOST_POINTS = 500
"""Points of a curve in a page, where a picture's size grows with them."""

Rows = list[dict[str, float]]
Labels = list[tuple[float, float, str, str]]
"""(x, y, text, color) of each curve's label, at its end."""


def draw_curves(metrics_csv: Path, out_png: Path, title: str) -> Path:
    """Draw the learning curves of a run.

    Args:
        metrics_csv: The run's ``metrics.csv``.
        out_png: The picture; parent folders are made.
        title: What the run is.

    Returns:
        ``out_png``.

    Raises:
        FileNotFoundError: If there is no metrics file.
        ValueError: If it is not one, or holds no row.
    """
    rows = read_metrics(metrics_csv)
    if not rows:
        raise ValueError(f"{metrics_csv} holds no logged step yet, so there is no curve to draw")
    return write_figure(curves_figure(rows, title), out_png)


def curves_figure(rows: Rows, title: str) -> Figure:
    """What ``draw_curves`` writes: loss, top-1 and learning rate of one row or more, side by side."""
    progress = _progress(rows)
    figure = new_figure(13.5, 4.3)
    panels = figure.subplots(1, 3)
    figure.subplots_adjust(left=0.05, right=0.985, bottom=0.13, top=0.77, wspace=0.46)
    figure.suptitle(
        shortened(title, _TITLE_LENGTH), x=0.05, y=0.975, ha="left", fontsize=13, fontweight="bold", color=INK
    )
    for axes, draw_panel in zip(panels, _PANELS.values(), strict=True):
        _draw_panel(axes, draw_panel, rows, progress)
    return figure


def curve_panels(rows: Rows) -> dict[str, Figure]:
    """The same panels as pictures of their own, narrow enough for a phone: name -> figure."""
    rows = thinned(rows, MOST_POINTS)
    panels = {}
    for name, draw_panel in _PANELS.items():
        panels[name] = new_figure(4.7, 3.5)
        axes = panels[name].add_axes((0.13, 0.14, 0.64, 0.7))
        _draw_panel(axes, draw_panel, rows, _progress(rows))
    return panels


def thinned(rows: Rows, most: int) -> Rows:
    """At most about ``most`` rows: of those inside epochs every n-th, of the ends of epochs all, or else every n-th."""
    ends = [row for row in rows if _ends_epoch(row)]
    inside = [row for row in rows if not _ends_epoch(row)]
    kept = [*_every(inside, max(most - len(ends), 1)), *_every(ends, most)]
    return sorted(kept, key=lambda row: row["step"])


def _every(rows: Rows, most: int) -> Rows:
    """The last row and every n-th before it."""
    return rows[:: -max(math.ceil(len(rows) / most), 1)]


def _progress(rows: Rows) -> tuple[np.ndarray, str]:
    """Where each row stands on the horizontal axis, and the axis' unit."""
    epochs = epochs_done(rows)
    if epochs is None:  # stopped before the end of the first one
        return np.array([row["step"] + 1 for row in rows]), "step"
    return epochs, "epoch"


def _draw_panel(
    axes: Axes, draw: Callable[[Axes, Rows, np.ndarray], Labels], rows: Rows, progress: tuple[np.ndarray, str]
) -> None:
    epochs, unit = progress
    plain_axes(axes)
    axes.set_xlabel(unit, color=INK, fontsize=9)
    axes.set_xlim(0, max(epochs[-1], 1e-9))
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=epochs[-1] >= 2))
    labels = draw(axes, rows, epochs)
    if not labels:
        axes.text(0.5, 0.5, "not logged yet", transform=axes.transAxes, ha="center", color=GRAY)
    _write_labels(axes, [label for label in labels if label[2]])


def epochs_done(rows: Rows) -> np.ndarray | None:
    """Epochs finished at each row, with fractions inside an epoch; None before the first epoch has ended.

    The rows of finished epochs fix the scale between steps and epochs.
    """
    steps = np.array([row["step"] + 1 for row in rows])
    numbers = np.array([row.get("epoch", 0.0) for row in rows])
    ends = [(s, e + 1) for row, s, e in zip(rows, steps, numbers, strict=True) if _ends_epoch(row)]
    if not ends:
        return None
    known_steps, known_epochs = (np.array([0.0, *column]) for column in zip(*ends, strict=True))
    rate = (known_epochs[-1] - known_epochs[-2]) / max(known_steps[-1] - known_steps[-2], 1.0)
    beyond = np.maximum(steps - known_steps[-1], 0.0) * rate
    return np.interp(steps, known_steps, known_epochs) + beyond


def _ends_epoch(row: dict[str, float]) -> bool:
    return any(name.startswith("val/") for name in row) or "train/loss" in row


def _curve(rows: Rows, epochs: np.ndarray, name: str, scale: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    pairs = [(x, row[name] * scale) for x, row in zip(epochs, rows, strict=True) if name in row]
    x, y = np.array(pairs).T if pairs else (np.empty(0), np.empty(0))
    return x[np.isfinite(y)], y[np.isfinite(y)]


def _raw_curve(rows: Rows, epochs: np.ndarray, name: str, scale: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """The raw weights' curve; empty where none was kept apart: older runs without an average logged the same twice."""
    raw, validated = (_curve(rows, epochs, column, scale) for column in (f"{name}_raw", name))
    return (raw[0][:0], raw[1][:0]) if np.array_equal(raw[1], validated[1]) else raw


def _plot(axes: Axes, curve: tuple[np.ndarray, np.ndarray], text: str, color: str, style: str = "-") -> Labels:
    x, y = curve
    if not len(x):
        return []
    marker = "o" if len(x) == 1 else None
    axes.plot(x, y, color=color, linestyle=style, linewidth=1.8, marker=marker, markersize=6, clip_on=False)
    return [(x[-1], y[-1], text, color)]


def _draw_loss(axes: Axes, rows: Rows, epochs: np.ndarray) -> Labels:
    _heading(axes, "Loss")
    steps = _curve(rows, epochs, "train/loss_step")
    alone = not any("train/loss" in row for row in rows)
    axes.plot(*steps, color=BLUE, alpha=0.9 if alone else 0.28, linewidth=1.4 if alone else 0.9)
    labels = _plot(axes, _raw_curve(rows, epochs, "val/loss"), "val, raw", ROSE)
    labels += _plot(axes, _curve(rows, epochs, "train/loss"), "train", BLUE)
    val = _curve(rows, epochs, "val/loss")
    labels += _plot(axes, val, "val", RED)
    if len(val[0]):
        best = int(val[1].argmin())
        _mark_best(axes, val[0][best], val[1][best], f"lowest val {val[1][best]:.3f} at epoch {val[0][best]:g}")
    if alone and len(steps[0]):
        labels += [(steps[0][-1], steps[1][-1], "train, step", BLUE)]
    axes.set_ylim(bottom=0)
    _cap_outliers(axes)
    return labels


def _draw_accuracy(axes: Axes, rows: Rows, epochs: np.ndarray) -> Labels:
    _heading(axes, "Top-1")
    ceiling = _curve(rows, epochs, "train/acc1_ceiling", 100)
    axes.plot(*ceiling, color=BLUE, linewidth=1.0, linestyle=":", alpha=0.8)
    labels: Labels = [(ceiling[0][-1], ceiling[1][-1], "ceiling of mixed", BLUE)] if len(ceiling[0]) else []
    labels += _plot(axes, _curve(rows, epochs, "train/acc1_soft", 100), "train, mixed", BLUE, "--")
    labels += _plot(axes, _curve(rows, epochs, "train/acc1", 100), "train", BLUE)
    raw = _raw_curve(rows, epochs, "val/acc1", 100)
    labels += _plot(axes, raw, "val, raw", ROSE)
    val = _curve(rows, epochs, "val/acc1", 100)
    labels += _plot(axes, val, "val, EMA" if len(raw[0]) else "val", RED)
    if len(val[0]):
        best = int(val[1].argmax())
        _mark_best(axes, val[0][best], val[1][best], f"best val {val[1][best]:.1f} % at epoch {val[0][best]:g}")
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g} %"))
    axes.set_ylim(0, 102)
    return labels


def _draw_rate(axes: Axes, rows: Rows, epochs: np.ndarray) -> Labels:
    _heading(axes, "Learning rate")
    x, y = _curve(rows, epochs, "lr")
    if not len(x):
        return []
    steps = stepwise(y)
    axes.plot(x, y, color=INK, linewidth=1.8, drawstyle="steps-post" if steps else "default")
    if steps:
        axes.set_yscale("log")
    elif y.max() > 0:
        axes.set_ylim(0, y.max() * 1.06)
    _subtitle(axes, f"peak {y.max():.2g}, now {y[-1]:.2g}", GRAY)
    return [(x[-1], y[-1], "", INK)]


_PANELS = {"loss": _draw_loss, "top-1": _draw_accuracy, "learning rate": _draw_rate}


def stepwise(rates: np.ndarray) -> bool:
    """Whether a log axis shows these rates better: positive, over a decade and more, mostly constant."""
    if not len(rates) or rates.min() <= 0 or rates.max() < 9 * rates.min():
        return False
    return bool(np.mean(np.diff(rates) == 0) > 0.5)


def _heading(axes: Axes, text: str) -> None:
    axes.text(0, 1.1, text, transform=axes.transAxes, fontsize=11, color=INK)


def _subtitle(axes: Axes, text: str, color: str) -> None:
    axes.text(0, 1.03, text, transform=axes.transAxes, fontsize=9, color=color)


def _mark_best(axes: Axes, x: float, y: float, text: str) -> None:
    axes.plot([x], [y], "o", color=RED, markeredgecolor="white", markersize=8, zorder=5, clip_on=False)
    _subtitle(axes, f"● {text}", RED)


def _cap_outliers(axes: Axes) -> None:
    """Leave a few extreme early losses out of view, so that the rest is not pressed flat."""
    values = np.concatenate([np.asarray(line.get_ydata(), dtype=float) for line in axes.lines] or [np.empty(0)])
    if len(values) >= 10:
        cap = float(np.quantile(values, 0.97)) * 1.25
        if values.max() > cap > 0:
            axes.set_ylim(top=cap)
            for line in axes.lines:
                line.set_clip_on(True)


def _write_labels(axes: Axes, labels: Labels) -> None:
    """Write each curve's name right of its end, moved apart where they would touch."""
    points = 72 / axes.figure.dpi
    heights = [float(axes.transData.transform((x, y))[1]) * points for x, y, _, _ in labels]
    bottom, top = (axes.transAxes.transform((0, v))[1] * points for v in (0, 1))
    heights = [min(max(height, bottom), top) for height in heights]
    for (_, _, text, color), place in zip(labels, spread(heights, _LABEL_GAP), strict=True):
        _, fraction = axes.transAxes.inverted().transform((0, place / points))
        axes.text(1.03, fraction, text, transform=axes.transAxes, color=color, fontsize=9, va="center")


def spread(heights: Sequence[float], gap: float) -> list[float]:
    """Heights moved as little as needed so that neighbors are at least ``gap`` apart; the order stays."""
    order = sorted(range(len(heights)), key=lambda i: heights[i])
    groups: list[tuple[float, list[int]]] = []  # (middle, members) of labels that touch
    for i in order:
        groups.append((heights[i], [i]))
        while len(groups) > 1 and groups[-1][0] - groups[-2][0] < gap * (len(groups[-1][1]) + len(groups[-2][1])) / 2:
            (_, upper), (_, lower) = groups.pop(), groups.pop()
            members = lower + upper
            groups.append((sum(heights[k] for k in members) / len(members), members))
    placed = list(heights)
    for middle, members in groups:
        for number, i in enumerate(members):
            placed[i] = middle + (number - (len(members) - 1) / 2) * gap
    return placed
