"""Every command that prints a table prints it as JSON and as Markdown, too, and in a terminal within its width."""

import json
import re
import sys
from pathlib import Path

import pytest
from fake_search import FIT
from fitted_run import FittedRun
from made_choice import make_choice
from made_runs import make_runs
from one_in import one_in
from rich.cells import cell_len
from tiny_layouts import Tiny, write_voc

from lit_cnn.benchmarking.race import GEMM
from lit_cnn.choosing.chosen import Chosen
from lit_cnn.cli.main import COMMANDS, main
from lit_cnn.pretrained.references import Reference
from lit_cnn.sweeps.trials import Fit

WITHOUT_TABLE = {"completion", "config", "data", "import", "init", "pull", "push", "report"}
"""Commands that print a script, a recipe, or lines, though one below config has both forms."""
FAKE_FIT = """
import os, pathlib, sys
run = pathlib.Path(os.environ["LIT_CNN_RUN_DIR"])
(run / "metrics.csv").write_text("epoch,step,val/acc1\\n0,1,0.8273\\n")
"""
IN_SECONDS = {
    "models": ["models", "efficientnet_v2*", "--sort", "top1"],
    "models show": ["models", "show", "cifar_resnet20", "cifar_vgg8"],
    "recipes": ["recipes", "*resnet*"],
    "recipes of a kind": ["recipes", "overlays/*"],
    "recipes with a name": ["recipes", "rand_augment_resnet50"],
    "profile of several": ["profile", "cifar_resnet?", "cifar_vgg8", "--counts-only", "--image-size", "32", "64"],
    "profile of one": ["profile", "cifar_resnet20", "--layers", "--counts-only"],
    "compare --list": ["compare", "--list", "resnet50"],
    "compare with own": ["compare", "{run}", "--no-speed", "--data", "{images}/val"],
    "compare runs": ["compare", "{runs}"],
    "parity": ["parity", "resnet18"],
    "parity --list": ["parity", "--list"],
    "config diff": ["config", "diff", "quickstart", "small/resnet50"],
    "fit --keys": ["fit", "--keys", "model.optimizer"],
    "validate": ["validate", "{run}"],
    "validate with more": ["validate", "{run}", "--per-class", "--views", "flip"],
    "test": ["test", "{run}"],
    "predict": ["predict", "{run}", "{images}/val"],
    "ensemble": ["ensemble", "{run}/checkpoints/best.ckpt", "{run}/checkpoints/last.ckpt"],
    "calibrate": ["calibrate", "{run}"],
    "corruptions": ["corruptions", "{run}", "--kinds", "gaussian_noise", "fog", "--severities", "1", "3"],
    "check": ["check", "{run}"],
    "check of boxes": ["check", "{boxes}"],
    "explain": ["explain", "{run}", "{images}/val/red", "--limit", "1", "--out", "{sweep}/explained"],
    "localize": ["localize", "{run}", "--data", "{boxed}", "--limit", "1", "--out", "{sweep}/localized"],
    "export": ["export", "{run}", "--format", "safetensors", "--out", "{sweep}.safetensors"],
    "sweep": ["sweep", "--sweep-dir", "{sweep}", "--report"],
    "reproduce": ["reproduce"],
    "reproduce --list": ["reproduce", "identity", "augmentation", "--list"],
    "reproduce of one": ["reproduce", "inverted_bottleneck", "--results", "{sweep}/claims"],
    "search show": ["search", "show", "{search}"],
    "scale": ["scale", "cifar_resnet8", "--phi", "1"],
    "choose": ["choose", "--data", "{images}", "--out", "{choice}"],
}
"""Name -> a command line that ends soon."""
MEASURING = {
    "profile with times": ["profile", "cifar_resnet8", "cifar_resnet20", "--repeats", "1", "--batch-size", "2"],
    "scale --table": ["scale", "efficientnet_b0", "--table"],
    "profile with a table": ["profile", "cifar_resnet8", "--repeats", "1", "--latency-table", "{sweep}.json"],
    "bench": ["bench", "cifar_resnet8", "--image-size", "8", "16", "--rounds", "1", "--batch-size", "2"],
}
"""Name -> a command line that takes a few seconds."""
NAMES = [*IN_SECONDS, *(pytest.param(name, marks=pytest.mark.slow) for name in MEASURING)]


