"""What a run says of the batch that it can train on."""

from types import SimpleNamespace

import pytest

from lit_cnn.data.loading.sampling import TrainSampler
from lit_cnn.experiment.run_trainer import announce_unequal_parts, settle_batch
from lit_cnn.training.optimization.optimizer_settings import OptimizerSettings


@pytest.mark.parametrize(
    ("batch", "world", "accumulation"),
    [(4, 4, 1), (4, 1, 4), (6, 2, 1), (9, 3, 1), (12, 2, 2), (8, 4, 1), (8, 2, 2), (5, 1, 1), (18, 3, 1)],
)
def test_unequal_parts_of_a_batch_are_told(
    batch: int, world: int, accumulation: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """Batch 4 on four devices left two of them with nothing to train on, and nothing said so."""
    samplers = [TrainSampler(batch, batch, rank, world, accumulation) for rank in range(world)]
    images = {int((plan.index >= 0).sum()) for sampler in samplers for plan in sampler}
    announce_unequal_parts(SimpleNamespace(batch_size=batch), world * accumulation)
    said = capsys.readouterr().out
    assert bool(said) == (len(images) > 1)
    if said:
        parts = world * accumulation
        assert said.startswith(f"data.batch_size {batch} becomes unequal parts on {parts} devices x accumulated batch")
        assert said.endswith(f"a multiple of {2 * parts} gives each as many\n")


def test_the_learning_rate_is_told_of_the_batch_that_there_are_images_for(capsys: pytest.CaptureFixture[str]) -> None:
    data = SimpleNamespace(batch_size=64, train_size=20, drop_last=True)
    settle_batch(SimpleNamespace(data=data, model=SimpleNamespace(optimizer_settings=OptimizerSettings())), 1)
    limited, rate = capsys.readouterr().out.splitlines()
    assert limited.startswith("data.batch_size is 20 instead of 64")
    assert rate.startswith("learning rate: 0.0078125 for batches of 20, from 0.1 for 256")
