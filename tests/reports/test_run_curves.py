"""Curves of runs over each other: a color for each group, thin runs and a thick mean."""

from pathlib import Path

import numpy as np
import pytest
from nasty_names import NASTY
from PIL import Image

from lit_cnn.reports.run_curves import RunCurves, curve_of, draw_run_curves, mean_curve, run_figure
from lit_cnn.reports.search_curves import COLORS


def rows(*accuracies: float) -> list[dict[str, float]]:
    return [
        {"epoch": n, "step": 2 * n + 1, "train/loss": 1 - value, "val/loss": 1.1 - value, "val/acc1": value}
        for n, value in enumerate(accuracies)
    ]


TWO = [RunCurves("a", rows(0.2, 0.4)), RunCurves("a", rows(0.4, 0.6)), RunCurves("b", rows(0.1, 0.9))]


def test_each_run_and_each_mean_has_its_line_in_the_groups_color() -> None:
    losses, accuracy = run_figure(TWO, "title").axes
    assert [line.get_color() for line in accuracy.lines] == [COLORS[0]] * 3 + [COLORS[1]]
    assert list(accuracy.lines[2].get_ydata()) == pytest.approx([30, 50])
    assert accuracy.lines[2].get_linewidth() > accuracy.lines[0].get_linewidth()
    assert list(accuracy.lines[3].get_ydata()) == pytest.approx([10, 90])
    assert [line.get_linestyle() for line in losses.lines] == [":", "-", "-", "-", ":", "-"]
    assert list(losses.lines[4].get_ydata()) == pytest.approx([0.9, 0.1])


def test_the_legend_names_the_groups_once() -> None:
    figure = run_figure(TWO, "title")
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["a", "b"]


def test_a_mean_is_of_the_epochs_that_all_runs_have() -> None:
    x, y = mean_curve([curve_of(rows(0.2, 0.4, 0.9), "val/acc1"), curve_of(rows(0.4, 0.6), "val/acc1")])
    assert (list(x), list(y)) == ([1, 2], pytest.approx([0.3, 0.5]))


def test_values_that_are_not_finite_are_left_out() -> None:
    x, _ = curve_of(rows(0.2, float("nan"), 0.9), "val/acc1")
    assert list(x) == [1, 3]


def test_long_runs_show_what_comes_after_the_rise() -> None:
    values = [0.1, 0.5, 0.9, *np.linspace(0.91, 0.95, 9)]
    low, high = run_figure([RunCurves("a", rows(*values))], "t").axes[1].get_ylim()
    assert 85 < low < 91
    assert high > 95
    assert run_figure([RunCurves("a", rows(0.1, 0.5, 0.9))], "t").axes[1].get_ylim()[0] < 10


def test_losses_of_several_sizes_are_logarithmic() -> None:
    large = [{**row, "val/loss": 1000 * row["val/loss"]} for row in rows(0.2, 0.4)]
    assert run_figure([RunCurves("a", large)], "t").axes[0].get_yscale() == "log"
    assert run_figure(TWO, "t").axes[0].get_yscale() == "linear"


def test_a_compared_loss_leaves_the_accuracy_next_to_it() -> None:
    assert run_figure(TWO, "t", "val/loss").axes[1].get_title(loc="left") == "val/acc1"


@pytest.mark.slow
@pytest.mark.parametrize(("ending", "begins"), [("png", b"\x89PNG"), ("pdf", b"%PDF"), ("svg", b"<?xml")])
def test_the_picture_is_as_its_name_ends(ending: str, begins: bytes, tmp_path: Path) -> None:
    out = draw_run_curves(TWO, tmp_path / "new" / f"c.{ending}", title="t")
    assert out.read_bytes().startswith(begins)


def test_names_of_any_kind_can_be_drawn(tmp_path: Path) -> None:
    out = draw_run_curves([RunCurves(name, rows(0.2, 0.4)) for name in NASTY], tmp_path / "c.png", title=NASTY[4])
    with Image.open(out) as picture:
        assert picture.width == 1430


def test_what_was_not_logged_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="none of these 3 runs has logged val/ece"):
        draw_run_curves(TWO, tmp_path / "c.png", title="t", metric="val/ece")
