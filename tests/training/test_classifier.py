"""Uneven micro-batches weigh by their images: gradients and losses are those of the whole batch, computed by hand."""

from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import pytest
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from lit_cnn import Classifier
from lit_cnn.architectures.entry import NetworkOptions
from lit_cnn.data.batch import PADDING, Batch, as_batch
from lit_cnn.data.loading.sampling import TrainSampler
from lit_cnn.run_folder.metrics_csv import read_metrics
from lit_cnn.training.metrics_file import MetricsFile
from lit_cnn.training.optimization.optimizer_settings import OptimizerSettings
from lit_cnn.training.optimization.schedules import ScheduleSettings

IMAGES = torch.tensor([[1.0, 0.0], [0.0, 1.0], [2.0, 1.0], [-1.0, 3.0], [0.5, 0.5], [3.0, -1.0], [1.0, 2.0]])
TARGETS = torch.tensor([0, 1, 1, 0, 1, 1, 0])
WEIGHT = torch.tensor([[0.5, -0.25], [0.25, 1.0]])
"""Of the only layer: class k's logit of an image is its product with row k."""
RATE = 0.5


def losses_by_hand(rows: list[int]) -> Tensor:
    logits = IMAGES[rows] @ WEIGHT.T
    return logits.exp().sum(dim=1).log() - logits[torch.arange(len(rows)), TARGETS[rows]]


def gradient_by_hand(rows: list[int]) -> Tensor:
    """Of the mean loss of some images: (softmax - one-hot) times the image."""
    powers = (IMAGES[rows] @ WEIGHT.T).exp()
    wrong = powers / powers.sum(dim=1, keepdim=True) - torch.eye(2)[TARGETS[rows]]
    return wrong.T @ IMAGES[rows] / len(rows)


def make_batch(rows: list[int], weight: float) -> Batch:
    index = torch.tensor(rows)
    return Batch(IMAGES[rows].view(-1, 1, 1, 2), TARGETS[rows], index, torch.arange(len(rows)), torch.tensor(weight))


def make_classifier() -> Classifier:
    network = nn.Sequential(nn.Flatten(), nn.Linear(2, 2, bias=False))
    network[1].weight.data.copy_(WEIGHT)
    optimizer = OptimizerSettings(learning_rate=RATE, base_batch_size=None, momentum=0.0, nesterov=False)
    schedule = ScheduleSettings("constant")
    return Classifier(network, num_classes=2, in_channels=1, optimizer=optimizer, schedule=schedule)


def step_alone(batch: Batch) -> tuple[float, Tensor]:
    """Loss and gradient of one process, before gradients are averaged over processes."""
    classifier = make_classifier()
    classifier.trainer = pl.Trainer(accelerator="cpu", logger=False, log_every_n_steps=0)
    classifier.configure_model()
    loss = classifier.training_step(batch, 0)
    loss.backward()
    assert isinstance(classifier.net, nn.Sequential)
    return loss.item(), classifier.net[1].weight.grad


def test_the_weight_is_a_factor_on_the_mean_loss_and_its_gradient() -> None:
    rows = [0, 1, 2]
    loss, gradient = step_alone(make_batch(rows, weight=0.25))
    torch.testing.assert_close(loss, 0.25 * losses_by_hand(rows).mean().item())
    torch.testing.assert_close(gradient, 0.25 * gradient_by_hand(rows))


def test_the_mean_over_processes_of_an_uneven_last_batch_is_that_of_its_images() -> None:
    """Seven images in steps of four on two processes: the last step has two images on one and one on the other."""
    plans = [
        list(TrainSampler(7, 4, rank=rank, world_size=2, accumulation=1, seed=0, drop_last=False))[-1]
        for rank in (0, 1)
    ]
    rows = [plan.index.tolist() for plan in plans]
    assert [len(part) for part in rows] == [2, 1]
    steps = [step_alone(make_batch(part, plan.weight)) for part, plan in zip(rows, plans, strict=True)]
    torch.testing.assert_close((steps[0][0] + steps[1][0]) / 2, losses_by_hand(rows[0] + rows[1]).mean().item())
    torch.testing.assert_close((steps[0][1] + steps[1][1]) / 2, gradient_by_hand(rows[0] + rows[1]))


