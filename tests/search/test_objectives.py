import math

import pytest

from lit_cnn.search.objectives import (
    OBJECTIVES,
    Accuracy,
    LatencyProduct,
    Limits,
    TrainingProduct,
    front,
)


def test_accuracy_is_its_own_reward() -> None:
    assert Accuracy().reward({"accuracy": 0.9, "params": 1e6}) == 0.9
    assert Accuracy().costs == ()


def test_soft_constraint_trades_five_percent_of_accuracy_for_twice_the_latency() -> None:
    soft = LatencyProduct(target=80.0)
    assert soft.reward({"accuracy": 0.75, "latency_ms": 80.0}) == 0.75
    half, twice = (soft.reward({"accuracy": 0.75, "latency_ms": ms}) for ms in (40.0, 160.0))
    assert half / 0.75 == pytest.approx(1.0497, abs=1e-4)  # MnasNet, section 3.1
    assert twice / 0.75 == pytest.approx(0.9526, abs=1e-4)


def test_hard_constraint_ignores_latency_up_to_the_target_and_divides_by_it_above() -> None:
    hard = LatencyProduct(target=80.0, alpha=0.0, beta=-1.0)
    assert hard.reward({"accuracy": 0.75, "latency_ms": 20.0}) == 0.75
    assert hard.reward({"accuracy": 0.75, "latency_ms": 80.0}) == 0.75
    assert hard.reward({"accuracy": 0.75, "latency_ms": 160.0}) == pytest.approx(0.375)


def test_multiply_adds_and_parameters_are_written_in_millions() -> None:
    objective = LatencyProduct(cost="madds", target=400)  # EfficientNet-B0
    assert objective.costs == ("madds",)
    assert objective.reward({"accuracy": 0.773, "madds": 400e6}) == 0.773
    assert LatencyProduct(cost="params", target="5.3M").reward({"accuracy": 0.7, "params": 5.3e6}) == 0.7


def test_training_product_by_hand() -> None:
    objective = TrainingProduct(step_ms=200.0, params="20M")
    assert set(objective.costs) == {"step_ms", "params"}
    reward = objective.reward({"accuracy": 0.8, "step_ms": 400.0, "params": 40e6})
    assert reward == pytest.approx(0.8 * 2**-0.07 * 2**-0.05)


@pytest.mark.parametrize(
    ("stated", "sentence"),
    [
        (
            {"name": "latency_product", "cost": "flops"},
            "objective.cost must be one of params, madds, latency_ms, step_ms",
        ),
        ({"name": "latency_product", "target": -1}, "objective.target is -1 but must be a positive number of ms"),
        ({"name": "latency_product", "target": "5ms"}, "objective.target is '5ms' but must be a positive number of ms"),
        ({"name": "latency_product", "cost": "madds", "target": "many"}, "objective.target is 'many': a size must be"),
        ({"name": "latency_product", "beta": 0.07}, "objective.beta is 0.07 but must be a number of at most 0"),
        ({"name": "training_product", "v": None}, "objective.v is None but must be a number of at most 0"),
    ],
)
def test_mistakes_are_named(stated: dict, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        OBJECTIVES[stated.pop("name")](**stated)


def test_a_figure_that_was_not_measured_is_named() -> None:
    with pytest.raises(ValueError, match="latency_ms is needed but was not measured; there are accuracy"):
        LatencyProduct().reward({"accuracy": 0.5})
    with pytest.raises(ValueError, match="madds must be positive, but 0 was measured"):
        LatencyProduct(cost="madds", target=4).reward({"accuracy": 0.5, "madds": 0})


def test_limits_name_the_first_that_is_exceeded() -> None:
    limits = Limits(params=6, madds="100M", latency_ms=5.0)
    assert limits.costs == ("params", "madds", "latency_ms")
    within = {"params": 6e6, "madds": 1e8, "latency_ms": 5.0}
    assert limits.exceeded(within) is None
    assert limits.exceeded({**within, "params": 6.2e6}) == "6.2M parameters exceed the limit of 6M"
    assert limits.exceeded({**within, "latency_ms": 5.25}) == "5.25 ms of latency exceed the limit of 5"
    assert Limits().exceeded({}) is None


def test_limits_that_are_no_numbers_are_refused() -> None:
    with pytest.raises(ValueError, match=r"limits\.params is 'few': a size must be"):
        Limits(params="few")
    with pytest.raises(ValueError, match=r"limits\.latency_ms is 0 but must be a positive number of ms"):
        Limits(latency_ms=0)
    with pytest.raises(ValueError, match="madds is needed but was not measured"):
        Limits(madds=5).exceeded({"params": 1.0})


def test_fronts_over_any_axes() -> None:
    measured = [
        {"accuracy": 0.9, "params": 2e6, "latency_ms": 3.0},
        {"accuracy": 0.8, "params": 1e6, "latency_ms": 4.0},
        {"accuracy": 0.8, "params": 3e6, "latency_ms": 1.0},
        {"accuracy": 0.7, "params": 3e6, "latency_ms": 4.0},
    ]
    assert front(measured, ["accuracy", "params"]) == [0, 1]
    assert front(measured, ["accuracy", "latency_ms"]) == [0, 2]
    assert front(measured, ["accuracy", "params", "latency_ms"]) == [0, 1, 2]
    assert front(measured, ["params"]) == [1]
    with pytest.raises(ValueError, match="a front has the axes accuracy, params, madds"):
        front(measured, ["flops"])


def test_a_failed_networks_reward_stays_out_of_the_front() -> None:
    measured = [{"accuracy": -math.inf, "params": 2e6}, {"accuracy": 0.5, "params": 2e6}]
    assert front(measured, ["accuracy", "params"]) == [1]
