"""``lit-cnn report`` writes one page, says what is left out, and refuses what it could not write."""

import shutil
from pathlib import Path

import pytest
from chromium import browser, find_chromium, open_page
from fitted_run import FittedRun
from html_checks import PageReader

from lit_cnn.cli.main import main


@pytest.mark.slow
def test_the_page_is_written_and_named(fitted: FittedRun, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "page.html"
    assert main(["report", str(fitted.folder), "--out", str(out), "--no-images", "--no-speed"]) == 0
    html = out.read_text(encoding="utf-8")
    said = capsys.readouterr()
    assert said.out == f"{out} ({len(html.encode()) / 1e6:.2f} MB)\n"
    read = PageReader(html)
    assert read.what_is_wrong(html) == []
    assert read.images == []
    assert "latency here" not in [row[0] for row in read.rows]


@pytest.mark.slow
def test_the_test_images_can_be_asked_for(fitted: FittedRun, tmp_path: Path) -> None:
    out = tmp_path / "page.html"
    words = ["--out", str(out), "--split", "test", "--no-speed", "--no-images"]
    assert main(["report", str(fitted.folder), *words]) == 0
    assert "top-1 of 6 test images" in PageReader(out.read_text(encoding="utf-8")).text


@pytest.mark.slow
def test_moved_images_leave_a_page_of_what_the_run_recorded(
    fitted: FittedRun, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "page.html"
    words = ["--out", str(out), "--no-speed", "--data", str(tmp_path / "gone")]
    assert main(["report", str(fitted.folder), *words]) == 0
    assert "the images are not at hand" in capsys.readouterr().err
    assert "the images are not at hand" in out.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["{run}", "--out", "{folder}/page.pdf"], "ends in .pdf, but .html or .htm is expected"),
        (["{run}", "--out", "{folder}/none/page.html"], "there is no folder"),
        (["{folder}/nowhere"], "there is no run in {folder}/nowhere"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence(
    words: list[str], sentence: str, fitted: FittedRun, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    places = {"run": str(fitted.folder), "folder": str(tmp_path)}
    assert main(["report", *(word.format(**places) for word in words)]) == 1
    assert sentence.format(**places) in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_several_runs_are_compared_on_the_page(fitted: FittedRun, tmp_path: Path) -> None:
    for seed in (0, 1):
        shutil.copytree(fitted.folder, tmp_path / "tiny" / str(seed))
        config = tmp_path / "tiny" / str(seed) / "config.yaml"
        config.write_text(config.read_text().replace("seed_everything: 0", f"seed_everything: {seed}"))
    out = tmp_path / "page.html"
    assert main(["report", str(tmp_path / "tiny"), "--out", str(out), "--no-speed"]) == 0
    read = PageReader(out.read_text(encoding="utf-8"))
    assert read.row("all runs")[1] == "2"
    assert (2, "Runs") in read.headings


@pytest.mark.slow
@pytest.mark.skipif(find_chromium() is None, reason="no chromium or google-chrome in PATH")
def test_a_browser_shows_the_whole_page_without_a_request_or_a_message(fitted: FittedRun, tmp_path: Path) -> None:
    out = tmp_path / "page.html"
    assert main(["report", str(fitted.folder), "--out", str(out)]) == 0
    with browser() as tab:
        open_page(tab, out, 390)
        asked = [e["params"]["request"]["url"] for e in tab.events if e["method"] == "Network.requestWillBeSent"]
        assert [url.partition(":")[0] for url in asked if not url.startswith("data:image/")] == ["file"]
        assert [e for e in tab.events if e["method"] in ("Log.entryAdded", "Runtime.consoleAPICalled")] == []
        assert tab.evaluate("document.documentElement.scrollWidth") <= 390
        text = tab.evaluate("document.body.innerText")
        whole = "[...document.images].every(image => image.complete && image.naturalWidth > 0)"
        assert tab.evaluate(whole)
    for words in ("top-1 of 12 validation images", "expected calibration error (ECE)", "cifar_resnet8"):
        assert words in text
