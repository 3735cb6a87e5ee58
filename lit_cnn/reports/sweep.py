"""What a sweep over settings found: a line for one, a heat map for two, a panel each for more."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lit_cnn.reports.canvas import BLUE, GRAY, GRID, INK, RED, new_figure, plain_axes, take_as_plain_text, write_figure
from lit_cnn.reports.names import shortened

_TITLE_LETTER = 0.1
"""Width of a letter of the title in inches."""

Listed = Mapping[str, Sequence[Any] | None]
"""Setting -> its values in their order, or None where any number may occur."""


def draw_sweep(
    axes: Listed,
    points: Sequence[Mapping[str, Any]],
    scores: Sequence[float],
    out_png: Path,
    *,
    title: str,
    maximize: bool = True,
    logarithmic: Sequence[str] = (),
) -> Path:
    """Draw the scores of a sweep over its settings.

    One setting gives its points, with a line through the means of listed values; two listed settings give a heat map,
    the first downwards and the second to the right, each cell the mean of its scores and the best one framed; two
    settings of which one is not listed give colored points; more settings give a panel each, as for one setting.

    Args:
        axes: The settings.
        points: One mapping per score: setting -> value.
        scores: The measured numbers.
        out_png: The picture; parent folders are made.
        title: What the sweep is.
        maximize: Whether the best score is the largest.
        logarithmic: Settings drawn on a logarithmic axis.

    Returns:
        ``out_png``.

    Raises:
        ValueError: If there is no score, or not one per point.
    """
    if not scores or len(scores) != len(points):
        raise ValueError(
            f"a sweep is drawn from one score per point, got {len(scores)} scores and {len(points)} points"
        )
    figure = sweep_figure(axes, points, scores, maximize, logarithmic)
    width, height = figure.get_size_inches()
    figure.text(
        0.15 / width,
        1 - 0.34 / height,
        shortened(title, int(width / _TITLE_LETTER)),
        fontsize=11,
        fontweight="bold",
        color=INK,
    )
    return write_figure(figure, out_png)


def sweep_figure(
    axes: Listed,
    points: Sequence[Mapping[str, Any]],
    scores: Sequence[float],
    maximize: bool = True,
    logarithmic: Sequence[str] = (),
) -> Figure:
    """What ``draw_sweep`` writes, without its title."""
    names, values = list(axes), np.asarray(scores, dtype=np.float64)
    best = int(values.argmax() if maximize else values.argmin())
    if len(names) == 2:
        first, second = (axes[name] for name in names)
        if first is not None and second is not None:
            return _heat_map(names, first, second, points, values, maximize)
        return _colored_points(names, axes, points, values, best, logarithmic)
    return _panels(names, axes, points, values, best, logarithmic)


def cell_means(
    names: Sequence[str], rows: Sequence[Any], columns: Sequence[Any], points: Sequence[Mapping[str, Any]], scores: Any
) -> np.ndarray:
    """Mean score of each pair of values, float (rows, columns); nan where there is none."""
    means = np.full((len(rows), len(columns)), np.nan)
    for i, row in enumerate(rows):
        for j, column in enumerate(columns):
            found = [
                score
                for point, score in zip(points, scores, strict=True)
                if point[names[0]] == row and point[names[1]] == column
            ]
            if found:
                means[i, j] = np.mean(found)
    return means


def _heat_map(
    names: Sequence[str],
    rows: Sequence[Any],
    columns: Sequence[Any],
    points: Sequence[Mapping[str, Any]],
    scores: np.ndarray,
    maximize: bool,
) -> Figure:
    means = cell_means(names, rows, columns, points, scores)
    longest = max(len(_text(row)) for row in rows)
    left, bottom = 0.75 + 0.075 * longest, 0.65
    side, tall = max(0.95 * len(columns), 3.2), max(0.62 * len(rows), 1.9)
    width, height = left + side + 1.0, bottom + tall + 0.6
    figure = new_figure(width, height)
    axes = figure.add_axes((left / width, bottom / height, side / width, tall / height))
    low, high = float(np.nanmin(means)), float(np.nanmax(means))
    margin = (high - low) / 20 or 0.5  # equal scores get the middle of the scale
    axes.set_facecolor(GRID)
    picture = axes.imshow(
        means, cmap="Blues" if maximize else "Blues_r", vmin=low - margin, vmax=high + margin, aspect="auto"
    )
    axes.set_xticks(range(len(columns)), [_text(value) for value in columns], fontsize=9)
    axes.set_yticks(range(len(rows)), [_text(value) for value in rows], fontsize=9)
    axes.set_xlabel(names[1], color=INK, fontsize=9)
    axes.set_ylabel(names[0], color=INK, fontsize=9)
    axes.tick_params(length=0, labelcolor=INK)
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.set_xticks(np.arange(len(columns) + 1) - 0.5, minor=True)
    axes.set_yticks(np.arange(len(rows) + 1) - 0.5, minor=True)
    axes.grid(which="minor", color="white", linewidth=2)
    axes.tick_params(which="minor", length=0)
    best = np.nanargmax(means) if maximize else np.nanargmin(means)
    _write_cells(axes, means, int(best), maximize)
    _color_bar(figure, picture, ((left + side + 0.15) / width, bottom / height, 0.14 / width, tall / height))
    return figure


def _color_bar(figure: Figure, picture: Any, place: tuple[float, float, float, float]) -> None:
    """The scale of ``picture`` at ``place`` (left, bottom, width, height) of the figure."""
    bar = figure.colorbar(picture, cax=figure.add_axes(place))
    bar.ax.tick_params(labelsize=8, length=0, labelcolor=INK)
    bar.outline.set_visible(False)


def _write_cells(axes: Axes, means: np.ndarray, best: int, maximize: bool) -> None:
    low, high = np.nanmin(means), np.nanmax(means)
    for (i, j), mean in np.ndenumerate(means):
        if math.isnan(mean):
            axes.text(j, i, "–", ha="center", va="center", color=GRAY)
            continue
        darkness = (mean - low) / ((high - low) or 1)
        dark = (darkness if maximize else 1 - darkness) > 0.6 and high > low
        chosen = i * means.shape[1] + j == best
        axes.text(
            j,
            i,
            f"{mean:.4f}" if abs(mean) < 10 else f"{mean:.4g}",
            ha="center",
            va="center",
            fontsize=9,
            fontweight="bold" if chosen else "normal",
            color="white" if dark else INK,
        )
        if chosen:
            axes.add_patch(_frame(j, i))


def _frame(x: float, y: float) -> Any:
    from matplotlib.patches import Rectangle

    return Rectangle((x - 0.47, y - 0.46), 0.94, 0.92, fill=False, edgecolor=RED, linewidth=2)


def _colored_points(
    names: Sequence[str],
    listed: Listed,
    points: Sequence[Mapping[str, Any]],
    scores: np.ndarray,
    best: int,
    logarithmic: Sequence[str],
) -> Figure:
    figure = new_figure(6.4, 4.6)
    axes = figure.add_axes((0.13, 0.13, 0.7, 0.74))
    plain_axes(axes)
    x, y = (_positions(listed[name], [point[name] for point in points]) for name in reversed(names))
    picture = axes.scatter(x, y, c=scores, cmap="Blues", s=60, edgecolors=GRAY, linewidths=0.6, zorder=3)
    axes.scatter([x[best]], [y[best]], s=150, facecolors="none", edgecolors=RED, linewidths=1.8, zorder=4, label="best")
    _scale(axes, "x", names[1], listed[names[1]], names[1] in logarithmic)
    _scale(axes, "y", names[0], listed[names[0]], names[0] in logarithmic)
    figure.legend(frameon=False, fontsize=8, loc="upper right")
    _color_bar(figure, picture, (0.86, 0.13, 0.025, 0.74))
    return figure


def _panels(
    names: Sequence[str],
    listed: Listed,
    points: Sequence[Mapping[str, Any]],
    scores: np.ndarray,
    best: int,
    logarithmic: Sequence[str],
) -> Figure:
    columns = min(len(names), 3)
    rows = math.ceil(len(names) / columns)
    figure = new_figure(max(4.3 * columns, 6.4), 3.4 * rows + 0.5)
    grid = figure.subplots(rows, columns, squeeze=False, sharey=True)
    for axes in grid.flat[len(names) :]:
        axes.set_visible(False)
    for axes, name in zip(grid.flat, names, strict=False):
        plain_axes(axes)
        x = _positions(listed[name], [point[name] for point in points])
        axes.plot(x, scores, "o", color=BLUE, markersize=5, alpha=0.55, markeredgewidth=0)
        axes.plot([x[best]], [scores[best]], "o", color=RED, markersize=7, markeredgewidth=0, label="best")
        if listed[name] is not None:
            places = np.unique(x)
            axes.plot(places, [scores[x == place].mean() for place in places], color=BLUE, linewidth=1.5, label="mean")
        _scale(axes, "x", name, listed[name], name in logarithmic)
    entries = {label: line for axes in grid.flat for line, label in zip(*axes.get_legend_handles_labels(), strict=True)}
    figure.legend(entries.values(), entries.keys(), frameon=False, fontsize=8, loc="upper right", ncols=2)
    take_as_plain_text(figure)
    figure.tight_layout(rect=(0, 0, 1, 1 - 0.4 / (3.4 * rows + 0.5)), h_pad=2.0, w_pad=2.0)
    return figure


def _positions(listed: Sequence[Any] | None, values: Sequence[Any]) -> np.ndarray:
    """Where values lie on their axis: numbers at themselves, listed values at their place in the list."""
    return np.array(values, dtype=float) if listed is None else np.array([list(listed).index(v) for v in values], float)


def _scale(axes: Axes, side: str, name: str, listed: Sequence[Any] | None, logarithmic: bool) -> None:
    axis = axes.xaxis if side == "x" else axes.yaxis
    axis.set_label_text(name, color=INK, fontsize=9)
    if listed is not None:
        axis.set_ticks(range(len(listed)), [_text(value) for value in listed])
    elif logarithmic:
        (axes.set_xscale if side == "x" else axes.set_yscale)("log")


def _text(value: Any) -> str:
    return shortened(f"{value:g}" if isinstance(value, float) else str(value), 14)
