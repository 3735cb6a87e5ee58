"""The look that all pictures share, and how they are written: figures without pyplot's global state."""

import unicodedata
import warnings
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.ticker import LogFormatter

from lit_cnn.reports.fonts import fonts_for
from lit_cnn.reports.names import drawable
from lit_cnn.run_folder.atomic import replacing

INK = "#22272e"
GRAY = "#8a939e"
GRID = "#e6e9ed"
BLUE = "#2f6db3"
RED = "#c8402f"
ROSE = "#e39a86"
DPI = 130
_PROGRAM = {"png": "Software", "pdf": "CreationDate", "svg": "Date"}
"""Metadata that would make two pictures of the same differ."""
_LEFT_TO_RIGHT = "\u200e"
"""Unicode's mark, which is not drawn."""


def new_figure(width: float, height: float) -> Figure:
    """An empty white figure of width × height inches."""
    figure = Figure(figsize=(width, height), dpi=DPI, facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def write_figure(figure: Figure, out_png: Path) -> Path:
    """Write the figure as its name ends (.pdf, .svg, else PNG), whole or not at all, making parent folders; returns its
    path."""
    take_as_plain_text(figure)
    out_png = Path(out_png)
    out_png.parent.mkdir(parents=True, exist_ok=True)
    with replacing(out_png) as partial, warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing")  # a weight of a font may lack what the font has
        kind = out_png.suffix.lower().lstrip(".")
        kind = kind if kind in ("pdf", "svg") else "png"
        figure.savefig(partial, format=kind, metadata={_PROGRAM[kind]: None})
    return out_png


def plain_axes(axes: Axes) -> None:
    """Light grid, no box, small gray ticks."""
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(GRAY)
    axes.grid(color=GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(which="both", color=GRAY, labelcolor=INK, labelsize=9)


def image_array(image: np.ndarray) -> np.ndarray:
    """(C, H, W) uint8, gray, color or color and another channel, which is not shown -> (H, W, 3) uint8.

    Raises:
        ValueError: If it has another number of channels.
    """
    if image.shape[0] not in (1, 3, 4):
        raise ValueError(f"an image to draw has 1, 3 or 4 channels, got {image.shape[0]}")
    return np.broadcast_to(image[:3].transpose(1, 2, 0), (*image.shape[1:], 3))


def take_as_plain_text(figure: Figure) -> None:
    """Draw every text of the figure as it is: dollars begin no formula, and each character comes from a font that has
    it. The powers that Matplotlib writes on logarithmic axes stay formulas.

    Names of ticks keep their characters: give them ``shortened`` or ``distinct``.
    """
    powers = set()
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            formatter = axis.get_major_formatter()
            if isinstance(formatter, LogFormatter):
                powers |= {id(label) for label in axis.get_ticklabels(which="both")}
    for text in figure.findobj(Text):
        if isinstance(text, Text) and id(text) not in powers:
            text.set_parse_math(False)
            lines = [drawable(line) for line in text.get_text().replace(_LEFT_TO_RIGHT, "").split("\n")]
            text.set_text("\n".join(map(_in_order, lines)))
            if not text.get_text().isascii():
                text.set_fontfamily(fonts_for("".join(lines)))


def _in_order(line: str) -> str:
    """A line whose words written from right to left keep to their places, before the numbers that follow them."""
    marked = []
    for place, character in enumerate(line):
        ends = _is_backward(character) and not _is_backward(line[place + 1 :].lstrip()[:1])
        marked.append(character + _LEFT_TO_RIGHT if ends else character)
    return _LEFT_TO_RIGHT + "".join(marked) if len("".join(marked)) > len(line) else line


def _is_backward(character: str) -> bool:
    return character != "" and unicodedata.bidirectional(character) in ("R", "AL")
