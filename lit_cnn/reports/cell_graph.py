"""Pictures of searched networks: the graphs of cells next to each other, or a column of stages.

In a graph every state has a row of its own and a color: the line that leaves it runs to the right in that row, and
turns in front of the operations that read it. So no line passes behind a box, and lines of two states only cross.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle, FancyBboxPatch

from lit_cnn.reports.canvas import GRAY, GRID, INK, new_figure, write_figure

COLORS = ("#0072b2", "#d55e00", "#009e73", "#b5498b", "#7a5c00", "#2aa5c9", "#e69f00")
"""Of the states; they repeat from the eighth on. After Okabe and Ito (2008), for eyes that confuse red and green."""

Half = tuple[str, int]
"""The name of an operation, and the state that it reads."""

_ROW, _BOX, _BOX_HEIGHT, _RADIUS = 0.82, 1.62, 0.3, 0.15  # inches
_LANE, _GAP, _MARGIN, _HEAD = 0.13, 0.2, 0.3, 0.75


@dataclass(frozen=True)
class CellGraph:
    """One cell.

    Args:
        title: What stands above it.
        inputs: Names of the first states.
        blocks: Each makes the next state: the sum of two operations on earlier states.
        returned: The states that the cell concatenates.
    """

    title: str
    inputs: tuple[str, ...]
    blocks: tuple[tuple[Half, Half], ...]
    returned: tuple[int, ...]

    def level(self, state: int) -> int:
        """The number of blocks on the longest way to a state."""
        block = state - len(self.inputs)
        return 0 if block < 0 else 1 + max(self.level(source) for _, source in self.blocks[block])


@dataclass(frozen=True)
class _Columns:
    """Where a cell's parts are, in inches from its left edge.

    Args:
        lanes: Of each level from 1 on, the place at which the line of a state turns to its operations.
        boxes: The left edge of the operations of each level.
        states: The centers of the states of each level.
        width: Of the whole.
    """

    lanes: dict[int, dict[int, float]]
    boxes: dict[int, float]
    states: dict[int, float]
    width: float


def draw_cells(cells: Sequence[CellGraph], out: Path, *, title: str) -> Path:
    """Draw cells from left to right.

    Args:
        cells: The cells, such as the normal and the reduction cell.
        out: The picture, by the ending of its name .svg, .pdf or else PNG; parent folders are made.
        title: What stands above all.

    Returns:
        ``out``.
    """
    return write_figure(cells_figure(cells, title), out)


def cells_figure(cells: Sequence[CellGraph], title: str) -> Figure:
    """The figure of :func:`draw_cells`."""
    columns = [_columns(cell) for cell in cells]
    rows = max(len(cell.inputs) + len(cell.blocks) for cell in cells)
    width = sum(part.width + 2 * _MARGIN for part in columns)
    height = rows * _ROW + 2 * _HEAD
    figure = new_figure(width, height)
    figure.text(_MARGIN / width, 1 - 0.3 / height, title, fontsize=12, fontweight="bold", color=INK, va="center")
    note = "A circle adds two operations to a new state; the bar concatenates the states that the cell returns."
    figure.text(_MARGIN / width, 0.25 / height, note, fontsize=8.5, color=GRAY, va="center")
    left = 0.0
    for cell, part in zip(cells, columns, strict=True):
        axes = figure.add_axes(((left + _MARGIN) / width, 0, part.width / width, 1))
        axes.set(xlim=(0, part.width), ylim=(height, 0))
        axes.axis("off")
        _draw_cell(axes, cell, part)
        left += part.width + 2 * _MARGIN
    return figure


def _columns(cell: CellGraph) -> _Columns:
    count = len(cell.inputs)
    levels = {state: cell.level(state) for state in range(count + len(cell.blocks))}
    x = 0.55
    lanes: dict[int, dict[int, float]] = {}
    boxes, states = {}, {0: x}
    for level in range(1, max(levels.values()) + 1):
        blocks = [block for number, block in enumerate(cell.blocks, start=count) if levels[number] == level]
        sources = sorted({source for block in blocks for _, source in block})
        x += _RADIUS + _GAP
        lanes[level] = {source: x + _LANE * place for place, source in enumerate(sources)}
        x += _LANE * (len(sources) - 1) + _GAP
        boxes[level] = x
        x += _BOX + _GAP + _RADIUS
        states[level] = x
    return _Columns(lanes, boxes, states, x + _RADIUS + 2 * _GAP + 0.2)


def _draw_cell(axes: Axes, cell: CellGraph, columns: _Columns) -> None:
    count = len(cell.inputs)
    heights = {state: _HEAD + (state + 0.5) * _ROW for state in range(count + len(cell.blocks))}
    axes.text(0, _HEAD - 0.12, cell.title, fontsize=10.5, fontweight="bold", color=INK, va="center")
    for number, block in enumerate(cell.blocks, start=count):
        level = cell.level(number)
        for half, (operation, source) in enumerate(block):
            y = heights[number] + (-0.19, 0.19)[half]
            lane, box = columns.lanes[level][source], columns.boxes[level]
            start = columns.states[cell.level(source)]
            color = COLORS[source % len(COLORS)]
            axes.plot([start, lane, lane, box], [heights[source], heights[source], y, y], color=color, linewidth=1.4)
            end = columns.states[level]
            axes.plot([box + _BOX, end], [y, heights[number]], color=INK, linewidth=1.0)
            _draw_operation(axes, operation, box, y, color)
    bar = columns.width - 0.2
    for state in cell.returned:
        start = columns.states[cell.level(state)]
        axes.plot([start, bar], [heights[state]] * 2, color=COLORS[state % len(COLORS)], linewidth=1.4)
    top, bottom = min(heights[state] for state in cell.returned), max(heights[state] for state in cell.returned)
    axes.add_patch(_rounded(bar, top - 0.2, 0.16, bottom - top + 0.4, edge=INK, fill=INK))
    for state, y in heights.items():
        _draw_state(axes, state, columns.states[cell.level(state)], y)
        if state < count:
            axes.text(0, y + 0.3, cell.inputs[state], fontsize=8.5, color=INK, va="center")


def _draw_operation(axes: Axes, name: str, left: float, y: float, color: str) -> None:
    axes.add_patch(_rounded(left, y - _BOX_HEIGHT / 2, _BOX, _BOX_HEIGHT, edge=color, fill="white"))
    axes.text(left + _BOX / 2, y, name, fontsize=8.5, color=INK, ha="center", va="center", zorder=4)


def _draw_state(axes: Axes, state: int, x: float, y: float) -> None:
    axes.add_patch(Circle((x, y), _RADIUS, facecolor=COLORS[state % len(COLORS)], edgecolor="white", zorder=4))
    axes.text(
        x, y, str(state), fontsize=9, fontweight="bold", color="white", ha="center", va="center_baseline", zorder=5
    )


def _rounded(left: float, top: float, width: float, height: float, *, edge: str, fill: str) -> FancyBboxPatch:
    style = "round,pad=0,rounding_size=0.06"
    return FancyBboxPatch((left, top), width, height, style, facecolor=fill, edgecolor=edge, linewidth=1.3, zorder=3)


def draw_stages(rows: Sequence[tuple[str, str]], out: Path, *, title: str) -> Path:
    """Draw a column of stages, the first on top.

    Args:
        rows: The name of each stage and what is said of it.
        out: The picture, by the ending of its name .svg, .pdf or else PNG; parent folders are made.
        title: What stands above.

    Returns:
        ``out``.
    """
    width, row = 6.4, 0.62
    height = len(rows) * row + 0.75
    figure = new_figure(width, height)
    figure.text(_MARGIN / width, 1 - 0.3 / height, title, fontsize=12, fontweight="bold", color=INK, va="center")
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, width), ylim=(height, 0))
    axes.axis("off")
    for number, (name, text) in enumerate(rows):
        top = 0.6 + number * row
        if number > 0:
            arrow = {"arrowstyle": "-|>", "color": GRAY, "shrinkA": 0, "shrinkB": 0}
            axes.annotate("", (width / 2, top), (width / 2, top - row + 0.4), arrowprops=arrow)
        axes.add_patch(_rounded(_MARGIN, top, width - 2 * _MARGIN, 0.4, edge=GRAY, fill=GRID))
        axes.text(_MARGIN + 0.15, top + 0.2, name, fontsize=9.5, fontweight="bold", color=INK, va="center", zorder=4)
        axes.text(width - _MARGIN - 0.15, top + 0.2, text, fontsize=9, color=INK, ha="right", va="center", zorder=4)
    return write_figure(figure, out)
