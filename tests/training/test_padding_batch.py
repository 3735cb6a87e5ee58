"""A padding sample changes nothing that is learned, and a batch norm without images to train on says which keys to
change."""

import lightning.pytorch as pl
import pytest
import torch
from torch import nn

from lit_cnn import Classifier
from lit_cnn.architectures.layers.batch_norm import explaining_single_values
from lit_cnn.data.batch import PADDING, Batch
from lit_cnn.training.optimization.sam import SamSettings
from lit_cnn.training.padding_batch import is_padding, uncounted_statistics


def batch_of(*rows: int, weight: float = 1.0) -> Batch:
    count = len(rows)
    images = torch.arange(count * 4.0).view(count, 1, 2, 2)
    return Batch(images, torch.zeros(count).long(), torch.tensor(rows), torch.arange(count), torch.tensor(weight))


@pytest.fixture
def classifier() -> Classifier:
    network = nn.Sequential(nn.Conv2d(1, 3, 2), nn.BatchNorm2d(3), nn.Flatten(), nn.Linear(3, 2))
    made = Classifier(network, num_classes=2, in_channels=1)
    made.trainer = pl.Trainer(accelerator="cpu", logger=False, log_every_n_steps=0)
    made.configure_model()
    return made


def test_a_padding_sample_is_not_counted_in_the_statistics(classifier: Classifier) -> None:
    norm = classifier.network.get_submodule("1")
    assert isinstance(norm, nn.BatchNorm2d)
    classifier.training_step(batch_of(3, 4), 0)
    counted = {name: buffer.clone() for name, buffer in norm.named_buffers()}
    loss = classifier.training_step(batch_of(PADDING, weight=0.0), 1)  # one value per channel, too
    assert loss.item() == 0.0
    assert all(torch.equal(buffer, counted[name]) for name, buffer in norm.named_buffers())
    assert norm.training
    loss.backward()  # and every rank has a gradient to average
    assert all(parameter.grad is not None for parameter in classifier.network.parameters())


def test_a_padding_sample_is_climbed_with_as_it_is_trained_with(classifier: Classifier) -> None:
    """Its one value per channel would stop the ascent of sharpness-aware minimization."""
    classifier.sam = SamSettings(rho=0.05)
    classifier.training_step(batch_of(PADDING, weight=0.0), 1).backward()
    assert all(parameter.grad is not None and not parameter.grad.any() for parameter in classifier.parameters())


def test_one_image_is_no_padding() -> None:
    assert is_padding(batch_of(PADDING))
    assert not is_padding(batch_of(5))
    assert not is_padding(batch_of(5, PADDING))


def test_norms_that_wait_for_other_ranks_go_on_normalizing_as_they_do() -> None:
    norms = nn.ModuleList([nn.SyncBatchNorm(2), nn.BatchNorm2d(2), nn.BatchNorm2d(2)])
    norms[2].eval()  # frozen
    with uncounted_statistics(norms):
        assert [(each.training, each.track_running_stats) for each in norms] == [
            (True, False), (False, True), (False, True),
        ]  # fmt: skip
    assert [(each.training, each.track_running_stats) for each in norms] == [(True, True), (True, True), (False, True)]


def test_an_image_left_over_alone_names_the_keys(classifier: Classifier) -> None:
    with pytest.raises(ValueError, match=r"a batch of 1 image of 2 px leaves: choose a data.batch_size .*drop_last"):
        classifier.training_step(batch_of(3), 0)
    with pytest.raises(ValueError, match=r"^other$"), explaining_single_values("one"):
        raise ValueError("other")
