"""Differences are of pairs alone, and several of them are decided together."""

import pytest

from lit_cnn.evaluation.paired import t_interval
from lit_cnn.evaluation.run_differences import differences_of


def test_two_groups_are_compared_seed_by_seed() -> None:
    (found,) = differences_of({"a": {"0": 0.9, "1": 0.8, "2": 0.95}, "b": {"2": 0.9, "0": 0.8, "1": 0.75}})
    assert (found.first, found.second, found.pairs) == ("a", "b", 3)
    assert found.interval == t_interval([0.95 - 0.9, 0.9 - 0.8, 0.8 - 0.75])
    assert found.mean == found.interval.mean
    assert found.p == found.p_holm == found.interval.p_value
    assert found.decided is found.interval.decided is False
    assert found.deciding_n == found.interval.deciding_n


def test_seeds_that_only_one_group_has_do_not_count() -> None:
    full = differences_of({"a": {"0": 0.9, "1": 0.8, "7": 0.1}, "b": {"0": 0.8, "1": 0.75, "2": 0.99}})
    assert full == differences_of({"a": {"0": 0.9, "1": 0.8}, "b": {"0": 0.8, "1": 0.75}})


def test_one_pair_has_a_mean_and_none_has_nothing() -> None:
    one, none, _ = differences_of({"a": {"0": 0.9}, "b": {"0": 0.8}, "c": {"1": 0.7}})
    assert (one.pairs, one.interval, one.decided, one.deciding_n) == (1, None, False, None)
    assert one.mean == pytest.approx(0.1)
    assert (none.pairs, none.mean, none.p, none.p_holm) == (0, None, None, None)


def test_three_groups_are_decided_together() -> None:
    groups = {"a": {"0": 0.9, "1": 0.91}, "b": {"0": 0.8, "1": 0.8107}, "c": {"0": 0.8, "1": 0.7}}
    found = differences_of(groups)
    assert [(each.first, each.second) for each in found] == [("a", "b"), ("a", "c"), ("b", "c")]
    first = found[0]
    assert first.p is not None
    assert first.p_holm == pytest.approx(3 * first.p)
    assert first.decided
    assert first.p_holm < 0.05
    assert not found[1].decided


def test_a_difference_that_holm_takes_back_is_not_decided() -> None:
    groups = {"a": {"0": 0.9, "1": 0.95}, "b": {"0": 0.8, "1": 0.84}, "c": {"0": 0.9, "1": 0.7}}
    first = differences_of(groups)[0]
    alone = differences_of({label: groups[label] for label in "ab"})[0]
    assert (first.p, first.interval) == (alone.p, alone.interval)
    assert alone.decided
    assert alone.p is not None
    assert first.p_holm == pytest.approx(3 * alone.p)
    assert not first.decided
