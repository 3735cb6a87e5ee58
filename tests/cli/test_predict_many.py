"""``lit-cnn predict`` over many files: broken ones, lists of files, thresholds, and what outlives an interruption."""

import csv
import io
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from test_predict import BLUE, GREEN, RED, TRUST, by_hand, paint, write_color_net
from torch import nn

from lit_cnn.cli.main import main
from lit_cnn.evaluation.trained import Trained

COLORS = (RED, GREEN, BLUE)


@pytest.fixture
def many(tmp_path: Path) -> Path:
    """70 images, of which number i has color i modulo 3."""
    (tmp_path / "many").mkdir()
    for number in range(70):
        paint(tmp_path / "many" / f"{number:02}.png", COLORS[number % 3])
    return tmp_path / "many"


@pytest.fixture
def net(tmp_path: Path) -> str:
    return str(write_color_net(tmp_path / "net.ckpt", 2))


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def named(count: int) -> list[tuple[str, str]]:
    """File and class of the first images of ``many``."""
    return [(f"{number:02}.png", by_hand(COLORS[number % 3])[0][0]) for number in range(count)]


def test_broken_files_do_not_end_the_work_and_are_named(
    many: Path, net: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (many / "40.png").write_bytes((many / "40.png").read_bytes()[:40])
    (many / "50.png").write_bytes(b"")
    assert main(["predict", net, str(many), *TRUST, "--out", str(tmp_path / "p.csv")]) == 1
    found = rows(tmp_path / "p.csv")
    expected = [(name, "" if name in ("40.png", "50.png") else label) for name, label in named(70)]
    assert [(Path(row["file"]).name, row["class1"]) for row in found] == expected
    assert "50.png cannot be decoded" in found[50]["error"]
    assert [row["error"] for row in found if row["class1"]] == [""] * 68
    sentence = f"lit-cnn: 2 of 70 images have no prediction: {many / '40.png'}, {many / '50.png'} cannot be read"
    assert sentence in capsys.readouterr().err


@pytest.mark.slow
def test_a_single_broken_file_is_named_with_its_reason(
    many: Path, net: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (many / "40.png").write_bytes(b"")
    assert main(["predict", net, str(many), *TRUST]) == 1
    assert "lit-cnn: 1 of 70 images has no prediction: the image " in capsys.readouterr().err
    assert main(["predict", net, str(many / "40.png"), *TRUST, "--json"]) == 1
    shown = capsys.readouterr()
    assert shown.err.startswith(f"lit-cnn: the image {many / '40.png'} cannot be decoded")
    (row,) = json.loads(shown.out)
    assert (row["classes"], row["probabilities"]) == ([], [])


@pytest.mark.slow
def test_no_more_than_ten_broken_files_are_named(many: Path, net: str, capsys: pytest.CaptureFixture[str]) -> None:
    for number in range(12):
        (many / f"{number:02}.png").write_bytes(b"")
    assert main(["predict", net, str(many), *TRUST]) == 1
    (sentence,) = (line for line in capsys.readouterr().err.splitlines() if line.startswith("lit-cnn: "))
    assert "09.png and 2 more cannot be read" in sentence
    assert "10.png" not in sentence


@pytest.mark.parametrize(("out", "words"), [("none/p.csv", "there is no folder"), ("p.tsv", "ends in .tsv")])
def test_a_file_that_cannot_be_written_is_refused_before_the_work(
    many: Path, tmp_path: Path, out: str, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Before the checkpoint even is looked for."""
    assert main(["predict", "gone.ckpt", str(many), "--out", str(tmp_path / out)]) == 1
    assert words in capsys.readouterr().err


@pytest.mark.slow
def test_lists_name_files_and_folders(
    many: Path, net: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = f"{many / '01.png'}\n{many / 'gone.png'}\n{many / '02.png'}\n"
    (tmp_path / "list.txt").write_text(lines)
    predict = ["predict", net, *TRUST, "--json", "--files-from"]
    assert main([*predict, str(tmp_path / "list.txt")]) == 1
    shown = capsys.readouterr()
    assert [Path(row["file"]).name for row in json.loads(shown.out)] == ["01.png", "gone.png", "02.png"]
    assert "gone.png does not exist" in shown.err
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(f"{many}\0".encode())))
    assert main([*predict, "-"]) == 0
    assert len(json.loads(capsys.readouterr().out)) == 70
    (tmp_path / "list.txt").write_text("\n")
    assert main([*predict, str(tmp_path / "list.txt")]) == 1
    assert "names no file" in capsys.readouterr().err
    assert main([*predict, "gone.txt"]) == 1
    assert "gone.txt: No such file" in capsys.readouterr().err


@pytest.mark.slow
def test_files_left_out_of_a_folder_are_counted(many: Path, net: str, capsys: pytest.CaptureFixture[str]) -> None:
    (many / "notes.txt").touch()
    (many / "table.csv").touch()
    assert main(["predict", net, str(many), *TRUST, "--json"]) == 0
    assert "2 files left out: no image by the ending (.csv, .txt)" in capsys.readouterr().err


def test_top_k_gives_as_many_classes(many: Path, net: str, tmp_path: Path) -> None:
    assert main(["predict", net, str(many / "00.png"), *TRUST, "--top-k", "2", "--out", str(tmp_path / "p.csv")]) == 0
    (row,) = rows(tmp_path / "p.csv")
    assert list(row) == ["file", "class1", "probability1", "class2", "probability2", "error"]
    assert [row["class1"], row["class2"]] == [name for name, _ in by_hand(RED)[:2]]


def test_a_temperature_comes_as_a_number_or_from_a_file(
    many: Path, net: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "calibration.json").write_text('{"temperature": 2.5}')
    powers = [(name, share ** (1 / 2.5)) for name, share in by_hand(RED)]
    expected = [power / sum(power for _, power in powers) for _, power in powers]
    for stated in ("2.5", str(tmp_path / "calibration.json")):
        assert main(["predict", net, str(many / "00.png"), *TRUST, "--temperature", stated, "--json"]) == 0
        (row,) = json.loads(capsys.readouterr().out)
        assert row["classes"] == [name for name, _ in by_hand(RED)]
        assert row["probabilities"] == pytest.approx(expected, rel=1e-5)
    (tmp_path / "calibration.json").write_text("[]")
    for stated, words in (
        ("0", "a number above 0"),
        ("nan", "a number above 0"),
        ("cold", "neither a number nor a file"),
        (str(tmp_path / "calibration.json"), "neither a number nor a file"),
    ):
        assert main(["predict", net, str(many), *TRUST, "--temperature", stated]) == 1
        assert words in capsys.readouterr().err


def test_below_the_least_probability_there_is_no_answer(
    many: Path, net: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    shares = sorted(by_hand(color)[0][1] for color in COLORS)
    between = (shares[0] + shares[1]) / 2
    flags = ["--min-probability", f"{between:.4f}", "--out", str(tmp_path / "p.csv")]
    files = [str(many / f"{number:02}.png") for number in range(3)]
    assert main(["predict", net, *files, *TRUST, *flags]) == 0
    answers = [by_hand(color)[0] for color in COLORS]
    assert [row["answer"] for row in rows(tmp_path / "p.csv")] == [
        name if share > between else "" for name, share in answers
    ]
    shown = capsys.readouterr().out
    (unsure,) = (name for name, share in answers if share < between)
    assert f"? ({unsure})" in shown
    assert "1 of 3 images are below 0" in shown


def test_the_table_has_long_names_whole(net: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Of two folders whose files have the same names."""
    long = "a-name-of-more-characters-than-a-terminal-has-columns-" * 2 + "end.png"
    for folder in ("x/one", "y/one"):
        (tmp_path / folder).mkdir(parents=True)
        paint(tmp_path / folder / long, RED)
    assert main(["predict", net, str(tmp_path / "x"), str(tmp_path / "y"), *TRUST]) == 0
    shown = capsys.readouterr().out
    assert [line.split()[0] for line in shown.splitlines() if long in line] == [f"x/one/{long}", f"y/one/{long}"]


@pytest.mark.slow
def test_a_long_table_ends_where_a_file_has_all(
    many: Path, net: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["predict", net, str(many), *TRUST, "--out", str(tmp_path / "p.csv")]) == 0
    shown = capsys.readouterr().out
    assert "\n49.png  " in shown
    assert "\n50.png  " not in shown
    assert "the first 50 of 70" in shown
    assert main(["predict", net, str(many), *TRUST]) == 0
    assert "\n69.png  " in capsys.readouterr().out


@pytest.mark.parametrize("flags", [[], ["--fold"]])
def test_the_network_is_on_the_gpu_before_it_is_made_faster(
    flags: list[str], many: Path, net: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    done: list[str] = []

    def moved(trained: Trained) -> Trained:
        done.append("moved")
        return trained

    def faster(network: nn.Module, *_: object, **__: object) -> nn.Module:
        done.append("faster")
        return network

    monkeypatch.setattr("lit_cnn.evaluation.trained.on_device", moved)
    monkeypatch.setattr("lit_cnn.exporting.inference.faster_network", faster)
    assert main(["predict", net, str(many / "01.png"), *TRUST, "--json", *flags]) == 0
    assert done == ["moved", "faster"][: 1 + len(flags)]
    assert len(json.loads(capsys.readouterr().out)) == 1


def test_flags_may_stand_anywhere(many: Path, net: str, capsys: pytest.CaptureFixture[str]) -> None:
    files = [str(many / "01.png"), str(many / "02.png")]
    for line in (["--json", net, *files], [net, "--json", *files], [net, files[0], "--json", files[1]]):
        assert main(["predict", *line, *TRUST]) == 0
        assert [row["file"] for row in json.loads(capsys.readouterr().out)] == files


@pytest.mark.slow
def test_an_error_in_the_middle_loses_nothing(
    many: Path, net: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    logits, batches = Trained.logits, []

    def failing(self: Trained, images: object) -> object:
        batches.append(images)
        if len(batches) == 2:
            raise ValueError("the network failed")
        return logits(self, images)  # type: ignore[arg-type]

    monkeypatch.setattr(Trained, "logits", failing)
    assert main(["predict", net, str(many), *TRUST, "--json"]) == 1
    shown = capsys.readouterr()
    assert "the network failed" in shown.err
    assert len(json.loads(shown.out)) == 32


@pytest.mark.parametrize("flags", [["--top-k", "0"], ["--workers", "-1"], ["--min-probability", "1.5"]])
def test_impossible_numbers_are_refused(flags: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["predict", "x.ckpt", "x.png", *flags])
    assert stop.value.code == 2
    assert flags[0] in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["predict", "x.ckpt"])


@pytest.mark.parametrize("old", [False, True])
def test_ctrl_c_keeps_what_was_predicted(
    many: Path,
    net: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    old: bool,
) -> None:
    """At the third batch, with an older file of the name or without."""
    logits, batches = Trained.logits, []

    def stopped(self: Trained, images: object) -> object:
        batches.append(images)
        if len(batches) == 3:
            raise KeyboardInterrupt
        return logits(self, images)  # type: ignore[arg-type]

    monkeypatch.setattr(Trained, "logits", stopped)
    if old:
        (tmp_path / "p.csv").write_text("old")
    assert main(["predict", net, str(many), *TRUST, "--out", str(tmp_path / "p.csv"), "--json"]) == 130
    written = tmp_path / ("p.csv.partial" if old else "p.csv")
    shown = capsys.readouterr()
    assert shown.err == f"lit-cnn: stopped by SIGINT: 64 of 70 images are predicted, in {written}\n"
    assert [(Path(row["file"]).name, row["class1"]) for row in rows(written)] == named(64)
    assert [Path(row["file"]).name for row in json.loads(shown.out)] == [name for name, _ in named(64)]
    if old:
        assert (tmp_path / "p.csv").read_text() == "old"


@pytest.mark.parametrize("workers", ["0", pytest.param("2", marks=pytest.mark.slow)])
@pytest.mark.parametrize(
    "number",
    [
        pytest.param(signal.SIGINT, marks=pytest.mark.slow),
        pytest.param(signal.SIGTERM, marks=pytest.mark.slow),
        pytest.param(signal.SIGKILL, marks=pytest.mark.slow),
    ],
)
def test_a_killed_process_leaves_what_it_predicted(
    many: Path, net: str, tmp_path: Path, number: signal.Signals, workers: str
) -> None:
    """Killed with all its processes, as a terminal does it, while it waits for a file that never ends."""
    (many / "64.png").unlink()
    os.mkfifo(many / "64.png")
    outs = [tmp_path / "p.csv", tmp_path / "p.json"]
    command = [sys.executable, "-m", "lit_cnn.cli.main", "predict", net, str(many), *TRUST, "--workers", workers]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, (Path.cwd(), Path(__file__).parent)))}
    with subprocess.Popen(
        [*command, "--out", str(outs[0]), "--out", str(outs[1])],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        deadline = time.monotonic() + 60
        while process.poll() is None and not (outs[1].is_file() and "63.png" in outs[1].read_text()):
            if time.monotonic() > deadline:
                process.kill()
                raise AssertionError("64 images take no minute")
            time.sleep(0.02)
        os.killpg(process.pid, number)
        _, said = process.communicate(timeout=60)
    assert process.returncode == (130 if number == signal.SIGINT else -number)
    if number == signal.SIGINT:
        assert said == f"lit-cnn: stopped by SIGINT: 64 of 70 images are predicted, in {outs[0]} and {outs[1]}\n"
    assert [(Path(row["file"]).name, row["class1"]) for row in rows(outs[0])] == named(64)
    assert [(Path(row["file"]).name, row["classes"][0]) for row in json.loads(outs[1].read_text())] == named(64)
