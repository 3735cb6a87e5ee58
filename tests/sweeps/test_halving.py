"""Successive halving: rungs, who goes on, and that nobody is decided on before all of a rung are through."""

import pytest

from lit_cnn.sweeps.halving import Pruner, cohorts, promoted


def test_rungs_grow_by_the_factor_and_end_at_the_full_length() -> None:
    assert Pruner(min_epochs=3).rungs(27) == (3, 9, 27)
    assert Pruner(min_steps=100, factor=4).rungs(1000) == (100, 400, 1000)
    assert Pruner(min_epochs=5).rungs(5) == (5,)


def test_one_in_factor_goes_on_the_best_first() -> None:
    scores = {0: 0.1, 1: 0.9, 2: 0.5, 3: 0.7, 4: 0.2, 5: None}
    assert promoted(range(6), scores, 3, maximize=True) == [1, 3]
    assert promoted(range(6), scores, 3, maximize=False) == [0, 4]
    assert promoted(range(6), scores, 6, maximize=True) == [1]


def test_at_least_one_goes_on_and_of_equals_the_first() -> None:
    assert promoted([4, 2], {2: 0.5, 4: 0.5}, 3, maximize=True) == [2]
    assert promoted([4, 2], {2: 0.5, 4: 0.5}, 3, maximize=False) == [2]


def test_failed_points_do_not_go_on() -> None:
    assert promoted([0, 1], {0: None, 1: None}, 2, maximize=True) == []


def test_nobody_goes_on_while_one_of_the_rung_is_trained() -> None:
    assert promoted([0, 1, 2], {0: 0.9, 1: 0.1}, 3, maximize=True) is None
    assert cohorts(3, [{0: 0.9, 1: 0.1}, {}, {}], 3, maximize=True) == [[0, 1, 2]]


def test_each_rung_is_chosen_from_the_one_before() -> None:
    first = {point: float(point) for point in range(9)}
    assert cohorts(9, [first, {6: 0.3, 7: 0.9, 8: 0.1}, {}], 3, maximize=True) == [[*range(9)], [8, 7, 6], [7]]


@pytest.mark.parametrize(
    ("stated", "message"),
    [
        ({}, "pruner needs the first rung"),
        ({"min_epochs": 1, "min_steps": 1}, "pruner needs the first rung"),
        ({"min_epochs": 0}, "pruner.min_epochs is 0 but must be at least 1"),
        ({"min_steps": 10, "factor": 1}, "pruner.factor is 1 but must be at least 2"),
    ],
)
def test_a_pruner_that_could_not_prune_is_refused(stated: dict[str, int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Pruner(**stated)  # type: ignore[arg-type]
