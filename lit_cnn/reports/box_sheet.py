"""A sheet of images with the boxes of their objects, a color for each class, as the network sees them."""

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from lit_cnn.reports.canvas import GRID, INK, new_figure, write_figure
from lit_cnn.reports.contact_sheet import show_image
from lit_cnn.reports.names import distinct, shortened

BOX_COLORS = (
    "#e6194b",
    "#1f9e4a",
    "#1565d8",
    "#f58231",
    "#a020c0",
    "#00a5b8",
    "#d81b9a",
    "#7a5c00",
    "#5a6b00",
    "#444f9a",
)
"""Colors of the classes in their order; the eleventh class has the first one's again."""  # fmt: skip
CELL = 2.6
"""Width of one image in inches; its caption stands below."""
_MARGIN = 0.12
_LINE = 0.2
"""Height of a caption, and of a line of the legend, in inches."""
_NAME_LENGTH = 18
_LETTER = 0.085
"""Width of a letter of legend and title in inches."""
_NAMED = 40
"""Classes that the legend names at most."""


def draw_box_sheet(
    images: np.ndarray,
    boxes: Sequence[np.ndarray],
    labels: Sequence[np.ndarray],
    names: Sequence[str],
    out_png: Path,
    *,
    columns: int = 4,
    cell: float = CELL,
    title: str = "",
    captions: Sequence[str] | None = None,
    scores: Sequence[np.ndarray | None] | None = None,
    dashed: Sequence[np.ndarray] | None = None,
) -> Path:
    """Draw images and their boxes; the legend names the classes that are there.

    Args:
        images: uint8 (N, H, W, 3).
        boxes: For each image (M, 4): left, top, right, bottom in its pixels.
        labels: For each image (M,) class indices.
        names: K names.
        out_png: The picture; parent folders are made.
        columns: Images in a row.
        cell: Width of an image in inches.
        title: Heading of the sheet.
        captions: A text below each image.
        scores: For each image (M,) in [0, 1], written at the boxes, or None.
        dashed: For each image bool (M,), the boxes with a broken line.

    Returns:
        ``out_png``.

    Raises:
        ValueError: If there is no image, or not one entry for each.
    """
    given = [boxes, labels, *(each for each in (captions, scores, dashed) if each is not None)]
    if not len(images) or any(len(each) != len(images) for each in given):
        found = ", ".join(str(len(each)) for each in given)
        raise ValueError(f"a box sheet needs boxes and labels for each of {len(images)} images, got {found}")
    columns = min(columns, len(images))
    rows = math.ceil(len(images) / columns)
    tall = cell * images.shape[1] / images.shape[2]
    step_x, step_y = cell + _MARGIN, tall + _MARGIN + (_LINE if captions is not None else 0)
    width = columns * step_x + _MARGIN
    legend = _legend(labels, names, width)
    head = _MARGIN + _LINE * (len(legend) + bool(title))
    height = head + rows * step_y + _MARGIN
    figure = new_figure(width, height)
    _write_head(figure, title, legend, width, height)
    for number, image in enumerate(images):
        left, top = _MARGIN + number % columns * step_x, height - head - number // columns * step_y
        axes = figure.add_axes((left / width, (top - tall) / height, cell / width, tall / height))
        show_image(axes, image.transpose(2, 0, 1), GRID)
        broken = np.zeros(len(labels[number]), dtype=bool) if dashed is None else dashed[number]
        _draw_boxes(axes, boxes[number], labels[number], None if scores is None else scores[number], broken)
        axes.set_xlim(-0.5, image.shape[1] - 0.5)
        axes.set_ylim(image.shape[0] - 0.5, -0.5)
        if captions is not None:
            text = shortened(captions[number], int(cell / _LETTER))
            baseline = (top - tall - 0.75 * _LINE) / height
            figure.text((left + cell / 2) / width, baseline, text, ha="center", fontsize=8, color=INK)
    return write_figure(figure, out_png)


def _write_head(
    figure: Figure, title: str, legend: list[list[tuple[float, str, str]]], width: float, height: float
) -> None:
    """Title and legend at the top of a figure of width x height inches."""
    if title:
        text = shortened(title, int((width - 2 * _MARGIN) / _LETTER))
        figure.text(_MARGIN / width, 1 - _MARGIN / height, text, va="top", fontsize=11, fontweight="bold", color=INK)
    for line, entries in enumerate(legend):
        for left, text, color in entries:
            down = _MARGIN + (line + bool(title)) * _LINE
            figure.text(left / width, 1 - down / height, text, va="top", fontsize=9, fontweight="bold", color=color)


def box_color(label: int) -> str:
    """The color of a class."""
    return BOX_COLORS[label % len(BOX_COLORS)]


def _draw_boxes(
    axes: Axes, boxes: np.ndarray, labels: np.ndarray, scores: np.ndarray | None, dashed: np.ndarray
) -> None:
    """Outlines where the picture's pixel (0, 0) reaches from -0.5 to 0.5, which is Matplotlib's own count."""
    for place, (box, label) in enumerate(zip(np.asarray(boxes, dtype=float), np.asarray(labels).tolist(), strict=True)):
        corner, color = (box[0] - 0.5, box[1] - 0.5), box_color(label)
        outline = Rectangle(corner, box[2] - box[0], box[3] - box[1], fill=False, edgecolor=color, linewidth=1.2)
        outline.set_linestyle((0, (4, 2)) if dashed[place] else "solid")
        axes.add_patch(outline)
        if scores is not None:
            back = {"facecolor": color, "edgecolor": "none", "pad": 0.6}
            axes.text(
                *corner, f"{scores[place]:.2f}", fontsize=5.5, color="white", va="bottom", bbox=back, clip_on=True
            )


def _legend(labels: Sequence[np.ndarray], names: Sequence[str], width: float) -> list[list[tuple[float, str, str]]]:
    """Lines of (left in inches, name, color) of the classes that are there."""
    present = sorted({label for each in labels for label in np.asarray(each).tolist()})
    short = distinct(names, _NAME_LENGTH)
    entries = [(short[label], box_color(label)) for label in present[:_NAMED]]
    if len(present) > _NAMED:
        entries.append((f"and {len(present) - _NAMED} more", INK))
    lines: list[list[tuple[float, str, str]]] = []
    left = width
    for text, color in entries:
        room = (len(text) + 3) * _LETTER
        if left + room > width - _MARGIN:
            lines.append([])
            left = _MARGIN
        lines[-1].append((left, text, color))
        left += room
    return lines
