import pytest
import torch

from lit_cnn.detection.mean_losses import MeanLosses


def losses(first: float, second: float) -> dict[str, torch.Tensor]:
    return {"classification": torch.tensor(first), "box": torch.tensor(second)}


def test_means_are_over_images() -> None:
    means = MeanLosses()
    means.update(losses(1.0, 4.0), torch.tensor(3))
    means.update(losses(5.0, 0.0), torch.tensor(1))
    assert {name: float(value) for name, value in means.compute().items()} == {"classification": 2.0, "box": 3.0}


def test_a_batch_of_padding_alone_counts_for_nothing() -> None:
    means = MeanLosses()
    means.update(losses(1.0, 4.0), torch.tensor(3))
    means.update(losses(float("nan"), 0.0), torch.tensor(0))
    assert float(means.compute()["classification"]) == 1.0


def test_an_interrupted_epoch_goes_on_with_the_same_bits() -> None:
    whole, first, second = MeanLosses(), MeanLosses(), MeanLosses()
    batches = [(losses(0.1, 0.7), 3), (losses(0.3, 0.2), 2), (losses(0.9, 0.4), 3)]
    for number, (values, images) in enumerate(batches):
        whole.update(values, torch.tensor(images))
        if number < 2:
            first.update(values, torch.tensor(images))
    second.restore_epoch(first.epoch_state())
    second.update(batches[2][0], torch.tensor(batches[2][1]))
    assert second.compute() == whole.compute()


def test_every_rank_knows_the_names_and_one_holds_the_sums() -> None:
    before, other = MeanLosses(), MeanLosses()
    before.update(losses(1.0, 4.0), torch.tensor(3))
    other.restore_epoch(before.epoch_state(), rank=1)
    assert list(other.compute()) == ["classification", "box"]
    assert int(other.images) == 0


def test_nothing_is_known_before_the_first_batch() -> None:
    assert MeanLosses().compute() == {}
    means = MeanLosses()
    means.update(losses(1.0, 1.0), torch.tensor(1))
    means.reset()
    assert not means.updated
    assert float(means.images) == pytest.approx(0)
