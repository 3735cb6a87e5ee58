"""The look that all pictures share, and how they are written: figures without pyplot's global state."""

import os
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

INK = "#22272e"
GRAY = "#8a939e"
GRID = "#e6e9ed"
BLUE = "#2f6db3"
RED = "#c8402f"
ROSE = "#e39a86"
DPI = 130


def new_figure(width: float, height: float) -> Figure:
    """An empty white figure of width × height inches."""
    figure = Figure(figsize=(width, height), dpi=DPI, facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def write_figure(figure: Figure, out_png: Path) -> Path:
    """Write the figure, whole or not at all, making parent folders; returns its path."""
    out_png = Path(out_png)
    out_png.parent.mkdir(parents=True, exist_ok=True)
    partial = out_png.with_name(f".{out_png.name}.partial")
    figure.savefig(partial, format="png", metadata={"Software": None})
    os.replace(partial, out_png)
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


def shortened(text: str, length: int) -> str:
    """At most ``length`` characters, the cut marked by an ellipsis."""
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"
