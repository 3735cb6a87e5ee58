"""``lit-cnn compare``: table, Markdown, JSON, CSV and picture of the same rows, in any width."""

import csv
import json
from pathlib import Path

import pytest
from foreign import LITE0, hub_with_lite0, offline

from lit_cnn.cli.main import main

__all__ = ["hub_with_lite0", "offline"]


@pytest.mark.slow
@pytest.mark.usefixtures("hub_with_lite0")
def test_every_form_has_the_same_figures(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    files = ["--out", str(tmp_path / "a.csv"), "--plot", str(tmp_path / "a.png")]
    assert main(["compare", "efficientnet_lite0", "--no-speed", "--json", *files]) == 0
    said = capsys.readouterr()
    (row,) = json.loads(said.out.split("picture:")[0])
    assert (row["weights"], row["published_top1"], row["params"]) == (LITE0, 74.846, 4_652_008)
    with (tmp_path / "a.csv").open() as file:
        (written,) = csv.DictReader(file)
    assert written["published_top1"] == "74.846"
    assert written["ours_top1"] == ""
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
    assert main(["compare", LITE0, "--no-speed", "--markdown"]) == 0
    lines = capsys.readouterr().out.splitlines()
    cells = dict(zip(*(line.strip("| ").split(" | ") for line in (lines[0], lines[2])), strict=True))
    assert (cells["published"], cells["M params"], cells["license"]) == ("74.85", "4.65", "apache-2.0")


@pytest.mark.slow
@pytest.mark.usefixtures("hub_with_lite0")
def test_a_missing_row_leaves_the_others_and_exits_with_1(capsys: pytest.CaptureFixture) -> None:
    assert main(["compare", "resnet50@timm", "efficientnet_lite0", "--no-speed"]) == 1
    said = capsys.readouterr()
    assert "efficientnet_lite0" in said.out
    assert "lit-cnn import timm:resnet50.a1_in1k --file FILE" in said.err


def test_the_list_needs_no_weights(capsys: pytest.CaptureFixture) -> None:
    assert main(["compare", "--list", "resnext101_32x8d"]) == 0
    said = capsys.readouterr().out
    assert "torchvision:resnext101_32x8d.IMAGENET1K_V2" in said
    assert "cc-by-nc-4.0" in said
    assert main(["compare", "--list", "plain18"]) == 1


def test_nothing_to_compare(capsys: pytest.CaptureFixture) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["compare"])
    assert stop.value.code == 2
    assert main(["compare", "resnet18", "--out", "a.txt"]) == 1
    assert "--out a.txt ends in .txt, but .csv is expected" in capsys.readouterr().err
