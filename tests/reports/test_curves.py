"""Learning curves: where rows stand on the axis, where labels go, and pictures from full and poor files."""

from pathlib import Path

import numpy as np
import pytest
from matplotlib.axes import Axes
from one_in import one_in
from PIL import Image

from lit_cnn.reports.canvas import BLUE, RED, ROSE
from lit_cnn.reports.curves import curve_panels, curves_figure, draw_curves, epochs_done, spread, stepwise, thinned

HEADER = "epoch,step,lr,val/loss,val/acc1,train/loss\n"
EPOCHS = "0,4,0.1,,,\n0,9,0.1,2.0,0.3,2.5\n1,14,0.1,,,\n1,19,0.05,1.0,0.6,1.5\n"


def test_steps_become_epochs_with_fractions_and_go_on_beyond_the_last_epoch() -> None:
    rows = [
        {"epoch": 0.0, "step": 4.0, "lr": 1.0},
        {"epoch": 0.0, "step": 9.0, "val/loss": 1.0},
        {"epoch": 1.0, "step": 14.0, "lr": 1.0},
        {"epoch": 1.0, "step": 19.0, "train/loss": 1.0},
        {"epoch": 2.0, "step": 24.0, "lr": 1.0},
    ]
    done = epochs_done(rows)
    assert done is not None
    np.testing.assert_allclose(done, [0.5, 1.0, 1.5, 2.0, 2.5])
    assert epochs_done(rows[:1]) is None


def test_labels_move_apart_and_no_further_than_needed() -> None:
    assert spread([100.0, 10.0, 50.0], 13.0) == [100.0, 10.0, 50.0]
    assert spread([20.0, 22.0], 10.0) == [16.0, 26.0]
    placed = spread([5.0, 7.0, 6.0, 18.0], 10.0)
    assert np.diff(sorted(placed)).min() >= 10.0 - 1e-9
    assert np.argsort(placed).tolist() == [0, 2, 1, 3]


def test_a_log_axis_is_for_rates_that_fall_in_steps() -> None:
    assert stepwise(np.array([0.1] * 5 + [0.01] * 5 + [0.001] * 5))
    assert not stepwise(0.1 * np.cos(np.linspace(0, 1.5, 50)))
    assert not stepwise(np.array([0.1, 0.1, 0.0]))
    assert not stepwise(np.full(5, 0.1))


@pytest.mark.parametrize(
    "rows",
    one_in(2, [EPOCHS, "0,4,0.1,,,\n", "0,9,,2.0,0.3,\n", "0,9,0.0,nan,nan,nan\n", "0,0,0.1,inf,0,1\n"]),
)
def test_a_picture_is_drawn_from_full_and_from_poor_files(tmp_path: Path, rows: str) -> None:
    (tmp_path / "metrics.csv").write_text(HEADER + rows)
    out = tmp_path / "new" / "curves.png"
    assert draw_curves(tmp_path / "metrics.csv", out, "a run") == out
    with Image.open(out) as picture:
        assert picture.size[0] > 1000
    assert [path.name for path in out.parent.iterdir()] == ["curves.png"]


def test_the_curves_are_in_the_picture(tmp_path: Path) -> None:
    """The validation curve's red appears only when validation was logged."""
    (tmp_path / "with.csv").write_text(HEADER + EPOCHS)
    (tmp_path / "without.csv").write_text("epoch,step,lr,train/loss\n0,9,0.1,2.5\n1,19,0.1,1.5\n")
    red = []
    for name in ("with", "without"):
        with Image.open(draw_curves(tmp_path / f"{name}.csv", tmp_path / f"{name}.png", "a run")) as picture:
            pixels = np.asarray(picture.convert("RGB"))
        red.append(int((pixels == (0xC8, 0x40, 0x2F)).all(axis=2).sum()))
    assert red[0] > 300
    assert red[1] == 0


@pytest.mark.slow
def test_the_same_file_gives_the_same_bytes(tmp_path: Path) -> None:
    (tmp_path / "metrics.csv").write_text(HEADER + EPOCHS)
    first = draw_curves(tmp_path / "metrics.csv", tmp_path / "1.png", "a run").read_bytes()
    assert draw_curves(tmp_path / "metrics.csv", tmp_path / "2.png", "a run").read_bytes() == first


def test_each_panel_is_a_picture_of_its_own_with_the_same_curves() -> None:
    rows = [{"epoch": float(e), "step": 10.0 * e + 9, **{n: v[e] for n, v in SCORES.items()}} for e in range(3)]
    alone = curve_panels(rows)
    assert list(alone) == ["loss", "top-1", "learning rate"]
    for figure, together in zip(alone.values(), panels(), strict=True):
        (axes,) = figure.axes
        assert words(axes) == words(together)
        assert [line.get_xydata().tolist() for line in axes.lines] == [
            line.get_xydata().tolist() for line in together.lines
        ]


