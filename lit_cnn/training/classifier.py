"""Classifier: a network, its loss, its metrics and its optimizer, as a LightningModule."""

import math
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import torch
from torch import Tensor, nn

from lit_cnn.architectures.catalog import create_model, find_entry
from lit_cnn.architectures.entry import NetworkOptions
from lit_cnn.architectures.layers.keyed import KeyedLayer, random_layers, set_random_key
from lit_cnn.data.batch import PADDING, Batch, as_batch
from lit_cnn.data.module import ImageData
from lit_cnn.data.preprocessing import Preprocessing
from lit_cnn.lightning_internals import allow_unused_parameters, open_training_loader, trainer_of
from lit_cnn.randomness import derive_key, seeded
from lit_cnn.run_folder.checkpoint import load_checkpoint, migrate
from lit_cnn.training.activation_checkpointing import checkpoint_activations
from lit_cnn.training.announce import announce
from lit_cnn.training.checkpoint_record import constructor_arguments, describe_classifier, describe_network
from lit_cnn.training.fine_tuning import InitialWeights, start_weights
from lit_cnn.training.freezing import Freezing, lagging_statistics
from lit_cnn.training.losses import LossSettings, balanced_weights, loss_of_heads
from lit_cnn.training.metrics import EvaluationMetrics, SoftTargetAccuracy
from lit_cnn.training.optimization.clipping import ClippingSettings, classifier_of, clip_gradients_
from lit_cnn.training.optimization.layer_rates import learning_rate
from lit_cnn.training.optimization.loss_scaling import scaled, scaler_of
from lit_cnn.training.optimization.optimizers import OptimizerSettings, make_optimizer
from lit_cnn.training.optimization.sam import Ascent, SamSettings, frozen_statistics
from lit_cnn.training.optimization.schedules import PlateauLR, ScheduleSettings, make_scheduler, warmup_steps


