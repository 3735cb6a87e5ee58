"""The page of the stored results: whole, self-contained, honest on what is stale, and the one in the documentation."""

import json
import shutil
from pathlib import Path

import pytest
from chromium import browser, find_chromium, open_page
from html_checks import PageReader

from lit_cnn.claims.catalog import CLAIMS
from lit_cnn.claims.report.claim_part import claim_sections
from lit_cnn.claims.report.page import claims_page
from lit_cnn.claims.report.records import STALE, gather
from lit_cnn.claims.report.verdicts_part import verdicts_sections
from lit_cnn.claims.result_file import SHIPPED, read_result
from lit_cnn.reports.html_page import Figure, HtmlTable, Page, render
from lit_cnn.reports.markdown_page import render_markdown

DOCUMENT = Path(__file__).parents[3] / "docs" / "claims" / "claims.md"


@pytest.fixture(scope="module")
def page() -> Page:
    return claims_page(list(CLAIMS.values()), SHIPPED[0])


def test_the_page_is_whole_and_loads_nothing(page: Page) -> None:
    html = render(page)
    read = PageReader(html)
    assert read.what_is_wrong(html) == []
    assert read.tags.count("svg") == read.tags.count("title") - 1  # each is named, and so is the page
    headings = [text for _, text in read.headings]
    for claim in CLAIMS.values():
        assert f"{claim.name}: {claim.title}" in headings
    assert "expect 0.8 false verdicts in 16 by chance" in read.text


def test_every_table_has_headings_and_every_picture_its_numbers(page: Page) -> None:
    for section in page.sections:
        for block in section.blocks:
            if isinstance(block, HtmlTable | Figure):
                table = block.table if isinstance(block, Figure) else block
                assert all(table.columns), table.caption
                assert table.rows, table.caption
                assert table.caption


def test_the_documentation_is_generated_from_the_stored_results(page: Page) -> None:
    assert DOCUMENT.read_text(encoding="utf-8") == render_markdown(page), "write it: lit-cnn reproduce --report"


def test_every_verdict_of_the_stored_results_is_in_the_table(page: Page) -> None:
    tables = [block for block in page.sections[0].blocks if isinstance(block, HtmlTable)]
    shown = {(table.caption.rpartition(" ")[2], row[0]): row for table in tables for row in table.rows}
    for path in SHIPPED[0].glob("*.json"):
        content = json.loads(path.read_text(encoding="utf-8"))
        result = read_result(path)
        design = CLAIMS[result.claim].design(result.scale)
        assert design is not None
        verdict = STALE if result.is_stale(design) else content["verdict"]
        assert shown[result.scale, result.claim][1].startswith(verdict), path.name
        assert shown[result.scale, result.claim][-1] == result.date


def test_a_stale_result_is_marked_and_not_judged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = SHIPPED[0] / "pointwise.cpu.json"
    monkeypatch.setattr("lit_cnn.claims.result_file.SHIPPED", ())
    shutil.copy(source, tmp_path)
    path = tmp_path / source.name
    path.write_text(path.read_text().replace('"digest": "', '"digest": "0'))
    records = gather([CLAIMS["pointwise"]], tmp_path)
    sections = [*verdicts_sections(records), *claim_sections(CLAIMS["pointwise"], records)]
    text = render_markdown(Page("a page", "of one claim", sections))
    assert f"> Verdict: {STALE}." in text
    assert "measured by an earlier design" in text
    assert "| pointwise | exact" not in text


def test_what_could_not_be_verified_says_so(page: Page) -> None:
    text = render_markdown(page)
    marked = [each for claim in CLAIMS.values() for each in claim.published if not each.verified]
    assert marked
    assert text.count("(unverified: ") == len(marked)


@pytest.mark.slow
@pytest.mark.skipif(find_chromium() is None, reason="no chromium or google-chrome in PATH")
def test_a_browser_shows_it_on_a_phone_and_a_desk_without_a_request_or_a_message(page: Page, tmp_path: Path) -> None:
    path = tmp_path / "claims.html"
    path.write_text(render(page), encoding="utf-8")
    with browser() as tab:
        for width, dark in ((390, False), (1280, True)):
            tab.events.clear()
            open_page(tab, path, width, dark=dark)
            asked = [e["params"]["request"]["url"] for e in tab.events if e["method"] == "Network.requestWillBeSent"]
            assert [url.partition(":")[0] for url in asked] == ["file"]
            assert [e for e in tab.events if e["method"] in ("Log.entryAdded", "Runtime.consoleAPICalled")] == []
            assert tab.evaluate("document.documentElement.scrollWidth") <= width
            named = "[...document.querySelectorAll('svg')].every(svg => svg.getAttribute('role') == 'img')"
            assert tab.evaluate(named)
