"""Images next to maps of what a network looks at in them, with the colors' scale."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from matplotlib import colormaps
from matplotlib.figure import Figure

from lit_cnn.reports.canvas import GRID, INK, RED, image_array, new_figure, write_figure
from lit_cnn.reports.contact_sheet import show_image, wrapped_caption
from lit_cnn.reports.names import shortened

_CELL = 1.5
"""Width of a picture in inches."""
_LINE = 0.16
"""Height of a caption's line."""
_GAP = 0.08
"""Between the pictures of one image."""
_SPACE = 0.3
"""Between images."""
_MARGIN = 0.2
_HEADING = 0.32
"""Height of a group's heading."""
_HEAD = 0.42
_FOOT = 0.62
"""Height of the colors' scale."""
_CELLS = 9
"""Most pictures in a line."""
_NARROWEST = 4.6
"""Width of a sheet with one image, whose scale and heading need room."""
_LETTER = 0.085
"""Width of a letter of a heading."""
COLORS = "viridis"
STRENGTH = 0.62
"""Share of the map's color in a picture; the rest is the image in gray."""


class Panel(NamedTuple):
    """One picture: pixels uint8 (C, H, W), as they are or under a map float (H, W), and what stands below."""

    pixels: np.ndarray
    caption: str
    map: np.ndarray | None = None


class Item(NamedTuple):
    """The pictures of one image; framed where the network is wrong."""

    panels: Sequence[Panel]
    framed: bool = False


class Group(NamedTuple):
    """Images that begin a line of their own, below a heading where there is one."""

    items: Sequence[Item]
    heading: str = ""


class Scale(NamedTuple):
    """What the maps' colors mean: 0 and below is the darkest, ``highest`` the brightest."""

    unit: str
    highest: float


class _Line(NamedTuple):
    """Images next to each other, below a heading."""

    items: Sequence[Item]
    heading: str
    caption_lines: int


def highest_value(groups: Sequence[Group]) -> float:
    """The largest value of all maps; 1 where none is above 0, which then are all dark."""
    values = [float(p.map.max()) for g in groups for item in g.items for p in item.panels if p.map is not None]
    return max((value for value in values if value > 0), default=1.0)


def overlaid(pixels: np.ndarray, map: np.ndarray, highest: float) -> np.ndarray:
    """An image uint8 (C, H, W) in gray under the colors of a map float (H, W): uint8 (3, H, W)."""
    gray = image_array(pixels).astype(np.float64).mean(axis=2, keepdims=True)
    colors = colormaps[COLORS](np.clip(map / highest, 0.0, 1.0))[..., :3] * 255
    return np.round((1 - STRENGTH) * gray + STRENGTH * colors).astype(np.uint8).transpose(2, 0, 1)


def draw_explained(groups: Sequence[Group], out_png: Path, *, title: str, scale: Scale) -> Path:
    """Draw images next to their maps, all on one scale so that they can be compared.

    Args:
        groups: One or more images of one size.
        out_png: The picture; parent folders are made.
        title: Heading of the sheet.
        scale: Of the maps.

    Returns:
        ``out_png``.

    Raises:
        ValueError: If there is no image.
    """
    return write_figure(explained_figure(groups, title, scale), out_png)


def explained_figure(groups: Sequence[Group], title: str, scale: Scale) -> Figure:
    """What ``draw_explained`` writes."""
    lines = [line for group in groups for line in _lines(group)]
    if not lines:
        raise ValueError("a sheet of explanations needs at least one image")
    shape = lines[0].items[0].panels[0].pixels.shape
    tall = _CELL * shape[1] / shape[2]
    width = max(_NARROWEST, 2 * _MARGIN - _SPACE + max(sum(map(_width, line.items)) for line in lines))
    height = _HEAD + sum(_height(line, tall) for line in lines) + _FOOT
    figure = new_figure(width, height)
    _write(figure, title, _MARGIN, height - 0.13, size=11, width=width)
    top = height - _HEAD
    for line in lines:
        if line.heading:
            _write(figure, line.heading, _MARGIN, top - 0.04, size=9.5, width=width)
        begin = top - (_HEADING if line.heading else 0.0)
        left = _MARGIN
        for item in line.items:
            _draw_item(figure, item, left, begin, tall, scale.highest)
            left += _width(item)
        top -= _height(line, tall)
    _draw_scale(figure, scale)
    return figure


