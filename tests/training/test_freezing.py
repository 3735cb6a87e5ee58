"""Layers that stay as they were copied: no gradient, no decay, no statistics."""

from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import pytest
import torch
from lightning.pytorch.callbacks import ModelCheckpoint
from script_run import digits, make_classifier, make_trainer
from torch import Tensor, nn

import lit_cnn
from lit_cnn.architectures.entry import NetworkOptions
from lit_cnn.training.fine_tuning import InitialWeights
from lit_cnn.training.freezing import Freezing, batch_norms, lagging_statistics
from lit_cnn.training.optimization.optimizer_settings import OptimizerSettings


@pytest.fixture
def checkpoint(tmp_path: Path) -> str:
    """Weights whose statistics are not those of a fresh network."""
    model = make_classifier()
    trainer = make_trainer(tmp_path, max_epochs=1)
    trainer.fit(model, digits())
    trainer.save_checkpoint(tmp_path / "start.ckpt")
    return str(tmp_path / "start.ckpt")


def fine_tune(checkpoint: str, folder: Path, trainer: dict[str, Any], **initial: Any) -> lit_cnn.Classifier:
    decayed = OptimizerSettings(name="adamw", learning_rate=0.01, base_batch_size=None, weight_decay=0.5)
    model = make_classifier(initial=InitialWeights(checkpoint, **initial), optimizer=decayed)
    make_trainer(folder, **trainer).fit(model, digits())
    return model


def changed(model: lit_cnn.Classifier, checkpoint: str) -> set[str]:
    """Names of the network's tensors that are others than the checkpoint's; counters of batches aside."""
    before = torch.load(checkpoint, weights_only=True)["state_dict"]
    state = {name: value for name, value in model.state_dict().items() if "num_batches" not in name}
    return {name for name, value in state.items() if not torch.equal(value, before[name])}


HEAD = {"net.head.classifier.weight", "net.head.classifier.bias"}


@pytest.mark.slow
def test_while_frozen_only_the_head_changes(checkpoint: str, tmp_path: Path) -> None:
    assert changed(fine_tune(checkpoint, tmp_path, {"max_epochs": 1}, freeze_epochs=1), checkpoint) == HEAD
    assert changed(fine_tune(checkpoint, tmp_path, {"max_epochs": 2}, freeze_epochs="all"), checkpoint) == HEAD


def test_afterwards_everything_changes(checkpoint: str, tmp_path: Path) -> None:
    model = fine_tune(checkpoint, tmp_path, {"max_epochs": 2}, freeze_epochs=1)
    names = {name for name in model.state_dict() if "num_batches" not in name}
    assert changed(model, checkpoint) == names


@pytest.mark.slow
def test_frozen_batch_norms_stay_and_the_convolutions_change(checkpoint: str, tmp_path: Path) -> None:
    model = fine_tune(checkpoint, tmp_path, {"max_epochs": 1, "val_check_interval": 1}, batch_norm="frozen")
    convolutions = {f"net.{name}.weight" for name, each in model.net.named_modules() if isinstance(each, nn.Conv2d)}
    assert changed(model, checkpoint) == convolutions | HEAD


def test_frozen_layers_are_as_in_evaluation_and_thaw_in_training() -> None:
    network = lit_cnn.create_model("cifar_resnet8", drop_path=0.5).train()
    freezing = Freezing(network, InitialWeights("some.ckpt", freeze_epochs=2))
    freezing.enter(1)
    assert not any(module.training for module in network.features.modules())
    assert network.head.training
    freezing.enter(2)
    assert all(module.training for module in network.modules())
    assert all(parameter.requires_grad for parameter in network.parameters())


class Detecting(nn.Module):
    """A network of the catalog as a backbone, with a batch norm and an evaluated one of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.backbone = lit_cnn.create_model("cifar_resnet8")
        self.norm, self.evaluated = nn.BatchNorm2d(4), nn.BatchNorm2d(4).eval()


class Foreign(nn.Module):
    """The same without a backbone of the catalog."""

    def __init__(self) -> None:
        super().__init__()
        self.norm, self.evaluated = nn.BatchNorm2d(4), nn.BatchNorm2d(4).eval()
        self.last = nn.Linear(4, 2)


@pytest.mark.parametrize("make", [Detecting, Foreign])
@pytest.mark.parametrize("batch_norm", ["train", "frozen"])
def test_batch_norms_of_any_network_return_to_the_mode_they_had(make: type[nn.Module], batch_norm: Any) -> None:
    network = make()
    before = [module.training for module in network.modules()]
    norms = batch_norms(network)
    freezing = Freezing(network, InitialWeights("some.ckpt", freeze_epochs=1, batch_norm=batch_norm))
    freezing.enter(0)
    freezing.enter(0)  # at the start of training and of its first epoch
    assert not any(norm.training for norm in norms)
    freezing.enter(1)
    if batch_norm == "train":
        assert [module.training for module in network.modules()] == before
    else:
        assert [module for module in network.modules() if not module.training] == norms


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:Checkpoint directory .* exists")
def test_a_run_resumed_inside_a_frozen_epoch_ends_in_the_same_bits(checkpoint: str, tmp_path: Path) -> None:
    def train(resumes: bool) -> dict[str, Tensor]:
        initial = InitialWeights(checkpoint, freeze_epochs=1, batch_norm="frozen")
        model = make_classifier(initial=initial, options=NetworkOptions(drop_path=0.3))
        keep = ModelCheckpoint(tmp_path / "kept", save_top_k=-1, every_n_train_steps=1, filename="{step}")
        few: dict[str, Any] = {"max_epochs": 2, "limit_train_batches": 4, "enable_checkpointing": True}
        make_trainer(tmp_path, callbacks=[keep], **few).fit(
            model, digits(), ckpt_path=str(tmp_path / "kept" / "step=2.ckpt") if resumes else None, weights_only=True
        )
        return model.state_dict()

    whole, resumed = train(resumes=False), train(resumes=True)
    assert all(torch.equal(value, resumed[name]) for name, value in whole.items())


def test_the_length_of_a_run_that_its_statistics_cannot_follow_is_said() -> None:
    network = lit_cnn.create_model("cifar_resnet8").train()
    for norm in batch_norms(network):
        norm.momentum = 0.01
    said = lagging_statistics(network, 50)
    assert said is not None
    assert "move by 0.01 of the way in each step: after this run's 50 they are still 61 % what they began with" in said
    assert lagging_statistics(network, 140) is not None
    assert lagging_statistics(network, 300) is None
    for norm in batch_norms(network):
        norm.eval()
    assert lagging_statistics(network, 50) is None


def test_ddp_is_told_that_parameters_go_unused(checkpoint: str, tmp_path: Path) -> None:
    trainer = pl.Trainer(accelerator="cpu", devices=2, strategy="ddp", logger=False, default_root_dir=tmp_path)
    model = make_classifier(initial=InitialWeights(checkpoint, freeze_epochs=1))
    trainer.datamodule = digits()  # type: ignore[attr-defined]
    model.trainer = trainer
    model.setup("fit")
    assert trainer.strategy._ddp_kwargs["find_unused_parameters"] is True
