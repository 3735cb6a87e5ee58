import pytest

from lit_cnn.choosing.budget import (
    SAFETY,
    START_SECONDS,
    BudgetTooSmall,
    Price,
    duration,
    kept_of,
    parse_duration,
    plan_budget,
    plan_rungs,
    rung_sizes,
)
from lit_cnn.choosing.pricing import wanted_epochs


def scratch(count: int, epoch: float = 10.0) -> list[Price]:
    return [Price(f"net{number}", epoch) for number in range(count)]


@pytest.mark.parametrize(
    ("candidates", "factor", "sizes"),
    [(1, 2, (1,)), (2, 2, (2,)), (3, 2, (3,)), (4, 2, (4, 2)), (6, 3, (6, 2)), (12, 3, (12, 4)), (18, 3, (18, 6, 2))],
)
def test_two_candidates_at_least_are_trained_to_the_end(candidates: int, factor: int, sizes: tuple[int, ...]) -> None:
    assert rung_sizes(candidates) == (factor, sizes)


def test_one_in_three_goes_on_from_the_probe_but_two() -> None:
    assert [kept_of(number) for number in (0, 1, 2, 6, 7, 12)] == [0, 1, 2, 2, 3, 4]


def test_a_plan_by_hand() -> None:
    """Two networks of 10 s an epoch in one fold: two starts, then 25 s for an epoch of both."""
    plan = plan_budget(scratch(2), 2 * START_SECONDS + SAFETY * 20 * 7, [1])
    assert (plan.sizes, plan.epochs, plan.folds) == ((2,), (7,), 1)
    assert plan.rung_seconds == (2 * START_SECONDS + SAFETY * 140,)
    assert plan.left_out == {}


def test_later_rungs_cost_what_they_add_at_the_price_of_the_dearest() -> None:
    prices = [Price("cheap", 1.0), Price("dear", 100.0), Price("middle", 10.0), Price("cheap2", 1.0)]
    plan = plan_budget(prices, 1e6, [1])
    assert (plan.factor, plan.sizes, plan.epochs) == (2, (4, 2), (15, 30))
    first, last = 4 * START_SECONDS + SAFETY * 112 * 15, 2 * START_SECONDS + SAFETY * 110 * 15
    assert plan.rung_seconds == pytest.approx((first, last))


def test_no_plan_costs_more_than_its_budget_and_more_time_is_never_used_worse() -> None:
    before = (0, 0)
    for seconds in range(400, 8000, 400):
        plan = plan_budget(scratch(8), seconds, [1])
        assert plan.seconds <= seconds
        reached = (plan.sizes[0], plan.epochs[-1])
        assert reached >= before
        before = reached


def test_what_does_not_fit_is_left_out_from_the_end_of_the_order() -> None:
    plan = plan_budget(scratch(8), 250, [1])
    assert list(plan.left_out) == [f"net{number}" for number in range(plan.sizes[0], 8)]
    assert set(plan.left_out.values()) == {"no time within the budget of 4.17m"}


def test_fewer_folds_are_taken_before_candidates_are_left_out() -> None:
    assert plan_budget(scratch(6), 100_000, [5, 3]).folds == 5
    plan = plan_budget(scratch(6), 1200, [5, 3])
    assert (plan.folds, plan.sizes) == (3, (6, 2))


def test_probes_are_counted_and_one_in_three_of_them_is_trained() -> None:
    prices = [Price(f"known{number}", 10.0, probe=4.0) for number in range(6)] + scratch(2)
    plan = plan_budget(prices, 1e5, [1])
    assert plan.probe_seconds == SAFETY * 24
    assert (len(plan.probed), plan.kept, plan.scratch) == (6, 2, ("net0", "net1"))
    assert plan.sizes == (4, 2)


def test_a_budget_that_is_too_small_says_what_would_be_enough_and_that_is_true() -> None:
    prices = scratch(5, epoch=30.0)
    with pytest.raises(BudgetTooSmall) as said:
        plan_budget(prices, 60, [5, 3], spent=31)
    assert str(said.value).startswith(
        "the budget of 60s, of which measuring took 31s, is too small to compare 2 of 5 candidates for 2 epochs in 3 "
        "folds: --budget "
    )
    enough = parse_duration(str(said.value).split("--budget ")[1].split()[0])
    assert plan_budget(prices, enough, [5, 3], spent=31).epochs[-1] >= 2
    with pytest.raises(BudgetTooSmall):
        plan_budget(prices, enough - 60, [5, 3], spent=31)


def test_what_would_be_enough_leaves_time_to_measure_more() -> None:
    """Of a larger budget measuring takes a fifth, and ends the measurement that is begun by then."""
    prices = scratch(5, epoch=300.0)
    with pytest.raises(BudgetTooSmall) as said:
        plan_budget(prices, 60, [1], spent=18, waiting=6)
    enough = parse_duration(str(said.value).split("--budget ")[1].split()[0])
    assert plan_budget(prices, enough, [1], spent=0.2 * enough + 6).epochs[-1] >= 2


