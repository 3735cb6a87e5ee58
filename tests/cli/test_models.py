import json
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from lit_cnn.architectures.catalog import CATALOG, find_entry
from lit_cnn.cli.main import main


def test_list_filters_and_sorts(capsys) -> None:
    assert main(["models", "resnet_rs*", "--sort", "params", "--max-params", "90", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [row["name"] for row in rows] == ["resnet_rs_50", "resnet_rs_101", "resnet_rs_152"]


@pytest.mark.slow
def test_show_prints_stages_figures_options_and_deviations(capsys) -> None:
    assert main(["models", "show", "resnet50"]) == 0
    out = capsys.readouterr().out
    for word in ("stage5", "2048 × 7 × 7", "25,557,032", "3,800 M", "+7.6 %", "50 learnable layers", "75.30 %"):
        assert word in out
    assert "stride_in='3x3'" in out
    assert find_entry("resnet50").deviations[0][:60] in " ".join(out.split())


def test_show_says_when_nothing_deviates(capsys) -> None:
    assert main(["models", "show", "cifar_resnet20"]) == 0
    assert "deviations from the paper: none" in capsys.readouterr().out


def test_show_as_json(capsys) -> None:
    assert main(["models", "show", "cifar_resnet20", "--json"]) == 0
    row = json.loads(capsys.readouterr().out)
    assert sum(stage["params"] for stage in row["stages"]) == row["params"] == 269_722
    assert row["option_defaults"]["shortcut"] == "zero_pad"
    assert row["against_paper"]["params"]["paper_millions"] == 0.27


def test_unknown_name_is_one_sentence(capsys) -> None:
    assert main(["models", "show", "resnet5O"]) == 1
    assert capsys.readouterr().err.strip().endswith("did you mean 'resnet50'?")


@pytest.mark.slow
def test_listing_imports_no_profiling() -> None:
    program = (
        "import sys; from lit_cnn.cli.main import main; main(['models', 'resnet18', '--json']);"
        "print([name for name in sys.modules if 'profiling' in name or name.split('.')[0] in ('matplotlib', 'rich')])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_markdown_sheet_has_the_papers_columns_and_every_deviation(capsys: pytest.CaptureFixture) -> None:
    assert main(["models", "--markdown"]) == 0
    lines = capsys.readouterr().out.splitlines()
    header = lines[0].strip("| ").split(" | ")
    resnet = next(line for line in lines if line.startswith("| resnet_rs_152 |")).strip("| ").split(" | ")
    values = dict(zip(header, resnet, strict=True))
    assert (values["params (M)"], values["paper params (M)"]) == ("86.62", "87")
    assert (values["madds (M)"], values["paper madds (M)"]) == ("15,528", "15,500")
    last = next(number for number, line in enumerate(lines) if line.startswith("Free choices"))
    deviations = [line for line in lines[:last] if line.startswith("- ")]
    assert len(deviations) == sum(len(entry.deviations) for entry in CATALOG)


def test_the_best_stand_first_within_their_task(capsys: pytest.CaptureFixture) -> None:
    assert main(["models", "--sort", "top1", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    for task, classes in (("imagenet", 1000), ("cifar", 10)):
        accuracies = [row["paper"]["top1"] for row in rows if row["num_classes"] == classes]
        stated = [value for value in accuracies if value is not None]
        assert accuracies == sorted(stated, reverse=True) + [None] * (len(accuracies) - len(stated))
        assert main(["models", "--sort", "top1", "--task", task, "--json"]) == 0
        assert [row["paper"]["top1"] for row in json.loads(capsys.readouterr().out)] == accuracies
    assert main(["models", "--sort", "top1"]) == 0
    assert "cannot be compared" in capsys.readouterr().out
    assert main(["models", "--sort", "top1", "--task", "cifar"]) == 0
    assert "cannot be compared" not in capsys.readouterr().out


def test_a_misspelt_name_gets_the_nearest_and_a_pattern_none(capsys: pytest.CaptureFixture) -> None:
    for arguments, sentence in (
        (["resnet5O"], "no architecture matches 'resnet5O'; did you mean 'resnet50'?"),
        (["lenet*"], "no architecture matches 'lenet*'; `lit-cnn models` lists all"),
        (["vgg16", "--max-params", "1"], "within these limits"),
    ):
        assert main(["models", *arguments]) == 1
        assert sentence in capsys.readouterr().err


@pytest.mark.slow
def test_several_networks_are_shown(capsys: pytest.CaptureFixture) -> None:
    assert main(["models", "show", "cifar_resnet?", "cifar_resnet20", "--json"]) == 0
    assert [row["name"] for row in json.loads(capsys.readouterr().out)] == ["cifar_resnet8", "cifar_resnet20"]


@pytest.mark.slow
def test_the_front_is_drawn(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    assert main(["models", "efficientnet_*", "cifar_resnet*", "--plot", str(tmp_path / "front.png")]) == 0
    with Image.open(tmp_path / "front.png") as image:
        assert image.width > 1000
    assert main(["models", "vgg16_bn", "--plot", str(tmp_path / "none.png")]) == 1
    assert "has an accuracy in its paper" in capsys.readouterr().err
