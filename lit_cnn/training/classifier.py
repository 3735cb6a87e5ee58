"""Classifier: a network, its loss, its metrics and its optimizer, as a LightningModule."""

import math
from contextlib import nullcontext
from typing import Any

import torch
from torch import Tensor, nn

from lit_cnn.architectures.catalog import create_model, find_entry
from lit_cnn.architectures.entry import NetworkOptions
from lit_cnn.architectures.layers.batch_norm import explaining_single_values
from lit_cnn.architectures.layers.keyed import random_layers, set_random_key
from lit_cnn.data.batch import PADDING, Batch, as_batch
from lit_cnn.data.module import ImageData
from lit_cnn.data.preprocessing import Preprocessing
from lit_cnn.lightning_internals import trainer_of
from lit_cnn.randomness import derive_key, seeded
from lit_cnn.run_folder.checkpoint import migrate
from lit_cnn.training.activation_checkpointing import checkpoint_activations
from lit_cnn.training.checkpoint_record import constructor_arguments, describe_classifier, describe_network
from lit_cnn.training.class_rows import told_logits
from lit_cnn.training.fine_tuning import InitialWeights, start_weights
from lit_cnn.training.losses import LossSettings, balanced_weights, loss_of_heads
from lit_cnn.training.metrics import EvaluationMetrics, SoftTargetAccuracy
from lit_cnn.training.optimization.clipping import ClippingSettings
from lit_cnn.training.optimization.loss_scaling import scaled, scaler_of
from lit_cnn.training.optimization.optimizer_settings import OptimizerSettings
from lit_cnn.training.optimization.sam import Ascent, SamSettings, frozen_statistics
from lit_cnn.training.optimization.schedules import ScheduleSettings
from lit_cnn.training.padding_batch import is_padding, uncounted_statistics
from lit_cnn.training.trained_module import TrainedModule


