"""Which weights are validated, and which of them become best.ckpt, wherever the validations fall."""

import math
from pathlib import Path
from typing import Any

import pytest
from ramp_run import train_ramp

from lit_cnn.run_folder.checkpoint import BEST, load_checkpoint, network_weights
from lit_cnn.training.callbacks.checkpoints import Checkpoints
from lit_cnn.training.callbacks.early_stopping import EarlyStopping
from lit_cnn.training.callbacks.final_validation import FinalValidation


def validated(folder: Path, scores: list[float], **settings: Any) -> tuple[list[float], float]:
    """After which steps the ramp was validated, and of which step best.ckpt holds the weights."""
    monitor = settings.pop("monitor", "val/acc1")
    watchers = [*settings.pop("callbacks", []), FinalValidation(), Checkpoints(folder, monitor, {"network": {}})]
    _, model = train_ramp(folder, watchers, scores=scores, batches=4, **settings)
    return model.validated, float(network_weights(load_checkpoint(folder / BEST))["bias"])


@pytest.mark.parametrize(
    ("settings", "steps"),
    [
        ({}, [4, 8]),
        ({"val_check_interval": 3}, [3, 7, 8]),
        ({"val_check_interval": 0.5}, [2, 4, 6, 8]),
        ({"max_steps": 6}, [4, 6]),
        ({"max_steps": 2}, [2]),
        ({"max_steps": 4}, [4]),
        ({"check_val_every_n_epoch": 3}, [8]),
        ({"check_val_every_n_epoch": None, "val_check_interval": 5}, [5, 8]),
        ({"accumulate_grad_batches": 2}, [2, 4]),
        ({"num_sanity_val_steps": 1}, [0, 4, 8]),
    ],
)
def test_a_run_ends_with_a_validation_of_its_last_weights(
    tmp_path: Path, settings: dict[str, Any], steps: list[float]
) -> None:
    found, best = validated(tmp_path, [0.0, 1.0], **settings)
    assert found == steps
    assert best in steps


def test_a_validation_that_is_due_is_not_asked_for(tmp_path: Path) -> None:
    """Lightning would log the step before it, which runs of before do not have in metrics.csv."""
    trainer, _ = train_ramp(tmp_path / "due", [FinalValidation()], scores=[0.0, 1.0], batches=4)
    assert not trainer.should_stop
    trainer, _ = train_ramp(tmp_path / "not", [FinalValidation()], scores=[0.0, 1.0], batches=4, max_steps=6)
    assert trainer.should_stop


def test_the_best_of_several_validations_of_an_epoch_is_kept(tmp_path: Path) -> None:
    """The score of step n is n, then falls: the weights in best.ckpt are those that were validated."""
    found, best = validated(tmp_path, [1.0, 0.5], val_check_interval=0.5)
    assert (found, best) == ([2, 4, 6, 8], 2)  # an equal score does not replace it


def test_a_loss_is_best_where_it_is_smallest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ramp_run.METRIC", "val/loss")
    assert validated(tmp_path, [3.0, 1.0, 2.0], monitor="val/loss")[1] == 8


def test_early_stopping_counts_validations_and_minimizes_a_loss(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ramp_run.METRIC", "val/loss")
    stop = EarlyStopping(patience=2, monitor="val/loss")
    found, best = validated(tmp_path, [3.0, 1.0, 2.0, 2.0, 0.0], monitor="val/loss", callbacks=[stop])
    assert (found, best) == ([4, 8, 12, 16], 8)


def test_early_stopping_waits_for_values_that_are_not_finite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One of them ended the run, which --resume then went on with."""
    monkeypatch.setattr("ramp_run.METRIC", "val/loss")
    stop, scores = EarlyStopping(patience=2, monitor="val/loss"), [math.inf, 3.0, math.nan, 1.0, math.nan, 2.0, 0.0]
    found, best = validated(tmp_path, scores, monitor="val/loss", callbacks=[stop])
    assert (found, best, stop.wait_count) == ([4, 8, 12, 16, 20, 24], 16, 2)
