import itertools
import logging
import warnings

import optuna
import pytest

from lit_cnn.sweeps.tpe import tpe_points

COUNTS = (4, 3, 1)
SEEN = [((a, b, 0), float(10 * a + b)) for a in range(4) for b in range(3)]


def test_points_are_lists_of_options_without_end() -> None:
    points = list(itertools.islice(tpe_points(COUNTS, [], 0), 30))
    assert all(0 <= option < count for point in points for option, count in zip(point, COUNTS, strict=True))
    assert len(set(points)) > 6


def test_the_same_seed_draws_the_same() -> None:
    first, again, other = (list(itertools.islice(tpe_points((9, 9, 9), [], seed), 5)) for seed in (3, 3, 4))
    assert first == again != other


def test_good_options_are_drawn_more_often() -> None:
    points = list(itertools.islice(tpe_points(COUNTS, SEEN, 1), 20))
    assert sum(point[0] == 3 for point in points) > 10


def test_random_points_are_drawn_while_few_are_seen() -> None:
    few, none = (list(itertools.islice(tpe_points(COUNTS, seen, 2, initial=13), 5)) for seen in (SEEN, []))
    assert few == none


def test_nothing_is_logged_and_no_warning_shown(caplog: pytest.LogCaptureFixture) -> None:
    level = optuna.logging.get_verbosity()
    with warnings.catch_warnings(), caplog.at_level(logging.INFO, "optuna"):
        warnings.simplefilter("error")
        next(tpe_points(COUNTS, SEEN, 0))
    assert not caplog.records
    assert optuna.logging.get_verbosity() == level