class Classifier(TrainedModule):
    """Train any network to name what an image shows.

    Args:
        architecture: A name of the catalog (``lit-cnn models`` lists them), or any ``nn.Module`` that maps images to
            logits; in a recipe the latter is a ``class_path`` with ``init_args``.
        options: Options of a catalog network.
        num_classes: Outputs; taken from the data when left out.
        in_channels: Channels of the images; taken from the data when left out.
        loss: Loss and label smoothing.
        optimizer: Optimizer, learning rate and weight decay.
        schedule: Warm-up and decay of the learning rate.
        clipping: Gradient clipping.
        sam: Sharpness-aware minimization.
        initial: Weights to start from instead of random ones.
        channels_last: Keep weights and images in the layout in which convolutions are fastest; false: NCHW.
        compile: Train with ``torch.compile``: seconds to minutes of compilation per image size, for faster steps.
        activation_checkpointing: Recompute each block in the backward pass: less memory, more time, same gradients.
        seed: Seed of the initial weights, dropout and stochastic depth.
    """

    class_weights: Tensor | None
    preprocessing: Preprocessing | None
    """From an image to the network's input, which a checkpoint records: that of the ImageData it was fitted to."""
    shown_score = "val/acc1"
    validated_metrics = ("val/loss", "val/acc1", "val/acc5", "val/loss_raw", "val/acc1_raw")
    """With fewer than five classes their number is in the place of 5."""

    def __init__(
        self,
        architecture: str | nn.Module,
        options: NetworkOptions = NetworkOptions(),
        num_classes: int | None = None,
        in_channels: int | None = None,
        loss: LossSettings = LossSettings(),
        optimizer: OptimizerSettings = OptimizerSettings(),
        schedule: ScheduleSettings = ScheduleSettings(),
        clipping: ClippingSettings = ClippingSettings(),
        sam: SamSettings = SamSettings(),
        initial: InitialWeights = InitialWeights(),
        channels_last: bool = True,
        compile: bool = False,
        activation_checkpointing: bool = False,
        seed: int = 0,
    ) -> None:
        super().__init__(optimizer, schedule, clipping, initial, channels_last, compile, seed)
        if isinstance(architecture, str):
            find_entry(architecture)
        if compile and activation_checkpointing:
            raise ValueError(
                "torch.compile cannot trace the spared statistics of activation checkpointing: set one of "
                "model.compile and model.activation_checkpointing to false"
            )
        self.architecture = architecture if isinstance(architecture, str) else None
        self.net = None if isinstance(architecture, str) else architecture
        self.options = options
        self.num_classes = num_classes
        self.in_channels = in_channels
        self.loss_settings = loss
        self.sam = sam
        if isinstance(architecture, str):
            initial.require_weights()
        self._ascent: Ascent | None = None
        self.activation_checkpointing = activation_checkpointing
        self.preprocessing = None

    # Building ---------------------------------------------------------------------------------------------------------

    def configure_model(self, data: object = None) -> None:
        """Build the network for the classes and channels of ``data``, by default the trainer's; once only.

        Raises:
            ValueError: If classes or channels are unknown, or are others than the network was made for.
        """
        trainer = trainer_of(self)
        data = getattr(trainer, "datamodule", None) if data is None else data
        if self.configured:
            self._check_data(data)
            if trainer is not None and trainer.state.fn == "fit":
                self._weigh_classes(data)
            return
        self.num_classes = self._agreed("num_classes", self.num_classes, getattr(data, "num_classes", None))
        self.in_channels = self._agreed("in_channels", self.in_channels, getattr(data, "in_channels", None))
        if self.architecture is not None:
            with seeded(self.seed, "initialization"):
                self.net = create_model(
                    self.architecture,
                    num_classes=self.num_classes,
                    in_channels=self.in_channels,
                    **self.options.chosen(),
                )
        else:
            self._check_head(data)
        assert self.net is not None
        names = getattr(data, "class_names", None) or [str(number) for number in range(self.num_classes)]
        start_weights(self.net, self.initial, data, names, resumed=self.resumed)
        self.freeze_and_lay_out()
        if self.activation_checkpointing:
            checkpoint_activations(self.net)
        if self.compiled:
            self.net.compile(dynamic=False)  # in place: the names of the weights stay
        self.keyed_layers = random_layers(self.net)
        self.register_buffer("class_weights", None, persistent=False)
        self.train_metrics = EvaluationMetrics(self.num_classes, self.loss_settings)
        self.soft_accuracy = SoftTargetAccuracy()
        self.val_metrics = EvaluationMetrics(self.num_classes)
        self.raw_metrics = EvaluationMetrics(self.num_classes)
        self.test_metrics = EvaluationMetrics(self.num_classes)
        self._weigh_classes(data)
        self.configured = True

    @staticmethod
    def _agreed(name: str, stated: int | None, found: int | None) -> int:
        if stated is not None and found is not None and stated != found:
            advice = f", and set data.in_channels to {stated} to read it so" if name == "in_channels" else ""
            raise ValueError(
                f"model.{name} is {stated} but the data has {found}: remove model.{name} from the recipe, "
                f"it is taken from the data{advice}"
            )
        value = stated if stated is not None else found
        if value is None:
            raise ValueError(f"model.{name} is unknown: set it, or train with an ImageData, which provides it")
        return value

    def _check_data(self, data: object) -> None:
        """Refuse data of another shape than those that the network was built for."""
        for name in ("num_classes", "in_channels"):
            built, found = getattr(self, name), getattr(data, name, None)
            if found is not None and found != built:
                raise ValueError(
                    f"this Classifier was built with {name} {built} but the data has {found}: make a new Classifier"
                )

    def _weigh_classes(self, data: object) -> None:
        """Balance the training loss by the training images of each class, where the settings ask for it."""
        if self.loss_settings.class_weights == "equal" or self.loading:
            return
        if not isinstance(data, ImageData):
            raise ValueError("loss.class_weights balanced counts training images: train with an ImageData")
        self.class_weights = balanced_weights(data.class_counts).to(self.device)
        self.train_metrics.class_weights = self.class_weights

    def _check_head(self, data: object) -> None:
        """A network given as a module was built before the data was known: compare its outputs with the data."""
        sides = getattr(data, "evaluated_sides", (224, 224))
        image = torch.empty(1, self.in_channels or 3, *sides, dtype=self.weights_dtype, device="meta")
        told = told_logits(self.network, image)
        if told and self.num_classes not in told:
            raise ValueError(
                f"the network has {told[0]} outputs but the data has {self.num_classes} classes: "
                f"set num_classes: {self.num_classes} among the network's init_args"
            )

    def setup(self, stage: str) -> None:
        """Note what the data say of classes and preprocessing, and forget what an interrupted epoch has counted."""
        data = self.trainer.datamodule  # type: ignore[attr-defined]
        if stage == "fit" or self.preprocessing is None:
            names = getattr(data, "class_names", None)
            self.class_names = list(names) if names is not None else self.class_names
            self.preprocessing = data.preprocessing if isinstance(data, ImageData) else self.preprocessing
        super().setup(stage)

    def forget_epoch(self) -> None:
        self.train_metrics.reset()
        self.soft_accuracy.reset()

    def forward(self, images: Tensor) -> Tensor:
        """Logits (N, num_classes) of images (N, C, H, W)."""
        return self.network(images.to(self.weights_dtype))

    # Steps ------------------------------------------------------------------------------------------------------------

    def training_step(self, batch: Any, batch_idx: int) -> Tensor:
        batch = as_batch(batch, self._place_in_step(batch_idx))
        with uncounted_statistics(self.network) if is_padding(batch) else nullcontext():
            if self.sam.rho > 0:
                self._climb(batch, batch_idx)
            output, loss = self.loss_of(batch, self.trainer.global_step, batch_idx)
        logits = output if isinstance(output, Tensor) else output[0]
        self._count_training(logits.detach(), batch.targets, batch.index >= 0)
        if self.logs_this_step:
            self.log("train/loss_step", loss.detach())
        return loss * batch.weight

    def _place_in_step(self, batch_idx: int) -> int:
        """Number of a micro-batch among those of all processes in its optimizer step."""
        turn = batch_idx % self.trainer.accumulate_grad_batches
        return turn * self.trainer.world_size + self.global_rank

    def loss_of(self, batch: Batch, step: int, batch_idx: int = 0) -> tuple[Tensor | tuple[Tensor, ...], Tensor]:
        """The network's output for a batch, and the mean loss that training minimizes, 0-dim.

        Args:
            batch: As the network sees it, on the network's device.
            step: Optimizer steps done before, from which the masks of dropout and stochastic depth are drawn.
            batch_idx: Number of the batch within the epoch.
        """
        set_random_key(self.keyed_layers, seed=self.seed, step=step, positions=batch.position)
        if self.architecture is None:  # a foreign network draws its masks from the ambient generator
            torch.manual_seed(derive_key(self.seed, "ambient", step, batch_idx, self.global_rank))
        left = (
            f"a batch of {len(batch.images)} image of {batch.images.shape[-1]} px leaves: choose a data.batch_size "
            "that leaves more images over for the last batch of an epoch, or set data.drop_last to true"
        )
        with explaining_single_values(left):
            output = self(batch.images)
        return output, self.loss_of_output(output, batch.targets, batch.index >= 0)

    def loss_of_output(self, output: Tensor | tuple[Tensor, ...], targets: Tensor, valid: Tensor | None) -> Tensor:
        """The mean loss of what the network returned, as ``loss_of_heads`` with the recipe's loss and class weights."""
        return loss_of_heads(output, targets, valid, self.loss_settings, self.class_weights)

    def _climb(self, batch: Batch, batch_idx: int) -> None:
        """Move the weights to where the loss of the batch's first images is highest nearby, until the backward pass."""
        self._ascent = self._ascent or Ascent(self.network, self.sam.rho)
        rows = math.ceil(self.sam.ascent_fraction * len(batch.index))
        part = Batch(batch.images[:rows], batch.targets[:rows], batch.index[:rows], batch.position[:rows], batch.weight)
        with frozen_statistics(self.network):
            _, loss = self.loss_of(part, self.trainer.global_step, batch_idx)
            # inside: activation checkpointing runs the network here once more
            self._ascent.climb(scaled(loss * batch.weight, self.trainer), scaler_of(self.trainer) is not None)

    def on_after_backward(self) -> None:
        if self._ascent is not None:
            self._ascent.descend()

    def _count_training(self, logits: Tensor, targets: Tensor, valid: Tensor) -> None:
        """Accuracy against the classes, and as soon as targets are mixed, the target mass on the predicted class."""
        if targets.is_floating_point() or self.soft_accuracy.updated:
            self.soft_accuracy.update(logits, targets, valid)
        self.train_metrics.update(logits, targets, valid)

    def on_train_epoch_end(self) -> None:
        values = self.train_metrics.compute()
        if self.soft_accuracy.updated:
            mixed = self.soft_accuracy.compute()
            values = {"loss": values["loss"], "acc1_soft": mixed["accuracy"], "acc1_ceiling": mixed["ceiling"]}
        self.log_epoch("train", values)
        self.forget_epoch()

    def validation_step(self, batch: Any, batch_idx: int) -> Tensor:
        batch = as_batch(batch, 0)
        logits = self(batch.images)
        self.val_metrics.update(logits, batch.targets, batch.index >= 0)
        return logits

    @torch.no_grad()
    def count_raw(self, raw: nn.Module | None, batch: Any, outputs: Tensor) -> None:
        batch = as_batch(batch, 0)
        logits = outputs if raw is None else raw(batch.images)
        self.raw_metrics.update(logits, batch.targets, batch.index >= 0)

    def on_validation_epoch_end(self) -> None:
        """Report the weights that were validated (the average under EMA) and, where counted, the ``_raw`` ones."""
        values = self.val_metrics.compute()
        raw = self.raw_metrics.compute() if self.raw_metrics.updated else {}
        self.log_epoch("val", {**values, **{f"{name}_raw": raw[name] for name in ("loss", "acc1") if raw}})
        self.observe(values["acc1"])
        self.val_metrics.reset()
        self.raw_metrics.reset()

    def test_step(self, batch: Any, batch_idx: int) -> Tensor:
        batch = as_batch(batch, 0)
        logits = self(batch.images)
        self.test_metrics.update(logits, batch.targets, batch.index >= 0)
        return logits

    def on_test_epoch_end(self) -> None:
        self.log_epoch("test", self.test_metrics.compute())
        self.test_metrics.reset()

    def predict_step(self, batch: Any, batch_idx: int) -> Tensor:
        """Logits (n, num_classes) of a batch, or of images (n, C, H, W) alone; rows that only pad are left out."""
        if isinstance(batch, (list, tuple)) and len(batch) == 1:
            batch = batch[0]
        if isinstance(batch, Tensor):
            return self(batch)
        batch = as_batch(batch, 0)
        return self(batch.images)[batch.index != PADDING]

    # Checkpoint -------------------------------------------------------------------------------------------------------

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        checkpoint.update(describe_classifier(self))
        checkpoint["epoch_metrics"] = [metric.epoch_state() for metric in (self.train_metrics, self.soft_accuracy)]

    @classmethod
    def recorded_arguments(cls, checkpoint: dict[str, Any], name: str, stated: dict[str, Any]) -> dict[str, Any]:
        """As ``TrainedModule`` says; ``architecture`` must be stated where it was a module, which no file holds.

        Raises:
            ValueError: If it is not.
        """
        return constructor_arguments(cls, checkpoint, name, stated)

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        found, wanted = checkpoint.get("network"), describe_network(self)
        if found is None:
            raise ValueError("the checkpoint was not written by lit-cnn: it does not say which network it holds")
        if found != wanted:
            different = [
                f"{key} is {found.get(key)!r}, here {wanted[key]!r}" for key in wanted if found[key] != wanted[key]
            ]
            raise ValueError(f"the checkpoint is of another network: {'; '.join(different)}")
        self.class_names = self.class_names or checkpoint.get("class_names")
        recorded = migrate(checkpoint, "the checkpoint").get(
            "preprocessing"
        )  # which a Trainer of one's own has not done
        if self.preprocessing is None and recorded is not None:
            self.preprocessing = Preprocessing.from_dict(recorded)
        for metric, state in zip((self.train_metrics, self.soft_accuracy), checkpoint["epoch_metrics"], strict=True):
            metric.restore_epoch(state, self.global_rank)
