"""The means of a detector's training losses over an epoch, which a resumed run goes on counting."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from lit_cnn.training.metrics import Sums

MOST = 8
"""Losses that a detector may have."""


class MeanLosses(Sums):
    """Means over the images of all batches and ranks, by the names of the first batch."""

    images: Tensor
    sums: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []
        self.add_state("images", torch.zeros((), dtype=torch.int64), dist_reduce_fx="sum")
        self.add_state("sums", torch.zeros(MOST, dtype=torch.float64), dist_reduce_fx="sum")

    @torch.no_grad()
    def update(self, losses: Mapping[str, Tensor], images: Tensor) -> None:
        """Count a batch.

        Args:
            losses: Means over the batch, 0-dim, the same names in every batch.
            images: 0-dim int64, images of the batch that count.
        """
        self.updates += 1
        self.names = list(losses)
        values = torch.stack([value.detach() for value in losses.values()]).double()
        padded = torch.nn.functional.pad(values, (0, MOST - len(values)))
        counts = images > 0  # a batch of padding alone has losses that mean nothing
        self.sums = self.sums + torch.where(counts, padded * images, torch.zeros_like(padded))
        self.images = self.images + images

    def compute(self) -> dict[str, Tensor]:
        """The mean of each loss, 0-dim float64; none before the first batch."""
        return dict(zip(self.names, self.sums / self.images, strict=False))

    def epoch_state(self) -> dict[str, Any]:
        return {**super().epoch_state(), "names": list(self.names)}

    def restore_epoch(self, state: dict[str, Any], rank: int = 0) -> None:
        super().restore_epoch(state, rank)
        self.names = list(state["names"])
