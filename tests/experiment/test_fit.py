"""A run that is continued reads its checkpoint once, and ends as one that was not stopped."""

import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from fitted_run import FittedRun

from lit_cnn.cli.main import main
from lit_cnn.run_folder.checkpoint import load_checkpoint


def test_a_resumed_run_reads_its_checkpoint_once(
    fitted: FittedRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = tmp_path / "tiny" / "1"
    shutil.copytree(fitted.folder, run)
    checkpoints = run / "checkpoints"
    (checkpoints / "previous.ckpt").replace(checkpoints / "last.ckpt")
    read: list[str] = []
    load = torch.load

    def counted(file: Any, *arguments: Any, **options: Any) -> Any:
        read.append(Path(file).name)
        return load(file, *arguments, **options)

    monkeypatch.setattr(torch, "load", counted)
    assert main(["fit", "--resume", str(run)]) == 0
    assert read.count("last.ckpt") == 1
    assert read == ["last.ckpt", "best.ckpt"]  # the second for the weights that are exported at the end


@pytest.mark.slow
def test_a_run_that_is_stopped_leaves_its_best_weights_alone_too(
    fitted: FittedRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    words = ["--config", str(fitted.recipe), "--trainer.max_epochs=100000", "--trainer.max_time=00:00:00:01"]
    assert main(["fit", *words]) == 124
    (weights,) = tmp_path.glob("runs/*/*/checkpoints/weights.safetensors")
    assert weights.stat().st_mode & 0o044
    assert load_checkpoint(weights)["class_names"] == load_checkpoint(weights.parent / "best.ckpt")["class_names"]
