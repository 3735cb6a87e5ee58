"""Learning curves: where rows stand on the axis, where labels go, and pictures from full and poor files."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lit_cnn.reports.curves import draw_curves, epochs_done, spread, stepwise

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
    "rows", [EPOCHS, "0,4,0.1,,,\n", "0,9,,2.0,0.3,\n", "0,9,0.0,nan,nan,nan\n", "0,0,0.1,inf,0,1\n"]
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


def test_the_same_file_gives_the_same_bytes(tmp_path: Path) -> None:
    (tmp_path / "metrics.csv").write_text(HEADER + EPOCHS)
    first = draw_curves(tmp_path / "metrics.csv", tmp_path / "1.png", "a run").read_bytes()
    assert draw_curves(tmp_path / "metrics.csv", tmp_path / "2.png", "a run").read_bytes() == first


def test_a_file_without_rows_is_refused(tmp_path: Path) -> None:
    (tmp_path / "metrics.csv").write_text(HEADER)
    with pytest.raises(ValueError, match="holds no logged step yet"):
        draw_curves(tmp_path / "metrics.csv", tmp_path / "curves.png", "a run")