@pytest.fixture(scope="module")
def chosen(places: dict[str, str]) -> Chosen:
    """What ``choose`` would have found."""
    Path(places["choice"]).mkdir()
    return make_choice(Path(places["choice"]))


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch, chosen: Chosen) -> None:
    monkeypatch.setattr("lit_cnn.cli.choose.choose", lambda *_: (chosen, 0))
    row = Reference("resnet18", "torchvision", "resnet18", image_size=32, quick=True)
    monkeypatch.setattr("lit_cnn.pretrained.parity.REFERENCES", (row,))
    monkeypatch.setitem(GEMM, "cpu", 64)


@pytest.fixture(scope="module")
def places(fitted: FittedRun, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A run, its images, a sweep of two trials, a search of three, six runs of two settings, and images with boxes:
    of objects, and of a class of the run."""
    folder = tmp_path_factory.mktemp("sweeps")
    (folder / "fake.py").write_text(FAKE_FIT)
    (folder / "blocks.yaml").write_text("search: {space: blocks, strategy: random}\n")
    (folder / "space.yaml").write_text("keys: {data.rand_augment.layers: {choices: [1, 2]}}\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            "lit_cnn.sweeps.folder.Fit",
            lambda recipe, rest: Fit(recipe, rest, (sys.executable, "-S", str(folder / "fake.py"))),
        )
        words = ["--config", str(fitted.recipe), "--space", str(folder / "space.yaml"), "--process-per-trial"]
        assert main(["sweep", *words, "--sweep-dir", str(folder / "s")]) == 0
        patch.setattr("lit_cnn.cli.search.starter", lambda *_: FIT)
        words = [str(fitted.recipe), "--config", str(folder / "blocks.yaml"), "--search-dir", str(folder / "searched")]
        assert main(["search", *words, "--search.evaluations", "3"]) == 0
    places = {"run": fitted.folder, "images": fitted.images, "sweep": folder / "s", "search": folder / "searched"}
    places["choice"] = folder / "choice"
    places["runs"] = make_runs(folder / "runs", {0.1: [0.8, 0.82, 0.84], 0.2: [0.9, 0.91, 0.95]})
    places["boxes"] = write_voc(folder / "boxes")
    places["boxed"] = write_voc(folder / "boxed", {"train": [Tiny("a", boxes=[("blue", 8, 8, 40, 40)])]})
    return {name: str(place) for name, place in places.items()}


def printed(name: str, places: dict[str, str], capsys: pytest.CaptureFixture[str], *flags: str) -> str:
    capsys.readouterr()
    assert main([*(word.format(**places) for word in (IN_SECONDS | MEASURING)[name]), *flags]) == 0
    return capsys.readouterr().out


@pytest.mark.slow
def test_every_command_with_a_table_has_both_forms(capsys: pytest.CaptureFixture[str]) -> None:
    tried = {words[0] for words in (IN_SECONDS | MEASURING).values()} | {"tune"}
    assert set(COMMANDS) - WITHOUT_TABLE == tried - WITHOUT_TABLE
    for command in set(COMMANDS) - WITHOUT_TABLE:
        with pytest.raises(SystemExit) as stop:
            main([command, "--help"])
        assert stop.value.code == 0
        text = capsys.readouterr().out
        assert "--json" in text, command
        assert "--markdown" in text, command


@pytest.mark.parametrize("name", one_in(2, NAMES))
def test_json_is_one_document_and_alone(name: str, places: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    assert json.loads(printed(name, places, capsys, "--json"))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.slow
def test_markdown_is_whole_tables(name: str, places: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    text = printed(name, places, capsys, "--markdown")
    tables = re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE)
    assert tables
    for table in tables:
        header, rule, *rows = (re.split(r"(?<!\\)\|", line) for line in table.splitlines())
        assert rows
        assert all(re.fullmatch("-+:?", cell) for cell in rule[1:-1])
        assert {len(row) for row in (header, rule, *rows)} == {len(header)}
    assert "\x1b" not in text


@pytest.mark.slow
@pytest.mark.parametrize("width", [80, pytest.param(120, marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", NAMES)
def test_a_terminal_gets_no_line_that_is_wider(
    name: str,
    width: int,
    places: dict[str, str],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    text = re.sub(r"\x1b\[[0-9;]*m", "", printed(name, places, capsys))
    paths = tuple(places.values())  # lines that hold one are not broken, so that it can be copied
    wide = [line for line in text.splitlines() if cell_len(line) > width and not any(path in line for path in paths)]
    assert wide == []
    assert "…" not in text
