"""The checkpoints of the best validations are kept under their scores, also after a stop and a kill."""

import json
import os
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import pytest
from fitted_run import FittedRun
from lightning.pytorch.callbacks import ModelCheckpoint
from ramp_run import train_ramp

from lit_cnn import Recipe
from lit_cnn import fit as fit_recipe
from lit_cnn.cli.main import main
from lit_cnn.run_folder.checkpoint import BEST, LAST, load_checkpoint
from lit_cnn.training.callbacks.checkpoints import Checkpoints
from lit_cnn.training.callbacks.top_checkpoints import PATTERN, CheckpointSettings, TopCheckpoints

RECORD = {"network": {"architecture": "ramp"}}


class Kill(Exception):
    """Ends a run as a kill would."""


def kept(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob(PATTERN))


def ramp(folder: Path, scores: list[float], keep: int = 2, resume: Path | None = None, **settings: Any) -> None:
    monitor = settings.pop("monitor", "val/acc1")
    train_ramp(folder, [Checkpoints(folder, monitor, RECORD, keep=keep)], scores=scores, resume=resume, **settings)


def test_the_best_epochs_are_kept_with_epoch_and_score_in_the_name(tmp_path: Path) -> None:
    ramp(tmp_path, [0.1, 0.5, 0.3, 0.5, 0.2])
    assert kept(tmp_path) == ["epoch002-step000002-val_acc1-0.5000.ckpt", "epoch004-step000004-val_acc1-0.5000.ckpt"]
    for name, step in zip(kept(tmp_path), (2, 4), strict=True):
        assert load_checkpoint(tmp_path / name)["global_step"] == step
    assert load_checkpoint(tmp_path / BEST)["global_step"] == 2


def test_a_loss_keeps_the_lowest_and_no_number_keeps_nothing(tmp_path: Path) -> None:
    top = TopCheckpoints(tmp_path, "val/loss", 2)
    names = [top.add(score, epoch, epoch) for epoch, score in enumerate([0.5, float("nan"), 0.7, 0.2, 0.6], start=1)]
    assert [name is not None for name in names] == [True, False, True, True, False]
    assert [score for score, _ in top.ranked] == [0.2, 0.5]


def test_nothing_more_is_kept_unless_asked_for(tmp_path: Path) -> None:
    ramp(tmp_path, [0.1, 0.5], keep=0)
    assert not kept(tmp_path)
    with pytest.raises(ValueError, match=r"checkpoints\.keep must be at least 0, got -1"):
        CheckpointSettings(-1)


def test_a_validation_inside_an_epoch_is_kept_too(tmp_path: Path) -> None:
    class Rising(pl.Callback):
        def on_validation_epoch_end(self, trainer: pl.Trainer, pl_module: Any) -> None:
            pl_module.scores = [trainer.global_step / 10]

    checkpoints = Checkpoints(tmp_path, "val/acc1", RECORD, keep=2)
    train_ramp(tmp_path, [Rising(), checkpoints], scores=[0.0], batches=6, val_check_interval=2)
    assert kept(tmp_path) == ["epoch001-step000004-val_acc1-0.4000.ckpt", "epoch001-step000006-val_acc1-0.6000.ckpt"]


def test_a_run_that_goes_on_remembers_what_it_kept(tmp_path: Path) -> None:
    scores = [0.1, 0.5, 0.3, 0.4]
    ramp(tmp_path / "whole", scores)
    ramp(tmp_path / "parts", scores[:2])
    ramp(tmp_path / "parts", scores, resume=tmp_path / "parts" / LAST)
    assert kept(tmp_path / "parts") == kept(tmp_path / "whole")
    assert len(kept(tmp_path / "whole")) == 2


def test_a_kill_between_a_kept_file_and_the_last_one_loses_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At epoch 3 the kept file has its name and last.ckpt has not: what epoch 2 lists must all be there."""
    replace, scores = os.replace, [0.1, 0.2, 0.3, 0.05]

    def killed(source: Any, target: Any) -> None:
        if Path(target).name == LAST and (tmp_path / "epoch003-step000003-val_acc1-0.3000.ckpt").exists():
            raise Kill
        replace(source, target)

    monkeypatch.setattr(os, "replace", killed)
    with pytest.raises(Kill):
        ramp(tmp_path, scores)
    monkeypatch.setattr(os, "replace", replace)
    listed = load_checkpoint(tmp_path / "previous.ckpt")["callbacks"]["Checkpoints"]["kept"]
    assert {name for _, name in listed} <= set(kept(tmp_path))
    ramp(tmp_path, scores, resume=tmp_path / "previous.ckpt")
    assert [name.split("-")[0] for name in kept(tmp_path)] == ["epoch002", "epoch003"]


@pytest.mark.slow
def test_a_recipe_keeps_what_validate_reads(
    fitted: FittedRun, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["fit", "--config", str(fitted.recipe), "--runs", str(tmp_path), "--checkpoints.keep", "1"]
    assert main(arguments) == 0
    (path,) = tmp_path.glob(f"*/*/checkpoints/{PATTERN}")
    capsys.readouterr()
    assert main(["validate", str(path), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["val/acc1"]
    assert found == pytest.approx(float(path.stem.rpartition("-")[2]), abs=1e-4)


@pytest.mark.parametrize("dirpath", [None, "kept/here"])
@pytest.mark.slow
def test_lightnings_own_model_checkpoint_works_in_a_run(fitted: FittedRun, tmp_path: Path, dirpath: str | None) -> None:
    own = ModelCheckpoint(
        tmp_path / dirpath if dirpath else None, monitor="val/acc1", mode="max", save_top_k=1, filename="{epoch}"
    )
    recipe = Recipe.load(fitted.recipe, overrides={"trainer.log_every_n_steps": 1})
    fit_recipe(recipe, runs=tmp_path / "runs", watchers=[own])
    assert load_checkpoint(own.best_model_path)["network"]["architecture"] == "cifar_resnet8"


def test_a_metric_that_no_validation_logs_ends_the_run(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"^monitor is val/acc5, but a validation of this run has only val/acc1"):
        ramp(tmp_path, [0.5], monitor="val/acc5")
    with pytest.raises(ValueError, match=r"^monitor is train/acc1, but an epoch's training of this run has only"):
        ramp(tmp_path, [0.5], monitor="train/acc1")  # as under mixing, which has train/acc1_soft
