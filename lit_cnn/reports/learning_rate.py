"""The picture of a learning-rate range test: training loss over the rate."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from lit_cnn.reports.canvas import BLUE, GRAY, INK, RED, new_figure, plain_axes, write_figure


def draw_range(
    rates: Sequence[float],
    losses: Sequence[float],
    smoothed: Sequence[float],
    suggestion: float | None,
    title: str,
    out_png: Path,
) -> Path:
    """Draw the losses of a range test, their means and the suggested rate.

    Args:
        rates: (n,) learning rate of each step.
        losses: (n,) its training loss.
        smoothed: (n,) means of the losses around each step.
        suggestion: A rate to mark; None marks none.
        title: What is trained.
        out_png: The picture; parent folders are made.

    Returns:
        ``out_png``.
    """
    figure = new_figure(7.0, 4.2)
    axes = figure.add_subplot()
    plain_axes(axes)
    axes.set_xscale("log")
    axes.plot(rates, losses, color=GRAY, linewidth=0.8, alpha=0.6)
    axes.plot(rates, smoothed, color=BLUE, linewidth=2)
    known = np.asarray(smoothed)[np.isfinite(smoothed)]
    if len(known):
        axes.set_ylim(known.min() - 0.1 * np.ptp(known[: np.argmin(known) + 1]), 1.3 * known[0])
    if suggestion is not None:
        height = float(np.interp(np.log(suggestion), np.log(rates), smoothed))
        axes.axvline(suggestion, color=RED, linewidth=1, linestyle=":")
        axes.plot([suggestion], [height], "o", color=RED, markersize=7)
        axes.annotate(
            f"falls fastest at {suggestion:.2g}",
            (suggestion, height),
            xytext=(-8, -4),
            textcoords="offset points",
            ha="right",
            va="top",
            color=RED,
            fontsize=9,
        )
    axes.set_xlabel("learning rate", color=INK, fontsize=9)
    axes.set_ylabel("training loss (line: mean around each step)", color=INK, fontsize=9)
    axes.set_title(f"{title}: learning-rate range test", loc="left", color=INK, fontsize=11)
    figure.tight_layout()
    return write_figure(figure, out_png)
