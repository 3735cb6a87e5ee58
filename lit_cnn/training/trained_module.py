"""What is trained as a LightningModule, whatever its task: weights to start from, optimizer, schedule, what is
frozen in which epoch, and which steps are logged.
"""

import math
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import lightning.pytorch as pl
import torch
from torch import Tensor, nn

from lit_cnn.architectures.layers.keyed import KeyedLayer, clear_random_key
from lit_cnn.lightning_internals import allow_unused_parameters, open_training_loader, trainer_of
from lit_cnn.run_folder.checkpoint import load_checkpoint
from lit_cnn.training.announce import announce
from lit_cnn.training.fine_tuning import InitialWeights
from lit_cnn.training.freezing import Freezing, lagging_statistics
from lit_cnn.training.optimization.clipping import ClippingSettings, classifier_of, clip_gradients_
from lit_cnn.training.optimization.layer_rates import learning_rate
from lit_cnn.training.optimization.optimizer_settings import OptimizerSettings
from lit_cnn.training.optimization.optimizers import make_optimizer
from lit_cnn.training.optimization.schedules import PlateauLR, ScheduleSettings, make_scheduler, warmup_steps
from lit_cnn.training.run_length import steps_of_epoch, steps_of_run

Module = TypeVar("Module", bound="TrainedModule")


