import json
from pathlib import Path

import pytest
import tiny_coco

from lit_cnn.cli.evaluate_boxes import class_table, share
from lit_cnn.cli.main import main
from lit_cnn.detection.metrics import ClassFigures
from lit_cnn.experiment.fit import Run, fit
from lit_cnn.experiment.recipe import Recipe


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    root = tmp_path_factory.mktemp("fruit")
    recipe = tiny_coco.recipe_of(tiny_coco.make_folder(root / "images"), ema={"decay": 0.5})
    return fit(Recipe.load(tiny_coco.write_recipe(root / "fruit.yaml", recipe)), runs=root / "runs")


slow = pytest.mark.slow
quiet = pytest.mark.filterwarnings("ignore:.*does not have many workers.*")


@slow
@quiet
def test_validate_gives_the_runs_own_figures_with_their_protocols(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    best = str(run.folder / "checkpoints" / "best.ckpt") if run.folder else ""
    assert main(["validate", best, "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["val/map"] == pytest.approx(run.best_score, abs=1e-6)
    assert report["images"] == 3
    assert report["protocols"]["val/map50"] == "COCO mAP@.50"
    assert report["ms_per_image"] > 0
    assert [each["name"] for each in report["classes"]] == ["apple", "pear"]
    assert report["data"]["evaluated"] == "val"


@slow
@quiet
def test_test_prints_figures_and_classes(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["test", str(run.folder), "--weights", "raw"]) == 0
    out = capsys.readouterr().out
    assert "COCO mAP@[.50:.95]" in out
    assert "VOC 2007 11-point mAP@.50" in out
    assert "ms per image" in out
    assert "pear" in out


@slow
@quiet
@pytest.mark.parametrize("flags", [["--views", "center"], ["--temperature", "2"], ["--predictions", "a.csv"]])
def test_what_is_for_classifiers_is_refused(run: Run, flags: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["validate", str(run.folder), *flags]) == 1
    assert f"{flags[0]} is for classifiers" in capsys.readouterr().err


@slow
@quiet
@pytest.mark.parametrize("command", [["calibrate"], ["corruptions"], ["ensemble", "{}"]])
def test_commands_for_classifiers_say_what_the_checkpoint_holds(
    run: Run, command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    words = [command[0], str(run.folder), *(word.format(run.folder) for word in command[1:])]
    assert main(words) == 1
    assert "holds a detector, but this needs a classifier" in capsys.readouterr().err


@slow
@quiet
def test_a_finished_run_is_extended(run: Run, tmp_path: Path) -> None:
    assert run.folder is not None
    longer = Recipe.load(run.folder / "config.yaml", overrides={"trainer.max_epochs": 3})
    extended = fit(longer, runs=tmp_path, extend=run.folder)
    assert extended.epochs == 3
    assert extended.folder != run.folder


def test_a_class_without_objects_has_dashes() -> None:
    figures = ClassFigures("pear", 0, 0, 4, -1.0, -1.0, -1.0, -1.0, 0.0)
    assert class_table([figures]).rows == [["pear", "0", "–", "–", "–", "–", "0.000"]]
    assert share(0.8125) == "0.812"
