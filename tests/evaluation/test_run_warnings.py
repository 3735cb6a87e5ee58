"""What makes a comparison doubtful is said in a sentence each."""

from pathlib import Path
from typing import Any

import pytest
from made_runs import DATA, ENVIRONMENT, make_run

from lit_cnn.evaluation.run_groups import group_runs
from lit_cnn.evaluation.run_records import read_run
from lit_cnn.evaluation.run_warnings import run_warnings


def warned(folder: Path, *runs: dict[str, Any], metric: str = "val/acc1") -> list[str]:
    read = [read_run(make_run(folder / f"r{number}", **values)) for number, values in enumerate(runs)]
    return run_warnings(read, group_runs(read), metric)


def test_seeds_of_one_recipe_are_beyond_doubt(tmp_path: Path) -> None:
    assert warned(tmp_path, {}, {"seed_everything": 1}) == []


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"classes": ["0", "1", "2"]}, "the classes differ, so the figures are not of the same images: 2 classes in "),
        ({"validation": "given"}, "the validation images come from different places"),
        ({"images": {"train": 100, "val": 30}}, "the numbers of images differ"),
    ],
)
def test_other_data_is_warned_of(values: dict[str, Any], sentence: str, tmp_path: Path) -> None:
    (said,) = warned(tmp_path, {}, {"seed_everything": 1, "data": {**DATA, **values}})
    assert said.startswith(sentence)
    assert "r0" in said
    assert "r1" in said


def test_another_monitor_than_the_metric_is_warned_of(tmp_path: Path) -> None:
    said = warned(tmp_path, {}, {"seed_everything": 1, "monitor": "val/loss"})
    assert said[0] == "val/acc1 is compared, but best.ckpt was chosen by val/loss in 1 of 2 runs"


def test_other_versions_and_machines_are_warned_of(tmp_path: Path) -> None:
    other = {**ENVIRONMENT, "packages": {"lit-cnn": "0.1.0", "torch": "2.13.0"}, "machine": {"cores": 8}}
    assert warned(tmp_path, {}, {"seed_everything": 1, "environment": other}) == [
        "the runs were made with torch 2.13.0 and 2.14.1",
        "the runs were made on different machines, so their times cannot be compared",
    ]


def test_runs_without_a_seed_count_as_one(tmp_path: Path) -> None:
    said = warned(tmp_path, {"seed_everything": None}, {"seed_everything": None}, {"seed_everything": None})
    assert any(text.endswith("record no seed, so they count as one") for text in said)
    assert any("have the same settings and seed" in text for text in said)


def test_what_differs_within_groups_is_said_and_how_runs_are_paired(tmp_path: Path) -> None:
    recipes = [
        {"model__optimizer__name": name, "model__optimizer__learning_rate": rate}
        for name, rate in (("sgd", 0.1), ("sgd", 0.2), ("adam", 0.1), ("adam", 0.2))
    ]
    read = [read_run(make_run(tmp_path / f"r{number}", **values)) for number, values in enumerate(recipes)]
    rate = "model.optimizer.learning_rate"
    (said,) = run_warnings(read, group_runs(read, ["model.optimizer.name"]), "val/acc1")
    assert said == f"within groups there are different values of {rate}; runs are paired by the seed and {rate}"
    (said,) = run_warnings(read[:3], group_runs(read[:3], ["model.optimizer.name"]), "val/acc1")
    assert said.endswith(f"of {rate}; a group's runs of one seed count once, by their mean")
