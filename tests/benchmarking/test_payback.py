from typing import Any

import pytest

from lit_cnn.benchmarking.interleaving import Spread
from lit_cnn.benchmarking.payback import Payback, run_steps


def test_compiling_pays_when_what_its_steps_save_exceeds_what_it_took() -> None:
    payback = Payback.measured(29.5, [1.0, 1.5, 0.6], [0.5, 1.0, 0.5], 100)
    assert payback.speed == Spread(1.5, 1.2, 2.0, 3)
    assert payback.pays_after == 89  # a step of 1 s takes two thirds of it
    assert payback.seconds_per_step == pytest.approx(0.295)
    assert "1.500 [1.200, 2.000] times as fast: it pays after 89 steps, the run has 100" in str(payback)
    assert Payback.measured(-0.1, [1.0], [0.5], 100).pays_after == 0


def test_a_slower_compiled_step_never_pays_and_an_open_run_says_so() -> None:
    slower = Payback(9.0, 1.0, Spread(0.8, 0.7, 0.9, 6), 1000)
    assert slower.pays_after is None
    assert "a compiled step is slower: 0.800 [0.700, 0.900] times as fast" in str(slower)
    faster = Payback(9.0, 1.0, Spread(2.0, 1.9, 2.1, 6), None)
    assert faster.seconds_per_step == 0
    assert "pays after 18 steps, the run's end is open" in str(faster)


def test_a_speed_that_is_not_above_the_noise_promises_nothing() -> None:
    hidden = Payback(53.0, 1.0, Spread(1.03, 0.88, 1.10, 8), 63_882)
    assert hidden.pays_after is None
    assert str(hidden).endswith("1.030 [0.880, 1.100] times as fast: whether it ever pays is not above the noise")


@pytest.mark.parametrize(
    ("trainer", "steps"),
    [
        ({"max_epochs": 3}, 300),
        ({"max_epochs": 3, "limit_train_batches": 7}, 21),
        ({"max_epochs": 3, "limit_train_batches": 0.5}, 150),
        ({"max_epochs": 3, "max_steps": 20, "accumulate_grad_batches": 4}, 80),
        ({"max_epochs": -1, "max_steps": 20}, 20),
        ({"max_epochs": -1, "max_steps": -1}, None),
    ],
)
def test_steps_of_a_run_end_with_its_epochs_or_updates(trainer: dict[str, Any], steps: int | None) -> None:
    assert run_steps(trainer, 100) == steps
