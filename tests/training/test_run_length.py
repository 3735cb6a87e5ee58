"""How many steps an epoch has under the trainer's limits."""

from types import SimpleNamespace

import pytest

from lit_cnn.training.run_length import steps_of_epoch


@pytest.mark.parametrize(
    ("limit", "accumulation", "steps"), [(1.0, 1, 5), (3, 1, 3), (0.5, 1, 2), (3, 2, 2), (0.2, 2, 1), (99, 1, 5)]
)
def test_an_epoch_has_as_many_steps_as_its_limited_batches_fill(limit: float, accumulation: int, steps: int) -> None:
    trainer = SimpleNamespace(accumulate_grad_batches=accumulation, limit_train_batches=limit)
    assert steps_of_epoch(trainer, 5) == steps


def test_a_share_of_less_than_a_batch_is_refused_with_the_key() -> None:
    trainer = SimpleNamespace(accumulate_grad_batches=1, limit_train_batches=0.01)
    with pytest.raises(ValueError, match=r"^trainer\.limit_train_batches 0\.01 of an epoch of 5 batches is none"):
        steps_of_epoch(trainer, 5)
