import json
from pathlib import Path

import pytest
import torch

from lit_cnn.cli.main import main
from lit_cnn.profiling.latency_table import LatencyTable

QUICK = ["--repeats", "1", "--batch-size", "2", "--device", "cpu"]


def test_a_table_is_written_extended_and_its_errors_are_printed(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    path = tmp_path / "new" / "table.json"
    arguments = [*QUICK, "--latency-table", str(path)]
    assert main(["profile", "cifar_resnet20", "--check", "cifar_resnet3?", "--json", *arguments]) == 0
    report = json.loads(capsys.readouterr().out)
    assert [(each["name"], each["used"]) for each in report["networks"]] == [
        ("cifar_resnet20", True),
        ("cifar_resnet32", False),
    ]
    assert report["errors"].keys() == {"used for the table", "not used"}
    assert report["errors"]["not used"]["rank_correlation"] is None
    assert (report["operations"], report["new_operations"]) == (7, 7)
    assert report["condition"]["batch_size"] == 2
    before = LatencyTable.load(path).rows

    assert main(["profile", "cifar_resnet8", "cifar_vgg8", *arguments]) == 0
    out, err = capsys.readouterr()
    assert "cifar_vgg8: measuring" in err
    after = LatencyTable.load(path).rows
    assert before.items() <= after.items()
    assert f"{len(after)} operations, {len(after) - len(before)} of them new" in out
    for words in ("predicted ms", "Kendall tau", "used for the table", "batches of 2", "wall clock"):
        assert words in out


def test_another_condition_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    path = tmp_path / "table.json"
    assert main(["profile", "cifar_resnet8", *QUICK, "--latency-table", str(path)]) == 0
    written = path.read_bytes()
    assert main(["profile", "cifar_resnet8", "--batch-size", "3", "--latency-table", str(path)]) == 1
    assert "was measured with batch_size 2, but here it is 3" in capsys.readouterr().err
    assert path.read_bytes() == written


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--check", "cifar_resnet20"], "--check belongs to a latency table: add --latency-table FILE"),
        (["--clock", "processor"], "--clock belongs to a latency table"),
        (["--latency-table", "{folder}/t.txt"], "t.txt ends in .txt, but .json is expected"),
        (["--latency-table", "{folder}/t.json", "--layers"], "--latency-table and --layers cannot be used at once"),
        (["--latency-table", "{folder}/t.json", "--counts-only"], "--latency-table and --counts-only cannot be used"),
        (["--latency-table", "{folder}/t.json", "--check", "cifar_vgg9"], "did you mean 'cifar_vgg8'?"),
        (["--latency-table", "{folder}/t.json", "--check", "cifar_vgg8"], "cifar_vgg8 at 32 px cannot be predicted"),
        (["--latency-table", "{folder}/t.json", "--repeats", "0"], "repeats must be at least 1, got 0"),
    ],
)
def test_errors_are_one_sentence(
    arguments: list[str], sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    assert main(["profile", "cifar_resnet8", *(each.format(folder=tmp_path) for each in arguments)]) == 1
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("lit-cnn:")]
    assert len(lines) == 1
    assert sentence in lines[0]
    assert not (tmp_path / "t.json").exists()


def test_the_processor_clock_is_for_one_thread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.setattr(torch, "get_num_threads", lambda: 2)
    arguments = ["--latency-table", str(tmp_path / "t.json"), "--clock", "processor", "--device", "cpu"]
    assert main(["profile", "cifar_resnet8", *arguments]) == 1
    assert "set OMP_NUM_THREADS=1" in capsys.readouterr().err