def _lines(group: Group) -> list[_Line]:
    """As many images next to each other as a line has room for."""
    rows: list[list[Item]] = []
    for item in group.items:
        if not rows or sum(len(other.panels) for other in rows[-1]) + len(item.panels) > _CELLS:
            rows.append([])
        rows[-1].append(item)
    return [_Line(items, "" if number else group.heading, _caption_lines(items)) for number, items in enumerate(rows)]


def _caption_lines(items: Sequence[Item]) -> int:
    return max(wrapped_caption(panel.caption).count("\n") + 1 for item in items for panel in item.panels)


def _width(item: Item) -> float:
    """With the space behind it."""
    return len(item.panels) * (_CELL + _GAP) - _GAP + _SPACE


def _height(line: _Line, tall: float) -> float:
    return (_HEADING if line.heading else 0.0) + tall + line.caption_lines * _LINE + 0.14


def _write(figure: Figure, text: str, left: float, top: float, *, size: float, width: float) -> None:
    fitting = shortened(text, int((width - 2 * _MARGIN) / (_LETTER * size / 10)))
    whole_width, whole_height = figure.get_size_inches()
    figure.text(left / whole_width, top / whole_height, fitting, va="top", fontsize=size, fontweight="bold", color=INK)


def _draw_item(figure: Figure, item: Item, left: float, top: float, tall: float, highest: float) -> None:
    width, height = figure.get_size_inches()
    for number, panel in enumerate(item.panels):
        start = left + number * (_CELL + _GAP)
        axes = figure.add_axes((start / width, (top - tall) / height, _CELL / width, tall / height))
        pixels = panel.pixels if panel.map is None else overlaid(panel.pixels, panel.map, highest)
        show_image(axes, pixels, RED if item.framed and number == 0 else GRID)
        for row, text in enumerate(wrapped_caption(panel.caption).split("\n"), start=1):
            baseline = (top - tall - row * _LINE) / height
            figure.text((start + _CELL / 2) / width, baseline, text, ha="center", fontsize=7.5, color=INK)


def _draw_scale(figure: Figure, scale: Scale) -> None:
    """The colors as they are on a middle gray, with the numbers that they mean."""
    width, height = figure.get_size_inches()
    wide = min(3.0, width - 2 * _MARGIN)
    axes = figure.add_axes((_MARGIN / width, 0.34 / height, wide / width, 0.14 / height))
    values = np.linspace(0.0, 1.0, 256)[None]
    strip = overlaid(np.full((1, 1, 256), 128, np.uint8), values, 1.0)
    axes.imshow(image_array(strip), aspect="auto", extent=(0.0, scale.highest, 0.0, 1.0))
    ticks = [0.0, scale.highest / 2, scale.highest]
    axes.set_xticks(ticks, ["0 or less", *(f"{tick:.3g}" for tick in ticks[1:])], fontsize=7.5)
    first, _, last = axes.get_xticklabels()
    first.set_horizontalalignment("left")
    last.set_horizontalalignment("right")
    axes.set_yticks([])
    axes.tick_params(length=2, color=GRID, labelcolor=INK)
    for spine in axes.spines.values():
        spine.set_visible(False)
    beginning = _MARGIN + 0.1
    text = shortened(scale.unit, int((width - beginning) / 0.062))
    figure.text(_MARGIN / width, 0.52 / height, text, fontsize=8, color=INK)
