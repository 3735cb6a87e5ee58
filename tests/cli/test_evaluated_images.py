"""The commands on labeled images: other folders, broken files, records of each image, temperatures, run folders."""

import csv
import json
import math
import shutil
from pathlib import Path
from typing import Any

import pytest
from test_predict import BLUE, GREEN, RED, TRUST, by_hand, paint, write_color_net

from lit_cnn.cli.main import main
from lit_cnn.evaluation.trained import Trained

TRUTH = {"ant": [RED, RED, BLUE], "cow": [BLUE, BLUE, GREEN, RED]}
"""Two ants and two cows are called so; there is no bee."""
COMMANDS = [["validate"], ["validate", "--per-class"], ["test"], ["calibrate"], ["corruptions", "--kinds", "fog"]]


@pytest.fixture
def net(tmp_path: Path) -> str:
    """A checkpoint whose own data is not here."""
    return str(write_color_net(tmp_path / "net.ckpt", 2, tmp_path / "gone"))


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Labeled images without splits."""
    for name, colors in TRUTH.items():
        (tmp_path / "photos" / name).mkdir(parents=True)
        for number, color in enumerate(colors):
            paint(tmp_path / "photos" / name / f"{number}.png", color)
    return tmp_path / "photos"


def answered(capsys: pytest.CaptureFixture[str], *arguments: object) -> Any:
    assert main([*map(str, arguments), *TRUST, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def expected_rows(photos: Path) -> list[tuple[str, str, str, int]]:
    """File, label, prediction and rank of each image by hand."""
    found = []
    for name, colors in TRUTH.items():
        for number, color in enumerate(colors):
            ranked = [called for called, _ in by_hand(color)]
            found.append((str(photos / name / f"{number}.png"), name, ranked[0], ranked.index(name) + 1))
    return found


@pytest.mark.parametrize("command", ["validate", "test"])
def test_a_folder_without_splits_is_evaluated_whole(
    net: str, photos: Path, command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    report = answered(capsys, command, net, "--data", photos)
    split = "val" if command == "validate" else "test"
    assert (report["images"], report[f"{split}/acc1"]) == (7, pytest.approx(4 / 7))
    of_label = [dict(by_hand(color))[name] for name, colors in TRUTH.items() for color in colors]
    assert report[f"{split}/loss"] == pytest.approx(sum(-math.log(share) for share in of_label) / 7, rel=1e-4)
    assert main([command, net, "--data", str(photos), *TRUST]) == 0
    assert f"7 images of {photos}, {net}" in capsys.readouterr().out


def test_a_class_without_images_is_named_and_does_not_count(
    net: str, photos: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = answered(capsys, "validate", net, "--data", photos, "--per-class")
    assert report["balanced_accuracy"] == pytest.approx((2 / 3 + 2 / 4) / 2)
    assert [row["name"] for row in report["classes"]] == ["cow", "ant", "bee"]
    assert report["classes"][2] | {"images": 0, "recall": None} == report["classes"][2]
    assert main(["validate", net, "--data", str(photos), "--per-class", *TRUST]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "balanced accuracy 58.33 % over the 2 of 3 classes with images" in shown
    assert "bee no images – " in shown


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_takes_other_images(
    net: str, photos: Path, command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    report = answered(capsys, command[0], net, "--data", photos, *command[1:])
    assert report["images"] == 7 if command[0] != "calibrate" else report["fitted_on"] + report["measured_on"] == 7


def test_an_ensemble_takes_other_images_and_writes_what_it_says(
    net: str, photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out.csv"
    assert answered(capsys, "ensemble", net, net, "--data", photos, "--predictions", out)["images"] == 7
    found = [(row["file"], row["label"], row["prediction"], int(row["rank"])) for row in rows(out)]
    assert found == expected_rows(photos)


@pytest.mark.parametrize(
    "flags", [[], ["--per-class"], ["--views", "flip"]], ids=lambda flags: " ".join(flags) or "plain"
)
def test_predictions_are_written_for_every_image(
    net: str, photos: Path, tmp_path: Path, flags: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out.csv"
    answered(capsys, "validate", net, "--data", photos, "--predictions", out, *flags)
    assert list(rows(out)[0]) == ["file", "label", "prediction", "probability", "rank"]
    found = [(row["file"], row["label"], row["prediction"], int(row["rank"])) for row in rows(out)]
    assert found == expected_rows(photos)
    best = [by_hand(color)[0][1] for colors in TRUTH.values() for color in colors]
    assert [float(row["probability"]) for row in rows(out)] == pytest.approx(best, rel=1e-4)


def test_predictions_that_cannot_be_written_are_refused_before_the_work(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for command, flag in (
        ("validate", "--predictions"),
        ("ensemble", "--predictions"),
        ("calibrate", "--out"),
        ("corruptions", "--out"),
        ("corruptions", "--sheet"),
    ):
        checkpoints = ["gone.ckpt"] * (2 if command == "ensemble" else 1)
        assert main([command, *checkpoints, flag, "x.txt"]) == 1
        assert f"{flag} x.txt ends in .txt" in capsys.readouterr().err
    assert main(["test", "gone.ckpt", "--predictions", str(tmp_path / "none" / "x.csv")]) == 1
    assert "make it first" in capsys.readouterr().err


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_broken_file_is_named_and_can_be_skipped(
    net: str, photos: Path, command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    (photos / "ant" / "1.png").write_bytes(b"no image")
    arguments = [command[0], net, "--data", str(photos), *command[1:], *TRUST]
    assert main(arguments) == 1
    said = capsys.readouterr().err
    assert f"the image {photos / 'ant' / '1.png'} cannot be decoded" in said
    assert said.endswith(", or pass --skip-broken\n")
    assert main([*arguments, "--skip-broken"]) == 0
    shown = capsys.readouterr()
    assert shown.err.startswith(f"skipped 1 of 7 images of {photos}, the first: the image ")
    assert "6 " in shown.out


def test_skipped_files_are_left_out_of_the_predictions(
    net: str, photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (photos / "ant" / "1.png").write_bytes(b"no image")
    out = tmp_path / "out.csv"
    for flags in ([], ["--views", "flip"]):
        report = answered(capsys, "validate", net, "--data", photos, "--predictions", out, "--skip-broken", *flags)
        assert report["images"] == 6
        assert [row["file"] for row in rows(out)] == [
            file for file, *_ in expected_rows(photos) if not file.endswith("ant/1.png")
        ]
    for path in photos.rglob("*.png"):
        path.write_bytes(b"no image")
    assert main(["validate", net, "--data", str(photos), "--skip-broken", *TRUST]) == 1
    assert "none of the 7 images" in capsys.readouterr().err


@pytest.mark.slow
def test_a_temperature_divides_the_logits_of_validate(
    net: str, photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    calibrate = ["calibrate", net, "--data", str(photos), *TRUST]
    outs = [tmp_path / "calibration.json", tmp_path / "reliability.png"]
    assert main([*calibrate, "--out", str(outs[0]), "--out", str(outs[1])]) == 0
    assert "threshold  answered  of these right" in capsys.readouterr().out
    assert outs[1].stat().st_size > 1000
    stored = json.loads(outs[0].read_text())
    assert stored["checkpoint"] == net
    assert stored["abstention"]["after"][0]["answered"] == 1
    cold = answered(capsys, "validate", net, "--data", photos)
    warm = [
        answered(capsys, "validate", net, "--data", photos, "--temperature", stated)
        for stated in (outs[0], stored["temperature"])
    ]
    assert warm[0] == warm[1]
    assert warm[0]["val/acc1"] == cold["val/acc1"]
    assert warm[0]["val/loss"] != pytest.approx(cold["val/loss"], rel=1e-3)


def test_ctrl_c_keeps_what_was_evaluated(
    net: str, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """At the second batch of four."""
    logits, batches = Trained.logits, []

    def stopped(self: Trained, images: object) -> object:
        batches.append(images)
        if len(batches) == 2:
            raise KeyboardInterrupt
        return logits(self, images)  # type: ignore[arg-type]

    monkeypatch.setattr(Trained, "logits", stopped)
    out = tmp_path / "out.csv"
    assert main(["validate", net, "--data", str(photos), "--predictions", str(out), *TRUST]) == 130
    assert capsys.readouterr().err == f"lit-cnn: stopped by SIGINT: 4 of 7 images are in {out}\n"
    assert [row["file"] for row in rows(out)] == [file for file, *_ in expected_rows(photos)[:4]]
    batches.clear()
    assert main(["validate", net, "--data", str(photos), *TRUST]) == 130
    assert capsys.readouterr().err == "lit-cnn: stopped by SIGINT\n"


def test_a_run_folder_means_its_best_checkpoint(
    net: str, photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = tmp_path / "run"
    (run / "checkpoints").mkdir(parents=True)
    shutil.copy(net, run / "checkpoints" / "last.ckpt")
    for command in (*COMMANDS, ["ensemble", run]):
        assert main([command[0], str(run), *map(str, command[1:]), "--data", str(photos), *TRUST]) == 0
        assert capsys.readouterr().err.startswith(f"{run} has no best.ckpt: this is its last.ckpt\n")
    assert main(["predict", str(run), str(photos), *TRUST]) == 0
    assert "this is its last.ckpt" in capsys.readouterr().err
    shutil.copy(net, run / "checkpoints" / "best.ckpt")
    for command in ["validate", run, "--data", photos], ["predict", run, photos]:
        assert main([*map(str, command), *TRUST]) == 0
        assert capsys.readouterr().err == ""


def test_corruptions_draw_both_pictures(
    net: str, photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pictures = [tmp_path / "heat.png", tmp_path / "sheet.png"]
    flags = ["--kinds", "fog", "--out", str(pictures[0]), "--sheet", str(pictures[1])]
    assert main(["corruptions", net, "--data", str(photos), *flags, *TRUST]) == 0
    assert all(picture.stat().st_size > 1000 for picture in pictures)
    assert "fog" in capsys.readouterr().out
