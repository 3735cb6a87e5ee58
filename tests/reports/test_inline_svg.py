"""Pictures inside a page: text, the page's colors, ids of their own, nothing from outside."""

import re

import numpy as np
import pytest
from html_checks import PageReader

from lit_cnn.reports.canvas import BLUE, GRAY, INK, new_figure, plain_axes
from lit_cnn.reports.html_page import Figure, HtmlTable, Page, Section, render
from lit_cnn.reports.inline_svg import inline_svg


def drawn(name: str, label: str = "$x^{$ <b> 猫", title: str = "a line") -> str:
    figure = new_figure(3, 2)
    axes = figure.add_subplot()
    plain_axes(axes)
    axes.plot([0, 1], [0, 1], "o-", color=BLUE, markeredgecolor="white")
    axes.imshow(np.zeros((2, 2)))
    axes.set_title(label, color=INK)
    axes.set_xlabel("epoch", color=GRAY)
    return inline_svg(figure, name, title, "what it shows")


def test_texts_stay_texts() -> None:
    svg = drawn("a")
    assert "epoch</text>" in svg
    assert "$x^{$ &lt;b&gt;" in svg
    assert "<b>" not in svg


def test_colors_are_the_pages() -> None:
    svg = drawn("a")
    assert "currentColor" in svg
    assert "var(--blue)" in svg
    assert "var(--gray)" in svg
    assert "stroke: var(--page)" in svg
    assert not {BLUE, GRAY, INK, "#000000"} & set(re.findall("#[0-9a-f]{6}", svg))


def test_ids_of_two_pictures_differ_and_each_is_where_it_is_used() -> None:
    table = HtmlTable("t", (), [["a", "1"]])
    html = render(Page("t", "l", [Section("s", [Figure("f", [drawn("one"), drawn("two")], table)])]))
    assert PageReader(html).what_is_wrong(html) == []
    assert "url(#one-" in html
    assert "url(#two-" in html


def test_what_belongs_to_a_file_alone_is_left_out() -> None:
    svg = drawn("a")
    assert svg.startswith("<svg")
    assert not re.search(r"<\?xml|<!DOCTYPE|<metadata|<style|https?://|xlink", svg)
    assert not re.search(r'<svg[^>]* (width|height)="', svg)


def test_a_picture_is_named_and_described_for_those_who_do_not_see_it() -> None:
    svg = drawn("a", title='<i> "quoted"')
    assert re.match(
        r"<svg[^>]* role=\"img\">\n<title>&lt;i&gt; &quot;quoted&quot;</title><desc>what it shows</desc>", svg
    )


def test_the_same_picture_is_the_same_text() -> None:
    assert drawn("a") == drawn("a")


@pytest.mark.parametrize("name", ["", "Two words", 'a"', "Ä"])
def test_a_name_that_could_not_begin_an_id_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="letters, digits and hyphens"):
        inline_svg(new_figure(1, 1), name, "")
