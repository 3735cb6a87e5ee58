"""One run on classes and files of names that break what does not expect them, and all that is asked of it."""

import contextlib
import csv
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from fitted_run import RECIPE
from html_checks import PageReader
from nasty_names import LONG
from PIL import Image

from lit_cnn.cli.main import main
from lit_cnn.printable import printable

CLASSES = ["[red]", "tube [open]", "$x^{$", "猫", "naïve", LONG.format("x"), " leading", "a'b\"c", "עברית"]
CLASSES.append("<img src=x onerror=alert(1)>&lt;")
FILES = [
    "[www.site.com] cat.png",
    "[bold]b.png",
    "a\x1b[31mred.png",
    "two\nlines.png",
    'comma, "quote".png',
    os.fsdecode(b"caf\xe9.png"),
]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run folder, next to ``images``."""
    folder = tmp_path_factory.mktemp("set [1] of $5")
    for split, count in (("train", 2), ("val", len(FILES))):
        for number, name in enumerate(CLASSES):
            (folder / "images" / split / name).mkdir(parents=True)
            for row in range(count):
                pixels = np.random.default_rng([number, row, count]).integers(0, 255, (16, 16, 3), dtype=np.uint8)
                Image.fromarray(pixels).save(os.fsencode(folder / "images" / split / name / FILES[row]), "PNG")
    (folder / "tiny.yaml").write_text(RECIPE.format(images=json.dumps(str(folder / "images"))))
    runs = folder / "runs" / "[v1] birds"
    arguments = ["--trainer.max_epochs", "1", "--data.mixup.alpha", "1"]
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        assert main(["fit", "--config", str(folder / "tiny.yaml"), "--runs", str(runs), *arguments]) == 0
    (made,) = (runs / "tiny").iterdir()
    (made / "said.txt").write_text(said.getvalue(), encoding="utf-8")
    return made


def images(run: Path) -> Path:
    return run.parents[3] / "images"


@pytest.mark.slow
def test_the_pictures_of_the_run_are_there(run: Path) -> None:
    for name in ("first_batch.png", "confusion.png", "worst_images.png", "curves.png"):
        with Image.open(run / name) as picture:
            assert picture.width > 300


@pytest.mark.slow
def test_the_run_folder_is_printed_as_it_is(run: Path) -> None:
    assert f"run folder: {run}" in (run / "said.txt").read_text(encoding="utf-8").splitlines()


@pytest.mark.slow
def test_classes_are_named_in_the_table_and_in_json(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["validate", str(run / "checkpoints" / "last.ckpt"), "--per-class"]
    assert main(command) == 0
    table = capsys.readouterr().out
    assert all(f"\n{name}  " in table for name in CLASSES)
    assert main([*command, "--json"]) == 0
    assert {row["name"] for row in json.loads(capsys.readouterr().out)["classes"]} == set(CLASSES)


def test_files_are_named_in_the_table_in_json_and_in_csv(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = images(run) / "val" / "[red]"
    command = ["predict", str(run / "checkpoints" / "last.ckpt"), str(folder)]
    assert main([*command, "--out", str(tmp_path / "a.csv"), "--out", str(tmp_path / "a.json")]) == 0
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert [name for name in FILES if f"\n{printable(name)}  " not in out] == []
    with (tmp_path / "a.csv").open(encoding="utf-8", errors="surrogateescape", newline="") as file:
        assert {Path(row["file"]).name for row in csv.DictReader(file)} == set(FILES)
    assert main([*command, "--json"]) == 0
    for said in (capsys.readouterr().out, (tmp_path / "a.json").read_text(encoding="ascii")):
        assert {Path(row["file"]).name for row in json.loads(said)} == set(FILES)


def test_files_are_named_in_a_check(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    broken = [images(run) / "val" / "猫" / name for name in FILES]
    before = [Path(os.fsencode(path).decode(errors="surrogateescape")).read_bytes() for path in broken]
    for path in broken:
        path.write_bytes(b"")
    try:
        assert main(["check", str(images(run))]) == 1
        out = capsys.readouterr().out
        assert all(printable(str(path)) in out for path in broken)
        assert "\x1b" not in out
        assert main(["check", str(images(run)), "--json"]) == 1
        errors = [row["text"] for row in json.loads(capsys.readouterr().out) if row["kind"] == "error"]
        assert all(any(str(path) in text for text in errors) for path in broken)
    finally:
        for path, content in zip(broken, before, strict=True):
            path.write_bytes(content)


@pytest.mark.slow
def test_names_are_text_on_the_page_of_the_run(run: Path, tmp_path: Path) -> None:
    out = tmp_path / "page.html"
    assert main(["report", str(run), "--out", str(out), "--no-speed"]) == 0
    html = out.read_text(encoding="utf-8")
    read = PageReader(html)
    assert read.what_is_wrong(html) == []
    assert {image["src"][:16] for image in read.images if image["src"]} == {"data:image/webp;"}
    assert all(read.row(printable(name)) for name in CLASSES)
    shown = [image["alt"] or "" for image in read.images]
    assert all(any(alt.startswith(f"{printable(name)}: true ") for alt in shown) for name in FILES)


@pytest.mark.slow
@pytest.mark.parametrize("variables", [{"PYTHONIOENCODING": "ascii"}, {"LC_ALL": "C"}], ids=str)
def test_no_encoding_of_the_streams_stops_a_command(run: Path, tmp_path: Path, variables: dict[str, str]) -> None:
    checkpoint, folder = str(run / "checkpoints" / "last.ckpt"), images(run)
    (folder / "train" / "猫" / FILES[5]).write_bytes(b"")
    commands = [
        ["validate", checkpoint, "--per-class"],
        ["predict", checkpoint, str(folder / "val" / "[red]"), "--out", str(tmp_path / "a.csv")],
        ["check", str(folder)],
        ["check", str(folder / "val" / "nowhere 猫")],
    ]
    for command in commands:
        done = subprocess.run(
            [sys.executable, "-m", "lit_cnn.cli.main", *command], env={**os.environ, **variables}, capture_output=True
        )
        said = (done.stdout + done.stderr).decode("utf-8")
        assert "UnicodeEncodeError" not in said
        assert "unexpected" not in said
        assert done.stdout or b"does not exist" in done.stderr
