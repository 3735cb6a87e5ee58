import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from lit_cnn.architectures.catalog import create_model, find_entry
from lit_cnn.cli.main import main
from lit_cnn.cli.profile import conditions
from lit_cnn.profiling.timing import TimingSettings, measure

QUICK = ["--repeats", "1", "--batch-size", "2", "--device", "cpu"]


@pytest.mark.slow
def test_one_network_prints_stages_totals_and_speed(capsys) -> None:
    assert main(["profile", "cifar_resnet20", *QUICK]) == 0
    out, err = capsys.readouterr()
    for word in ("stem", "stage4", "269,722", "40,551,040", "images / s", "peak memory", "1 inference, 1 training"):
        assert word in out
    assert "features.stem.conv" not in out
    assert "measuring training" in err


@pytest.mark.slow
def test_layers_have_rows_with_times(capsys) -> None:
    assert main(["profile", "cifar_resnet20", "--layers", *QUICK]) == 0
    out = capsys.readouterr().out
    assert "features.stem.conv" in out
    assert "1 layer passes" in out


@pytest.mark.slow
def test_json_carries_counts_conditions_and_measures(capsys) -> None:
    assert main(["profile", "cifar_resnet20", "--json", "--precision", "bf16-mixed", "--image-size", "40", *QUICK]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert (row["image_size"], row["params"]) == (40, 269_722)
    assert row["madds"] > 40_551_040
    assert sum(row["by_kind"]["madds"].values()) == row["madds"]
    assert row["timing"]["settings"]["precision"] == "bf16-mixed"
    assert row["timing"]["training"]["images_per_second"] > 0
    assert row["timing"]["inference"]["repeats"] == 1


@pytest.mark.slow
def test_several_networks_make_one_table_and_one_picture(tmp_path: Path, capsys) -> None:
    picture = tmp_path / "budget.png"
    assert main(["profile", "resnet18", "cifar_resnet20", "--counts-only", "--plot", str(picture)]) == 0
    out = capsys.readouterr().out
    assert "11.69" in out
    assert "1,814" in out
    assert "images/s" not in out
    with Image.open(picture) as image:
        assert image.width > 1000


@pytest.mark.slow
def test_patterns_and_several_sizes_make_a_row_each_and_ratios_are_over_the_first(capsys) -> None:
    arguments = ["--image-size", "32", "64", "mobilenet_v1", "conv_mobilenet", "mobilenet_v1_0.5*"]
    assert main(["profile", *arguments, "--counts-only", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    names = ["mobilenet_v1", "conv_mobilenet", "mobilenet_v1_0.5"]
    assert [(row["name"], row["image_size"]) for row in rows] == [(name, size) for name in names for size in (32, 64)]
    assert main(["profile", "mobilenet_v1", "conv_mobilenet", "--counts-only"]) == 0
    header, _, *lines, _ = [re.split(" {2,}", line) for line in capsys.readouterr().out.splitlines()]
    ratios = [dict(zip(header, line, strict=True))["madds ratio"] for line in lines]
    assert ratios == ["1.00", f"{find_entry('conv_mobilenet').madds / find_entry('mobilenet_v1').madds:.2f}"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["resnet5O"], "there is no architecture 'resnet5O' in the catalog; did you mean 'resnet50'?"),
        (["resnet18", "--device", "cuda:99"], "device 'cuda:99' is not available: this machine has"),
        (["alexnet", "--image-size", "20"], "needs images of at least"),
        (["lenet*"], "no architecture matches 'lenet*'"),
        (["resnet18", "--image-size", "64", "0"], "--image-size must be at least 1, got 0"),
        (["resnet18", "--batch-size", "0"], "batch_size must be at least 1, got 0"),
    ],
)
def test_errors_are_one_sentence(arguments: list[str], sentence: str, capsys) -> None:
    assert main(["profile", *arguments]) == 1
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("lit-cnn:")]
    assert len(lines) == 1
    assert sentence in lines[0]


@pytest.mark.slow
def test_a_busy_machine_is_said(monkeypatch) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: 4)
    monkeypatch.setattr("os.getloadavg", lambda: (3.5, 0.0, 0.0))
    timing = measure(lambda: create_model("cifar_resnet20"), TimingSettings(batch_size=2, image_size=32, repeats=1))
    assert "load average 3.5 on 4 cores" in conditions([timing])
    more = replace(timing, inference=replace(timing.inference, repeats=7))
    assert "1 to 7 inference, 1 training passes" in conditions([timing, more])
    monkeypatch.setattr("os.cpu_count", lambda: 16)
    assert "busy" not in conditions([timing])
