"""A run that is continued reads its checkpoint once, and ends as one that was not stopped."""

import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from fitted_run import FittedRun

from lit_cnn.cli.main import main


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