def test_rows_are_thinned_inside_epochs_first_and_the_last_stays() -> None:
    inside = [{"epoch": 0.0, "step": float(step), "train/loss_step": 1.0} for step in range(1000) if step % 100 != 99]
    ends = [{"epoch": 0.0, "step": float(step), "val/loss": 1.0} for step in range(99, 1000, 100)]
    rows = sorted([*inside, *ends], key=lambda row: row["step"])
    kept = thinned(rows, 60)
    assert len(kept) <= 60
    assert all(row in kept for row in ends)
    assert inside[-1] in kept
    assert kept == sorted(kept, key=lambda row: row["step"])
    assert thinned(rows, 5)[-1] == ends[-1]
    assert thinned(rows, 2000) == rows


def test_a_file_without_rows_is_refused(tmp_path: Path) -> None:
    (tmp_path / "metrics.csv").write_text(HEADER)
    with pytest.raises(ValueError, match="holds no logged step yet"):
        draw_curves(tmp_path / "metrics.csv", tmp_path / "curves.png", "a run")


SCORES = {
    "val/loss": [1.0, 0.5, 0.75],
    "val/loss_raw": [1.5, 1.25, 2.0],
    "train/loss": [3.0, 2.5, 2.25],
    "val/acc1": [0.2, 0.4, 0.6],
    "val/acc1_raw": [0.1, 0.3, 0.25],
    "train/acc1": [0.3, 0.5, 0.8],
    "lr": [0.3, 0.2, 0.1],
}
"""By epoch; the lowest loss is the second epoch's, the best accuracy the third's."""


def panels(**changes: list[float]) -> list[Axes]:
    columns = {**SCORES, **{name.replace("__", "/"): values for name, values in changes.items()}}
    rows = [{"epoch": float(e), "step": 10.0 * e + 9, **{n: v[e] for n, v in columns.items()}} for e in range(3)]
    return curves_figure(rows, "a run").axes


def curves_by_color(axes: Axes) -> dict[str, list[list[float]]]:
    """Color -> points of the curve of three epochs, and under "best" the marked point."""
    drawn = {str(line.get_color()): line.get_xydata().tolist() for line in axes.lines if len(line.get_xdata()) == 3}
    (best,) = (line.get_xydata().tolist() for line in axes.lines if len(line.get_xdata()) == 1)
    return {**drawn, "best": best}


def words(axes: Axes) -> dict[str, str]:
    return {text.get_text(): str(text.get_color()) for text in axes.texts}


def test_each_loss_is_drawn_under_its_name_and_the_lowest_is_marked() -> None:
    loss = panels()[0]
    assert curves_by_color(loss) == {
        RED: [[1, 1.0], [2, 0.5], [3, 0.75]],
        ROSE: [[1, 1.5], [2, 1.25], [3, 2.0]],
        BLUE: [[1, 3.0], [2, 2.5], [3, 2.25]],
        "best": [[2, 0.5]],
    }
    found = words(loss)
    assert (found["val"], found["val, raw"], found["train"]) == (RED, ROSE, BLUE)
    assert "● lowest val 0.500 at epoch 2" in found


def test_each_accuracy_is_drawn_in_percent_under_its_name_and_the_highest_is_marked() -> None:
    accuracy = panels()[1]
    drawn = curves_by_color(accuracy)
    np.testing.assert_allclose(drawn[RED], [[1, 20], [2, 40], [3, 60]])
    np.testing.assert_allclose(drawn[ROSE], [[1, 10], [2, 30], [3, 25]])
    np.testing.assert_allclose(drawn[BLUE], [[1, 30], [2, 50], [3, 80]])
    np.testing.assert_allclose(drawn["best"], [[3, 60]])
    found = words(accuracy)
    assert (found["val, EMA"], found["val, raw"], found["train"]) == (RED, ROSE, BLUE)
    assert "● best val 60.0 % at epoch 3" in found


def test_a_raw_curve_that_repeats_the_validated_one_is_not_drawn() -> None:
    accuracy = panels(val__acc1_raw=SCORES["val/acc1"])[1]
    assert ROSE not in curves_by_color(accuracy)
    assert "val" in words(accuracy)
    assert not {"val, raw", "val, EMA"} & words(accuracy).keys()


def test_the_best_epoch_need_not_be_the_last() -> None:
    assert "● best val 90.0 % at epoch 1" in words(panels(val__acc1=[0.9, 0.4, 0.6])[1])


def test_the_learning_rate_has_a_peak_and_a_last_value() -> None:
    rate = panels()[2]
    assert rate.lines[0].get_xydata().tolist() == [[1, 0.3], [2, 0.2], [3, 0.1]]
    assert "peak 0.3, now 0.1" in words(rate)
