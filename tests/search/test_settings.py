"""What a search file states becomes typed parts; each mistake is one sentence that names the key."""

import dataclasses
from typing import Any

import pytest

from lit_cnn.search.objectives import Accuracy, LatencyProduct
from lit_cnn.search.settings import Settings, parse_settings
from lit_cnn.search.spaces.catalog import SPACES
from lit_cnn.search.spaces.cells import CellSpace
from lit_cnn.search.spaces.chain import ChainSpace
from lit_cnn.search.strategies.catalog import STRATEGIES
from lit_cnn.search.strategies.evolution import Evolution

STAGE = {
    "stride": 1,
    "convolutions": [{"block": "mbconv", "expansion": 3}],
    "kernels": [3, 5],
    "widths": [16],
    "depths": [1, 2],
}


def test_every_part_is_built_from_what_is_stated() -> None:
    settings = parse_settings(
        {
            "space": {"name": "cells", "blocks": 3, "filters": 8},
            "strategy": {"name": "evolution", "population": 7, "aging": False},
            "objective": {"name": "latency_product", "cost": "madds", "target": "400M"},
            "limits": {"params": "6M"},
            "evaluations": 20,
        },
        "f.yaml",
    )
    space = settings.build_space()
    strategy = settings.build_strategy(space)
    assert space == CellSpace(blocks=3, filters=8)
    assert isinstance(strategy, Evolution)
    assert (strategy.population, strategy.aging) == (7, False)
    assert settings.build_objective() == LatencyProduct("madds", "400M")
    assert settings.build_limits().exceeded({"params": 6.1e6}) is not None
    assert settings.size == 20


def test_a_name_alone_is_short_for_its_mapping() -> None:
    settings = parse_settings({"strategy": "random", "space": "cells", "objective": "accuracy"}, "f.yaml")
    assert settings.strategy == {"name": "random"}
    assert settings.build_objective() == Accuracy()


@pytest.mark.parametrize("name", [name for name in SPACES if name != "chain"])
def test_every_space_is_stated_by_its_name_alone(name: str) -> None:
    space = parse_settings({"space": name}, "f.yaml").build_space()
    point = tuple(0 for _ in space.decisions)
    assert space.decode(space.encode(point)) == space.canonical(point)


def test_a_chain_is_stated_stage_by_stage() -> None:
    stated = {"space": {"name": "chain", "stages": [STAGE], "settings": {"stem": "small"}}}
    space = parse_settings(stated, "f.yaml").build_space()
    assert isinstance(space, ChainSpace)
    assert space.stages[0].depths == (1, 2)
    assert space.settings.stem == "small"


@pytest.mark.parametrize("name", STRATEGIES)
def test_every_strategy_is_stated_by_its_name_alone(name: str) -> None:
    settings = parse_settings({"strategy": name, "space": "blocks"}, "f.yaml")
    assert settings.build_strategy(settings.build_space()) is not None


@pytest.mark.parametrize(
    ("stated", "said"),
    [
        ([], "search must be a mapping"),
        ({"space": "cels"}, "search.space has no name 'cels'; did you mean 'cells'?"),
        ({"space": {"name": "cells", "block": 3}}, "did you mean 'search.space.blocks'?"),
        ({"space": {"name": "cells", "blocks": "many"}}, "search.space.blocks"),
        ({"space": 3}, "search.space must be a mapping such as {name: cells}, not 3"),
        ({"strategy": {"name": "evolution", "population": -3}}, "population is -3 but must be at least 1"),
        ({"evaluations": 0}, "search.evaluations is 0 but must be at least 1"),
        ({"lag": -1}, "search.lag is -1 but must be at least 0"),
        ({"evalutions": 3}, "did you mean 'search.evaluations'?"),
        ({"limits": {"parms": "6M"}}, "did you mean 'search.limits.params'?"),
        ({"limits": "6M"}, "search.limits must be a mapping such as {params: 6M}, not '6M'"),
        ({"pruner": {"min_epochs": 2}}, "search.pruner needs strategy: {name: random}, got evolution"),
    ],
)
def test_mistakes_name_the_file_the_key_and_what_was_expected(stated: Any, said: str) -> None:
    with pytest.raises(ValueError, match=r"^f\.yaml: ") as error:
        parse_settings(stated, "f.yaml")
    assert said in str(error.value)
    assert "\n" not in str(error.value)


def test_random_search_may_prune() -> None:
    settings = parse_settings({"strategy": "random", "pruner": {"min_epochs": 2}}, "f.yaml")
    assert settings.pruner is not None
    assert settings.identity()["search.pruner"]["min_epochs"] == 2


def test_what_a_search_is_stays_when_it_is_stored_and_read() -> None:
    settings = dataclasses.replace(Settings(seeds=2), metric="val/loss")
    again = parse_settings(settings.as_dict(), "f.yaml")
    assert again == settings
    assert again.identity() == settings.identity()
    assert dataclasses.replace(settings, seeds=5).identity() == settings.identity()
    assert dataclasses.replace(settings, evaluations=5).identity() != settings.identity()


def test_a_loss_is_minimized_and_the_reward_maximized() -> None:
    settings = dataclasses.replace(Settings(), metric="val/loss")
    assert (settings.metric_goal, settings.goal) == ("minimize", "maximize")
