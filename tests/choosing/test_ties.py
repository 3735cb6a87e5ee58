import math

import pytest

from lit_cnn.choosing.ties import front_of, mcnemar, paired_difference, ranked, recommended, standings


def answers(right: str) -> dict[str, bool]:
    """One letter for each image, 1 where it is right."""
    return {f"image{place}": letter == "1" for place, letter in enumerate(right)}


def test_a_paired_difference_by_hand() -> None:
    """Differences 1, 0, 0, 0: mean 0.25, standard deviation 0.5, standard error 0.25."""
    mean, low, high = paired_difference(answers("1101"), answers("0101"))
    assert (mean, low, high) == (0.25, pytest.approx(0.25 - 1.96 * 0.25, abs=1e-4), pytest.approx(0.74, abs=1e-3))


def test_equal_answers_differ_by_nothing() -> None:
    assert paired_difference(answers("1010"), answers("1010")) == (0.0, 0.0, 0.0)


def test_other_images_cannot_be_paired() -> None:
    with pytest.raises(ValueError, match="same images"):
        paired_difference(answers("11"), answers("111"))


def test_pairing_finds_a_tie_and_a_difference() -> None:
    best = answers("1" * 90 + "0" * 10)
    close = answers("1" * 88 + "0" * 10 + "1" * 1 + "0" * 1)
    far = answers("1" * 60 + "0" * 40)
    rows = standings({"far": far, "best": best, "close": close})
    assert [(row.name, row.ties) for row in rows] == [("best", True), ("close", True), ("far", False)]
    assert rows[0].behind == 0
    assert rows[2].behind == pytest.approx(0.3)
    assert rows[2].behind_low == pytest.approx(0.3 - 1.96 * math.sqrt(0.3 * 0.7 / 99), abs=1e-3)
    assert rows[0].low < 0.9 < rows[0].high


@pytest.mark.slow
def test_the_exact_test_by_hand() -> None:
    """Of n images on which one is right, k go the other way: twice the lower tail of a fair coin."""
    for gains, losses, p in (
        (0, 0, 1.0),
        (4, 0, 2 / 16),
        (5, 0, 2 / 32),
        (6, 0, 2 / 64),
        (8, 1, 2 * 10 / 512),
        (3, 3, 1.0),
    ):
        first, second = answers("1" * gains + "0" * losses), answers("0" * gains + "1" * losses)
        assert mcnemar(first, second) == pytest.approx(p)
        assert mcnemar(second, first) == pytest.approx(p)
    assert 0 < mcnemar(answers("1" * 3000 + "0" * 2500), answers("0" * 3000 + "1" * 2500)) < 1e-10


def test_five_images_of_difference_are_a_tie_and_six_are_none() -> None:
    """The normal interval of five excludes 0 already."""
    best = answers("1" * 100)
    rows = standings({"best": best, "five": answers("1" * 95 + "0" * 5), "six": answers("1" * 94 + "0" * 6)})
    assert [row.ties for row in rows] == [True, True, False]
    assert rows[1].behind_low > 0


def test_of_about_equally_fast_ties_the_most_accurate_is_recommended() -> None:
    rows = standings(
        {name: answers("1" * right + "0" * (50 - right)) for name, right in (("a", 48), ("b", 47), ("c", 46))}
    )
    assert recommended(rows, {"a": (9.0,), "b": (5.2,), "c": (5.0,)}) == "b"
    assert recommended(rows, {"a": (9.0,), "b": (5.3,), "c": (5.0,)}) == "c"


def test_of_equal_candidates_the_first_is_the_best_and_both_tie() -> None:
    rows = standings({"a": answers("1100"), "b": answers("0011")})
    assert [row.name for row in rows] == ["a", "b"]
    assert all(row.ties for row in rows)


def test_the_cheapest_of_the_ties_is_recommended_however_cheap_the_others_are() -> None:
    rows = standings({"best": answers("1" * 50), "tie": answers("1" * 49 + "0"), "bad": answers("0" * 50)})
    assert recommended(rows, {"best": (9.0, 1.0), "tie": (5.0, 1.0), "bad": (1.0, 1.0)}) == "tie"
    assert recommended(rows, {"best": (5.0, 1.0), "tie": (5.0, 2.0), "bad": (1.0, 1.0)}) == "best"


def test_after_the_best_its_ties_deserve_to_go_on_the_cheapest_first_and_then_the_others() -> None:
    right = {"best": 50, "dear": 49, "cheap": 48, "worse": 20, "worst": 10}
    rows = standings({name: answers("1" * number + "0" * (50 - number)) for name, number in right.items()})
    costs = dict(zip(right, ([9.0], [8.0], [2.0], [1.0], [0.5]), strict=True))
    assert ranked(rows, costs) == ["best", "cheap", "dear", "worse", "worst"]
    assert ranked([], {}) == []


def test_the_front_leaves_out_what_is_dearer_and_no_better() -> None:
    rows = standings({"a": answers("1110"), "b": answers("1110"), "c": answers("1100")})
    assert front_of(rows, {"a": 2.0, "b": 3.0, "c": 1.0}) == ["c", "a"]


def test_nothing_stands_where_nothing_was_answered() -> None:
    assert standings({}) == []
