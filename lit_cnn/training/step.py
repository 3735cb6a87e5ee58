"""One training step outside a Trainer, for what measures steps: profile, bench, tune, the cost of a recipe.

Lightning runs the same parts of a ``Classifier`` in the same order; tests compare the two.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lit_cnn.data.batch import Batch
from lit_cnn.training.precision import autocast


def _nothing() -> None:
    pass


@dataclass(frozen=True)
class TrainingStep:
    """Forward pass, loss, backward pass, clipping, update.

    Args:
        network: The network, on its device.
        loss_of: Runs the network on a batch, on the same device, and returns its mean loss, 0-dim.
        optimizer: Updates the network's weights.
        clip: Clips the gradients, where that belongs to the step.
        bf16: Run forward pass and loss under bfloat16 autocast.
    """

    network: nn.Module
    loss_of: Callable[[Batch], Tensor]
    optimizer: torch.optim.Optimizer
    clip: Callable[[], object] = _nothing
    bf16: bool = False

    def run(self, batch: Batch, after_part: Callable[[], object] = _nothing) -> None:
        """Do one step in the network's present mode.

        Args:
            batch: What the step trains on.
            after_part: Called three times: after the loss, after the backward pass, after the update.
        """
        self.optimizer.zero_grad()
        with autocast(batch.images.device, self.bf16):
            loss = self.loss_of(batch)
        after_part()
        loss.backward()
        after_part()
        self.clip()
        self.optimizer.step()
        after_part()


def plain_step(network: nn.Module, bf16: bool) -> TrainingStep:
    """A step that any classifier can do: cross-entropy of every head, SGD with momentum, no clipping."""

    def loss_of(batch: Batch) -> Tensor:
        outputs = network(batch.images)
        heads = [outputs] if isinstance(outputs, Tensor) else list(outputs)
        return torch.stack([F.cross_entropy(logits, batch.targets) for logits in heads]).sum()

    return TrainingStep(network, loss_of, torch.optim.SGD(network.parameters(), lr=1e-4, momentum=0.9), bf16=bf16)