class TrainedModule(pl.LightningModule):
    """A network and how it is trained, without its loss and metrics, which its task adds.

    A subclass builds ``net`` in ``configure_model``, writes what makes it again in ``on_save_checkpoint`` and finds it
    in ``recorded_arguments``.

    Args:
        optimizer: Optimizer, learning rate and weight decay.
        schedule: Warm-up and decay of the learning rate.
        clipping: Gradient clipping.
        initial: Weights to start from instead of random ones.
        channels_last: Keep weights and images in the layout in which convolutions are fastest; false: NCHW.
        compile: Train with ``torch.compile``.
        seed: Seed of the initial weights, dropout and stochastic depth.
    """

    net: nn.Module | None
    class_names: list[str] | None
    """Names of the classes that a checkpoint records: those of the data it was fitted to, where they say them."""
    shown_score = ""
    """Metric of a validation that the progress bar shows."""
    validated_metrics: tuple[str, ...] = ()
    """All metrics of a validation that may be logged, where they are known; a recipe's ``monitor`` is one of them."""

    def __init__(
        self,
        optimizer: OptimizerSettings,
        schedule: ScheduleSettings,
        clipping: ClippingSettings,
        initial: InitialWeights,
        channels_last: bool,
        compile: bool,
        seed: int,
    ) -> None:
        super().__init__()
        self.optimizer_settings = optimizer
        self.schedule_settings = schedule
        self.clipping_settings = clipping
        self.initial = initial
        self.channels_last, self.compiled = channels_last, compile
        self.seed = seed
        self.class_names = None
        self._freezing: Freezing | None = None
        self._total_steps = 0
        self.keyed_layers: list[KeyedLayer] = []
        self.configured = False
        self.loading = False  # in load_from_checkpoint, which brings all weights

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

    @property
    def resumed(self) -> bool:
        """Whether a checkpoint brings all weights."""
        trainer = trainer_of(self)
        return self.loading or (trainer is not None and trainer.ckpt_path is not None)

    def freeze_and_lay_out(self) -> None:
        """Freeze what ``initial`` says, and bring the weights into the layout of ``channels_last``."""
        self._freezing = Freezing(self.network, self.initial)
        self._freezing.freeze_norms()
        if self.channels_last:
            self.net = self.network.to(memory_format=torch.channels_last)
        else:
            self.network.register_forward_pre_hook(contiguous_images)

    @property
    def weights_dtype(self) -> torch.dtype:
        """What the weights are stored in: float32 but under a precision such as bf16-true."""
        return next(self.network.parameters()).dtype

    def setup(self, stage: str) -> None:
        """Forget what an interrupted epoch has counted."""
        if stage == "fit" and self.initial.freeze_epochs != 0:
            allow_unused_parameters(self.trainer)
        if stage == "fit" and self.configured:
            self.forget_epoch()

    def teardown(self, stage: str) -> None:
        """Leave the network as one that draws its masks on its own."""
        clear_random_key(self.keyed_layers)

    def configure_model(self, data: Any = None) -> None:
        """Build ``net`` for ``data``, by default the trainer's; once only."""
        raise NotImplementedError

    def forget_epoch(self) -> None:
        """Empty the metrics of the training epoch."""

    # Steps ------------------------------------------------------------------------------------------------------------

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

    def on_train_batch_start(self, batch: Any, batch_idx: int) -> None:
        if self.logs_this_step:
            self.log("lr", learning_rate(self.trainer.optimizers[0]))

    @property
    def logs_this_step(self) -> bool:
        """Whether the loggers take this step's values, as Lightning decides it: ``log`` costs as much otherwise."""
        trainer: Any = self.trainer
        every = trainer.log_every_n_steps
        due = every > 0 and ((trainer.global_step + 1) % every == 0 or trainer.should_stop)
        return due or bool(trainer.fast_dev_run)

    def on_validation_epoch_start(self) -> None:
        """Validate the batch-norm statistics that the checkpoint will hold: rank 0's."""
        broadcast_buffers(self)

    def count_raw(self, raw: nn.Module | None, batch: Any, outputs: Any) -> None:
        """Count what the raw weights say of a validation batch.

        Args:
            raw: This module with the raw weights; None where the module itself has them and gave ``outputs``.
            batch: The batch.
            outputs: What ``validation_step`` returned.
        """
        raise NotImplementedError

    def observe(self, score: Tensor) -> None:
        """Let a schedule that waits for a plateau see the score of a validation."""
        trains = self.trainer.state.fn == "fit" and not self.trainer.sanity_checking
        scheduler = self.lr_schedulers() if trains else None
        if isinstance(scheduler, PlateauLR):
            scheduler.observe(float(score))

    def log_epoch(self, stage: str, values: dict[str, Tensor]) -> None:
        """Log values that are already equal on all ranks (taking their maximum changes nothing)."""
        for name, value in values.items():
            shown = f"{stage}/{name}" in ("train/loss", self.shown_score)
            self.log(f"{stage}/{name}", value.float(), prog_bar=shown, sync_dist=True, reduce_fx="max")

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
        schedule = self._schedule_that_fits(steps_per_epoch, total_steps)
        scheduler = make_scheduler(optimizer, schedule, total_steps=total_steps, steps_per_epoch=steps_per_epoch)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": scheduler, "interval": "step"}}

    def _schedule_that_fits(self, steps_per_epoch: int, total_steps: int) -> ScheduleSettings:
        """The schedule with a warm-up that is no longer than the run; a single step has no room for one, which would
        let it train at the rate where warm-up starts, 0 by default."""
        schedule = self.schedule_settings
        warmup = warmup_steps(schedule, steps_per_epoch)
        if self.trainer.fast_dev_run:  # type: ignore[attr-defined]
            return replace(schedule, warmup_epochs=0.0)
        if total_steps == 1 and warmup:
            announce(f"model.schedule.warmup_epochs is 0 instead of {schedule.warmup_epochs:g}, for a run of one step")
            return replace(schedule, warmup_epochs=0.0)
        if total_steps < warmup:
            epochs = total_steps / steps_per_epoch
            announce(f"model.schedule.warmup_epochs is {epochs:g} instead of {schedule.warmup_epochs:g}, the whole run")
            return replace(schedule, warmup_epochs=epochs)
        return schedule

    def _check_kernel(self) -> None:
        """A fused update divides by the loss scale itself, so clipping before it would see scaled gradients."""
        fused, clips = self.optimizer_settings.kernel == "fused", self.clipping_settings.kind != "none"
        if fused and clips and self.trainer.precision == "16-mixed":
            raise ValueError(
                "model.optimizer.kernel fused cannot be combined with model.clipping in 16-mixed precision: use kernel "
                "foreach or precision bf16-mixed"
            )

    def _count_steps(self) -> tuple[int, int]:
        """Optimizer steps of an epoch and of the run."""
        trainer, data = self.trainer, getattr(self.trainer, "datamodule", None)
        if data is None or not hasattr(data, "steps_per_epoch"):
            return self._count_loader_steps()
        steps = steps_of_epoch(trainer, data.steps_per_epoch)
        total = steps_of_run(trainer, steps)
        if total is None and not self.schedule_settings.endless:
            raise ValueError(
                f"trainer.max_epochs is {trainer.max_epochs}, but the schedule {self.schedule_settings.name} needs an "
                "end: set it to at least 1, or trainer.max_steps, or model.schedule.name to constant or plateau"
            )
        return steps, sys.maxsize if total is None else total

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

    @classmethod
    def recorded_arguments(cls, checkpoint: dict[str, Any], name: str, stated: dict[str, Any]) -> dict[str, Any]:
        """The arguments that make the module of a checkpoint.

        Args:
            checkpoint: As ``load_checkpoint`` returns it.
            name: Its file, for the sentence.
            stated: Arguments instead of the recorded ones.

        Raises:
            ValueError: If they cannot be had.
        """
        raise NotImplementedError

    @classmethod
    def recorded_data(cls, checkpoint: dict[str, Any]) -> Any:
        """What ``configure_model`` takes from the data, as a checkpoint records it; None where it needs nothing."""
        del checkpoint
        return None

    @classmethod
    def load_from_checkpoint(  # type: ignore[override]
        cls: type[Module],
        checkpoint_path: str | Path,
        map_location: torch.device | str | int | None = None,
        *,
        strict: bool = True,
        weights_only: bool = True,
        **arguments: Any,
    ) -> Module:
        """The module that a checkpoint records, with its weights: the averaged ones under EMA.

        Args:
            checkpoint_path: A file of ``lit-cnn fit``, or of any Trainer that fitted such a module.
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
        model = cls(**cls.recorded_arguments(checkpoint, str(checkpoint_path), arguments))
        model.loading = True
        model.configure_model(cls.recorded_data(checkpoint))
        model.loading = False
        model.on_load_checkpoint(checkpoint)
        model.load_state_dict(checkpoint["state_dict"], strict=strict)
        model.forget_epoch()
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
