"""``lit-cnn choose`` on tiny images: what it refuses, and a whole choice that is killed and continued."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
from made_choice import make_choice, make_images, make_weights

from lit_cnn.choosing.candidates import Candidate
from lit_cnn.choosing.head_starts import HeadStart
from lit_cnn.cli.choose import better_of, choice_tables, make_parser, name_of, wishes_of
from lit_cnn.cli.main import main
from lit_cnn.cli.tables import lines

FIGURES = {"latency_ms": 5.0, "memory_mb": 20.0, "step_ms": 20.0, "image_ms": 1.0}


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Candidates that were measured; a larger network is slower."""
    names: list[str] = []

    def measure(candidate: Candidate, *_: object) -> dict[str, float]:
        names.append(candidate.name)
        return {**FIGURES, "latency_ms": float(len(candidate.architecture))}

    monkeypatch.setattr("lit_cnn.choosing.sifting.measure_candidate", measure)
    return names


def said(capsys: pytest.CaptureFixture[str]) -> str:
    return capsys.readouterr().err.strip().splitlines()[-1]


def test_what_no_candidate_keeps_is_refused_before_training(
    tmp_path: Path, measured: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    images = make_images(tmp_path / "images")
    words = ["choose", "--data", str(images), "--pretrained", "none", "--out", str(tmp_path / "out")]
    assert main([*words, "--networks", "cifar_resnet8", "cifar_vgg8", "--max-params", "10k"]) == 1
    assert "none of 2 candidates is within the limits (parameters 10k)" in said(capsys)
    assert measured == []
    assert main([*words, "--networks", "cifar_resnet8", "cifar_vgg8", "--max-latency-ms", "2"]) == 1
    assert "cifar_vgg8-16 has 10 ms latency, more than 2 ms" in said(capsys)
    assert sorted(measured) == ["cifar_resnet8-16", "cifar_vgg8-16"]


def test_a_budget_that_is_too_small_is_refused_before_training_and_may_grow(
    tmp_path: Path, measured: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    images = make_images(tmp_path / "images")
    words = ["choose", "--data", str(images), "--pretrained", "none", "--out", str(tmp_path / "out")]
    words += ["--networks", "cifar_resnet8", "cifar_resnet20"]
    assert main([*words, "--budget", "5s"]) == 1
    assert "is too small to compare 2 of 2 candidates" in said(capsys)
    assert main([*words, "--budget", "6s"]) == 1
    assert "the budget of 6s" in said(capsys)
    assert len(measured) == 2, "what was measured is kept"
    assert not (tmp_path / "out" / "rungs").exists()


def test_a_wrong_budget_or_network_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["choose", "--data", "x", "--budget", "soon"])
    assert "90s, 20m or 1.5h" in capsys.readouterr().err
    images = make_images(tmp_path / "images")
    assert main(["choose", "--data", str(images), "--networks", "resnet-50"]) == 1
    assert "resnet50" in said(capsys)


def test_a_size_or_checkpoint_that_is_named_twice_is_one_candidate(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--data", "images", "--device", "cpu", "--sizes", "16", "32", "16", "--weights", "a", "--weights", "a"]
    wishes = wishes_of(make_parser().parse_args(words))
    assert (wishes.sizes, wishes.weights) == ((16, 32), ("a",))
    for size in ("0", "-8"):
        assert main(["choose", "--data", "images", "--sizes", "16", size]) == 1
        assert said(capsys) == f"lit-cnn: --sizes must be at least 1, got {size}"


def test_a_choice_is_called_as_its_images(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("flowers.v1/train", "sub"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "digits.npz").touch()
    monkeypatch.chdir(tmp_path / "sub")
    names = [name_of(data) for data in (".", "../flowers.v1", "../flowers.v1/train", "../digits.npz", "../sub/")]
    assert names == ["sub", "flowers.v1", "flowers.v1_train", "digits", "sub"]
    assert name_of("..") == tmp_path.name


def test_the_own_split_is_kept_where_one_fold_is_asked_for() -> None:
    words = ["--data", "images", "--device", "cpu"]
    found = [wishes_of(make_parser().parse_args([*words, *more])).folds for more in ([], ["--folds", "1"])]
    assert found == ["auto", "1"]


def test_the_table_marks_the_recommendation_and_says_the_condition(tmp_path: Path) -> None:
    (table,) = choice_tables(make_choice(tmp_path))
    text = "\n".join(line.text for line in lines(table, None))
    assert "→ fast-16" in text
    assert "recommended: fast-16 (2 of 4 candidates tie)" in text
    assert "rejected before training: 1 for their parameters" in text
    assert "a batch of 1 image, precision 32-true, on cpu, 1 thread (" in text


def test_a_training_that_is_no_better_than_its_start_leaves_the_start(tmp_path: Path) -> None:
    told: list[str] = []
    trained, start = make_weights(tmp_path / "trained.ckpt", "cifar_resnet8"), HeadStart("start.ckpt", 0.8)
    rounded = torch.tensor(0.8).item()
    assert rounded > 0.8
    for score, expected in ((0.81, str(trained)), (rounded, "start.ckpt"), (0.7, "start.ckpt")):
        torch.save({**torch.load(trained, weights_only=True), "best_score": score}, trained)
        assert better_of(start, trained, told.append) == expected
    assert told[-1] == "the start start.ckpt is kept: 80.0 %, and 70.0 % after the training"
    assert better_of(None, trained, told.append) == str(trained)


SMALL = ("--networks", "cifar_resnet8", "cifar_resnet20", "--sizes", "16")
LARGE = ("--networks", "resnet50", "vgg16", "vgg19", "--sizes", "224")


def start(images: Path, out: Path, networks: Sequence[str] = SMALL) -> subprocess.Popen[bytes]:
    words = ["choose", "--data", str(images), "--pretrained", "none", "--out", str(out), "--budget", "2m"]
    words += ["--device", "cpu", "--json", "--weights", str(out.parent / "weights.ckpt")]
    with (out.parent / f"{out.name}.log").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "lit_cnn", *words, *networks],
            stdout=log,
            stderr=log,
            start_new_session=True,
            env={**os.environ, "WANDB_MODE": "disabled"},
        )


@pytest.mark.slow
def test_a_choice_that_is_killed_three_times_ends_as_an_uninterrupted_one(tmp_path: Path) -> None:
    images = make_images(tmp_path / "images")
    make_weights(tmp_path / "weights.ckpt", "cifar_resnet8")
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    assert start(images, whole).wait(timeout=600) == 0
    killed.mkdir()
    for name in ("wishes.json", "plan.json"):  # measured times, and so the plan, are never twice the same
        shutil.copyfile(whole / name, killed / name)
    folds = json.loads((whole / "plan.json").read_text())["budget"]["folds"]  # 3 or 5, as fast as the machine is
    for trainings in (1, folds, 2 * folds - 1):
        process, deadline = start(images, killed), time.monotonic() + 300
        while len(list((killed / "rungs").glob("*/metrics.csv"))) < trainings:
            assert process.poll() is None, (tmp_path / "killed.log").read_text()
            assert time.monotonic() < deadline
            time.sleep(0.1)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    workers = [start(images, killed) for _ in range(2)]
    assert [worker.wait(timeout=600) for worker in workers] == [0, 0]
    first, second = (json.loads((folder / "choice.json").read_text()) for folder in (whole, killed))
    assert first["rows"] == second["rows"]
    assert first["recommended"] == second["recommended"]
    for name in sorted(path.name for path in (whole / "answers").glob("*.json")):
        assert json.loads((whole / "answers" / name).read_text()) == json.loads((killed / "answers" / name).read_text())
    assert (killed / "choice.html").is_file()
    started = {row["name"]: row["probe"] for row in second["rows"]}
    assert started["cifar_resnet8-16-pretrained"] is not None
    assert len(list((killed / "starts").glob("*.ckpt"))) == folds
    configs = [file.read_text() for file in (killed / "rungs").glob("*/config.yaml")]
    assert sum("starts/cifar_resnet8-16-pretrained-0.ckpt" in text for text in configs) == 1


@pytest.mark.slow
@pytest.mark.parametrize("seconds", [0.0, 2.0, 6.0])
def test_ctrl_c_while_it_measures_is_one_sentence(tmp_path: Path, seconds: float) -> None:
    """At whichever moment: as the server of processes starts, imports, and measures."""
    make_weights(tmp_path / "weights.ckpt", "cifar_resnet8")
    process = start(make_images(tmp_path / "images"), tmp_path / "out", LARGE)
    deadline = time.monotonic() + 60
    while not (tmp_path / "out" / "wishes.json").exists():
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.05)
    time.sleep(seconds)
    os.killpg(process.pid, signal.SIGINT)
    assert process.wait(timeout=60) == 130
    written = (tmp_path / "out.log").read_text()
    assert written.strip().splitlines()[-1] == "lit-cnn: stopped by SIGINT"
    assert "Traceback" not in written
