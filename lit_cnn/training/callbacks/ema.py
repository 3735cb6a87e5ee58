"""Exponential moving average of the weights (Polyak averaging), on torch's ``AveragedModel``.

Validation is run with the averaged weights and, where ``validate_raw`` asks for it, once more with the raw ones, so
that both accuracies are known; the price is a second forward pass per validation batch. A checkpoint has the layout of
Lightning's ``WeightAveraging``: the averaged weights are its ``state_dict``, the raw ones ``current_model_state``, and
the number of updates ``averaging_state``.
"""

from collections.abc import Iterator
from itertools import chain
from typing import Any

import lightning.pytorch as pl
import torch
from torch import Tensor
from torch.optim.swa_utils import AveragedModel
from torch.utils.hooks import RemovableHandle

from lit_cnn.training.optimization.loss_scaling import scaler_of
from lit_cnn.training.trained_module import TrainedModule, broadcast_buffers


def warmed_up_decay(decay: float, updates: int, warmup: bool) -> float:
    """Decay after ``updates`` updates: with warm-up min(decay, (1 + n) / (10 + n)), TensorFlow's rule."""
    return min(decay, (1 + updates) / (10 + updates)) if warmup else decay


class EMA(pl.Callback):
    """Average the weights (and batch-norm statistics) after every optimizer step that float16 did not skip.

    The average exists while a model is fitted; ``fit`` ends with the averaged weights in the model.

    Args:
        decay: Share of the average kept at each step, such as 0.9999; 0 turns averaging off.
        warmup: Let the decay grow as (1 + n) / (10 + n) over the first updates, so that short runs are not held back by
            their initial weights.
        validate_raw: Also validate the raw weights (val/loss_raw, val/acc1_raw), a second forward pass of each batch.
    """

    average: AveragedModel | None
    """The averaged model while a model is fitted; during validation it holds the raw weights."""

    def __init__(self, decay: float = 0.0, warmup: bool = True, validate_raw: bool = False) -> None:
        if not 0.0 <= decay < 1.0:
            raise ValueError(f"ema.decay must be in [0, 1), got {decay}")
        self.decay = decay
        self.warmup = warmup
        self.validate_raw = validate_raw
        self._always_raw = False  # of a run of a version that reported them without an average, too
        self.average = None
        self._updated_at = 0  # optimizer steps done at the last update
        self._scale_before = 0.0
        self._stepped = False  # whether the optimizer ran in this step, for all that the host knows
        self._step_hooks: list[RemovableHandle] = []

    @property
    def _averaged(self) -> AveragedModel | None:
        """The average, once it holds more than the initial weights."""
        return self.average if self._updated_at > 0 else None

    # The average ------------------------------------------------------------------------------------------------------

    def setup(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        if stage == "fit" and self.decay > 0:
            pl_module.configure_model()
            precision = str(getattr(trainer, "precision", ""))
            if precision in ("bf16-true", "16-true"):
                raise ValueError(
                    f"ema.decay is {self.decay:g}, but weights of trainer.precision {precision} are too coarse to be "
                    "averaged: set ema.decay to 0, or the precision to bf16-mixed"
                )
            self.average = AveragedModel(pl_module, use_buffers=True)
            # the counter of updates stays on the CPU, where reading it does not wait for the device
            stored = torch.float64 if precision == "64-true" else torch.float32
            self.average.module.to(trainer.strategy.root_device, stored)
            self._updated_at = 0

    @torch.no_grad()
    def _update(self, average: AveragedModel, pl_module: pl.LightningModule) -> None:
        """Move the average towards the current weights; the first update copies them.

        ``AveragedModel.update_parameters`` does the same, but waits for the device to bring it the counter of updates.
        """
        updates = int(average.n_averaged)
        pairs = list(_pairs(average, pl_module))
        moving = [pair for pair in pairs if updates > 0 and pair[0].is_floating_point()]
        if moving:
            averaged, current = (list(tensors) for tensors in zip(*moving, strict=True))
            torch._foreach_lerp_(averaged, current, 1 - warmed_up_decay(self.decay, updates, self.warmup))
        for averaged_tensor, current_tensor in pairs:
            if updates == 0 or not averaged_tensor.is_floating_point():  # batch norm's counters of batches
                averaged_tensor.copy_(current_tensor)
        average.n_averaged += 1

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if self.average is not None and scaler_of(trainer) is not None:
            self._step_hooks = [each.register_step_post_hook(self._note_step) for each in trainer.optimizers]

    def _note_step(self, *_: Any) -> None:
        self._stepped = True

    def on_before_optimizer_step(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, optimizer: torch.optim.Optimizer
    ) -> None:
        self._stepped = False
        if self.average is not None and (scaler := scaler_of(trainer)) and _skips_by_itself(optimizer):
            self._scale_before = scaler.get_scale()

    def _skipped(self, trainer: pl.Trainer) -> bool:
        """Whether float16's gradients overflowed, so that the weights are those of the step before.

        The scaler waits for the device to decide whether it calls the optimizer, which is seen here without waiting
        again. A fused optimizer is always called and decides on the device: there the scale is compared.
        """
        scaler = scaler_of(trainer)
        if scaler is None:
            return False
        if _skips_by_itself(trainer.optimizers[0]):
            return scaler.get_scale() < self._scale_before
        return not self._stepped

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        if self.average is not None and trainer.global_step > self._updated_at and not self._skipped(trainer):
            self._update(self.average, pl_module)
            self._updated_at = trainer.global_step

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if self._averaged is not None:
            for averaged, current in _pairs(self._averaged, pl_module):
                current.copy_(averaged)

    def teardown(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        self.average = None
        for hook in self._step_hooks:
            hook.remove()
        self._step_hooks = []

    # Validation -------------------------------------------------------------------------------------------------------

    def on_validation_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if self._averaged is not None:
            broadcast_buffers(self._averaged.module)
            broadcast_buffers(pl_module)
            _exchange(self._averaged, pl_module)

    def on_validation_batch_end(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        """Count the raw weights' predictions: after the exchange the averaged model holds them."""
        wanted = self._always_raw or (self.validate_raw and self.average is not None)
        if wanted and isinstance(pl_module, TrainedModule):
            raw = None if self._averaged is None else _evaluated(self._averaged.module)
            with trainer.precision_plugin.val_step_context():  # as the averaged ones; this hook lies outside
                pl_module.count_raw(raw, batch, outputs)

    def on_validation_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if self._averaged is not None:
            _exchange(self._averaged, pl_module)

    # Checkpoint -------------------------------------------------------------------------------------------------------

    def state_dict(self) -> dict[str, Any]:
        return {"latest_update_step": self._updated_at, "always_raw": self._always_raw}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self._updated_at = state_dict["latest_update_step"]
        self._always_raw = state_dict.get("always_raw", True)

    def on_save_checkpoint(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        if self.average is not None:
            checkpoint["current_model_state"] = checkpoint["state_dict"]
            checkpoint["state_dict"] = self.average.module.state_dict()
            checkpoint["averaging_state"] = {"n_averaged": self.average.n_averaged}

    def on_load_checkpoint(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Restore both sets of weights; without an average in the checkpoint, averaging starts from its weights."""
        if self.average is None:
            return
        self.average.module.load_state_dict(checkpoint["state_dict"])
        if "averaging_state" in checkpoint:
            self.average.n_averaged.copy_(checkpoint["averaging_state"]["n_averaged"])
            pl_module.load_state_dict(checkpoint["current_model_state"])


def _skips_by_itself(optimizer: torch.optim.Optimizer) -> bool:
    """Whether the optimizer, not the gradient scaler, leaves out a step whose gradients overflowed."""
    return any(group.get("fused") for group in optimizer.param_groups)


def _evaluated(raw: torch.nn.Module) -> torch.nn.Module:
    return raw.eval()


def _pairs(averaged: AveragedModel, pl_module: pl.LightningModule) -> Iterator[tuple[Tensor, Tensor]]:
    """The averaged and the current tensor of each parameter and buffer, detached."""
    tensors = (chain(model.parameters(), model.buffers()) for model in (averaged.module, pl_module))
    for average, current in zip(*tensors, strict=True):
        yield average.detach(), current.detach()


def _exchange(averaged: AveragedModel, pl_module: pl.LightningModule) -> None:
    for average, current in _pairs(averaged, pl_module):
        kept = average.clone()
        average.copy_(current)
        current.copy_(kept)
