"""Stop the run when the loss becomes NaN or infinite, before the weights are corrupted where that costs nothing."""

from typing import Any

import lightning.pytorch as pl
import torch
from torch import Tensor, nn

from lit_cnn.run_folder.checkpoint import LAST
from lit_cnn.training.callbacks.checkpoints import Checkpoints
from lit_cnn.training.optimization.layer_rates import learning_rate
from lit_cnn.training.optimization.loss_scaling import scaled

EVERY = 50
"""Steps between two looks at the loss where looking makes the device wait."""


class LossGuard(pl.Callback):
    """Stop with one sentence when the training loss is nan or infinite, or has diverged.

    On the CPU every loss is looked at before its backward pass, so the weights stay good. On other devices, where a
    look waits for the device, they are looked at every 50 steps and before each checkpoint is written. Gradients that
    overflow in float16 under a finite loss are the loss scale's business, not this one's.

    Args:
        max_loss: Loss above which the run counts as diverged; null allows any finite loss.
    """

    def __init__(self, max_loss: float | None = None) -> None:
        if max_loss is not None and not max_loss > 0:
            raise ValueError(f"loss_guard.max_loss must be above 0 or null, got {max_loss}")
        self.max_loss = max_loss
        self._batch: Any = None
        self._bad_step: Tensor | None = None

    def on_train_batch_start(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        self._batch = batch

    def on_before_backward(self, trainer: pl.Trainer, pl_module: pl.LightningModule, loss: Tensor) -> None:
        assert self._batch is not None
        size = unweighted(loss.detach().abs() * trainer.accumulate_grad_batches, self._batch)
        if self.max_loss is not None:
            size = size / scaled(torch.ones_like(size), trainer)
        bad = ~(size <= (torch.inf if self.max_loss is None else self.max_loss)) | torch.isinf(size)
        if self._bad_step is None:
            self._bad_step = torch.full((), -1, dtype=torch.int64, device=loss.device)
        first = (self._bad_step < 0) & bad
        self._bad_step = torch.where(first, trainer.global_step, self._bad_step)
        if loss.device.type == "cpu" or trainer.global_step % EVERY == 0:
            self.look(trainer, pl_module)

    def on_save_checkpoint(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        self.look(trainer, pl_module)

    def look(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Stop the run, on all ranks, if one of them has seen a bad loss.

        Raises:
            ValueError: Naming step, learning rate, the first layer that fails, and the way back.
        """
        own = -1 if self._bad_step is None else int(self._bad_step)
        stop = trainer.strategy.reduce_boolean_decision(own >= 0, all=False) if trainer.world_size > 1 else own >= 0
        if not stop:
            return
        where = f"in step {own}" if own >= 0 else "on another rank"
        rate = learning_rate(trainer.optimizers[0])
        assert self._batch is not None
        cause = first_failure(pl_module, self._batch[0])
        what = "not finite" if self.max_loss is None else f"not finite or above loss_guard.max_loss {self.max_loss:g}"
        raise ValueError(
            f"the training loss is {what} {where} at learning rate {rate:g}"
            + (f"; {cause}" if cause else "")
            + last_good(trainer)
            + "; lower model.optimizer.learning_rate, lengthen model.schedule.warmup_epochs or set model.clipping"
        )


def unweighted(loss: Tensor, batch: Any) -> Tensor:
    """The mean loss of a micro-batch from the share of it that goes into the mean over the global batch; one without
    samples has no loss."""
    weight = getattr(batch, "weight", None)  # pairs of another loader have none
    return loss if weight is None else torch.where(weight > 0, loss / weight, loss)


def last_good(trainer: pl.Trainer) -> str:
    """Where the state before the failure is."""
    paths = [callback.folder / LAST for callback in trainer.callbacks if isinstance(callback, Checkpoints)]  # type: ignore[attr-defined]
    written = [path for path in paths if path.is_file()]
    return f"; the last good checkpoint is {written[0]}" if written else ""


@torch.no_grad()
def first_failure(network: nn.Module, images: Tensor) -> str | None:
    """What is not finite first: an input, a weight, or the layer whose finite inputs give an output that is not.

    The network is run once more on ``images`` in the mode it is in; its batch-norm statistics are not kept apart, the
    run ends here.
    """
    if not torch.isfinite(images).all():
        return "the images of the batch are not finite"
    for name, weight in network.named_parameters():
        if not torch.isfinite(weight).all():
            return f"the weight {name} is not finite"
    found: list[str] = []

    def note(name: str) -> Any:
        def hook(module: nn.Module, _: Any, output: Any) -> None:
            if not found and isinstance(output, Tensor) and not torch.isfinite(output).all():
                found.append(f"the first layer that is not finite is {name} ({type(module).__name__})")

        return hook

    leaves = [(name, module) for name, module in network.named_modules() if not list(module.children())]
    handles = [module.register_forward_hook(note(name)) for name, module in leaves]
    try:
        with torch.compiler.set_stance("force_eager"):  # compiled code would not call the hooks
            network(images)
    finally:
        for handle in handles:
            handle.remove()
    return found[0] if found else None
