"""A recipe's gate reaches every layer, rates rise, and a run that is resumed drops branches as it began to."""

from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import pytest
import torch
from digits_run import assert_same_end, fit
from torch import nn

from lit_cnn.architectures.layers.stochastic_depth import StochasticDepth
from lit_cnn.run_folder.checkpoint import LAST, load_checkpoint
from lit_cnn.training.callbacks.stochastic_depth import StochasticDepthSchedule, ramp
from lit_cnn.training.optimization.sam import SamSettings
from lit_cnn.training.stopping import RunInterrupted

BATCH: dict[str, Any] = {"gate": "batch", "epochs": 1, "max_steps": 8, "ramp_epochs": 0.5}
"""Eight steps, in the first half of which the rates rise."""


class Layers(pl.LightningModule):
    def __init__(self, *rates: float, compiled: bool = False) -> None:
        super().__init__()
        self.net = nn.Sequential(*(StochasticDepth(rate) for rate in rates))
        self.compiled = compiled


class CountDropped(pl.Callback):
    """How many branches each step skips."""

    def __init__(self) -> None:
        self.dropped: list[int] = []

    def on_train_batch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule, *args: Any) -> None:
        layers = [layer for layer in pl_module.modules() if isinstance(layer, StochasticDepth)]
        self.dropped.append(sum(layer.drops() for layer in layers))


def started(schedule: StochasticDepthSchedule, model: Layers) -> list[StochasticDepth]:
    schedule.on_fit_start(pl.Trainer(accelerator="cpu", logger=False, enable_checkpointing=False), model)
    return list(model.net)  # type: ignore[arg-type]


def fit_in_parts(folder: Path, **settings: Any) -> None:
    """Stop after the fifth step; the caller resumes."""
    with pytest.raises(RunInterrupted, match="after step 5 is saved"):
        fit(folder, stop_after=5, **settings)


def test_ramp() -> None:
    assert [ramp(step, 4) for step in (0, 2, 4, 9)] == [0.0, 0.5, 1.0, 1.0]
    assert ramp(0, 0) == 1.0


@pytest.mark.parametrize("gate", ["sample", "batch"])
def test_every_layer_gets_the_gate_of_the_recipe(gate: Any) -> None:
    layers = started(StochasticDepthSchedule(gate=gate), Layers(0.1, 0.2))
    assert [(layer.gate, layer.skips) for layer in layers] == [(gate, True)] * 2


def test_a_compiled_network_multiplies_and_its_checkpoints_say_so() -> None:
    schedule = StochasticDepthSchedule(gate="batch")
    assert schedule.state_dict() == {"skips": True}
    (layer,) = started(schedule, Layers(0.1, compiled=True))
    assert (layer.gate, layer.skips) == ("batch", False)
    assert schedule.state_dict() == {"skips": False}


@pytest.mark.parametrize("record", [{"skips": True}, {"skips": False}, None])
def test_a_resumed_run_skips_only_if_its_checkpoint_says_so(record: dict[str, bool] | None) -> None:
    """In the order of Lightning's trainer, which leaves out the second where a checkpoint has no record."""
    schedule, model = StochasticDepthSchedule(gate="batch"), Layers(0.1)
    schedule.on_load_checkpoint(pl.Trainer(accelerator="cpu", logger=False), model, {})
    if record is not None:
        schedule.load_state_dict(record)
    assert started(schedule, model)[0].skips is bool(record and record["skips"])


def test_a_gate_without_a_rate_is_refused() -> None:
    with pytest.raises(ValueError, match=r"stochastic_depth\.gate is set but no block has a drop rate"):
        started(StochasticDepthSchedule(gate="batch"), Layers(0.0))


@pytest.mark.slow
def test_a_skipping_run_that_is_stopped_mid_epoch_ends_as_the_whole_one(tmp_path: Path) -> None:
    whole, parts = CountDropped(), CountDropped()
    fit(tmp_path / "whole", callbacks=(whole,), **BATCH)
    fit_in_parts(tmp_path / "parts", callbacks=(parts,), **BATCH)
    fit(tmp_path / "parts", callbacks=(parts,), resume=True, **BATCH)
    assert_same_end(tmp_path / "whole", tmp_path / "parts")
    assert whole.dropped == parts.dropped
    assert len(set(whole.dropped)) > 1


@pytest.mark.slow
def test_everything_else_that_runs_the_network_again_skips_the_same(tmp_path: Path) -> None:
    """Sharpness-aware steps, recomputed activations and accumulated batches, resumed mid-epoch."""
    settings = {**BATCH, "accumulate_grad_batches": 2}
    settings["model"] = {"activation_checkpointing": True, "sam": SamSettings(0.05, 0.5)}
    fit(tmp_path / "whole", **settings)
    fit_in_parts(tmp_path / "parts", **settings)
    fit(tmp_path / "parts", resume=True, **settings)
    assert_same_end(tmp_path / "whole", tmp_path / "parts")


@pytest.mark.slow
def test_a_run_begun_by_multiplying_ends_as_if_it_had_never_been_interrupted(tmp_path: Path) -> None:
    fit(tmp_path / "skipping", **BATCH)
    fit(tmp_path / "whole", skips=False, **BATCH)
    fit_in_parts(tmp_path / "parts", skips=False, **BATCH)
    checkpoint = load_checkpoint(tmp_path / "parts" / LAST)
    del checkpoint["callbacks"]["StochasticDepthSchedule"]  # earlier versions had no record
    torch.save(checkpoint, tmp_path / "parts" / LAST)
    fit(tmp_path / "parts", resume=True, **BATCH)
    assert_same_end(tmp_path / "whole", tmp_path / "parts")
    skipping, multiplying = (load_checkpoint(tmp_path / name / LAST) for name in ("skipping", "whole"))
    assert [each["callbacks"]["StochasticDepthSchedule"]["skips"] for each in (skipping, multiplying)] == [True, False]
    different = {
        name.rsplit(".", 1)[-1]
        for name, value in multiplying["state_dict"].items()
        if not torch.equal(value, skipping["state_dict"][name])
    }
    assert different == {"running_mean", "running_var", "num_batches_tracked"}
