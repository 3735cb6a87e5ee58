"""What holds for every strategy: it is a function of its history, so that workers and kills change nothing."""

import dataclasses
import functools
import inspect
import itertools
import typing

import pytest
from simulated import SETTINGS, Search, Toy, reward_of

from lit_cnn.search.spaces.space import Point
from lit_cnn.search.strategies.catalog import STRATEGIES
from lit_cnn.search.strategies.strategy import FAILED, History, Strategy

BUDGET, LAG = 12, 3
SPACE = Toy()
SLOW = ("reinforce, lstm", "repeating tpe")
"""Whose parts others try as well."""
every_strategy = pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow) if name in SLOW else name for name in SETTINGS]
)


@pytest.fixture(autouse=True)
def optuna(request: pytest.FixtureRequest) -> None:
    if "tpe" in str(request.node.name):
        pytest.importorskip("optuna", reason="TPE is Optuna's")


def made(name: str) -> Strategy:
    return SETTINGS[name].build(SPACE, BUDGET)


def test_every_strategy_of_the_catalog_is_tried_here() -> None:
    assert {type(settings) for settings in SETTINGS.values()} == set(STRATEGIES.values())


@functools.cache
def alone(name: str) -> Search:
    """The search of one worker."""
    return Search(BUDGET, LAG).work(lambda: made(name))


@every_strategy
def test_a_slot_proposes_the_same_whatever_was_asked_before(name: str) -> None:
    search, steady = alone(name), made(name)
    slots = {0: 3, BUDGET // 2: 3, BUDGET - 1: 3}
    asked = [
        list(itertools.islice(steady.proposals(search.history(slot)), slots.get(slot, 1))) for slot in range(BUDGET)
    ]
    assert [points[0] for points in asked] == search.points
    for slot in reversed(slots):
        fresh = itertools.islice(made(name).proposals(search.history(slot)), 3)
        backwards = itertools.islice(steady.proposals(search.history(slot)), 3)
        assert asked[slot] == list(fresh) == list(backwards)


@every_strategy
@pytest.mark.parametrize("workers", [2, LAG + 1])
def test_any_number_of_workers_makes_the_trials_of_one(name: str, workers: int) -> None:
    assert Search(BUDGET, LAG).work(lambda: made(name), workers, order=workers).trials == alone(name).trials


@every_strategy
def test_rewards_are_read_as_soon_as_a_slot_may_know_them(name: str) -> None:
    soon = Search(BUDGET, lag=0).work(lambda: made(name))
    assert (soon.trials == alone(name).trials) == (name == "random")


@every_strategy
def test_a_killed_search_goes_on_as_if_it_had_not_been(name: str) -> None:
    half = Search(BUDGET, LAG).work(lambda: made(name), workers=3, order=1, until=BUDGET // 2)
    assert len(half.points) == BUDGET // 2
    assert half.work(lambda: made(name), workers=2, order=2).trials == alone(name).trials


@every_strategy
def test_another_seed_is_another_search(name: str) -> None:
    assert Search(6, LAG, seed=6).work(lambda: made(name)).points != alone(name).points[:6]


@every_strategy
def test_proposals_are_canonical_points_of_the_space_without_end(name: str) -> None:
    for point in itertools.islice(made(name).proposals(alone(name).history(BUDGET)), 40):
        assert point == SPACE.canonical(point)
        assert all(0 <= option < count for option, count in zip(point, SPACE.counts, strict=True))


@every_strategy
def test_failed_networks_break_nothing(name: str) -> None:
    search = Search(BUDGET, LAG, failing=True).work(lambda: made(name), workers=2)
    assert FAILED in search.rewards.values()
    none = History(tuple(search.points[:5]), (FAILED,) * 5)
    assert len(list(itertools.islice(made(name).proposals(none), 3))) == 3


@every_strategy
def test_a_space_smaller_than_the_budget_is_searched_to_the_end(name: str) -> None:
    small, points = Toy((2, 2)), [(0, 0), (0, 1), (1, 1)] * 2
    history = History(tuple(points), tuple(reward_of(point, slot) for slot, point in enumerate(points)))
    assert next(SETTINGS[name].build(small, 9).proposals(history)) in points


@pytest.mark.parametrize("name", ["random", "local search", "ridge", "gaussian process", "tpe"])
def test_no_network_is_evaluated_twice_while_there_are_others(name: str) -> None:
    small = Toy((3, 3, 2))  # of 12 networks
    points: list[Point] = []
    for _ in range(9):
        history = History(tuple(points), tuple(map(reward_of, points)))
        points.append(next(SETTINGS[name].build(small, 9).proposals(history)))
    assert len(set(points)) == 9


@pytest.mark.parametrize("settings", STRATEGIES.values(), ids=STRATEGIES)
def test_settings_are_plain_values_that_can_be_left_out(settings: type) -> None:
    kinds = typing.get_type_hints(settings)
    for field in dataclasses.fields(settings):
        assert set(typing.get_args(kinds[field.name]) or (kinds[field.name],)) <= {int, float, bool, str, type(None)}
    with pytest.raises(dataclasses.FrozenInstanceError):
        settings().anything = 1
    assert inspect.signature(settings().build).parameters.keys() == {"space", "budget"}


@pytest.mark.parametrize(
    ("name", "values", "message"),
    [
        ("evolution", {"population": 0}, "population is 0 but must be at least 1, or left out"),
        ("evolution", {"sample": -1}, "sample is -1 but must be at least 1"),
        ("evolution", {"identity": 1.5}, "identity is 1.5 but must be a probability"),
        ("reinforce", {"policy": "gru"}, "policy is 'gru' but must be one of independent, lstm"),
        ("reinforce", {"learning_rate": 0.0}, "learning_rate is 0.0 but must be above 0"),
        ("reinforce", {"entropy": -1.0}, "entropy is -1.0 but must be 0 or above"),
        ("reinforce", {"baseline": 1.0}, "baseline is 1.0 but must be at least 0 and below 1"),
        ("ppo", {"units": 0}, "units is 0 but must be at least 1"),
        ("ppo", {"minibatch": 0}, "minibatch is 0 but must be at least 1"),
        ("ppo", {"passes": 0}, "passes is 0 but must be at least 1"),
        ("ppo", {"clip": 0.0}, "clip is 0.0 but must be above 0"),
        ("predictor", {"model": "forest"}, "model is 'forest' but must be one of ridge, gaussian_process"),
        ("predictor", {"initial": 1}, "initial is 1 but must be at least 2"),
        ("predictor", {"candidates": 0}, "candidates is 0 but must be at least 1"),
        ("predictor", {"parents": 0}, "parents is 0 but must be at least 1"),
        ("tpe", {"initial": 0}, "initial is 0 but must be at least 1"),
    ],
)
def test_a_value_out_of_its_range_is_refused_in_one_sentence(name: str, values: dict, message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}"):
        STRATEGIES[name](**values)
