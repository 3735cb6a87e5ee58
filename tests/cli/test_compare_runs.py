"""``lit-cnn compare RUN RUN…``: every form has the same figures, and networks and runs are kept apart."""

import csv
import json
import re
import sys
from pathlib import Path

import pytest
from fitted_run import RECIPE, write_images
from made_runs import make_run, make_runs
from nasty_names import NASTY
from rich.cells import cell_len

from lit_cnn.cli.main import main
from lit_cnn.printable import printable


@pytest.fixture
def runs(tmp_path: Path) -> str:
    """Two rates and three seeds, 80 to 95 %."""
    return str(make_runs(tmp_path / "runs", {0.1: [0.80, 0.82, 0.84], 0.2: [0.90, 0.91, 0.95]}))


def test_the_table_has_means_and_the_difference(runs: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", runs]) == 0
    lines = [re.split(" {2,}", line) for line in capsys.readouterr().out.splitlines()]
    assert ["A", "learning_rate=0.2", "3", "92.00 ± 2.65", "82.00 ± 2.65", "2", "3", "1.5", "200", "–", "–"] in lines
    assert ["A − B", "3", "+10.00", "+7.52 to +12.48", "0.003", "yes", "3"] in lines


def test_every_form_has_the_same_figures(runs: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = ["--out", str(tmp_path / "a.csv"), "--plot", str(tmp_path / "a.svg")]
    assert main(["compare", runs, "--json", *files]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["groups"][0]["best"]["mean"] == pytest.approx(0.92)
    assert (tmp_path / "a.svg").read_text().startswith("<?xml")
    with (tmp_path / "a.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 6
    assert (rows[0]["model.optimizer.learning_rate"], rows[0]["seed"], rows[0]["best"]) == ("0.2", "0", "0.9")
    assert main(["compare", runs, "--markdown"]) == 0
    assert "| A  learning_rate=0.2 | 3 | 92.00 ± 2.65 |" in capsys.readouterr().out
    assert main(["compare", runs, "--latex"]) == 0
    text = capsys.readouterr().out
    assert r"A  learning\_rate=0.2 & 3 & 92.00 $\pm$ 2.65 & " in text
    assert text.count(r"\toprule") == 2


def test_a_loss_is_told_as_it_is_and_warned_of(runs: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", runs, "--metric", "val/loss", "--value", "last"]) == 0
    out = capsys.readouterr().out
    assert "0.0800 ± 0.0265" in out
    assert "differences of the last val/loss" in out
    assert "−0.1000" in out
    assert "warning: val/loss is compared, but best.ckpt was chosen by val/acc1 in all runs" in out


def test_several_groups_are_decided_by_holm(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_runs(tmp_path, {rate / 10: [0.5 + rate / 20, 0.51 + rate / 20] for rate in range(1, 7)})
    assert main(["compare", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert "15 comparisons: decided is p by Holm below 0.05" in out
    assert "those with A are shown, --json has all" in out
    assert out.count(" − ") == 5


def test_what_is_left_out_is_named_and_counted(runs: str, capsys: pytest.CaptureFixture[str]) -> None:
    half = make_run(Path(runs) / "half", (0.5,))
    assert main(["compare", runs]) == 0
    assert f"left out, 1 of 7 runs:\n  {half}: unfinished: 1 of 3 epochs\n" in capsys.readouterr().out


def test_runs_of_one_group_have_a_mean_and_no_difference(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", str(make_runs(tmp_path, {0.1: [0.8, 0.9]}))]) == 0
    out = capsys.readouterr().out
    assert "85.00 ± 7.07" in out
    assert "no key of the recipes differs but the seed" in out
    assert "interval" not in out


def test_other_keys_that_differ_too_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_run(tmp_path / "a")
    make_run(tmp_path / "b", model__architecture="cifar_vgg8", data__batch_size=20)
    assert main(["compare", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert "architecture=cifar_vgg8" in out
    assert "these keys differ between the groups, too: data.batch_size" in out
    assert "1 of them share fewer than 2 seeds" in out


@pytest.mark.parametrize("width", [80, 40])
def test_a_terminal_gets_no_line_that_is_wider(
    width: int, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    make_runs(Path("runs"), {rate / 10: [0.5 + rate / 20, 0.51 + rate / 20] for rate in range(1, 7)})
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    assert main(["compare", "runs"]) == 0
    text = re.sub(r"\x1b\[[0-9;]*m", "", capsys.readouterr().out)
    assert [line for line in text.splitlines() if cell_len(line) > width] == []


def test_names_of_any_kind_are_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for number, name in enumerate(NASTY):
        make_run(tmp_path / "runs" / name, model__optimizer__name=printable(name), seed_everything=number)
    make_run(tmp_path / "runs" / "half" / NASTY[-1], (0.5,))
    assert main(["compare", str(tmp_path / "runs"), "--out", str(tmp_path / "a.csv")]) == 0
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert [name for name in NASTY if f"optimizer={printable(name)}" not in out] == []
    assert printable(NASTY[-1]) in out
    for form in ("--json", "--markdown", "--latex"):
        assert main(["compare", str(tmp_path / "runs"), form]) == 0


def test_networks_and_runs_are_not_mixed(runs: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", runs, "resnet50"]) == 1
    assert f"networks and runs are not mixed: {runs} is of runs and resnet50 is not" in capsys.readouterr().err
    assert main(["compare", runs, f"{runs}/missing"]) == 1
    assert f"there is no run {runs}/missing: name run folders" in capsys.readouterr().err
    assert main(["compare", runs, "resnte50"]) == 1
    assert "there is no run or network resnte50: name run folders" in capsys.readouterr().err
    assert main(["compare", runs, "resnet50@timm"]) == 1
    assert "networks and runs are not mixed" in capsys.readouterr().err
    assert main(["compare", "resnet50", "--by", "model"]) == 1
    assert "--by compares runs, but resnet50 is not a run" in capsys.readouterr().err
    assert main(["compare", runs, "--latex", "--no-speed"]) == 1
    assert "--latex compares runs by what they recorded, and --no-speed measures networks" in capsys.readouterr().err


def test_one_run_alone_is_refused_with_what_to_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", str(make_run(tmp_path / "a"))]) == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "is one run alone: name another to compare it with" in said
    assert main(["compare", f"{tmp_path}/b*/*"]) == 1
    assert "there is no run in" in capsys.readouterr().err


def test_with_data_a_run_means_its_best_checkpoint(runs: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", f"{runs}/made/0.1-0", "--data", runs]) == 1
    assert "holds no checkpoint" in capsys.readouterr().err


@pytest.mark.slow
def test_real_runs_are_compared_with_their_sizes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_images(tmp_path / "images" / "train", 8)
    write_images(tmp_path / "images" / "val", 4)
    (tmp_path / "tiny.yaml").write_text(RECIPE.format(images=tmp_path / "images"))
    for rate in ("0.05", "0.2"):
        for seed in ("0", "1"):
            words = ["--config", str(tmp_path / "tiny.yaml"), "--runs", str(tmp_path / "runs")]
            assert main(["fit", *words, "--model.optimizer.learning_rate", rate, "--seed_everything", seed]) == 0
    capsys.readouterr()
    assert main(["compare", str(tmp_path / "runs"), "--json", "--plot", str(tmp_path / "a.png")]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["keys"] == ["model.optimizer.learning_rate"]
    assert (told["left_out"], told["warnings"]) == ({}, [])
    assert all(group["params"] > 70_000 and group["madds"] > 1e6 and group["seconds"] > 0 for group in told["groups"])
    assert told["differences"][0]["pairs"] == 2
