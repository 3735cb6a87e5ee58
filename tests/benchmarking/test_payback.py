from typing import Any

import pytest

from lit_cnn.benchmarking.payback import Payback, run_steps


def test_compiling_pays_when_what_its_steps_save_exceeds_what_it_took() -> None:
    payback = Payback.measured(29.5, [1.0, 1.5, 0.5], [0.75, 0.5, 1.0], 100)
    assert payback.pays_after == 118
    assert payback.seconds_per_step == pytest.approx(0.295)
    assert "1.33 times as fast: it pays after 118 steps, the run has 100" in str(payback)
    assert Payback.measured(-0.1, [1.0], [0.5], 100).pays_after == 0


def test_a_slower_compiled_step_never_pays_and_an_open_run_says_so() -> None:
    assert Payback(9.0, 1.0, 1.0, 1000).pays_after is None
    assert "is not faster" in str(Payback(9.0, 1.0, 1.2, 1000))
    assert Payback(9.0, 1.0, 0.5, None).seconds_per_step == 0
    assert "pays after 18 steps, the run's end is open" in str(Payback(9.0, 1.0, 0.5, None))


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