def test_an_expensive_candidate_does_not_take_the_time_of_several_cheap_ones() -> None:
    prices = [Price("huge", 300.0, probe=100.0), *scratch(6)]
    plan = plan_budget(prices, 900, [1])
    assert plan.left_out == {"huge": "too expensive for the budget of 15m: 2 epochs of it alone take 16.7m"}
    assert plan.sizes[0] == 6


def test_what_would_be_enough_is_enough_for_the_two_cheapest() -> None:
    prices = [Price("huge", 3000.0), *scratch(3, 30.0)]
    with pytest.raises(BudgetTooSmall) as said:
        plan_budget(prices, 60, [1])
    enough = parse_duration(str(said.value).split("--budget ")[1].split()[0])
    assert enough < 600
    assert "huge" in plan_budget(prices, enough, [1]).left_out


def test_the_time_of_dear_candidates_that_the_probe_left_out_goes_to_the_others() -> None:
    prices = [
        *(Price(f"dear{n}", 100.0, probe=4.0) for n in range(3)),
        *(Price(f"cheap{n}", 5.0, 1.0) for n in range(3)),
    ]
    plan = plan_budget(prices, 1900, [1])
    assert (plan.kept, plan.sizes) == (2, (2,))
    again = plan_rungs(plan, prices[-2:], 1900 - plan.probe_seconds)
    assert again.epochs[-1] > plan.epochs[-1]
    assert again.seconds <= 1900
    assert plan_rungs(plan, prices[:2], 1900 - plan.probe_seconds) == plan
    assert plan_rungs(plan, prices[:2], 10) == plan, "what was planned stays where there is no time at all"


def test_candidates_that_want_long_trainings_are_fewer_and_cheaper_rather_than_trained_too_shortly() -> None:
    """30 epochs of two that take 7 and 6 s: 8 s to start, then 1.25 x 30 x 13 = 487.5 s."""
    nets = {f"net{number}": 10.0 - number for number in range(6)}
    impatient = plan_budget([Price(name, epoch) for name, epoch in nets.items()], 600, [1])
    patient = plan_budget([Price(name, epoch, wanted=30) for name, epoch in nets.items()], 600, [1])
    assert impatient.scratch == tuple(nets)
    assert (patient.scratch, patient.epochs) == (("net3", "net4"), (30,))
    assert patient.left_out["net0"] == "too expensive for the budget of 10m: 30 epochs of it alone take 6.32m"
    assert patient.left_out["net5"] == "no time within the budget of 10m"


def test_where_no_two_can_have_as_many_epochs_as_they_want_the_cheapest_get_most_of_them() -> None:
    prices = [Price("dear", 20.0, wanted=30), Price("cheap", 9.0, wanted=30), Price("middle", 13.0, wanted=30)]
    plan = plan_budget(prices, 1080, [5, 3])
    assert (plan.scratch, plan.folds, plan.epochs) == (("cheap", "middle"), 3, (12,))


def test_candidates_that_want_longer_trainings_do_not_shorten_or_lengthen_those_with_weights() -> None:
    known = [Price(f"known{number}", 20.0, probe=4.0) for number in range(3)]
    alone = plan_budget(known, 600, [1])
    together = plan_budget([*known, *(Price(f"net{number}", 10.0, wanted=30) for number in range(6))], 600, [1])
    assert (together.probed, together.scratch, together.epochs) == (alone.probed, (), alone.epochs)


@pytest.mark.parametrize(("steps", "epochs"), [(0, 30), (10, 30), (20, 15), (21, 15), (60, 5), (4000, 5)])
def test_random_weights_want_300_steps_within_5_to_30_epochs(steps: int, epochs: int) -> None:
    assert wanted_epochs(steps) == epochs


def test_a_single_candidate_is_planned_too() -> None:
    assert plan_budget(scratch(1), 1e4, [5]).sizes == (1,)


def test_no_candidate_is_an_error() -> None:
    with pytest.raises(ValueError, match="no candidate"):
        plan_budget([], 100, [1])


@pytest.mark.parametrize("text", ["", "0", "-3m", "x", "m", "nan", "5 apples"])
def test_times_that_are_none_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"90s, 20m or 1\.5h"):
        parse_duration(text)


@pytest.mark.parametrize("seconds", [45.0, 120.0, 150.0, 1200.0, 7200.0, 5400.0])
def test_written_times_are_read_back(seconds: float) -> None:
    assert parse_duration(duration(seconds)) == seconds


def test_the_answers_of_the_finalists_and_the_start_of_the_recipe_are_planned() -> None:
    """Two of three are finalists: the dearest two passes, and one more probe."""
    prices = [Price("a", 10.0, 8.0, 4.0), Price("b", 10.0, None, 6.0), Price("c", 10.0, None, 5.0), Price("d", 10.0)]
    plan = plan_budget(prices, 1e4, [1])
    assert plan.sizes[-1] == 2
    assert plan.answer_seconds == SAFETY * (6.0 + 5.0 + 8.0)
    assert plan.seconds == plan.probe_seconds + sum(plan.rung_seconds) + plan.answer_seconds
