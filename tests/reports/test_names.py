"""Names in pictures: drawable, short and different."""

import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure
from matplotlib.text import Text
from nasty_names import NASTY
from one_in import one_in
from PIL import Image

from lit_cnn.reports import canvas, contact_sheet, fonts, names
from lit_cnn.reports.canvas import new_figure, take_as_plain_text, write_figure
from lit_cnn.reports.confusion import draw_confusion
from lit_cnn.reports.contact_sheet import caption, draw_contact_sheet
from lit_cnn.reports.curves import curves_figure
from lit_cnn.reports.heat_map import draw_heat_map
from lit_cnn.reports.names import cells, distinct, drawable, shortened
from lit_cnn.reports.reliability import ReliabilityPanel, draw_reliability
from lit_cnn.reports.sweep import draw_sweep
from lit_cnn.reports.worst_images import draw_worst

K = len(NASTY)


def sheet(out: Path) -> None:
    draw_contact_sheet(torch.zeros(K, 3, 8, 8, dtype=torch.uint8), NASTY, out, title=NASTY[-1])


def mixed_sheet(out: Path) -> None:
    targets = 0.7 * torch.eye(K) + 0.3 * torch.eye(K).roll(1, 0)
    draw_contact_sheet(torch.zeros(K, 3, 8, 8, dtype=torch.uint8), [caption(t, NASTY) for t in targets], out)


def confusion(out: Path) -> None:
    for first in range(0, K, 20):
        part = NASTY[first : first + 20]
        draw_confusion(torch.eye(len(part), dtype=torch.int64), part, out)


def heat_map(out: Path) -> None:
    draw_heat_map({name: [0.5] * K for name in NASTY}, NASTY, " ".join(NASTY), out, NASTY[0])


def curves(out: Path) -> None:
    row = {"step": 0.0, "epoch": 0.0, "train/loss": 1.0, "val/loss": 1.0, "val/acc1": 0.5, "lr": 0.1}
    write_figure(curves_figure([row, {**row, "step": 1.0, "epoch": 1.0, "lr": 0.001}], " ".join(NASTY)), out)


def reliability(out: Path) -> None:
    draw_reliability([ReliabilityPanel(" ".join(NASTY[:6]), [1, 2], [0.2, 0.7], [0.5, 0.5])], out)


def worst(out: Path) -> None:
    rows = torch.arange(K)
    draw_worst(torch.zeros(K, 3, 8, 8, dtype=torch.uint8), rows.float(), rows, rows.flip(0), rows / K, NASTY, out)


def sweep(out: Path) -> None:
    for axes in (["a"], ["a", "b"], ["a", "b", "c"]):
        points = [dict.fromkeys(axes, name) for name in NASTY]
        draw_sweep(dict.fromkeys(axes, NASTY), points, [1.0] * K, out, title=NASTY[5])


@pytest.mark.parametrize(
    "draw", one_in(4, [sheet, confusion, mixed_sheet, heat_map, curves, reliability, sweep, worst])
)
def test_every_picture_takes_every_name_without_a_word(
    draw: Callable[[Path], None], tmp_path: Path, recwarn: pytest.WarningsRecorder
) -> None:
    draw(tmp_path / "picture.png")
    with Image.open(tmp_path / "picture.png") as picture:
        assert picture.width > 100
    assert [str(warning.message) for warning in recwarn] == []


def texts_written(monkeypatch: pytest.MonkeyPatch, draw: Callable[[Path], None], out: Path) -> list[Text]:
    figures: list[Figure] = []

    def keep(figure: Figure, path: Path) -> Path:
        take_as_plain_text(figure)
        figures.append(figure)
        return path

    monkeypatch.setattr(contact_sheet, "write_figure", keep)
    draw(out)
    return [text for text in figures[0].findobj(Text) if isinstance(text, Text)]


def test_dollars_are_dollars(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    prices = ["$10", "$20", "$5"]

    def draw(out: Path) -> None:
        captions = [caption(torch.tensor([0.3, 0.7, 0.0]), prices)]
        draw_contact_sheet(torch.zeros(1, 3, 8, 8, dtype=torch.uint8), captions, out)

    (written,) = (text for text in texts_written(monkeypatch, draw, tmp_path / "x.png") if "$" in text.get_text())
    assert written.get_text() == "$20 0.7 / $10 0.3"
    assert not written.get_parse_math()


def test_words_from_right_to_left_keep_to_their_numbers() -> None:
    figure = new_figure(2, 2)
    text = figure.text(0, 0, "שלום עולם 0.7 / cat 0.3")
    for _ in range(2):
        take_as_plain_text(figure)
        assert text.get_text() == "\u200eשלום עולם\u200e 0.7 / cat 0.3"


def test_the_powers_of_a_logarithmic_axis_stay_formulas() -> None:
    figure = new_figure(4, 3)
    axes = figure.add_subplot()
    axes.plot([1, 2], [1, 1e6])
    axes.set_yscale("log")
    axes.set_title("$5 and $10")
    take_as_plain_text(figure)
    labels = [label for label in axes.get_yticklabels() if label.get_text()]
    assert labels
    assert all(label.get_parse_math() for label in labels)
    assert not axes.title.get_parse_math()


def test_a_name_is_cut_in_its_middle() -> None:
    assert shortened("cat", 16) == "cat"
    assert shortened("abcdefghijklmnopqrstuvwxyz", 10) == "abcdef…xyz"
    assert [cells(text) for text in ("cat", "naïve", "nai\u0308ve", "猫")] == [3, 5, 5, 2]
    assert all(cells(shortened(name, length)) <= length for name in NASTY for length in (8, 16, 40))


def test_different_names_stay_different_and_short() -> None:
    alike = [f"{'a' * 90}{number}{'b' * 90}" for number in range(12)]
    for length in (11, 16, 22):
        short = distinct([*NASTY, *alike], length)
        assert len(set(short)) == len(short)
        assert all(cells(text) <= length for text in short)
    assert distinct(alike[:2], 12) == ["aaaaaa…bb #1", "aaaaaa…bb #2"]
    assert distinct(["c", "c"], 9) == ["c", "c"]


def test_what_no_font_has_is_an_escape_and_what_one_has_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(names, "font_of", lambda character: None if character == "猫" else fonts.OWN)
    assert drawable("猫 naïve") == r"\u732b naïve"
    monkeypatch.setattr(names, "font_of", {"猫": "Some CJK"}.get)
    assert drawable("猫") == "猫"


def test_a_text_is_written_in_the_fonts_that_have_its_characters(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(canvas, "drawable", lambda text: text)
    monkeypatch.setattr(fonts, "font_of", lambda character: "STIXGeneral" if character == "猫" else fonts.OWN)
    figure = new_figure(2, 2)
    text, plain = figure.text(0, 0, "a 猫"), figure.text(0, 0.5, "cat")
    take_as_plain_text(figure)
    assert text.get_fontfamily() == [fonts.OWN, "STIXGeneral"]
    assert plain.get_fontfamily() == ["sans-serif"]


def test_own_characters_are_drawn_and_others_only_by_installed_fonts() -> None:
    assert fonts.font_of("é") == fonts.OWN
    assert fonts.font_of("\U000f0000") is None
    assert fonts.fonts_for("aé") == [fonts.OWN]


def test_a_missing_glyph_of_a_weight_is_no_warning(tmp_path: Path) -> None:
    figure = new_figure(2, 2)
    figure.text(0, 0, "é")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        write_figure(figure, tmp_path / "x.png")
    assert np.asarray(Image.open(tmp_path / "x.png")).min() < 128
