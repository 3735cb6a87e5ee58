import itertools

import pytest
from simulated import Search, Toy

from lit_cnn.search.strategies.random import RandomSearch
from lit_cnn.search.strategies.strategy import FAILED, History
from lit_cnn.search.strategies.tpe import TPE

pytest.importorskip("optuna")
SPACE = Toy((4, 4, 4, 4))


def test_the_estimator_draws_near_good_networks() -> None:
    history = Search(60).work(lambda: RandomSearch(SPACE)).history(60)
    found = list(itertools.islice(TPE(SPACE, repeat=True).proposals(history), 12))
    mean = sum(map(sum, history.points)) / 60
    assert sum(map(sum, found)) / 12 > mean + 2


def test_failed_networks_are_left_out() -> None:
    history = Search(12).work(lambda: TPE(SPACE, initial=20)).history(12)
    failed = History((*history.points, (0, 0, 0, 0)), (*history.rewards, FAILED), 0, history.seed)
    kept = History((*history.points, (0, 0, 0, 0)), (*history.rewards, 0.0), 0, history.seed)
    first, second = (list(itertools.islice(TPE(SPACE, 13).proposals(h), 4)) for h in (failed, kept))
    assert first != second, "the thirteenth network was counted"


def test_a_settled_estimator_leaves_the_slot_to_a_random_network() -> None:
    small = Toy((2, 2, 2))
    points = ((0, 0, 0), (0, 0, 1), (0, 1, 0), (0, 1, 1), (1, 1, 0))
    history = History(points, (5.0, 0.0, 0.0, 0.0, 0.0))
    assert next(TPE(small, 2).proposals(history)) == (1, 1, 1)