def train(folder: Path, batches: list[Batch], accumulation: int) -> tuple[Tensor, list[dict[str, float]]]:
    """The weight after an epoch, and what it logged."""
    classifier, metrics = make_classifier(), MetricsFile(folder)
    trainer = pl.Trainer(
        accelerator="cpu",
        max_epochs=1,
        accumulate_grad_batches=accumulation,
        logger=metrics,
        log_every_n_steps=1,
        enable_checkpointing=False,
        num_sanity_val_steps=0,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    validation = [make_batch([5, 6], weight=1.0)]
    trainer.fit(classifier, DataLoader(batches, batch_size=None), DataLoader(validation, batch_size=None))
    metrics.save()
    assert isinstance(classifier.net, nn.Sequential)
    return classifier.net[1].weight.detach(), read_metrics(folder / "metrics.csv")


def test_accumulated_micro_batches_of_different_size_step_as_one_batch(tmp_path: Path) -> None:
    micro_batches = [make_batch([0, 1, 2, 3], weight=4 * 2 / 5), make_batch([4], weight=1 * 2 / 5)]
    found, (row,) = train(tmp_path, micro_batches, accumulation=2)
    torch.testing.assert_close(found, WEIGHT - RATE * gradient_by_hand([0, 1, 2, 3, 4]))
    torch.testing.assert_close(row["train/loss"], losses_by_hand([0, 1, 2, 3, 4]).mean().item())


def test_the_logged_losses_are_means_over_images_whatever_the_weight(tmp_path: Path) -> None:
    _, (row,) = train(tmp_path, [make_batch([0, 1, 2], weight=0.25)], accumulation=1)
    for name in ("train/loss_step", "train/loss"):
        torch.testing.assert_close(row[name], losses_by_hand([0, 1, 2]).mean().item())


class Unconditional(pl.Callback):
    """Logs in every micro-batch, of which Lightning writes what it wants."""

    def on_train_batch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule, *args: Any) -> None:
        pl_module.log("watched", 1.0)


