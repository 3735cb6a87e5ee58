"""Heat maps grow with their table, and colour follows the share."""

from pathlib import Path

import pytest
from PIL import Image

from lit_cnn.reports.heat_map import draw_heat_map

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
