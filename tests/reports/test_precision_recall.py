"""Curves of precision over recall: which classes are drawn and what they are called."""

from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure

from lit_cnn.reports import precision_recall
from lit_cnn.reports.precision_recall import draw_precision_recall


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[Figure]:
    figures: list[Figure] = []

    def remember(figure: Figure, out_png: Path) -> Path:
        figures.append(figure)
        return out_png

    monkeypatch.setattr(precision_recall, "write_figure", remember)
    return figures


def test_a_curve_begins_at_recall_zero_and_is_named_with_its_average_precision(drawn: list[Figure]) -> None:
    recall, precision = np.array([0.5, 0.5, 1.0]), np.array([1.0, 0.5, 2 / 3])
    draw_precision_recall(
        [recall, np.zeros(0)], [precision, np.zeros(0)], [5 / 6, -1.0], ["cat", "dog"], Path("curves.png"),
        protocol="VOC 2010 area AP@.50", chosen=[(1.0, 2 / 3), (0.0, 1.0)],
    )  # fmt: skip
    (axes,) = drawn[0].axes
    curve, dot = axes.get_lines()
    np.testing.assert_allclose(curve.get_xdata(), [0, 0.5, 0.5, 1])
    np.testing.assert_allclose(curve.get_ydata(), [1, 1, 0.5, 2 / 3])
    assert (dot.get_xdata(), dot.get_ydata()) == ([1.0], [2 / 3])
    legend = axes.get_legend()
    assert [text.get_text() for text in legend.get_texts()] == ["cat 0.833"]
    assert legend.get_title().get_text() == "VOC 2010 area AP@.50\ndots: at the chosen score threshold"


def test_a_class_that_nothing_found_has_a_curve_at_zero(drawn: list[Figure]) -> None:
    draw_precision_recall([np.zeros(0)], [np.zeros(0)], [0.0], ["cat"], Path("curves.png"), protocol="AP")
    (curve,) = drawn[0].axes[0].get_lines()
    assert (list(curve.get_xdata()), list(curve.get_ydata())) == ([0], [0])


def test_many_classes_are_counted_beyond_those_drawn(drawn: list[Figure]) -> None:
    one, names = [np.array([1.0])] * 25, [f"class {number}" for number in range(25)]
    draw_precision_recall(one, one, [1.0] * 25, names, Path("curves.png"), protocol="AP")
    assert len(drawn[0].axes[0].get_lines()) == 20
    assert drawn[0].axes[0].get_legend().get_title().get_text() == "AP, 5 classes more"


def test_a_picture_is_written_and_unequal_lengths_are_refused(tmp_path: Path) -> None:
    one = [np.array([1.0])]
    out = draw_precision_recall(one, one, [1.0], ["cat"], tmp_path / "deep" / "curves.png", protocol="AP")
    assert out.stat().st_size > 1000
    with pytest.raises(ValueError, match="one curve, figure and name for each class"):
        draw_precision_recall(one, one, [1.0], ["cat", "dog"], out, protocol="AP")
