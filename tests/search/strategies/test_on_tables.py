"""Strategies on tables of real trained accuracies, against curves that others' minimal implementations gave."""

import functools
import json
import math
import statistics
from collections.abc import Mapping

import pytest
from nasbench_tables import Table, macro_canonical, macro_rows, nb201_code, nb201_rows, read_table, reference_folder

from lit_cnn.search.strategies.catalog import StrategySettings
from lit_cnn.search.strategies.controller import ReinforceSettings
from lit_cnn.search.strategies.evolution import EvolutionSettings
from lit_cnn.search.strategies.local_search import LocalSearchSettings
from lit_cnn.search.strategies.predictor import PredictorSettings
from lit_cnn.search.strategies.random import RandomSettings
from lit_cnn.search.strategies.tpe import TPESettings

SAME_SETTINGS: dict[str, StrategySettings] = {
    "random": RandomSettings(),
    "evolution P10 S3": EvolutionSettings(10, 3, identity=0.0),
    "evolution P20 S5": EvolutionSettings(20, 5, identity=0.0),
    "evolution P30 S10": EvolutionSettings(30, 10, identity=0.0),
    "evolution P50 S10": EvolutionSettings(50, 10, identity=0.0),
    "evolution P100 S25": EvolutionSettings(100, 25, identity=0.0),
    "non-aging P20 S5": EvolutionSettings(20, 5, aging=False, identity=0.0),
    "reinforce lr.01": ReinforceSettings(learning_rate=0.01),
    "reinforce lr.1": ReinforceSettings(learning_rate=0.1),
    "reinforce lr.3": ReinforceSettings(learning_rate=0.3),
    "local search": LocalSearchSettings(repeat=True),
}
"""As the curves were measured: by one worker, without identity mutations, networks that come again trained again."""


@functools.cache
def table(name: str) -> Table:
    folder = reference_folder()
    if folder is None:
        pytest.skip("the tables are not here: LIT_CNN_REFERENCE must name their folder (benchmarks/nasbench_tables.py)")
    return read_table(folder, name)


@functools.cache
def stated(name: str) -> Mapping[str, Mapping]:
    """Strategy -> what its curve is in the table."""
    table(name)
    path = reference_folder() / "nasbench_extract.curves.json"
    if not path.is_file():
        pytest.skip(f"{path} is not here")
    (found,) = (entry for entry in json.loads(path.read_text())["tables"] if entry["table"] == name)
    return {strategy["name"]: strategy for strategy in found["strategies"]}


def curves(name: str, settings: StrategySettings, runs: int, budget: int) -> list[list[float]]:
    """Final accuracies of keyed runs after each evaluation."""
    where = table(name)
    return [where.curve(where.search(settings.build(where.space, budget), budget, seed)) for seed in range(runs)]


def assert_agrees(found: list[list[float]], reference: Mapping, counts: tuple[int, ...]) -> None:
    """Means within 4 standard errors of both, where the stated ones are rounded to 0.01."""
    for count in counts:
        values = [curve[count - 1] for curve in found]
        mean, deviation = reference["mean_and_sd_of_final_accuracy_after"][str(count)]
        error = math.hypot(statistics.stdev(values) / math.sqrt(len(values)), deviation / math.sqrt(reference["runs"]))
        assert abs(statistics.mean(values) - mean) < 4 * error + 0.005, f"after {count} evaluations"


@pytest.mark.parametrize("name", ["macro", "nb201c10"])
@pytest.mark.parametrize("strategy", ["random", "evolution P20 S5"])
def test_the_first_60_evaluations_give_the_stated_accuracy(name: str, strategy: str) -> None:
    assert_agrees(curves(name, SAME_SETTINGS[strategy], 50, 60), stated(name)[strategy], (20, 40, 60))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["macro", "nb201c10", "nb201c100"])
@pytest.mark.parametrize("strategy", SAME_SETTINGS)
def test_the_accuracy_is_the_stated_one(name: str, strategy: str) -> None:
    if strategy not in stated(name):
        pytest.skip(f"{strategy} is not stated for {name}")
    found = curves(name, SAME_SETTINGS[strategy], 60, 150)
    assert_agrees(found, stated(name)[strategy], (20, 40, 60, 100, 150))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["macro", "nb201c10"])
def test_tpe_that_repeats_networks_gives_the_stated_accuracy(name: str) -> None:
    pytest.importorskip("optuna")
    found = curves(name, TPESettings(repeat=True), 10, 150)
    assert_agrees(found, stated(name)["tpe multivariate"], (20, 40, 60, 100, 150))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["macro", "nb201c10"])
@pytest.mark.parametrize(
    "settings",
    [EvolutionSettings(20, 5), LocalSearchSettings(), PredictorSettings("ridge"), PredictorSettings()],
    ids=str,
)
def test_it_beats_random_search_after_150_evaluations(name: str, settings: StrategySettings) -> None:
    runs = 30
    better = [curve[-1] for curve in curves(name, settings, runs, 150)]
    random = [curve[-1] for curve in curves(name, RandomSettings(), runs, 150)]
    error = math.hypot(statistics.stdev(better), statistics.stdev(random)) / math.sqrt(runs)
    assert statistics.mean(better) - statistics.mean(random) > 2 * error


def test_a_population_of_100_is_random_search_for_60_evaluations() -> None:
    where = table("macro")
    evolved, random = (
        where.search(settings.build(where.space, 150), 60, seed=0)
        for settings in (SAME_SETTINGS["evolution P100 S25"], RandomSettings())
    )
    assert evolved == random


def test_the_best_networks_are_the_known_ones() -> None:
    macro, nb201 = table("macro"), table("nb201c10")
    assert (len(macro.finals), len(nb201.finals)) == (3969, 15625)
    assert macro.space.encode(max(macro.finals, key=macro.finals.__getitem__)) == "22212220"
    assert max(nb201.finals.values()) == 89.16
    assert all(macro.space.canonical(point) == point for point in macro.finals)


def test_identities_move_to_the_end_of_their_stage_except_the_first() -> None:
    assert macro_canonical((0, 1, 0, 0, 2, 1, 0, 2)) == (0, 1, 0, 2, 0, 1, 2, 0)


def test_published_tables_are_converted() -> None:
    networks = {
        code: {"test_acc": [50.0, 51.0, 52.5], "mean_acc": 51.2, "std": 1.0, "params": 10, "flops": 20}
        for code in ("00000000", "00000010", "00000001")
    }
    header, *rows = macro_rows(networks)
    assert header == ["code", "acc_seed0", "acc_seed1", "acc_seed2", "params", "madds"]
    assert rows == [["00000000", 50.0, 51.0, 52.5, 10, 20], ["00000010", 50.0, 51.0, 52.5, 10, 20]]
    cell = "|avg_pool_3x3~0|+|nor_conv_1x1~0|skip_connect~1|+|none~0|nor_conv_3x3~1|none~2|"
    assert nb201_code(cell) == "421030"
    names = ("cifar10-val", "cifar10-test", "cifar100-val", "cifar100-test", "imagenet-val", "imagenet-test")
    row = {"arch": 0, "cellstr": cell, **{name: 10.004 * place for place, name in enumerate(names)}}
    assert nb201_rows([row])[1] == ["421030", "0.00", "10.00", "20.01", "30.01", "40.02", "50.02"]


def test_a_curve_is_that_of_the_best_reward() -> None:
    where = Table("toy", None, {}, {(0,): 50.0, (1,): 40.0, (2,): 60.0})
    assert where.curve([((0,), 1.0), ((1,), 3.0), ((2,), 2.0)]) == [50.0, 40.0, 40.0]
