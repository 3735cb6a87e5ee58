"""``lit-cnn scale``: what it prints, the recipe it writes, and what it refuses."""

import json
from pathlib import Path

import pytest
import yaml

from lit_cnn.cli.main import main
from lit_cnn.experiment.parser import RecipeCLI

SMALL = ["scale", "cifar_resnet8"]


def printed(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    capsys.readouterr()
    assert main(list(words)) == 0
    return capsys.readouterr().out


def test_a_scaled_network_is_shown_next_to_its_base(capsys: pytest.CaptureFixture[str]) -> None:
    told = json.loads(printed(capsys, *SMALL, "--width", "2", "--depth", "3", "--resolution", "1.5", "--json"))
    assert told["factors"] == {"width": 2, "depth": 3, "resolution": 1.5}
    assert told["base"]["params"] == 75_290
    assert (told["image_size"], told["base"]["image_size"]) == (48, 32)
    assert told["blocks"]["stage3"] == 3 * told["base"]["blocks"]["stage3"]
    assert sum(stage["madds"] for stage in told["stages"]) == told["madds"]
    assert told["madds_times"] == pytest.approx(told["madds"] / told["base"]["madds"])
    text = printed(capsys, *SMALL, "--width", "2")
    assert "cifar_resnet8: width × 2, depth × 1 (rounded up), 32 px" in text
    assert "75,290" in text


@pytest.mark.slow
def test_a_rule_spends_the_wanted_multiply_adds(capsys: pytest.CaptureFixture[str]) -> None:
    told = json.loads(printed(capsys, *SMALL, "--rule", "width_first", "--madds-times", "3", "--json"))
    assert told["madds_times"] == pytest.approx(3, rel=0.05)
    assert told["depth_rounding"] == "nearest"


def test_the_recipe_that_is_written_makes_the_network(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "scaled.yaml"
    told = json.loads(printed(capsys, *SMALL, "--phi", "2", "--config", "quickstart", "--out", str(file), "--json"))
    stated = yaml.safe_load(file.read_text())
    assert stated["data"]["image_size"] == told["image_size"] == 21  # 16 px of the recipe
    assert stated["data"]["source"] == "digits"
    cli = RecipeCLI(["--config", str(file)])
    options = cli.config.model.options
    assert {"width_multiplier": options.width_multiplier, "depth_multiplier": options.depth_multiplier} == told[
        "options"
    ]


@pytest.mark.slow
def test_the_table_of_phi_stands_beside_what_was_released(capsys: pytest.CaptureFixture[str]) -> None:
    rows = json.loads(printed(capsys, "scale", "efficientnet_b0", "--table", "--json"))
    assert [row["formula"]["params"] for row in rows][1:4] == [9_109_994, 12_255_408, 16_350_296]
    assert rows[2]["released"]["params"] == 12_233_232
    assert rows[2]["released"]["implied_phi"]["width"] == pytest.approx(1.91, abs=0.005)
    assert rows[3]["released"] is None


@pytest.mark.slow
def test_the_table_rounds_blocks_as_asked(capsys: pytest.CaptureFixture[str]) -> None:
    table = printed(capsys, *SMALL, "--table", "--depth-rounding", "nearest")
    assert "90,401" in table
    assert "blocks are rounded to the nearest, widths" in " ".join(table.split())


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "state how to scale: --phi, --like, --rule, --width, --depth or --resolution"),
        (["--phi", "1", "--width", "2"], "argument --width: not allowed with argument --phi"),
        (["--rule", "depth"], "--rule and --madds-times go together"),
        (["--table", "--out", "a.yaml"], "--out writes one scaled network"),
        (["--phi", "1", "--data.image_size", "32"], "unrecognized arguments: --data.image_size"),
    ],
)
def test_a_command_line_that_says_nothing_or_two_things_is_refused(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stop:
        main([*SMALL, *words])
    assert stop.value.code == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["scale", "vgg16", "--phi", "1"], "vgg16 takes no width_multiplier and depth_multiplier"),
        (["scale", "efficientnet_b0", "--like", "resnet50"], "no multipliers were released for 'resnet50'"),
        (["scale", "efficientnet_lite0", "--phi", "1"], "or EfficientNet, but no EfficientNet-Lite"),
        ([*SMALL, "--phi", "nan"], "phi is nan but must be a number up to 37.9"),
        ([*SMALL, "--phi", "100000"], "phi is 100000 but must be a number up to 37.9"),
        ([*SMALL, "--width", "nan"], "the factor of width is nan but must be a number up to 1000"),
        ([*SMALL, "--resolution", "inf"], "the factor of resolution is inf but must be a number up to 1000"),
        ([*SMALL, "--rule", "depth", "--madds-times", "1e300"], "the factor of depth is 1e+300"),
        ([*SMALL, "--width", "-1"], "width_multiplier must be a positive number, got -1.0"),
        ([*SMALL, "--phi", "1", "--gamma", "0.9"], "gamma is 0.9 but must be at least 1"),
        ([*SMALL, "--phi", "1", "--out", "a.txt"], "--out a.txt ends in .txt, but .yaml or .yml is expected"),
        ([*SMALL, "--grid", "--step", "0"], "step is 0 but must be above 0 and below 1"),
    ],
)
def test_what_is_impossible_is_one_sentence(words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 1
    assert said in capsys.readouterr().err
