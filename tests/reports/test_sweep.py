"""Pictures of sweeps: a line, a heat map, points, panels."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure
from one_in import one_in
from PIL import Image

from lit_cnn.reports.sweep import cell_means, draw_sweep, sweep_figure

RANGE = {"lr": [0.01, 0.1, 1.0, 0.3], "decay": [1e-4, 1e-3, 1e-5, 1e-2], "layers": [1, 2, 1, 3]}
POINTS = [{key: values[i] for key, values in RANGE.items()} for i in range(4)]
LISTED = [1, 2, 3]


def test_a_cell_is_the_mean_of_its_scores_and_nan_without() -> None:
    points = [{"a": 1, "b": "x"}, {"a": 1, "b": "x"}, {"a": 2, "b": "y"}]
    means = cell_means(["a", "b"], [1, 2], ["x", "y"], points, [0.2, 0.4, 0.9])
    assert np.allclose(means, [[0.3, np.nan], [np.nan, 0.9]], equal_nan=True)


@pytest.mark.parametrize(
    "axes",
    one_in(
        3,
        [
            {"layers": LISTED},
            {"lr": None},
            {"layers": LISTED, "lr": RANGE["lr"]},
            {"layers": LISTED, "lr": None},
            {"lr": None, "decay": None},
            {"lr": None, "decay": None, "layers": LISTED},
        ],
    ),
    ids=lambda axes: " ".join(f"{key}{'' if values else '~'}" for key, values in axes.items()),
)
def test_every_number_of_settings_has_its_picture(tmp_path: Path, axes: dict[str, Any]) -> None:
    out = draw_sweep(
        axes, POINTS, [0.1, 0.5, 0.3, 0.2], tmp_path / "deep" / "sweep.png", title="lr", logarithmic=["lr", "decay"]
    )
    with Image.open(out) as picture:
        assert min(picture.size) > 250
        assert len(picture.convert("RGB").getcolors(1 << 20) or []) > 20


def test_the_best_cell_follows_the_direction(tmp_path: Path) -> None:
    """A red frame left or right of the middle."""
    points = [{"a": 1, "b": 1}, {"a": 1, "b": 2}]
    sides = []
    for maximize in (True, False):
        out = draw_sweep({"a": [1], "b": [1, 2]}, points, [0.1, 0.9], tmp_path / "s.png", title="", maximize=maximize)
        with Image.open(out) as picture:
            pixels = np.asarray(picture.convert("RGB")).astype(int)
        red = np.argwhere((pixels[..., 0] > 180) & (pixels[..., 1] < 90) & (pixels[..., 2] < 90))
        sides.append(red[:, 1].mean())
    assert sides[0] > sides[1] + 50


def test_equal_scores_are_drawn(tmp_path: Path) -> None:
    points = [{"a": 1, "b": 1}, {"a": 1, "b": 2}]
    assert draw_sweep({"a": [1], "b": [1, 2]}, points, [0.5, 0.5], tmp_path / "s.png", title="").is_file()


def test_no_score_or_one_too_few_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="got 0 scores and 0 points"):
        draw_sweep({"lr": None}, [], [], tmp_path / "s.png", title="")
    with pytest.raises(ValueError, match="got 1 scores and 4 points"):
        draw_sweep({"lr": None}, POINTS, [1.0], tmp_path / "s.png", title="")


GRID_POINTS = [{"a": a, "b": b} for a in (1, 2) for b in ("x", "y", "z")]
GRID_SCORES = [0.1, 0.9, 0.3, 0.4, 0.5, 0.2]


def test_the_first_setting_goes_down_and_the_second_to_the_right() -> None:
    means = cell_means(["a", "b"], [1, 2], ["x", "y", "z"], GRID_POINTS, GRID_SCORES)
    np.testing.assert_allclose(means, [[0.1, 0.9, 0.3], [0.4, 0.5, 0.2]])
    axes = heat_map(maximize=True).axes[0]
    np.testing.assert_allclose(axes.images[0].get_array(), means)
    assert (axes.get_ylabel(), axes.get_xlabel()) == ("a", "b")
    assert [label.get_text() for label in axes.get_yticklabels()] == ["1", "2"]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["x", "y", "z"]
    assert [text.get_text() for text in axes.texts if text.get_position() == (2, 0)] == ["0.3000"]


def heat_map(maximize: bool) -> Figure:
    return sweep_figure({"a": [1, 2], "b": ["x", "y", "z"]}, GRID_POINTS, GRID_SCORES, maximize)


@pytest.mark.parametrize(("maximize", "column", "row"), [(True, 1, 0), (False, 0, 0)])
def test_the_frame_is_around_the_best_mean(maximize: bool, column: int, row: int) -> None:
    axes = heat_map(maximize).axes[0]
    (frame,) = axes.patches
    assert frame.get_center() == pytest.approx((column, row), abs=0.05)
    (chosen,) = (text for text in axes.texts if text.get_fontweight() == "bold")
    assert chosen.get_position() == (column, row)


@pytest.mark.parametrize(("maximize", "best"), [(True, (1.0, 0.9)), (False, (0.0, 0.1))])
def test_one_setting_gives_its_points_their_means_and_the_best(maximize: bool, best: tuple[float, float]) -> None:
    points = [{"b": point["b"]} for point in GRID_POINTS]
    (axes,) = sweep_figure({"b": ["x", "y", "z"]}, points, GRID_SCORES, maximize).axes
    every, chosen, means = axes.lines
    assert every.get_xydata().tolist() == [list(pair) for pair in zip([0, 1, 2] * 2, GRID_SCORES, strict=True)]
    assert chosen.get_xydata().tolist() == [list(best)]
    np.testing.assert_allclose(means.get_xydata(), [[0, 0.25], [1, 0.7], [2, 0.25]])


@pytest.mark.parametrize(
    ("axes", "scales"),
    [
        ({"lr": None}, [("log", "linear")]),
        ({"lr": None, "layers": LISTED}, [("linear", "log")]),  # the second setting lies on the horizontal axis
        ({"layers": None, "lr": None}, [("log", "linear")]),
        ({"lr": None, "layers": None, "decay": None}, [("log", "linear"), ("linear", "linear"), ("log", "linear")]),
    ],
)
def test_logarithmic_settings_have_logarithmic_axes(axes: dict[str, Any], scales: list[tuple[str, str]]) -> None:
    figure = sweep_figure(axes, POINTS, [0.1, 0.5, 0.3, 0.2], logarithmic=["lr", "decay"])
    drawn = [(axes.get_xscale(), axes.get_yscale()) for axes in figure.axes]
    assert drawn[: len(scales)] == scales
