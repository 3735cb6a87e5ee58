"""Accuracies and losses as exact sums over all ranks; padding rows and empty batches do not count.

Counts are int64 and sums float64, so that the result does not depend on how the rows were split, beyond the last digits
of the loss. ``update`` never waits for the device, and makes new sums: those of a reset under ``trainer.validate`` are
inference tensors, which a later ``trainer.fit`` may not change in place. Accuracies are shares in [0, 1]; with no
counted row they are nan.
"""

from typing import Any

import torch
from torch import Tensor
from torchmetrics import Metric

from lit_cnn.training.losses import LossSettings, masked_rows, row_losses
from lit_cnn.training.ranks import label_ranks

_PLAIN = LossSettings()


class Sums(Metric):
    """Sums over rows; may be computed before the first update (torchmetrics would warn).

    ``updates`` is the number of batches seen since the last reset, which a resumed run restores.
    """

    full_state_update = False

    def __init__(self) -> None:
        super().__init__()
        self.updates = 0

    def reset(self) -> None:
        super().reset()
        self.updates = 0

    @property
    def updated(self) -> bool:
        """Whether a batch has been seen since the last reset."""
        return self.updates > 0

    @property
    def update_called(self) -> bool:
        return True

    def epoch_state(self) -> dict[str, Any]:
        """What was counted in this epoch, summed over all ranks, in tensors and built-in types."""
        with self.sync_context(should_sync=torch.distributed.is_available() and torch.distributed.is_initialized()):
            values = {name: getattr(self, name).detach().cpu().clone() for name in self.metric_state}
        return {"updates": self.updates, "values": values}

    def restore_epoch(self, state: dict[str, Any], rank: int = 0) -> None:
        """Go on counting from an ``epoch_state``: every rank knows the batches, and rank 0 alone holds the sums, which
        are those of all ranks already."""
        self.updates = state["updates"]
        if rank == 0:
            for name, value in state["values"].items():
                setattr(self, name, value.to(self.device))


class EvaluationMetrics(Sums):
    """Mean loss, top-1 and top-k accuracy with k = min(5, classes).

    ``compute`` returns {"loss", "acc1", "acc<k>"}; with a single class, acc1 alone.

    Args:
        classes: Number of classes, the width of the logits.
        settings: The loss; plain cross-entropy if left out.
        class_weights: Factors of the loss, float (K,), or None.
    """

    rows: Tensor
    top1: Tensor
    topk: Tensor
    loss: Tensor
    class_weights: Tensor | None

    def __init__(self, classes: int, settings: LossSettings = _PLAIN, class_weights: Tensor | None = None) -> None:
        super().__init__()
        self.k, self.settings = min(5, classes), settings
        self.register_buffer("class_weights", class_weights, persistent=False)
        for name in ("rows", "top1", "topk"):
            self.add_state(name, torch.zeros((), dtype=torch.int64), dist_reduce_fx="sum")
        self.add_state("loss", torch.zeros((), dtype=torch.float64), dist_reduce_fx="sum")

    @torch.no_grad()
    def update(self, logits: Tensor, targets: Tensor, valid: Tensor | None = None) -> None:
        """Count rows.

        Args:
            logits: (N, K).
            targets: int64 (N,), or float (N, K), whose largest entry is then the class.
            valid: bool (N,), or None if every row counts.
        """
        self.updates += 1
        valid = _all_rows(logits) if valid is None else valid
        logits, targets = masked_rows(logits, valid), masked_rows(targets, valid)
        self.loss = (
            self.loss
            + masked_rows(row_losses(logits, targets, self.settings, self.class_weights), valid).double().sum()
        )
        classes = targets.argmax(dim=1) if targets.is_floating_point() else targets
        ranks = label_ranks(logits, classes)
        self.top1 = self.top1 + ((ranks < 1) & valid).sum()
        self.topk = self.topk + ((ranks < self.k) & valid).sum()
        self.rows = self.rows + valid.sum()

    def compute(self) -> dict[str, Tensor]:
        """{"loss", "acc1", "acc<k>"} over all rows of all ranks, 0-dim float64."""
        rows = self.rows.double()
        return {"loss": self.loss / rows, "acc1": self.top1 / rows, f"acc{self.k}": self.topk / rows}


class SoftTargetAccuracy(Sums):
    """Mean target mass on the predicted class, and the ceiling no prediction can pass.

    ``compute`` returns {"accuracy", "ceiling", "count"}: mean of t[argmax logits], mean of max t, and counted rows.
    With class indices the first two are the accuracy and 1.
    """

    rows: Tensor
    mass: Tensor
    ceiling: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.add_state("rows", torch.zeros((), dtype=torch.int64), dist_reduce_fx="sum")
        self.add_state("mass", torch.zeros((), dtype=torch.float64), dist_reduce_fx="sum")
        self.add_state("ceiling", torch.zeros((), dtype=torch.float64), dist_reduce_fx="sum")

    @torch.no_grad()
    def update(self, logits: Tensor, targets: Tensor, valid: Tensor | None = None) -> None:
        """Count rows.

        Args:
            logits: (N, K).
            targets: float (N, K) on the simplex, or int64 (N,) class indices.
            valid: bool (N,), or None if every row counts.
        """
        self.updates += 1
        valid = _all_rows(logits) if valid is None else valid
        predicted = logits.argmax(dim=1)
        if targets.is_floating_point():
            mass, ceiling = targets.gather(1, predicted[:, None])[:, 0], targets.amax(dim=1)
        else:
            mass, ceiling = (predicted == targets).double(), torch.ones_like(predicted, dtype=torch.float64)
        self.mass = self.mass + masked_rows(mass.double(), valid).sum()
        self.ceiling = self.ceiling + masked_rows(ceiling.double(), valid).sum()
        self.rows = self.rows + valid.sum()

    def compute(self) -> dict[str, Tensor]:
        """{"accuracy", "ceiling", "count"} over all rows of all ranks, 0-dim; the count is int64."""
        rows = self.rows.double()
        return {"accuracy": self.mass / rows, "ceiling": self.ceiling / rows, "count": self.rows}


def _all_rows(logits: Tensor) -> Tensor:
    return torch.ones(len(logits), dtype=torch.bool, device=logits.device)
