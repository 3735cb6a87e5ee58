"""The loss scale of float16 training, which keeps small gradients from vanishing (Micikevicius 2018, arXiv:1710.03740).

``trainer.precision: 16-mixed`` multiplies the loss by a scale before the backward pass and divides the gradients again.
Gradients that overflow make torch's GradScaler skip the step and halve the scale. A skipped step counts as a step: the
data, the random keys and the learning rate move on, so that a run ends where its schedule ends. Weights and optimizer
stay, and the average of the weights does not count it.
"""

import lightning.pytorch as pl
import torch
from torch import Tensor


def scaler_of(trainer: pl.Trainer) -> torch.amp.GradScaler | None:
    """The run's gradient scaler; None in every other precision than 16-mixed."""
    return getattr(trainer.precision_plugin, "scaler", None)


def scaled(loss: Tensor, trainer: pl.Trainer) -> Tensor:
    """``loss`` times the loss scale, without waiting for the device."""
    scaler = scaler_of(trainer)
    return loss if scaler is None else scaler.scale(loss)
