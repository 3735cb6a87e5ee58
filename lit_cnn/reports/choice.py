"""Candidates of a choice by latency and accuracy, with the intervals of their accuracies and the front."""

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.figure import Figure

from lit_cnn.reports.canvas import BLUE, GRAY, INK, RED, new_figure, plain_axes
from lit_cnn.reports.names import shortened


@dataclass(frozen=True)
class ChoicePoint:
    """A candidate.

    Args:
        name: What is written at the point.
        latency_ms: Of a batch.
        accuracy: Share of images.
        low: Lower end of its interval; None where it has none.
        high: Its upper end.
        on_front: Whether none is as accurate and faster.
        recommended: Whether it is.
    """

    name: str
    latency_ms: float
    accuracy: float
    low: float | None = None
    high: float | None = None
    on_front: bool = False
    recommended: bool = False


def choice_figure(points: Sequence[ChoicePoint]) -> Figure:
    """Accuracy in percent over latency; pale are those that were stopped early, whose accuracy would have grown.

    Raises:
        ValueError: If there is no point.
    """
    if not points:
        raise ValueError("there is no candidate to draw")
    figure = new_figure(7.6, 4.6)
    axes = figure.add_axes((0.1, 0.13, 0.86, 0.82))
    plain_axes(axes)
    for point in points:
        _draw(axes, point)
    front = sorted((point for point in points if point.on_front), key=lambda point: point.latency_ms)
    axes.plot([point.latency_ms for point in front], [100 * point.accuracy for point in front],
              color=GRAY, linewidth=1, linestyle="--", zorder=1)  # fmt: skip
    axes.margins(x=0.2, y=0.12)
    axes.set_xlabel("latency of a batch here (ms)", fontsize=9, color=GRAY)
    axes.set_ylabel("validation top-1 (%)", fontsize=9, color=GRAY)
    return figure


def _draw(axes, point: ChoicePoint) -> None:  # type: ignore[no-untyped-def]
    """One point, its interval and its name."""
    finished = point.low is not None and point.high is not None
    color = RED if point.recommended else BLUE if finished else GRAY
    x, y = point.latency_ms, 100 * point.accuracy
    if point.low is not None and point.high is not None:
        axes.plot([x, x], [100 * point.low, 100 * point.high], color=color, linewidth=1.4, zorder=2)
    axes.scatter([x], [y], s=46 if point.recommended else 30, color=color, zorder=3)
    axes.annotate(shortened(point.name, 40), (x, y), xytext=(6, 4), textcoords="offset points", fontsize=8,
                  color=INK if finished else GRAY)  # fmt: skip
