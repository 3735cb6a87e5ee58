from collections.abc import Callable

import pytest
from simulated import Search, Toy

from lit_cnn.search.spaces.space import Point, neighbors
from lit_cnn.search.strategies.local_search import LocalSearch
from lit_cnn.search.strategies.strategy import FAILED, History

SPACE = Toy((4, 4, 4, 4, 4))  # of 640 networks


def searched(
    budget: int, rewards: Callable[[Point], float], lag: int = 0, seed: int = 0, repeat: bool = False
) -> list[Point]:
    """The points of a search, whose rewards are a function of the point."""
    strategy, points = LocalSearch(SPACE, repeat), []
    for slot in range(budget):
        known = tuple(float(rewards(point)) for point in points[: max(slot - lag, 0)])
        points.append(next(strategy.proposals(History(tuple(points), known, lag, seed))))
    return points


def around(point: Point) -> set[Point]:
    return set(map(SPACE.canonical, neighbors(SPACE, point)))


@pytest.mark.parametrize("lag", [0, 3])
def test_the_optimum_of_a_separable_function_is_reached(lag: int) -> None:
    for seed in range(5):
        # each decision improves at most 3 times, and 14 neighbors at most are no better in between
        assert (3, 3, 3, 3, 3) in searched(70, sum, lag, seed)


def test_it_goes_on_from_the_first_better_neighbor() -> None:
    points = searched(30, sum, seed=1)
    place = points[0]
    for point in points[1:]:
        if place == (3, 3, 3, 3, 3):
            break
        assert point in around(place)
        place = point if sum(point) > sum(place) else place
    else:
        pytest.fail("the optimum was not reached")


def test_a_local_optimum_ends_the_climb_when_all_its_neighbors_are_known() -> None:
    points = searched(120, sum, seed=1)
    top = points.index((3, 3, 3, 3, 3))
    last = max(slot for slot, point in enumerate(points[: top + 20]) if point in around(points[top]))
    assert around(points[top]) <= set(points[: last + 1])
    assert points[last + 1] not in around(points[top])


def test_a_climb_goes_on_over_known_neighbors_at_no_cost() -> None:
    # (0, 0) is a local optimum, so (1, 1) is a start; from there the known (0, 1) leads back to (0, 0), whose neighbors
    # are all known, and only the start of a third climb can be (2, 2).
    history = ((0, 0), (0, 1), (0, 2), (1, 1)), (5.0, 1.0, 1.0, 0.0)
    found = {next(LocalSearch(Toy((3, 3))).proposals(History(*history, 0, seed))) for seed in range(100)}
    assert found == {(1, 2), (2, 2)}


def test_a_neighbor_that_is_known_is_repeated_where_asked() -> None:
    again = searched(100, sum, repeat=True)
    assert len(set(again)) < 100
    assert len(set(searched(100, sum))) == 100


def test_several_neighbors_are_in_training_at_once() -> None:
    points = searched(10, lambda _: 1.0, lag=3)  # slots 0 to 3 know nothing and are starts
    assert set(points[4:]) <= around(points[0])
    assert len(set(points)) == 10


@pytest.mark.parametrize("better", [False, True])
def test_the_next_start_is_in_training_while_the_last_neighbors_are(better: bool) -> None:
    plateau = searched(40, lambda _: 1.0, lag=3)
    start = next(slot for slot in range(4, 40) if plateau[slot] not in around(plateau[0]))
    assert around(plateau[0]) <= set(plateau[:start])
    last = plateau[start - 1]
    points = searched(40, lambda point: 1.0 + better * (point == last), lag=3)
    assert points[: start + 1] == plateau[: start + 1]
    place = last if better else plateau[start]
    slot = start - 1 if better else start
    assert points[slot + 4] in around(place)


def test_a_failed_start_is_left_at_the_first_network_that_trains() -> None:
    history = Search(1).work(lambda: LocalSearch(SPACE)).history(1)
    failed = History(history.points, (FAILED,), 0, history.seed)
    second = next(LocalSearch(SPACE).proposals(failed))
    third = next(LocalSearch(SPACE).proposals(History((*history.points, second), (FAILED, 0.1), 0, history.seed)))
    assert second in around(history.points[0])
    assert third in around(second)
