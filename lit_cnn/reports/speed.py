"""How near each network's training step is to the machine's limit, and where its time goes: one bar per network."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from matplotlib.figure import Figure
from matplotlib.patches import Patch

from lit_cnn.reports.canvas import BLUE, GRAY, INK, new_figure, write_figure
from lit_cnn.reports.names import shortened

_TITLE = "Training steps: share of the machine's limit, divided as their time is"
PHASE_STYLE = {
    "data": ("#b4bbc4", "waiting for data"),
    "forward": (BLUE, "forward"),
    "backward": ("#c97a1e", "backward"),
    "optimizer": ("#b8436d", "optimizer"),
}
_WIDTH, _ROW = 10.0, 0.34
_LEFT, _RIGHT, _TOP, _BOTTOM = 2.4, 2.6, 0.95, 0.75


@dataclass(frozen=True)
class Bar:
    """A network's training step.

    Args:
        name: Network.
        phases: Milliseconds of "data", "forward", "backward", "optimizer".
        images_per_second: Training speed.
        share_of_limit: Arithmetic achieved over that of a large matrix product, usually in [0, 1].
    """

    name: str
    phases: Mapping[str, float]
    images_per_second: float
    share_of_limit: float


def draw_speed(bars: Sequence[Bar], conditions: str, out_png: Path) -> Path:
    """Draw the bars, as long as their shares of the limit and divided as the time of a step is, with images per second.

    Returns:
        ``out_png``; parent folders are made.

    Raises:
        ValueError: If there is no bar.
    """
    return write_figure(speed_figure(bars, conditions), out_png)


def speed_figure(bars: Sequence[Bar], conditions: str) -> Figure:
    """What ``draw_speed`` writes."""
    if not bars:
        raise ValueError("a picture of speeds needs at least one network, got none")
    body = _ROW * len(bars)
    height = _TOP + body + _BOTTOM
    figure = new_figure(_WIDTH, height)
    axes = figure.add_axes((_LEFT / _WIDTH, _BOTTOM / height, (_WIDTH - _LEFT - _RIGHT) / _WIDTH, body / height))
    for row, bar in enumerate(bars):
        left, total = 0.0, sum(bar.phases.values())
        for phase, (color, _) in PHASE_STYLE.items():
            width = bar.share_of_limit * bar.phases.get(phase, 0.0) / total
            axes.barh(row, width, 0.62, left=left, color=color, linewidth=0)
            left += width
        speed = f"{bar.images_per_second:,.0f}" if bar.images_per_second >= 100 else f"{bar.images_per_second:.3g}"
        axes.annotate(f"{speed} images/s", (1.19, row), xycoords=("axes fraction", "data"), ha="right", va="center",
                      fontsize=9, color=INK, annotation_clip=False)  # fmt: skip
        axes.annotate(f"{100 * bar.share_of_limit:.0f} % of the limit", (1.45, row), ha="right", va="center",
                      xycoords=("axes fraction", "data"), fontsize=9, color=GRAY, annotation_clip=False)  # fmt: skip
    axes.set_yticks(range(len(bars)), [shortened(bar.name, 30) for bar in bars], fontsize=9)
    axes.axvline(1, color=GRAY, linewidth=0.8, zorder=0)
    axes.set_xlim(0, max(1.0, *(bar.share_of_limit for bar in bars)))
    axes.set_ylim(len(bars) - 0.5, -0.5)
    axes.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0 %", "25 %", "50 %", "75 %", "100 %"], fontsize=8.5)
    axes.set_xlabel("of the arithmetic of a large matrix product", fontsize=8.5, color=INK)
    axes.tick_params(length=0, labelcolor=INK)
    for spine in axes.spines.values():
        spine.set_visible(False)
    figure.text(0.25 / _WIDTH, 1 - 0.32 / height, _TITLE, fontsize=12, fontweight="bold", color=INK)
    figure.text(0.25 / _WIDTH, 0.12 / height, shortened(conditions.splitlines()[0], 130), fontsize=8, color=GRAY)
    shown = [phase for phase in PHASE_STYLE if any(bar.phases.get(phase, 0.0) > 0 for bar in bars)]
    patches = [Patch(color=PHASE_STYLE[phase][0], label=PHASE_STYLE[phase][1]) for phase in shown]
    figure.legend(handles=patches, loc="upper left", bbox_to_anchor=(_LEFT / _WIDTH, 1 - 0.45 / height),
                  ncols=len(patches), frameon=False, fontsize=9, handlelength=1.1)  # fmt: skip
    return figure
