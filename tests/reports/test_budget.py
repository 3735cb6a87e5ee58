import pytest

from lit_cnn.reports.budget import KIND_STYLE, Budget, draw_budgets
from lit_cnn.reports.canvas import new_figure

HEAVY_HEAD = Budget(
    "heavy",
    224,
    [("stem", {"convolution": 10}), ("head", {"linear": 90})],
    [("stem", {"convolution": 800}), ("head", {"linear": 200})],
)


def draw(budgets: list[Budget]):
    axes = new_figure(8, 3).add_axes((0.3, 0.1, 0.6, 0.7))
    draw_budgets(axes, budgets)
    return axes


def colored_widths(axes, kind: str) -> list[float]:
    from matplotlib.colors import to_rgba

    color = to_rgba(KIND_STYLE[kind][0])
    return [round(p.get_width(), 6) for p in axes.patches if p.get_facecolor() == color and p.get_width() > 0]


def test_widths_are_the_shares_of_each_kind() -> None:
    axes = draw([HEAVY_HEAD])
    assert colored_widths(axes, "linear") == [0.9, 0.2]
    assert colored_widths(axes, "convolution") == [0.1, 0.8]
    assert colored_widths(axes, "pointwise") == []


def test_stages_and_totals_are_written_and_the_legend_names_used_kinds_only() -> None:
    axes = draw([HEAVY_HEAD])
    words = [text.get_text() for text in axes.texts]
    assert {"head 90 %", "stem 80 %", "heavy\n224 px", "100", "1 k"} <= set(words)
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["convolution k > 1", "linear"]


def test_first_network_is_on_top() -> None:
    axes = draw([HEAVY_HEAD, Budget("second", 32, HEAVY_HEAD.params, HEAVY_HEAD.madds)])
    bottom, top = axes.get_ylim()
    assert bottom > top


def test_nothing_to_draw_is_named() -> None:
    with pytest.raises(ValueError, match="at least one network"):
        draw([])
    with pytest.raises(ValueError, match="empty has no multiply-adds"):
        draw([Budget("empty", 32, HEAVY_HEAD.params, [("stem", {"other": 0})])])


def test_bars_of_several_networks_are_their_own_and_stages_follow_one_another() -> None:
    light = Budget("light", 32, [("stem", {"depthwise": 1, "linear": 3})], [("stem", {"depthwise": 6, "linear": 2})])
    axes = draw([HEAVY_HEAD, light])
    assert colored_widths(axes, "depthwise") == [0.25, 0.75]
    assert colored_widths(axes, "linear") == [0.9, 0.2, 0.75, 0.25]
    bars = [(round(p.get_x(), 6), round(p.get_width(), 6)) for p in axes.patches]
    assert {(0.1, 0.9), (0.8, 0.2)} <= set(bars)  # the head's, behind the stem's
    assert [label.get_text() for label in axes.get_yticklabels()] == ["parameters", "multiply-adds"] * 2
