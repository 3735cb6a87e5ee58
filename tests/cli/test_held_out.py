"""Held-out images from the command line: what fit says of its data, runs of older versions, images trained on."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from fitted_run import RECIPE, FittedRun, write_images

from lit_cnn.cli.main import main
from lit_cnn.data.sources.load import load_source


def fit(folder: Path, images: Path, *flags: str) -> Path:
    """The folder of a new run below ``folder``."""
    folder.mkdir(exist_ok=True)
    recipe = folder / "tiny.yaml"
    recipe.write_text(RECIPE.format(images=images))
    assert main(["fit", "--config", str(recipe), "--runs", str(folder / "runs"), *flags]) == 0
    (run,) = (folder / "runs" / "tiny").iterdir()
    return run


def answered(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[Any, str]:
    """What a command prints as JSON, and what it says on stderr."""
    capsys.readouterr()
    assert main([*map(str, arguments), "--json"]) == 0
    shown = capsys.readouterr()
    return json.loads(shown.out), shown.err


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Class folders without splits."""
    write_images(tmp_path / "photos", 10)
    return tmp_path / "photos"


@pytest.mark.slow
def test_fit_begins_with_what_the_data_is_and_keeps_it(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = fit(tmp_path / "here", photos)
    (line,) = [line for line in capsys.readouterr().out.splitlines() if line.startswith("data: ")]
    source = load_source("imagefolder", str(photos))
    assert line == (
        f"data: {photos}, 3 classes (blue, green, red), {len(source.train)} training and {len(source.val)} validation "
        "images (held out: 10 % by a hash of class and path), no test split"
    )
    kept = json.loads((run / "data.json").read_text())
    assert kept["images"] == {"train": len(source.train), "val": len(source.val)}
    assert kept["classes"] == ["blue", "green", "red"]


def as_written_before(run: Path) -> None:
    """Take from a run of ``data.hold_out`` rows what an older version does not write; once or several times."""
    config = yaml.safe_load((run / "config.yaml").read_text())
    for key in ("hold_out", "group_by"):
        config["data"].pop(key, None)
    (run / "config.yaml").write_text(yaml.safe_dump(config))
    for path in (run / "checkpoints").glob("*.ckpt"):
        checkpoint = torch.load(path, weights_only=True)
        for key in ("hold_out", "group_by"):
            checkpoint["recipe"]["data"].pop(key, None)
        for split in ("train", "val"):
            checkpoint["ImageData"].pop(split, None)
        torch.save(checkpoint, path)


@pytest.mark.slow
def test_runs_of_older_versions_keep_their_held_out_images(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Resumed as whole to the last digit, and judged on the images that they held out."""
    whole = fit(tmp_path / "whole", photos, "--data.hold_out", "rows")
    part = fit(tmp_path / "part", photos, "--data.hold_out", "rows")
    shutil.copy(part / "checkpoints" / "previous.ckpt", part / "checkpoints" / "last.ckpt")
    as_written_before(part)
    assert main(["fit", "--resume", str(part)]) == 0
    assert (part / "metrics.csv").read_text() == (whole / "metrics.csv").read_text()
    as_written_before(part)
    new, _ = answered(capsys, "validate", whole / "checkpoints" / "last.ckpt")
    old, said = answered(capsys, "validate", part / "checkpoints" / "last.ckpt")
    assert {name: value for name, value in old.items() if name != "data"} == {
        name: value for name, value in new.items() if name != "data"
    }
    assert old["data"]["validation"] == "held out: 10 % of each class by rows"
    assert "trained on" not in said
    write_images(tmp_path / "more", 15)
    shutil.copytree(tmp_path / "more", photos, dirs_exist_ok=True)
    _, said = answered(capsys, "calibrate", part / "checkpoints" / "last.ckpt")
    assert "was trained on 27 and validated on 3 images of this set, which now has 39 and 6, so some of these" in said


@pytest.mark.slow
def test_another_rule_is_another_run(photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = fit(tmp_path / "here", photos)
    for flags, words in (
        (["--data.hold_out", "rows"], "data.hold_out ('hash' -> 'rows')"),
        (["--data.group_by", "p"], "data.group_by (None -> 'p')"),
    ):
        assert main(["fit", "--resume", str(run), *flags]) == 1
        assert words in capsys.readouterr().err


@pytest.mark.slow
def test_images_that_are_added_do_not_let_trained_ones_be_judged(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    last = fit(tmp_path / "here", photos) / "checkpoints" / "last.ckpt"
    write_images(tmp_path / "more", 20)
    shutil.copytree(tmp_path / "more", photos, dirs_exist_ok=True, copy_function=keep)
    report, said = answered(capsys, "validate", last)
    assert report["images"] == len(load_source("imagefolder", str(photos)).val)
    assert report["data"]["trained_on"] == {str(last): 0}
    assert "trained on" not in said


def keep(source: str, target: str) -> None:
    """Copy a file where there is none."""
    if not Path(target).exists():
        shutil.copy(source, target)


COMMANDS = [["validate"], ["validate", "--per-class"], ["test"], ["calibrate"], ["corruptions", "--kinds", "fog"]]


@pytest.mark.slow
@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: " ".join(command))
def test_images_that_were_trained_on_are_counted(
    fitted: FittedRun, command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    name, *flags = command
    report, said = answered(capsys, name, fitted.last, "--data", fitted.images / "train", *flags)
    assert f"24 of the 24 images were trained on by {fitted.last}, so their accuracy is flattered" in said
    assert report["data"]["trained_on"] == {str(fitted.last): 24}
    assert report["data"]["images"] == {"all": 24}
    report, said = answered(capsys, name, fitted.last, *flags)
    assert "trained on" not in said
    assert report["data"]["trained_on"] == {str(fitted.last): 0}
    assert report["data"]["evaluated"] == ("test" if name == "test" else "val")


@pytest.mark.slow
def test_any_member_of_an_ensemble_may_have_been_trained_on_them(
    fitted: FittedRun, photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = fit(tmp_path / "here", photos) / "checkpoints" / "last.ckpt"
    count = len(load_source("imagefolder", str(photos)).train)
    report, said = answered(capsys, "ensemble", fitted.last, other, "--data", photos)
    assert f"{count} of the 30 images were trained on by {other}" in said
    assert report["data"]["trained_on"] == {str(fitted.last): 0, str(other): count}


def test_tables_stand_below_what_is_evaluated(fitted: FittedRun, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["validate", str(fitted.last)]) == 0
    first = capsys.readouterr().out.splitlines()[0]
    assert first == f"data: {fitted.images}, 3 classes (blue, green, red), evaluated: 12 validation images (given)"


@pytest.mark.slow
def test_fine_tuning_on_other_held_out_images_is_warned_of(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    base = fit(tmp_path / "base", photos, "--data.val_fraction", "0.2") / "checkpoints" / "last.ckpt"
    capsys.readouterr()
    fit(tmp_path / "tuned", photos, "--data.hold_out", "rows", "--model.initial.checkpoint", str(base))
    assert f"validation images were trained on by {base}, so the validation" in capsys.readouterr().out


@pytest.mark.parametrize("command", [["data", "show"], ["data", "pack"]])
def test_looking_and_packing_say_it_too(
    photos: Path, tmp_path: Path, command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    if command[1] == "pack":
        pytest.importorskip("litdata")
        arguments = [str(photos), str(tmp_path / "packed"), "--val-fraction", "0.3", "--group-by", r"(\d)\.png"]
    else:
        (tmp_path / "tiny.yaml").write_text(RECIPE.format(images=photos))
        arguments = ["--config", str(tmp_path / "tiny.yaml"), "--out", str(tmp_path / "sheet.png")]
    assert main([*command, *arguments]) == 0
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith(f"data: {photos}, 3 classes (")]
    assert len(lines) == 1
    assert ("groups of data.group_by" in lines[0]) == (command[1] == "pack")
