"""Precision over recall of a detector, a curve for each class."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes

from lit_cnn.reports.box_sheet import box_color
from lit_cnn.reports.canvas import GRAY, INK, new_figure, plain_axes, write_figure
from lit_cnn.reports.names import distinct

_NAME_LENGTH = 18
_SHOWN = 20
"""Classes that have a curve of their own at most, those of the most objects."""


def draw_precision_recall(
    recalls: Sequence[np.ndarray],
    precisions: Sequence[np.ndarray],
    average_precisions: Sequence[float],
    names: Sequence[str],
    out_png: Path,
    *,
    protocol: str,
    title: str = "",
    chosen: Sequence[tuple[float, float]] | None = None,
) -> Path:
    """Draw the curve of each class and name its average precision.

    Args:
        recalls: Of each class (D,), rising; an empty one is a class without objects or detections.
        precisions: Of each class (D,).
        average_precisions: Of each class; a negative one is a class without objects, which is left out.
        names: K names.
        out_png: The picture; parent folders are made.
        protocol: What the average precision is called.
        title: Which images and weights these are.
        chosen: Of each class the recall and precision at its score threshold, which are marked.

    Returns:
        ``out_png``.

    Raises:
        ValueError: If there is not one entry for each class.
    """
    lengths = {len(each) for each in (recalls, precisions, average_precisions, names, chosen or names)}
    if len(lengths) != 1:
        raise ValueError(f"precision over recall needs one curve, figure and name for each class, got {lengths}")
    figure = new_figure(7.4, 4.6)
    axes = figure.add_axes((0.09, 0.12, 0.58, 0.75))
    plain_axes(axes)
    shown = [label for label, value in enumerate(average_precisions) if value >= 0]
    short = distinct(names, _NAME_LENGTH)
    for label in shown[:_SHOWN]:
        points = None if chosen is None else chosen[label]
        _draw_curve(axes, recalls[label], precisions[label], label, f"{short[label]} {average_precisions[label]:.3f}")
        if points is not None:
            axes.plot(*points, "o", color=box_color(label), markersize=5, markeredgecolor="white", clip_on=False)
    axes.set(xlim=(0, 1), ylim=(0, 1.02))
    axes.set_xlabel("recall", color=INK)
    axes.set_ylabel("precision", color=INK)
    heading = f"precision over recall{': ' + title if title else ''}"
    figure.text(0.02, 0.94, heading, fontsize=11, fontweight="bold", color=INK)
    if shown:
        more = f", {len(shown) - _SHOWN} classes more" if len(shown) > _SHOWN else ""
        dots = "" if chosen is None else "\ndots: at the chosen score threshold"
        legend = axes.legend(
            loc="upper left", bbox_to_anchor=(1.03, 1), frameon=False, fontsize=8, title=f"{protocol}{more}{dots}"
        )
        legend.get_title().set(fontsize=8, color=GRAY)
        legend.set_alignment("left")
    return write_figure(figure, out_png)


def _draw_curve(axes: Axes, recall: np.ndarray, precision: np.ndarray, label: int, text: str) -> None:
    """The curve from recall 0 on, at the precision of the first detection."""
    first = precision[:1] if len(precision) else [0.0]
    x, y = np.concatenate([[0.0], recall]), np.concatenate([first, precision])
    style = ("solid", "dashed")[label // 10 % 2]  # the eleventh class has the color of the first
    axes.plot(x, y, color=box_color(label), linewidth=1.5, linestyle=style, label=text)
