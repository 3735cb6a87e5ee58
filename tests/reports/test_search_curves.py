from pathlib import Path

import pytest
from PIL import Image

from lit_cnn.reports.search_curves import COLORS, SearchCurve, draw_search_curves, search_figure

RANDOM = SearchCurve("random", [10, 20, 30], [80.0, 82.0, 83.0], [79.0, 81.5, 82.5], [81.0, 82.5, 83.5])
EVOLUTION = SearchCurve("evolution", [10, 20, 30], [80.0, 84.0, 86.0])


def test_each_panel_shows_its_curves_with_their_bands() -> None:
    figure = search_figure({"one": [RANDOM, EVOLUTION], "two": [EVOLUTION]}, "title", "accuracy (%)", "quartiles")
    first, second = figure.axes
    assert [line.get_label() for line in first.lines] == ["random", "evolution"]
    assert list(first.lines[0].get_ydata()) == RANDOM.mean
    assert (len(first.collections), len(second.collections)) == (1, 0)
    (band,) = first.collections[0].get_paths()
    assert {tuple(point) for point in band.vertices} >= {(10, 79.0), (10, 81.0), (30, 82.5), (30, 83.5)}
    assert first.get_ylabel() == "accuracy (%); bands: quartiles"


def test_a_strategy_has_one_color_in_all_panels_and_one_line_of_the_legend() -> None:
    figure = search_figure({"one": [RANDOM, EVOLUTION], "two": [EVOLUTION]}, "title", "accuracy (%)")
    assert figure.axes[0].lines[1].get_color() == figure.axes[1].lines[0].get_color() == COLORS[1]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["random", "evolution"]


def test_the_ninth_strategy_is_dashed() -> None:
    curves = [EVOLUTION._replace(name=f"strategy {number}") for number in range(9)]
    lines = search_figure({"one": curves}, "title", "accuracy (%)").axes[0].lines
    assert (lines[0].get_color(), lines[0].get_linestyle()) == (lines[8].get_color(), "-")
    assert lines[8].get_linestyle() == "--"


def test_the_picture_is_written(tmp_path: Path) -> None:
    out = draw_search_curves({"one": [RANDOM], "two": []}, tmp_path / "new" / "curves.png", title="t", metric="m")
    with Image.open(out) as picture:
        assert picture.width > 1000


def test_what_cannot_be_drawn_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no curve to draw"):
        draw_search_curves({"one": []}, tmp_path / "none.png", title="t", metric="m")
    for wrong in (RANDOM._replace(mean=[1.0]), RANDOM._replace(low=[1.0]), SearchCurve("empty", [], [])):
        with pytest.raises(ValueError, match=f"the curve of {wrong.name} needs one mean"):
            draw_search_curves({"one": [wrong]}, tmp_path / "none.png", title="t", metric="m")
