"""Pages hold what they are given as text, load nothing, and open the same everywhere."""

from pathlib import Path

import pytest
from chromium import browser, find_chromium, open_page
from html_checks import PageReader
from nasty_names import ESCAPED, NASTY, SHOWN_AS_THEY_ARE

from lit_cnn.reports.html_page import (
    Block,
    Code,
    Figure,
    HtmlTable,
    Image,
    Images,
    Page,
    Section,
    Text,
    anchors_of,
    render,
)

HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "</title></style><h1>",
    "{{ 7 * 7 }}{% raw %}",
    "javascript:alert(1)",
    "&lt;b&gt;",
]
PIXEL = "data:image/webp;base64,UklGRhoAAABXRUJQVlA4TA0AAAAvAAAAEAcQERGIiP4HAA=="
SVG = '<svg viewBox="0 0 4 4" role="img"><title>a dot</title><circle cx="2" cy="2" r="1"/></svg>'


def page(*blocks: Block, title: str = "a run") -> Page:
    return Page(title, "made by a test", [Section("First", blocks)])


def everything(name: str) -> Page:
    """A page that has ``name`` in every place where a text may be."""
    table = HtmlTable(name, (name, name, name), [[name, name, "7"]], words=(0, 1))
    matrix = HtmlTable(name, ("", name), [[name, "3"]], shades=[[0.5]], upright=True)
    barred = HtmlTable(name, (), [[name, name]], bars={1: [0.5]}, folded=True)
    image = Image(PIXEL, name, (name, name), framed=True, coarse=True)
    blocks = [Text(name), Text(name, warning=True), table, matrix, barred, Images(name, [image])]
    blocks += [Code(name, name), Code(name, name, folded=True), Figure(name, [SVG], table)]
    return Page(name, name, [Section(name, blocks), Section(name, [Text(name)], level=3)])


@pytest.mark.parametrize("name", [*HOSTILE, *NASTY])
def test_names_are_text_wherever_they_stand(name: str) -> None:
    html = render(everything(name))
    read = PageReader(html)
    assert read.what_is_wrong(html) == []
    shown = ESCAPED.get(name, name)
    assert read.row(shown)[1] == shown
    assert read.headings[0] == (1, shown)
    assert read.images[0]["alt"] == shown
    assert sorted(set(read.tags) - {"wbr"}) == sorted(set(PageReader(render(everything("plain"))).tags) - {"wbr"})


def test_a_page_says_what_it_may_load_and_which_widths_and_colors_it_is_made_for() -> None:
    html = render(page(Text("words")))
    assert "default-src 'none'; img-src data:; style-src 'unsafe-inline'" in PageReader(html).policy
    assert 'name="viewport" content="width=device-width' in html
    assert "prefers-color-scheme: dark" in html
    assert "@media print" in html


def test_the_same_page_is_the_same_file() -> None:
    assert render(everything("a")) == render(everything("a"))


def test_folded_parts_open_without_a_script() -> None:
    read = PageReader(render(page(HtmlTable("rows", (), [["a", "b"]], folded=True), Code("x", "code", folded=True))))
    assert read.tags.count("details") == read.tags.count("summary") == 2


def test_lines_of_code_stay_lines_and_cells_stay_one() -> None:
    html = render(page(Code("one\ntwo"), HtmlTable("t", (), [["three\nfour", "5"]])))
    assert "<pre>one\ntwo</pre>" in html
    assert PageReader(html).row(r"three\nfour") == [r"three\nfour", "5"]


def test_a_cell_carries_its_share() -> None:
    html = render(page(HtmlTable("t", ("a", "b", "c"), [["x", "1", "2"]], bars={2: [0.25]})))
    assert '<td class="bar" style="--s:0.250">2</td>' in html
    assert "<td>1</td>" in html


def test_of_a_matrix_the_diagonal_is_told_from_mistakes() -> None:
    table = HtmlTable("t", ("", "a", "b"), [["a", "3", "1"], ["b", "", "2"]], shades=[[0.75, 0.25], [0, 1]])
    html = render(page(table))
    assert '<td class="hit" style="--s:0.750">3</td><td class="miss" style="--s:0.250">1</td>' in html


def test_a_row_without_a_cell_for_each_column_is_refused() -> None:
    with pytest.raises(ValueError, match="each row of the table 'short' needs 2 cells"):
        render(page(HtmlTable("short", ("a", "b"), [["1"]])))
    with pytest.raises(ValueError, match="each row of the table 'in a figure' needs 2 cells"):
        render(page(Figure("", [SVG], HtmlTable("in a figure", ("a", "b"), [["1", "2", "3"]]))))


def test_every_heading_has_a_place_of_its_own() -> None:
    assert anchors_of(["A b", "a-B", "猫", "a b 2", "é"]) == ["a-b", "a-b-2", "part", "a-b-2-2", "part-2"]


def test_the_contents_name_the_parts_and_not_the_parts_of_parts() -> None:
    html = render(Page("t", "l", [Section("One", [Text("a")]), Section("Two", [Text("b")], level=3)]))
    assert '<li><a href="#one">One</a></li>' in html
    assert 'href="#two"' not in html
    assert '<h3 id="two">Two</h3>' in html


@pytest.mark.slow
@pytest.mark.skipif(find_chromium() is None, reason="no chromium or google-chrome in PATH")
def test_a_browser_asks_for_nothing_and_says_nothing_whatever_names_hold(tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    names = [*HOSTILE, *SHOWN_AS_THEY_ARE]
    parts = [Section(name, everything(name).sections[0].blocks) for name in names]
    path.write_text(render(Page("names", "of a test", parts)), encoding="utf-8")
    with browser() as tab:
        for width, dark in ((390, False), (390, True), (1280, False)):
            tab.events.clear()
            open_page(tab, path, width, dark=dark)
            asked = [
                event["params"]["request"]["url"]
                for event in tab.events
                if event["method"] == "Network.requestWillBeSent"
            ]
            assert [url for url in asked if not url.startswith(("data:image/", "file:"))] == []
            assert sum(url.startswith("file:") for url in asked) == 1
            said = [event for event in tab.events if event["method"] in ("Log.entryAdded", "Runtime.consoleAPICalled")]
            assert said == []
            assert tab.evaluate("document.documentElement.scrollWidth") <= width
            color = tab.evaluate("getComputedStyle(document.body).backgroundColor")
            assert color == ("rgb(20, 24, 29)" if dark else "rgb(255, 255, 255)")
