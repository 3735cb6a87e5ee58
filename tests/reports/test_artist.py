"""Pictures are drawn in another process, in turn, and nothing that goes wrong there reaches the one that asked."""

import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lit_cnn.reports.artist import CUT_OFF, Artist, Drawn


def ask(artist: Artist, path: Path, classes: int = 2) -> None:
    names = [str(number) for number in range(classes)]
    artist.draw("confusion.draw_confusion", path, matrix=np.eye(2, dtype=np.int64), class_names=names)


@pytest.mark.slow
def test_what_is_asked_for_is_drawn_in_turn_and_reported_once(tmp_path: Path) -> None:
    artist, paths = Artist(), [tmp_path / f"{number}.png" for number in range(3)]
    for path in paths:
        ask(artist, path)
    artist.close(60)
    assert artist.drawn() == [Drawn(path, None) for path in paths]
    assert not artist.drawn()
    for path in paths:
        with Image.open(path) as picture:
            picture.verify()


@pytest.mark.slow
def test_a_failure_is_reported_and_the_next_picture_is_drawn(tmp_path: Path) -> None:
    artist = Artist()
    ask(artist, tmp_path / "bad.png", classes=3)
    ask(artist, tmp_path / "good.png")
    artist.close(60)
    bad, good = artist.drawn()
    assert bad.problem == "the confusion matrix of 3 classes has the shape (3, 3), got (2, 2)"
    assert good == Drawn(tmp_path / "good.png", None)


@pytest.mark.slow
def test_a_process_that_dies_is_reported(tmp_path: Path) -> None:
    artist = Artist()
    ask(artist, tmp_path / "first.png")
    while not (drawn := artist.drawn()):
        time.sleep(0.01)
    assert drawn == [Drawn(tmp_path / "first.png", None)]
    process = artist._process
    assert process is not None
    process.kill()
    process.wait()
    ask(artist, tmp_path / "second.png")
    artist.close(60)
    ((_, problem),) = artist.drawn()
    assert problem is not None
    assert "the process that draws has ended" in problem


@pytest.mark.slow
def test_of_one_file_only_the_newest_request_waits(tmp_path: Path) -> None:
    artist = Artist()
    for _ in range(20):
        ask(artist, tmp_path / "same.png")
    artist.close(60)
    assert 1 <= len(artist.drawn()) <= 3


def test_the_next_picture_rests_after_the_one_before_unless_it_is_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lit_cnn.reports.artist.REST", 1e6)
    monkeypatch.setattr(Artist, "_ask", lambda *_: time.sleep(0.001))
    artist, first, second = Artist(), tmp_path / "first.png", tmp_path / "second.png"
    ask(artist, first)
    while not (drawn := artist.drawn()):
        time.sleep(0.001)
    ask(artist, second)
    time.sleep(0.02)
    assert (drawn, artist.drawn()) == ([Drawn(first, None)], [])
    artist.hurry()
    while not (drawn := artist.drawn()):
        time.sleep(0.001)
    assert drawn == [Drawn(second, None)]
    artist.close(60)


def test_after_its_rest_the_next_picture_is_drawn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Artist, "_ask", lambda *_: time.sleep(0.001))
    artist, drawn = Artist(), []
    for number in range(2):
        ask(artist, tmp_path / f"{number}.png")
        while not (new := artist.drawn()):
            time.sleep(0.001)
        drawn += new
    assert [picture.path.name for picture in drawn] == ["0.png", "1.png"]
    artist.close(60)


@pytest.mark.slow
def test_closing_waits_no_longer_than_it_is_told_and_leaves_no_process(tmp_path: Path) -> None:
    artist = Artist()
    for number in range(30):
        ask(artist, tmp_path / f"{number}.png")
    while not artist.drawn():
        time.sleep(0.01)
    process, began = artist._process, time.monotonic()
    artist.close(0.1)
    assert time.monotonic() - began < 5
    until = time.monotonic() + 20
    while time.monotonic() < until and not (cut := [each for each in artist.drawn() if each.problem]):
        time.sleep(0.01)
    assert {each.problem for each in cut} == {CUT_OFF}
    assert process is not None
    assert process.poll() is not None


def test_an_artist_without_work_starts_no_process() -> None:
    artist = Artist()
    artist.close(1)
    assert artist._process is None


def test_the_process_ends_with_the_one_that_asked(tmp_path: Path) -> None:
    script = (
        "import os, sys, time, pathlib, numpy as np; from lit_cnn.reports.artist import Artist; a = Artist()\n"
        f"a.draw('confusion.draw_confusion', pathlib.Path({str(tmp_path / 'x.png')!r}), matrix=np.eye(2), "
        "class_names=['a', 'b'])\n"
        "while not a.drawn(): time.sleep(0.01)\n"
        "print(a._process.pid, flush=True); os.kill(os.getpid(), 9)"
    )
    said = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120).stdout
    until = time.monotonic() + 20
    while time.monotonic() < until and _lives(int(said)):
        time.sleep(0.05)
    assert not _lives(int(said))


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{pid}/stat")
    return not status.exists() or status.read_text().rpartition(")")[2].split()[0] != "Z"


def test_asking_takes_no_time(tmp_path: Path) -> None:
    artist = Artist()
    began = time.monotonic()
    pixels = np.zeros((32, 3, 256, 256), dtype=np.uint8)
    artist.draw(
        "contact_sheet.draw_contact_sheet", tmp_path / "sheet.png", images=pixels, captions=["x"] * 32, title="t"
    )
    assert time.monotonic() - began < 0.3
    artist.close(0.0)


@pytest.mark.parametrize("name", ["artist", "curves", "confusion", "contact_sheet", "worst_images"])
@pytest.mark.slow
def test_what_the_process_imports_needs_no_torch(name: str) -> None:
    script = f"import sys, lit_cnn.reports.{name}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], timeout=120).returncode == 0
