"""Networks made with the weights of a run's checkpoint, with other options."""

from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import pytest
import torch

import lit_cnn
from lit_cnn import Classifier
from lit_cnn.architectures.entry import NetworkOptions


def trained(path: Path, architecture: str, **options: Any) -> Classifier:
    """An untrained network, and its checkpoint at ``path``."""
    classifier = Classifier(architecture, num_classes=3, in_channels=3, options=NetworkOptions(**options))
    classifier.configure_model()
    trainer = pl.Trainer(accelerator="cpu", logger=False, enable_checkpointing=False)
    trainer.strategy.connect(classifier)
    trainer.save_checkpoint(path)
    return classifier


@pytest.mark.parametrize("had", [True, False])
def test_auxiliary_heads_are_left_out_or_added(tmp_path: Path, had: bool) -> None:
    old = trained(tmp_path / "a.ckpt", "googlenet_bn", aux_heads=had)
    network = lit_cnn.create_model("googlenet_bn", pretrained=tmp_path / "a.ckpt", aux_heads=not had, num_classes=5)
    logits = network.train()(torch.zeros(2, 3, 224, 224))
    assert [tuple(each.shape) for each in ((logits,) if had else logits)] == [(2, 5)] * (1 if had else 3)
    kept = dict(old.network.features.named_parameters())
    assert all(torch.equal(each, kept[name]) for name, each in network.features.named_parameters())


def test_an_option_that_changes_shapes_is_named(tmp_path: Path) -> None:
    trained(tmp_path / "a.ckpt", "cifar_resnet8")
    expected = r"the weights of .*a\.ckpt do not fit a network with width_multiplier=2\.0: leave that out"
    with pytest.raises(ValueError, match=expected):
        lit_cnn.create_model("cifar_resnet8", pretrained=tmp_path / "a.ckpt", width_multiplier=2.0)


def test_a_detector_is_not_a_classifier(tmp_path: Path) -> None:
    trained(tmp_path / "a.ckpt", "cifar_resnet8")
    torch.save({**torch.load(tmp_path / "a.ckpt", weights_only=True), "task": "detection"}, tmp_path / "a.ckpt")
    with pytest.raises(ValueError, match=r"a\.ckpt holds a detector, but this needs a classifier"):
        lit_cnn.create_model("cifar_resnet8", pretrained=tmp_path / "a.ckpt")
