"""Probes of a tiny network on tiny images, and the networks that start with their heads."""

from pathlib import Path

import pytest
import torch
from made_choice import make_images, make_weights

from lit_cnn.architectures.catalog import create_model
from lit_cnn.choosing.folds import write_folds
from lit_cnn.choosing.head_starts import write_start
from lit_cnn.choosing.images import open_images
from lit_cnn.choosing.probe import backbone_for, features_of, probe
from lit_cnn.data.module import ImageData
from lit_cnn.evaluation.trained import load_trained
from lit_cnn.training.fine_tuning import InitialWeights, load_initial_weights

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def folds(tmp_path_factory: pytest.TempPathFactory) -> list[ImageData]:
    folder = tmp_path_factory.mktemp("probe")
    files = write_folds(open_images(make_images(folder / "images")), 3, folder / "folds")
    return [
        ImageData(source="list", path=str(file), image_size=16, batch_size=8, in_channels=3, workers=0)
        for file in files
    ]


@pytest.fixture(scope="module", params=["cifar_resnet8", "cifar_vgg8"])
def weights(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A network with a bias in its classifier, and one without."""
    return str(make_weights(tmp_path_factory.mktemp("weights") / "w.ckpt", request.param))


def test_every_image_is_answered_once_by_a_head_that_was_not_fitted_to_it(folds: list[ImageData], weights: str) -> None:
    found = probe(weights, folds, CPU)
    assert len(found.answers) == 36
    assert len(found.heads) == 3
    assert not torch.equal(found.heads[0].weight, found.heads[1].weight)
    assert sum(found.answers.values()) > 18, "colors are told apart by any features, chance is 12"


def test_a_started_network_has_the_logits_of_the_probe(folds: list[ImageData], weights: str, tmp_path: Path) -> None:
    """Through the checkpoint, and through ``model.initial`` of a recipe."""
    found, data = probe(weights, folds, CPU), folds[1]
    backbone = backbone_for(weights, data)
    own = features_of(backbone, data, data.loaded.val, CPU)
    expected = found.heads[1].logits(own.values)
    write_start(tmp_path / "start.ckpt", backbone, found.heads[1], data)
    started = load_trained(tmp_path / "start.ckpt")
    network = create_model(started.built_from["architecture"], num_classes=3, in_channels=3)
    load_initial_weights(network, InitialWeights(checkpoint=str(tmp_path / "start.ckpt")), data.class_names)
    network.eval()
    for batch in data.val_dataloader():
        images = data.prepare(batch, training=False, step=0, epoch=0).images
        for logits in (started.logits(images), network(images).detach()):
            torch.testing.assert_close(logits, expected[batch.index], rtol=1e-4, atol=1e-4)
    right = {row: bool(value) for row, value in enumerate(expected.argmax(1) == own.labels)}
    names = [data.loaded.val.paths[row] for row in right]
    assert [found.answers[name] for name in names] == list(right.values())


def test_without_folds_the_head_is_fitted_to_the_training_images(folds: list[ImageData], weights: str) -> None:
    three, one = probe(weights, folds, CPU), probe(weights, folds[:1], CPU)
    assert len(one.heads) == 1
    assert len(one.answers) == 12
    torch.testing.assert_close(one.heads[0].weight, three.heads[0].weight, rtol=0.05, atol=1e-3)
