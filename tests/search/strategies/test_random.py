import itertools
import random
from collections import Counter

from simulated import Search, Toy

from lit_cnn.search.strategies.random import RandomSearch, unseen_points

SPACE = Toy()


def test_every_decision_is_drawn_evenly() -> None:
    points = list(itertools.islice(unseen_points(SPACE, random.Random(0), set()), 1200))
    count = Counter(point[2] for point in points)
    assert set(count) == {0, 1, 2}
    assert all(abs(number - 400) < 5 * 16.3 for number in count.values())  # 5 binomial standard deviations


def test_networks_of_earlier_slots_are_drawn_again() -> None:
    points = Search(100).work(lambda: RandomSearch(SPACE)).points
    assert len(set(points)) == 100  # of 120


def test_an_exhausted_space_gives_known_points() -> None:
    small = Toy((2,))
    assert set(itertools.islice(unseen_points(small, random.Random(0), {(0,), (1,)}), 20)) == {(0,), (1,)}