class Classifier(pl.LightningModule):
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
    class_names: list[str] | None
    """Names of the classes that a checkpoint records: those of the data it was fitted to, where they say them."""
    preprocessing: Preprocessing | None
    """From an image to the network's input, which a checkpoint records: that of the ImageData it was fitted to."""

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
        super().__init__()
        if isinstance(architecture, str):
            find_entry(architecture)
        if compile and activation_checkpointing:
            raise ValueError(
                "torch.compile cannot trace the spared statistics of activation checkpointing: set one of "
                "model.compile and model.activation_checkpointing to false"
            )
        self.architecture = architecture if isinstance(architecture, str) else None
        self.net: nn.Module | None = None if isinstance(architecture, str) else architecture
        self.options = options
        self.num_classes = num_classes
        self.in_channels = in_channels
        self.loss_settings = loss
        self.optimizer_settings = optimizer
        self.schedule_settings = schedule
        self.clipping_settings = clipping
        self.sam = sam
        self.initial = initial
        if isinstance(architecture, str):
            initial.require_weights()
        self._freezing: Freezing | None = None
        self._total_steps = 0
        self._ascent: Ascent | None = None
        self._random_layers: list[KeyedLayer] = []
        self.channels_last, self.compiled = channels_last, compile
        self.activation_checkpointing = activation_checkpointing
        self.seed = seed
        self.class_names, self.preprocessing = None, None
        self._configured = False
        self._loading = False  # in load_from_checkpoint, which brings all weights

    @property
    def network(self) -> nn.Module:
        """The network, once ``configure_model`` has built it.

        Raises:
            RuntimeError: Before that.
        """
        if self.net is None:
            raise RuntimeError("the network is built by configure_model, which needs the data's classes: call it first")
        return self.net

    # Building ---------------------------------------------------------------------------------------------------------

    def configure_model(self, data: object = None) -> None:
        """Build the network for the classes and channels of ``data``, by default the trainer's; once only.

        Raises:
            ValueError: If classes or channels are unknown, or are others than the network was made for.
        """
        trainer = trainer_of(self)
        data = getattr(trainer, "datamodule", None) if data is None else data
        if self._configured:
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
        assert self.net is not None
        self._check_head()
        resumed = self._loading or (trainer is not None and trainer.ckpt_path is not None)
        names = getattr(data, "class_names", None) or [str(number) for number in range(self.num_classes)]
        start_weights(self.net, self.initial, data, names, resumed=resumed)
        self._freezing = Freezing(self.net, self.initial)
        self._freezing.freeze_norms()
        if self.channels_last:
            self.net = self.net.to(memory_format=torch.channels_last)
        else:
            self.net.register_forward_pre_hook(contiguous_images)
        if self.activation_checkpointing:
            checkpoint_activations(self.net)
        if self.compiled:
            self.net.compile(dynamic=False)  # in place: the names of the weights stay
        self._random_layers = random_layers(self.net)
        self.register_buffer("class_weights", None, persistent=False)
        self.train_metrics = EvaluationMetrics(self.num_classes, self.loss_settings)
        self.soft_accuracy = SoftTargetAccuracy()
        self.val_metrics = EvaluationMetrics(self.num_classes)
        self.raw_metrics = EvaluationMetrics(self.num_classes)
        self.test_metrics = EvaluationMetrics(self.num_classes)
        self._weigh_classes(data)
        self._configured = True

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
        if self.loss_settings.class_weights == "equal" or self._loading:
            return
        if not isinstance(data, ImageData):
            raise ValueError("loss.class_weights balanced counts training images: train with an ImageData")
        self.class_weights = balanced_weights(data.class_counts).to(self.device)
        self.train_metrics.class_weights = self.class_weights

    def _check_head(self) -> None:
        """A network given as a module was built before the data was known: compare its last layer with the data."""
        linear = [module for module in self.network.modules() if isinstance(module, nn.Linear)]
        if linear and linear[-1].out_features != self.num_classes:
            raise ValueError(
                f"the network's last layer has {linear[-1].out_features} outputs but the data has {self.num_classes} "
                f"classes: set num_classes: {self.num_classes} among the network's init_args"
            )

    def setup(self, stage: str) -> None:
        """Note what the data say of classes and preprocessing, and forget what an interrupted epoch has counted."""
        data = self.trainer.datamodule  # type: ignore[attr-defined]
        if stage == "fit" or self.preprocessing is None:
            names = getattr(data, "class_names", None)
            self.class_names = list(names) if names is not None else self.class_names
            self.preprocessing = data.preprocessing if isinstance(data, ImageData) else self.preprocessing
        if stage == "fit" and self.initial.freeze_epochs != 0:
            allow_unused_parameters(self.trainer)
        if stage == "fit" and self._configured:
            self._forget_epoch()

    def _forget_epoch(self) -> None:
        self.train_metrics.reset()
        self.soft_accuracy.reset()

    def forward(self, images: Tensor) -> Tensor:
        """Logits (N, num_classes) of images (N, C, H, W)."""
        return self.network(images.to(self._weights_dtype))

    @property
    def _weights_dtype(self) -> torch.dtype:
        """What the weights are stored in: float32 but under a precision such as bf16-true."""
        return next(self.network.parameters()).dtype

    def on_train_start(self) -> None:
        self._enter_epoch()  # at a resume inside an epoch, too, of which Lightning announces no start
        fresh = self.trainer.global_step == 0 and not self.trainer.fast_dev_run  # type: ignore[attr-defined]
        if fresh and (line := lagging_statistics(self.network, self._total_steps)):
            announce(line)

    def on_train_epoch_start(self) -> None:
        self._enter_epoch()

    def _enter_epoch(self) -> None:
        if self._freezing is not None:
            self._freezing.enter(self.current_epoch)

    # Steps ------------------------------------------------------------------------------------------------------------

    def training_step(self, batch: Any, batch_idx: int) -> Tensor:
        batch = as_batch(batch, self.global_rank)
        if self.sam.rho > 0:
            self._climb(batch, batch_idx)
        output, loss = self.loss_of(batch, self.trainer.global_step, batch_idx)
        logits = output if isinstance(output, Tensor) else output[0]
        self._count_training(logits.detach(), batch.targets, batch.index >= 0)
        if self._logs_this_step:
            self.log("train/loss_step", loss.detach())
        return loss * batch.weight

    def loss_of(self, batch: Batch, step: int, batch_idx: int = 0) -> tuple[Tensor | tuple[Tensor, ...], Tensor]:
        """The network's output for a batch, and the mean loss that training minimizes, 0-dim.

        Args:
            batch: As the network sees it, on the network's device.
            step: Optimizer steps done before, from which the masks of dropout and stochastic depth are drawn.
            batch_idx: Number of the batch within the epoch.
        """
        set_random_key(self._random_layers, seed=self.seed, step=step, positions=batch.position)
        if self.architecture is None:  # a foreign network draws its masks from the ambient generator
            torch.manual_seed(derive_key(self.seed, "ambient", step, batch_idx, self.global_rank))
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

    def on_train_batch_start(self, batch: Batch, batch_idx: int) -> None:
        if self._logs_this_step:
            self.log("lr", learning_rate(self.trainer.optimizers[0]))

    @property
    def _logs_this_step(self) -> bool:
        """Whether the loggers take this step's values, as Lightning decides it: ``log`` costs as much otherwise."""
        trainer: Any = self.trainer
        every = trainer.log_every_n_steps
        due = every > 0 and ((trainer.global_step + 1) % every == 0 or trainer.should_stop)
        return due or bool(trainer.fast_dev_run)

    def on_train_epoch_end(self) -> None:
        values = self.train_metrics.compute()
        if self.soft_accuracy.updated:
            mixed = self.soft_accuracy.compute()
            values = {"loss": values["loss"], "acc1_soft": mixed["accuracy"], "acc1_ceiling": mixed["ceiling"]}
        self._log_epoch("train", values)
        self._forget_epoch()

    def on_validation_epoch_start(self) -> None:
        """Validate the batch-norm statistics that the checkpoint will hold: rank 0's."""
        broadcast_buffers(self)

    def validation_step(self, batch: Any, batch_idx: int) -> Tensor:
        batch = as_batch(batch, self.global_rank)
        logits = self(batch.images)
        self.val_metrics.update(logits, batch.targets, batch.index >= 0)
        return logits

    def on_validation_epoch_end(self) -> None:
        """Report the weights that were validated (the average under EMA) and, where counted, the ``_raw`` ones."""
        values = self.val_metrics.compute()
        raw = self.raw_metrics.compute() if self.raw_metrics.updated else {}
        self._log_epoch("val", {**values, **{f"{name}_raw": raw[name] for name in ("loss", "acc1") if raw}})
        trains = self.trainer.state.fn == "fit" and not self.trainer.sanity_checking
        scheduler = self.lr_schedulers() if trains else None
        if isinstance(scheduler, PlateauLR):
            scheduler.observe(float(values["acc1"]))
        self.val_metrics.reset()
        self.raw_metrics.reset()

    def test_step(self, batch: Any, batch_idx: int) -> Tensor:
        batch = as_batch(batch, self.global_rank)
        logits = self(batch.images)
        self.test_metrics.update(logits, batch.targets, batch.index >= 0)
        return logits

    def on_test_epoch_end(self) -> None:
        self._log_epoch("test", self.test_metrics.compute())
        self.test_metrics.reset()

    def _log_epoch(self, stage: str, values: dict[str, Tensor]) -> None:
        """Log values that are already equal on all ranks (taking their maximum changes nothing)."""
        for name, value in values.items():
            shown = (stage, name) in (("train", "loss"), ("val", "acc1"))
            self.log(f"{stage}/{name}", value.float(), prog_bar=shown, sync_dist=True, reduce_fx="max")

    def predict_step(self, batch: Any, batch_idx: int) -> Tensor:
        """Logits (n, num_classes) of a batch, or of images (n, C, H, W) alone; rows that only pad are left out."""
        if isinstance(batch, (list, tuple)) and len(batch) == 1:
            batch = batch[0]
        if isinstance(batch, Tensor):
            return self(batch)
        batch = as_batch(batch, self.global_rank)
        return self(batch.images)[batch.index != PADDING]

    # Optimization -----------------------------------------------------------------------------------------------------

    @property
    def learning_rate(self) -> float:
        """The peak rate of the optimizer's settings.

        Setting it, as ``Tuner.lr_find`` does, states the rate for the batch in use: no ``base_batch_size`` scales it.
        """
        return self.optimizer_settings.learning_rate

    @learning_rate.setter
    def learning_rate(self, value: float) -> None:
        self.optimizer_settings = replace(self.optimizer_settings, learning_rate=value, base_batch_size=None)

    def configure_optimizers(self) -> Any:
        batch_size = getattr(getattr(self.trainer, "datamodule", None), "batch_size", None)
        if batch_size is None:
            batch_size = self.optimizer_settings.base_batch_size or 1
        self._check_kernel()
        optimizer = make_optimizer(self.network, self.optimizer_settings, batch_size)
        steps_per_epoch, total_steps = self._count_steps()
        self._total_steps = total_steps
        schedule = self.schedule_settings
        if self.trainer.fast_dev_run:  # type: ignore[attr-defined]
            schedule = replace(schedule, warmup_epochs=0.0)  # a single step has no room for a warm-up
        elif total_steps < warmup_steps(schedule, steps_per_epoch):
            epochs = total_steps / steps_per_epoch
            announce(f"model.schedule.warmup_epochs is {epochs:g} instead of {schedule.warmup_epochs:g}, the whole run")
            schedule = replace(schedule, warmup_epochs=epochs)
        scheduler = make_scheduler(optimizer, schedule, total_steps=total_steps, steps_per_epoch=steps_per_epoch)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": scheduler, "interval": "step"}}

    def _check_kernel(self) -> None:
        """A fused update divides by the loss scale itself, so clipping before it would see scaled gradients."""
        fused, clips = self.optimizer_settings.kernel == "fused", self.clipping_settings.kind != "none"
        if fused and clips and self.trainer.precision == "16-mixed":
            raise ValueError(
                "model.optimizer.kernel fused cannot be combined with model.clipping in 16-mixed precision: use kernel "
                "foreach or precision bf16-mixed"
            )

    def _count_steps(self) -> tuple[int, int]:
        """Optimizer steps of an epoch and of the run.

        Lightning's own estimate would open the training loader before a checkpoint's position in the data is restored.
        """
        trainer, data = self.trainer, getattr(self.trainer, "datamodule", None)
        if data is None or not hasattr(data, "steps_per_epoch"):
            return self._count_loader_steps()
        batches = data.steps_per_epoch * trainer.accumulate_grad_batches
        limit = trainer.limit_train_batches
        batches = min(batches, limit) if isinstance(limit, int) else int(batches * limit)
        steps = math.ceil(batches / trainer.accumulate_grad_batches)
        limits = [trainer.max_steps] if trainer.max_steps >= 0 else []
        limits += [steps * trainer.max_epochs] if trainer.max_epochs is not None and trainer.max_epochs >= 0 else []
        if not limits and not self.schedule_settings.endless:
            raise ValueError(
                f"the schedule {self.schedule_settings.name} needs an end: set trainer.max_epochs or "
                "trainer.max_steps, or model.schedule.name to constant or plateau"
            )
        return steps, min(limits, default=sys.maxsize)

    def _count_loader_steps(self) -> tuple[int, int]:
        """The same for a loader that a script gave its Trainer."""
        trainer = self.trainer
        total = trainer.estimated_stepping_batches
        open_training_loader(trainer)  # opened above only where epochs end the run
        if math.isinf(trainer.num_training_batches) or math.isinf(total):
            raise ValueError(
                "the learning rate's schedule needs the length of an epoch and of the run: set limit_train_batches for "
                "a loader without a length, and max_epochs or max_steps"
            )
        return math.ceil(trainer.num_training_batches / trainer.accumulate_grad_batches), int(total)

    def configure_gradient_clipping(self, *args: Any, **kwargs: Any) -> None:
        """Clip as the recipe's ``model.clipping`` says (Lightning's own ``gradient_clip_val`` is not used)."""
        clip_gradients_(self.network, classifier_of(self.network), self.clipping_settings)

    # Checkpoint -------------------------------------------------------------------------------------------------------

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        checkpoint.update(describe_classifier(self))
        checkpoint["epoch_metrics"] = [metric.epoch_state() for metric in (self.train_metrics, self.soft_accuracy)]

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
        if self.global_rank == 0:
            for metric, state in zip(
                (self.train_metrics, self.soft_accuracy), checkpoint["epoch_metrics"], strict=True
            ):
                metric.restore_epoch(state)

    @classmethod
    def load_from_checkpoint(  # type: ignore[override]
        cls,
        checkpoint_path: str | Path,
        map_location: torch.device | str | int | None = None,
        *,
        strict: bool = True,
        weights_only: bool = True,
        **arguments: Any,
    ) -> "Classifier":
        """The Classifier that a checkpoint records, with its weights: the averaged ones under EMA.

        Args:
            checkpoint_path: A file of ``lit-cnn fit``, or of any Trainer that fitted a Classifier.
            map_location: Device to put it on; the CPU if left out.
            strict: Whether every tensor must have its counterpart.
            weights_only: Files are loaded as tensors and built-in types alone; nothing else is possible.
            arguments: Arguments of the constructor instead of the recorded ones; ``architecture`` must be given where
                it was a module, which a checkpoint cannot hold.

        Raises:
            ValueError: If the file cannot be read, or needs ``architecture``.
        """
        if not weights_only:
            raise ValueError("weights_only=False would run code that a checkpoint may hold: leave it out")
        checkpoint = load_checkpoint(checkpoint_path)
        model = cls(**constructor_arguments(cls, checkpoint, str(checkpoint_path), arguments))
        model._loading = True
        model.configure_model()
        model._loading = False
        model.on_load_checkpoint(checkpoint)
        model.load_state_dict(checkpoint["state_dict"], strict=strict)
        model._forget_epoch()
        return model if map_location is None else model.to(map_location)


def contiguous_images(network: nn.Module, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    """A hook before the forward pass: a convolution runs in NCHW only where both its filters and its input are."""
    del network
    return tuple(value.contiguous() for value in inputs)


def broadcast_buffers(module: nn.Module) -> None:
    """Give every rank the buffers of rank 0; DDP does so before a forward pass in training, not after the last one."""
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        for buffer in module.buffers():
            torch.distributed.broadcast(buffer, src=0)
