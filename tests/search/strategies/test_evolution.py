import itertools

import pytest
from simulated import Search, Toy

from lit_cnn.search.spaces.space import Point
from lit_cnn.search.strategies.evolution import Evolution, EvolutionSettings
from lit_cnn.search.strategies.random import RandomSearch
from lit_cnn.search.strategies.strategy import FAILED, History

SPACE = Toy((5, 5, 5, 5))
POINTS = ((0, 0, 0, 0), (1, 1, 1, 1), (2, 2, 2, 2), (3, 3, 3, 3), (4, 4, 4, 4))


def parent(strategy: Evolution, rewards: tuple[float, ...], seed: int = 0) -> Point:
    """Of the slot after ``POINTS``, found by its mutations."""
    children = list(itertools.islice(strategy.proposals(History(POINTS, rewards, 0, seed)), 20))
    return next(point for point in POINTS if all(distance(point, child) <= 1 for child in children))


def distance(point: Point, other: Point) -> int:
    """Decisions that differ, the first two in any order."""
    first = len(set(point[:2])) == 1 and sum(option != point[0] for option in other[:2])
    return first + sum(a != b for a, b in zip(point[2:], other[2:], strict=True))


@pytest.mark.parametrize("aging", [True, False])
def test_a_population_of_the_whole_budget_is_random_search(aging: bool) -> None:
    evolved = Search(30).work(lambda: Evolution(SPACE, 30, 8, aging))
    assert evolved.points == Search(30).work(lambda: RandomSearch(SPACE)).points


def test_the_first_mutation_comes_after_the_population() -> None:
    random = Search(30).work(lambda: RandomSearch(SPACE)).points
    evolved = Search(30).work(lambda: Evolution(SPACE, 10, 10, identity=0.0)).points
    assert evolved[:10] == random[:10]
    for slot in range(10, 30):
        assert any(distance(old, evolved[slot]) <= 1 for old in evolved[:slot])


def test_the_most_accurate_of_the_sample_is_the_parent() -> None:
    rewards = (0.1, 0.5, 0.9, 0.3, 0.2)
    everyone = Evolution(SPACE, 5, 100, identity=0.0)  # a sample that misses none of the five
    assert parent(everyone, rewards) == POINTS[2]
    one = Evolution(SPACE, 5, 1, identity=0.0)
    assert {parent(one, rewards, seed) for seed in range(40)} == set(POINTS)


def test_the_oldest_leaves_however_accurate() -> None:
    rewards = (0.9, 0.1, 0.2, 0.3, 0.4)
    assert parent(Evolution(SPACE, 3, 100, identity=0.0), rewards) == POINTS[4]


def test_without_aging_the_best_stays_and_the_worst_leaves() -> None:
    rewards = (0.9, 0.1, 0.2, 0.3, 0.4)
    assert parent(Evolution(SPACE, 3, 100, aging=False, identity=0.0), rewards) == POINTS[0]
    one = Evolution(SPACE, 3, 100, aging=False, identity=0.0)
    assert one._survivors.state(History(POINTS, rewards)) == (0, 3, 4)


def test_the_population_and_what_is_in_training_are_p_networks() -> None:
    strategy = Evolution(SPACE, 8, 2, aging=False)
    search = Search(30, lag=3).work(lambda: strategy)
    assert {len(strategy._survivors.state(search.history(slot))) for slot in range(8, 30)} == {8 - 3}


def test_a_failed_network_is_the_worst() -> None:
    rewards = (FAILED, 0.1, FAILED, FAILED, FAILED)
    assert parent(Evolution(SPACE, 5, 100, identity=0.0), rewards) == POINTS[1]


def test_identity_trains_the_parent_again() -> None:
    again = Evolution(SPACE, 5, 100, identity=1.0)
    points = list(itertools.islice(again.proposals(History(POINTS, (0.1, 0.5, 0.9, 0.3, 0.2))), 5))
    assert points[0] == POINTS[2]
    assert POINTS[2] not in points[1:], "where the parent is over a limit, mutations follow"


def test_population_and_sample_scale_with_the_budget() -> None:
    sizes = {}
    for budget in (20, 60, 150, 500):
        built = EvolutionSettings().build(SPACE, budget)
        sizes[budget] = built.population, built.sample
    assert sizes == {20: (10, 2), 60: (12, 3), 150: (30, 7), 500: (100, 25)}
    stated = EvolutionSettings(population=20, sample=5).build(SPACE, 150)
    assert (stated.population, stated.sample) == (20, 5)
