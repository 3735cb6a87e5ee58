"""Where a network's parameters and multiply-adds sit: one bar each, stage after stage, colored by kind of layer."""

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.patches import Patch

from lit_cnn.reports.canvas import INK
from lit_cnn.reports.names import shortened

KIND_STYLE = {
    "convolution": ("#2f6db3", "convolution k > 1"),
    "pointwise": ("#c97a1e", "1×1 convolution"),
    "depthwise": ("#3a9a78", "depthwise"),
    "linear": ("#b8436d", "linear"),
    "other": ("#b4bbc4", "other (norms, gains)"),
}
"""Kind -> color and words of the legend, in the order in which a stage shows them."""

_BAR = 0.36
_GAP = 0.0035
"""White between two stages, as a share of the bar."""

Shares = Sequence[tuple[str, dict[str, int]]]


@dataclass(frozen=True)
class Budget:
    """A network's parameters and multiply-adds by stage and kind.

    Args:
        name: Network.
        image_size: Height and width in px.
        params: (stage, kind -> parameters) in running order; kinds are the keys of ``KIND_STYLE``.
        madds: (stage, kind -> multiply-adds of one image), the same stages.
    """

    name: str
    image_size: int
    params: Shares
    madds: Shares


def draw_budgets(axes: Axes, budgets: Sequence[Budget]) -> None:
    """Draw two bars of full width per network on empty ``axes``, the first network on top.

    Raises:
        ValueError: If there is no network or one without parameters or multiply-adds.
    """
    if not budgets:
        raise ValueError("a picture of budgets needs at least one network, got none")
    for number, budget in enumerate(budgets):
        for offset, title, shares in ((-0.21, "parameters", budget.params), (0.21, "multiply-adds", budget.madds)):
            _draw_bar(axes, number + offset, budget.name, title, shares)
    rows = [number + offset for number in range(len(budgets)) for offset in (-0.21, 0.21)]
    axes.set_yticks(rows, ["parameters", "multiply-adds"] * len(budgets), fontsize=8.5)
    for number, budget in enumerate(budgets):
        label = f"{shortened(budget.name, 24)}\n{budget.image_size} px"
        size = 10 if len(budget.name) <= 16 else 8.5
        axes.annotate(label, (-0.125, number), xycoords=("axes fraction", "data"), ha="right", va="center",
                      fontsize=size, fontweight="bold", color=INK, annotation_clip=False)  # fmt: skip
    axes.set_xlim(0, 1)
    axes.set_ylim(len(budgets) - 0.5, -0.5)
    axes.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0 %", "25 %", "50 %", "75 %", "100 %"], fontsize=8.5)
    axes.tick_params(length=0, labelcolor=INK)
    for spine in axes.spines.values():
        spine.set_visible(False)
    used = {kind for budget in budgets for _, kinds in (*budget.params, *budget.madds) for kind in kinds if kinds[kind]}
    patches = [Patch(color=color, label=text) for kind, (color, text) in KIND_STYLE.items() if kind in used]
    axes.legend(handles=patches, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=len(patches), frameon=False,
                fontsize=9, handlelength=1.1, columnspacing=1.6)  # fmt: skip


def _draw_bar(axes: Axes, y: float, name: str, title: str, shares: Shares) -> None:
    total = sum(sum(kinds.values()) for _, kinds in shares)
    if total <= 0:
        raise ValueError(f"{name} has no {title} to draw")
    left = 0.0
    for stage, kinds in shares:
        start = left
        for kind, (color, _) in KIND_STYLE.items():
            width = kinds.get(kind, 0) / total
            axes.barh(y, width, _BAR, left=left, color=color, linewidth=0)
            left += width
        if start > 0 and left - start > _GAP:
            axes.barh(y, _GAP, _BAR, left=start - _GAP / 2, color="white", linewidth=0)
        _name_stage(axes, y, stage, start, left - start)
    axes.annotate(_amount(total), (1.008, y), xycoords=("axes fraction", "data"), va="center", fontsize=9, color=INK,
                  annotation_clip=False)  # fmt: skip


def _name_stage(axes: Axes, y: float, stage: str, start: float, width: float) -> None:
    """Write the stage and its share where they fit."""
    percent = f"{100 * width:.0f} %"
    for text in (f"{stage} {percent}", stage):
        if width > 0.0098 * len(text) + 0.006:
            axes.text(start + width / 2, y, text, ha="center", va="center", fontsize=8, color="white")
            return


def _amount(value: float) -> str:
    for unit, size in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if value >= size:
            return f"{value / size:.3g} {unit}"
    return f"{value:g}"


def bar_inches(networks: int) -> float:
    """Height in inches that ``networks`` pairs of bars want."""
    return 0.78 * networks + 0.25
