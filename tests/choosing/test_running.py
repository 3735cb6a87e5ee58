from lit_cnn.choosing.budget import BudgetPlan
from lit_cnn.choosing.preparing import Prepared
from lit_cnn.choosing.running import entering_candidates


def planned(latency: dict[str, float], kept: int, scratch: tuple[str, ...] = ()) -> Prepared:
    """A plan in which all but those of ``scratch`` are probed."""
    probed = tuple(name for name in latency if name not in scratch)
    costs = {name: {"latency_ms": ms, "madds": 1.0} for name, ms in latency.items()} | {"rejected": {"params": 1.0}}
    budget = BudgetPlan(probed, kept, scratch, 5, 2, (3,), (5,), 1.0, (1.0,))
    return Prepared([], costs, {}, {}, [], budget, "", 1, None, 0.0)


def probes(right: dict[str, int]) -> dict[str, dict[str, bool]]:
    return {name: {str(image): image < number for image in range(100)} for name, number in right.items()}


def test_the_cheapest_tie_goes_on_and_not_a_dear_one_that_is_a_little_more_accurate() -> None:
    prepared = planned({"best": 9.0, "dear": 8.0, "cheap": 2.0, "bad": 1.0}, 2)
    assert entering_candidates(prepared, probes({"best": 90, "dear": 89, "cheap": 88, "bad": 50})) == ["cheap", "best"]


def test_what_cannot_be_probed_is_left_out() -> None:
    prepared = planned({"a": 9.0, "b": 8.0, "c": 2.0}, 2)
    assert entering_candidates(prepared, probes({"a": 90, "c": 50})) == ["c", "a"]
    assert entering_candidates(prepared, {}) == []


def test_without_ties_the_most_accurate_go_on_and_all_without_weights_the_fastest_first() -> None:
    """Of equal scores a rung promotes the first."""
    prepared = planned({"bad": 1.0, "good": 5.0, "middle": 3.0, "random": 2.0}, 2, ("random",))
    found = entering_candidates(prepared, probes({"bad": 30, "good": 90, "middle": 60}))
    assert found == ["random", "middle", "good"]
