"""Measured effects with their intervals, one below the other, against the threshold of each."""

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lit_cnn.reports.canvas import BLUE, GRAY, INK, RED, new_figure, plain_axes
from lit_cnn.reports.names import shortened

_WIDTH, _ROW, _AROUND = 5.2, 0.46, 0.75
"""In inches: the picture, one effect, and the axis below with the margin above."""
_LONGEST = 74
"""Characters of a name above its interval."""


@dataclass(frozen=True)
class Effect:
    """One effect.

    Args:
        name: What was compared.
        value: The effect.
        low: Lower end of its interval.
        high: Upper end.
        threshold: With what it is compared.
        counts: Whether a verdict rests on it; others are drawn lighter.
    """

    name: str
    value: float
    low: float
    high: float
    threshold: float
    counts: bool = True


def effects_figure(effects: Sequence[Effect], unit: str) -> Figure:
    """The effects as points with their intervals; a red mark stands where each is compared.

    Args:
        effects: At least one, all in one unit.
        unit: Of them, for the axis.

    Raises:
        ValueError: If there is none.
    """
    if not effects:
        raise ValueError("there is no effect to draw")
    height = _ROW * len(effects) + _AROUND
    figure = new_figure(_WIDTH, height)
    axes = figure.add_axes((0.04, 0.52 / height, 0.92, _ROW * len(effects) / height))
    plain_axes(axes)
    axes.spines["left"].set_visible(False)
    axes.set_yticks([])
    axes.set_ylim(-len(effects) + 0.4, 0.75)
    for place, effect in enumerate(effects):
        _draw_effect(axes, -place, effect)
    _widen(axes, effects)
    for place, effect in enumerate(effects):
        axes.text(0, -place + 0.3, shortened(effect.name, _LONGEST), fontsize=8.5, color=INK,
                  transform=axes.get_yaxis_transform(), va="bottom")  # fmt: skip
    axes.set_xlabel(f"effect ({unit}), 95 % interval; red: what it is compared with", fontsize=9, color=INK)
    return figure


def _draw_effect(axes: Axes, height: float, effect: Effect) -> None:
    color = BLUE if effect.counts else GRAY
    axes.plot([effect.low, effect.high], [height, height], color=color, linewidth=2.2, solid_capstyle="butt")
    axes.plot([effect.value], [height], marker="o", markersize=6.5, color=color)
    axes.plot([effect.threshold] * 2, [height - 0.18, height + 0.18], color=RED, linewidth=1.8)


def _widen(axes: Axes, effects: Sequence[Effect]) -> None:
    """Some room on both sides, and 0 within."""
    ends = [0.0, *(end for each in effects for end in (each.low, each.high, each.threshold))]
    room = 0.06 * (max(ends) - min(ends)) or 1.0
    axes.set_xlim(min(ends) - room, max(ends) + room)
    axes.axvline(0, color=GRAY, linewidth=0.8, zorder=0.5)
