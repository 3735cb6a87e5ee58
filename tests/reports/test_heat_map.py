"""Heat maps grow with their table, and color follows the share."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lit_cnn.reports.heat_map import draw_heat_map, heat_map_figure

ROWS = {"fog": [0.9, 0.5], "motion blur": [0.9, 0.1]}


def test_the_picture_grows_with_the_table(tmp_path: Path) -> None:
    sizes = []
    for number, rows in enumerate((ROWS, {**ROWS, "noise": [0.2, 0.3]})):
        with Image.open(
            draw_heat_map(rows, ["clean", "1"], "top-1", tmp_path / f"{number}.png", "severity")
        ) as picture:
            sizes.append(picture.size)
    assert sizes[0][0] == sizes[1][0]
    assert sizes[0][1] < sizes[1][1]


def test_dark_is_high(tmp_path: Path) -> None:
    with Image.open(draw_heat_map({"fog": [0.0, 1.0]}, ["a", "b"], "", tmp_path / "a.png")) as picture:
        levels = picture.convert("L")
        darkest = [levels.crop((x, 0, x + 1, levels.height)).getextrema()[0] for x in range(levels.width)]
    middle = [x for x, level in enumerate(darkest) if level < 90]  # the full cell and ink, never the empty cell
    assert len(middle) > 0.2 * len(darkest)


@pytest.mark.parametrize("rows", [{}, {"fog": [0.1]}])
def test_a_row_of_another_length_is_refused(tmp_path: Path, rows: dict) -> None:
    with pytest.raises(ValueError, match="needs 2 values in each of one or more rows"):
        draw_heat_map(rows, ["a", "b"], "", tmp_path / "a.png")


def test_each_share_stands_in_its_row_and_column() -> None:
    (axes,) = heat_map_figure({"fog": [0.9, 0.5, 0.25], "noise": [0.8, 0.2, 0.0]}, ["clean", "1", "5"], "").axes
    np.testing.assert_allclose(axes.images[0].get_array(), [[0.9, 0.5, 0.25], [0.8, 0.2, 0.0]])
    assert axes.images[0].get_clim() == (0, 1)
    assert [label.get_text() for label in axes.get_yticklabels()] == ["fog", "noise"]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["clean", "1", "5"]
    written = {text.get_position(): text.get_text() for text in axes.texts}
    assert written[0, 0] == "90.0"
    assert written[2, 0] == "25.0"
    assert written[1, 1] == "20.0"
