"""A table of shares as colors with the numbers written in."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from lit_cnn.reports.canvas import INK, new_figure, write_figure
from lit_cnn.reports.names import cells, distinct, shortened

_CELL_WIDTH = 0.72
_CELL_HEIGHT = 0.34
"""Of a cell, in inches."""
_TITLE_LENGTH = 160
_NAME_LENGTH = 40
_COLUMN_LENGTH = 10


def draw_heat_map(
    rows: Mapping[str, Sequence[float]], columns: Sequence[str], title: str, out_png: Path, columns_label: str = ""
) -> Path:
    """Draw shares in [0, 1]: dark is high, and percent are written.

    Args:
        rows: Row name -> one share for each column.
        columns: Column names.
        title: Heading.
        out_png: The picture; parent folders are made.
        columns_label: What the columns are, above their names.

    Returns:
        ``out_png``.

    Raises:
        ValueError: If there is no row, or one has not a share for each column.
    """
    return write_figure(heat_map_figure(rows, columns, title, columns_label), out_png)


def heat_map_figure(
    rows: Mapping[str, Sequence[float]], columns: Sequence[str], title: str, columns_label: str = ""
) -> Figure:
    """What ``draw_heat_map`` writes."""
    if not rows or any(len(row) != len(columns) for row in rows.values()):
        raise ValueError(f"a heat map needs {len(columns)} values in each of one or more rows")
    shares = np.array([list(row) for row in rows.values()])
    names = distinct(list(rows), _NAME_LENGTH)
    left, right, top, bottom = 0.3 + 0.085 * max(cells(name) for name in names), 0.25, 0.95, 0.2
    wide, tall = _CELL_WIDTH * len(columns), _CELL_HEIGHT * len(rows)
    title = shortened(title, _TITLE_LENGTH)
    width = max(left + wide + right, 0.5 + 0.085 * cells(title))
    height = top + tall + bottom
    figure = new_figure(width, height)
    axes = figure.add_axes((left / width, bottom / height, wide / width, tall / height))
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1, aspect="auto", interpolation="nearest")
    figure.text(0.2 / width, 1 - 0.3 / height, title, fontsize=11, fontweight="bold", color=INK)
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.xaxis.tick_top()
    axes.xaxis.set_label_position("top")
    axes.set_xlabel(shortened(columns_label, _TITLE_LENGTH), color=INK, fontsize=9)
    axes.set_xticks(range(len(columns)), distinct(columns, _COLUMN_LENGTH), fontsize=9)
    axes.set_yticks(range(len(rows)), names, fontsize=9)
    axes.set_xticks(np.arange(len(columns) + 1) - 0.5, minor=True)
    axes.set_yticks(np.arange(len(rows) + 1) - 0.5, minor=True)
    axes.grid(which="minor", color="white", linewidth=1.5)
    axes.tick_params(which="both", length=0, labelcolor=INK)
    for (row, column), share in np.ndenumerate(shares):
        color = "white" if share > 0.55 else INK
        axes.text(column, row, f"{100 * share:.1f}", ha="center", va="center", fontsize=9, color=color)
    return figure
