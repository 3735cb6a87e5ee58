"""Float16 with a loss scale: an overflowed step is skipped by everything that must skip it, and resumes exactly.

Lightning turns 16-mixed into bf16-mixed on the CPU, so its plugin is given here with a scaler of the CPU.
"""

from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import pytest
import torch
from digits_run import assert_equal_trees, assert_same_end
from digits_run import fit as fit_digits
from lightning.pytorch.plugins import MixedPrecision
from one_in import one_in

from lit_cnn.run_folder.checkpoint import LAST, load_checkpoint
from lit_cnn.training.callbacks.ema import EMA
from lit_cnn.training.callbacks.loss_guard import LossGuard
from lit_cnn.training.optimization.clipping import ClippingSettings
from lit_cnn.training.optimization.sam import SamSettings
from lit_cnn.training.stopping import RunInterrupted

SCALE = 1024.0
SAVED = "MixedPrecision"
"""Lightning's key of the scaler in a checkpoint."""


STEPS = 6


def fit(folder: Path, scale: float = SCALE, **settings: Any) -> pl.LightningModule:
    """Six steps of 16 images in float16, which is slow on a CPU."""
    scaler = torch.amp.GradScaler("cpu", init_scale=scale)
    few = {"limit_train_batches": STEPS, "limit_val_batches": 1, "epochs": 1, "data": {"batch_size": 16}}
    return fit_digits(folder, **few, **settings, plugins=[MixedPrecision("16-mixed", "cpu", scaler)])[1]


class Overflow(pl.Callback):
    """Make a gradient infinite in one step, and note the state around it."""

    def __init__(self, step: int) -> None:
        self.step = step
        self.states: list[dict[str, Any]] = []

    def note(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        (ema,) = (callback for callback in trainer.callbacks if isinstance(callback, EMA))
        assert ema.average is not None
        state = {
            "weights": dict(pl_module.net.named_parameters()),
            "average": dict(ema.average.module.net.named_parameters()),
            "averaged": ema.average.n_averaged,
            "optimizer": trainer.optimizers[0].state_dict()["state"],
        }
        self.states.append(torch.utils._pytree.tree_map_only(torch.Tensor, lambda t: t.detach().clone(), state))

    def on_train_batch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule, *_: Any) -> None:
        if trainer.global_step in (self.step, self.step + 1, self.step + 2):
            self.note(trainer, pl_module)
        if trainer.global_step == self.step + 1:
            self.scale = trainer.precision_plugin.scaler.get_scale()

    def on_after_backward(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if trainer.global_step == self.step:
            next(pl_module.net.parameters()).grad[0, 0, 0, 0] = torch.inf


@pytest.mark.parametrize("clipping", one_in(3, ["norm", "none", "adaptive"]))
def test_an_overflowed_step_changes_neither_weights_nor_their_average(clipping: str, tmp_path: Path) -> None:
    overflow = Overflow(2)
    model = {"clipping": ClippingSettings(clipping, 0.05)}  # type: ignore[arg-type]
    fit(tmp_path, model=model, callbacks=(overflow, LossGuard(20.0)))
    before, after, later = overflow.states
    assert_equal_trees(before, after)
    assert overflow.scale == SCALE / 2
    assert later["averaged"] == before["averaged"] + 1
    assert not torch.equal(later["weights"]["features.stem.conv.weight"], after["weights"]["features.stem.conv.weight"])
    checkpoint = load_checkpoint(tmp_path / LAST)
    assert checkpoint["global_step"] == STEPS  # a skipped step is a step
    assert checkpoint["lr_schedulers"][0]["last_epoch"] == STEPS
    assert checkpoint[SAVED]["scale"] == SCALE / 2


@pytest.mark.slow
def test_a_resumed_run_goes_on_with_its_scale(tmp_path: Path) -> None:
    fit(tmp_path / "whole", callbacks=(Overflow(2),))
    with pytest.raises(RunInterrupted):
        fit(tmp_path / "parts", stop_after=4, callbacks=(Overflow(2),))
    assert load_checkpoint(tmp_path / "parts" / LAST)[SAVED]["scale"] == SCALE / 2
    fit(tmp_path / "parts", resume=True)
    assert_same_end(tmp_path / "whole", tmp_path / "parts")
    first, second = (load_checkpoint(tmp_path / name / LAST)[SAVED] for name in ("whole", "parts"))
    assert first == second


@pytest.mark.filterwarnings("ignore:Detected call of")  # torch's, when the very first step is skipped
@pytest.mark.slow
def test_sharpness_aware_minimization_waits_for_a_scale_that_fits(tmp_path: Path) -> None:
    """A scale of 2^30 overflows in the ascent too; without a guard the weights would become nan."""
    classifier = fit(tmp_path, 2.0**30, model={"sam": SamSettings(rho=0.05)}, callbacks=(LossGuard(),))
    assert all(torch.isfinite(weight).all() for weight in classifier.net.parameters())
    assert load_checkpoint(tmp_path / LAST)[SAVED]["scale"] < 2.0**30


@pytest.mark.slow
def test_the_loss_guard_compares_the_loss_without_its_scale(tmp_path: Path) -> None:
    fit(tmp_path / "below", callbacks=(LossGuard(20.0),))
    with pytest.raises(ValueError, match=r"not finite or above loss_guard.max_loss 0.01 in step 0"):
        fit(tmp_path / "above", callbacks=(LossGuard(0.01),))
