"""Schedule of the stochastic-depth rates over training; over depth they follow the network's own rule."""

from typing import Any

import lightning.pytorch as pl
from torch import nn

from lit_cnn.architectures.layers.stochastic_depth import Gate, StochasticDepth


def ramp(step: int, ramp_steps: int) -> float:
    """Share of the final rates at an optimizer step: linear from 0, reaching 1 at ``ramp_steps`` (at once if 0)."""
    return 1.0 if ramp_steps <= 0 else min(1.0, step / ramp_steps)


class StochasticDepthSchedule(pl.Callback):
    """Raise every block's drop rate linearly from 0 to the network's own rate.

    Args:
        ramp_epochs: Epochs until the full rates are reached; 0 keeps them constant. Over the whole run it is NASNet's
            scheduled drop path (Zoph et al. 2017, arXiv:1707.07012, appendix).
        gate: sample drops a block for some images of a batch; batch drops it for all images of an optimizer step at
            once, as Huang et al. 2016 (arXiv:1603.09382) do, and saves its time, except under model.compile.

    Earlier versions computed what batch drops and multiplied it by 0, so that batch norm counted those batches, too. A
    run goes on as it began: whether it skips is part of its checkpoints, and those without the record multiply.
    """

    def __init__(self, ramp_epochs: float = 0.0, gate: Gate = "sample") -> None:
        if ramp_epochs < 0:
            raise ValueError(f"stochastic_depth.ramp_epochs must be at least 0, got {ramp_epochs}")
        if gate not in ("sample", "batch"):
            raise ValueError(f"stochastic_depth.gate must be sample or batch, got {gate!r}")
        self.ramp_epochs = ramp_epochs
        self.gate: Gate = gate
        self._skips = True
        self._final: list[tuple[StochasticDepth, float]] = []

    def set_gates(self, network: nn.Module) -> None:
        """Give every stochastic-depth layer of ``network`` the gate of the recipe."""
        for layer in network.modules():
            if isinstance(layer, StochasticDepth):
                layer.gate, layer.skips = self.gate, self._skips

    def state_dict(self) -> dict[str, Any]:
        return {"skips": self._skips}

    def on_load_checkpoint(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        self._skips = False  # unless load_state_dict, which Lightning calls next, finds a record

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self._skips = state_dict["skips"]

    def on_fit_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        layers = [module for module in pl_module.modules() if isinstance(module, StochasticDepth)]
        self._final = [(layer, layer.rate) for layer in layers]
        if getattr(pl_module, "compiled", False):  # skipping would be another graph in every step
            self._skips = False
        self.set_gates(pl_module)
        if self.ramp_epochs > 0 and getattr(pl_module, "compiled", False):
            raise ValueError(
                "stochastic_depth.ramp_epochs changes the network in every step, and each change would be compiled "
                "again: set model.compile false or stochastic_depth.ramp_epochs 0"
            )
        chosen = "ramp_epochs" if self.ramp_epochs > 0 else "gate" if self.gate == "batch" else None
        if chosen and not any(rate > 0 for _, rate in self._final):
            raise ValueError(
                f"stochastic_depth.{chosen} is set but no block has a drop rate: set model.options.drop_path of a "
                "network with shortcuts, the drop rate among the init_args of your own network, or ramp_epochs to 0"
            )

    def on_train_batch_start(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        if self.ramp_epochs > 0:
            steps_per_epoch = trainer.num_training_batches / trainer.accumulate_grad_batches
            share = ramp(trainer.global_step, round(self.ramp_epochs * steps_per_epoch))
            for layer, rate in self._final:
                layer.rate = rate * share

    def on_fit_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        for layer, rate in self._final:
            layer.rate = rate