@pytest.mark.parametrize(("every", "accumulation", "stop_at"), [(3, 1, None), (3, 2, None), (4, 1, 6), (0, 1, None)])
def test_a_steps_values_are_logged_where_lightning_writes_them(
    tmp_path: Path, every: int, accumulation: int, stop_at: int | None
) -> None:
    class Stop(pl.Callback):
        def on_train_batch_start(self, trainer: pl.Trainer, *args: Any) -> None:
            trainer.should_stop = trainer.global_step + 1 == stop_at

    metrics = MetricsFile(tmp_path)
    trainer = pl.Trainer(
        accelerator="cpu",
        max_epochs=2,
        accumulate_grad_batches=accumulation,
        val_check_interval=2,
        logger=metrics,
        log_every_n_steps=every,
        callbacks=[Stop(), Unconditional()],
        enable_checkpointing=False,
        num_sanity_val_steps=0,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    batches = [make_batch([number % 7], weight=1.0) for number in range(7)]
    validation = DataLoader([make_batch([5, 6], weight=1.0)], batch_size=None)
    trainer.fit(make_classifier(), DataLoader(batches, batch_size=None), validation)
    rows = read_metrics(tmp_path / "metrics.csv")
    written = [row["step"] for row in rows if "watched" in row]
    assert bool(written) == (every > 0)
    message = "Lightning writes other steps by now: adapt Classifier._logs_this_step"
    assert [row["step"] for row in rows if "train/loss_step" in row] == written, message
    assert [row["step"] for row in rows if "lr" in row] == written, message


def test_padding_moves_nothing() -> None:
    batch = make_batch([0, 1, 2], weight=1.0)
    padded = batch._replace(index=torch.tensor([0, 1, PADDING]))
    torch.testing.assert_close(step_alone(padded)[1], gradient_by_hand([0, 1]))


def loader(images: Tensor, targets: Tensor) -> DataLoader:
    return DataLoader(TensorDataset(images, targets), batch_size=8)


def quiet_trainer(folder: Path, **settings: Any) -> pl.Trainer:
    quiet = {"logger": False, "enable_checkpointing": False, "enable_progress_bar": False, "max_epochs": 2}
    return pl.Trainer(accelerator="cpu", devices=1, default_root_dir=folder, **{**quiet, **settings})


def test_any_loader_of_images_and_targets_trains(tmp_path: Path) -> None:
    """Of an uneven set every image counts once, in training and in validation."""
    labels = torch.arange(20) % 2
    images = labels.float().view(-1, 1, 1, 1).expand(20, 1, 16, 16) - 0.5
    model = Classifier("cifar_resnet8", num_classes=2, in_channels=1)
    trainer = quiet_trainer(tmp_path)
    trainer.fit(model, loader(images, labels), loader(images[:10], labels[:10]))
    assert trainer.global_step == 2 * 3
    assert {"train/loss", "train/acc1", "val/loss", "val/acc1"} <= set(trainer.callback_metrics)
    right = float(trainer.callback_metrics["val/acc1"]) * 10
    assert right == pytest.approx(round(right))


def test_another_loader_is_refused_in_one_sentence(tmp_path: Path) -> None:
    labels = torch.zeros(8, dtype=torch.int64)
    model = Classifier("cifar_resnet8", num_classes=2, in_channels=1)
    wrong = loader(torch.zeros(8, 1, 16, 16, dtype=torch.uint8), labels)
    with pytest.raises(ValueError, match=r"images must be floating point as the network takes them, got torch\.uint8"):
        quiet_trainer(tmp_path).fit(model, wrong, wrong)
    with pytest.raises(ValueError, match=r"pairs of tensors \(images, targets\), got Tensor"):
        as_batch(torch.zeros(8, 1, 16, 16), 0)


def test_each_micro_batch_of_a_step_has_its_own_positions() -> None:
    batches = [as_batch([torch.zeros(3 - place, 1, 2, 2), torch.zeros(3 - place).long()], place) for place in range(3)]
    assert batches[0].position.tolist() == [0, 1, 2]
    assert len(set(torch.cat([batch.position for batch in batches]).tolist())) == 3 + 2 + 1
    assert batches[1].index.tolist() == [0, 1]
    assert batches[1].weight == 1


class Positions(pl.Callback):
    """Note the positions by which masks are drawn in each micro-batch."""

    def __init__(self) -> None:
        self.seen: list[tuple[int, list[int]]] = []

    def on_train_batch_end(self, trainer: pl.Trainer, pl_module: Any, outputs: Any, batch: Any, batch_idx: int) -> None:
        self.seen.append((trainer.global_step, pl_module.keyed_layers[0].positions.tolist()))


def test_accumulated_micro_batches_of_another_loader_draw_other_masks(tmp_path: Path) -> None:
    images, positions = torch.randn(32, 1, 16, 16), Positions()
    model = Classifier("cifar_resnet8", num_classes=2, in_channels=1, options=NetworkOptions(drop_path=0.5))
    trainer = quiet_trainer(tmp_path, accumulate_grad_batches=2, callbacks=[positions], max_epochs=1)
    trainer.fit(model, *[loader(images, torch.arange(32) % 2)] * 2)
    assert trainer.global_step == 2
    (_, first), (_, second), (_, third), _ = positions.seen
    assert not set(first) & set(second)
    assert third == first  # of another step


def test_a_trained_network_draws_fresh_masks_again(tmp_path: Path) -> None:
    images = torch.randn(8, 1, 16, 16)
    model = Classifier("cifar_resnet8", num_classes=2, in_channels=1, options=NetworkOptions(dropout=0.5))
    quiet_trainer(tmp_path, max_epochs=1).fit(model, *[loader(images, torch.arange(8) % 2)] * 2)
    network = model.network.train()
    assert network(images[:5]).shape == (5, 2)
    assert not torch.equal(network(images), network(images))
