"""Runs fall into groups by what differs, and are paired by what they share."""

from pathlib import Path

import pytest
from made_runs import DATA, make_run

from lit_cnn.evaluation.run_groups import ALL, group_runs
from lit_cnn.evaluation.run_records import RunRecord, read_run

RATE = "model.optimizer.learning_rate"


def runs_of(folder: Path, *recipes: dict) -> list[RunRecord]:
    return [read_run(make_run(folder / str(number), **values)) for number, values in enumerate(recipes)]


def test_the_keys_that_differ_make_groups_and_the_seed_does_not(tmp_path: Path) -> None:
    recipes = [{"model__optimizer__learning_rate": rate, "seed_everything": seed, "data__seed": seed}
               for rate in (0.1, 0.2) for seed in (0, 1)]  # fmt: skip
    grouping = group_runs(runs_of(tmp_path, *recipes))
    assert grouping.keys == grouping.named == (RATE,)
    assert grouping.labels == ("learning_rate=0.1", "learning_rate=0.1", "learning_rate=0.2", "learning_rate=0.2")
    assert grouping.blocks[0] == grouping.blocks[2] != grouping.blocks[1] == grouping.blocks[3]
    assert grouping.settings["learning_rate=0.2"] == {RATE: 0.2}


def test_where_a_run_happens_makes_no_group(tmp_path: Path) -> None:
    recipes = [{"data__workers": 2, "data__path": "/a"}, {"seed_everything": 1, "data__path": "/b"}]
    grouping = group_runs(runs_of(tmp_path, *recipes))
    assert (grouping.keys, grouping.labels) == ((), (ALL, ALL))


def test_other_data_in_another_place_makes_a_group(tmp_path: Path) -> None:
    recipes = [{"data__path": "/a"}, {"data__path": "/b", "data": {**DATA, "images": {"train": 7}}}]
    runs = runs_of(tmp_path, *recipes)
    assert group_runs(runs).labels == ("path=/a", "path=/b")


def test_labels_name_as_few_keys_as_tell_groups_apart_and_the_architecture_first(tmp_path: Path) -> None:
    recipes = [
        {"data__batch_size": 32, "model__architecture": "a"},
        {"data__batch_size": 64, "model__architecture": "b"},
        {"data__batch_size": 64, "model__architecture": "b", "model__optimizer__name": "adam"},
    ]
    grouping = group_runs(runs_of(tmp_path, *recipes))
    assert set(grouping.keys) == {"data.batch_size", "model.architecture", "model.optimizer.name"}
    assert grouping.named == ("model.architecture", "model.optimizer.name")
    assert grouping.labels == (
        "architecture=a, optimizer=sgd",
        "architecture=b, optimizer=sgd",
        "architecture=b, optimizer=adam",
    )


def test_a_given_key_groups_and_what_varies_within_pairs(tmp_path: Path) -> None:
    recipes = [{"model__optimizer__name": name, "model__optimizer__learning_rate": rate}
               for name in ("sgd", "adam") for rate in (0.1, 0.2)]  # fmt: skip
    grouping = group_runs(runs_of(tmp_path, *recipes), ["model.optimizer.name"])
    assert (grouping.keys, grouping.within) == (("model.optimizer.name",), (RATE,))
    assert grouping.paired == (RATE,)
    assert grouping.labels == ("optimizer=sgd", "optimizer=sgd", "optimizer=adam", "optimizer=adam")
    assert grouping.blocks[0] == grouping.blocks[2] != grouping.blocks[1]


def test_a_key_that_goes_with_the_groups_does_not_keep_pairs_apart(tmp_path: Path) -> None:
    recipes = [{"model__optimizer__name": "sgd", "model__optimizer__learning_rate": 0.1},
               {"model__optimizer__name": "adam", "model__optimizer__learning_rate": 0.2}]  # fmt: skip
    grouping = group_runs(runs_of(tmp_path, *recipes), ["model.optimizer.name"])
    assert (grouping.within, grouping.blocks[0]) == ((), grouping.blocks[1])


def test_values_that_groups_do_not_share_pair_nothing(tmp_path: Path) -> None:
    recipes = [{"model__optimizer__name": name, "model__optimizer__learning_rate": rate}
               for name, rate in (("sgd", 0.1), ("sgd", 0.2), ("adam", 0.01))]  # fmt: skip
    grouping = group_runs(runs_of(tmp_path, *recipes), ["model.optimizer.name"])
    assert (grouping.within, grouping.paired, len(set(grouping.blocks))) == ((RATE,), (), 1)


def test_a_section_means_its_keys_that_differ(tmp_path: Path) -> None:
    runs = runs_of(tmp_path, {}, {"model__optimizer__name": "adam", "data__batch_size": 1})
    assert group_runs(runs, ["model.optimizer"]).keys == ("model.optimizer.name",)


def test_keys_that_group_nothing_are_refused(tmp_path: Path) -> None:
    runs = runs_of(tmp_path, {}, {"data__batch_size": 1})
    with pytest.raises(ValueError, match=r"no such key; did you mean model\.optimizer\.name\?"):
        group_runs(runs, ["model.optimiser.name"])
    with pytest.raises(ValueError, match=r"no such key; did you mean model\.optimizer\.learning_rate\?"):
        group_runs(runs, ["lr"])
    with pytest.raises(ValueError, match=r"the same in all these runs; those that differ are: data\.batch_size"):
        group_runs(runs, ["model"])
    with pytest.raises(ValueError, match="leaves no runs to take a mean of"):
        group_runs(runs, ["seed_everything"])
