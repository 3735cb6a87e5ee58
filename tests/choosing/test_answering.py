"""Which validation images the last weights of a run classify correctly."""

import shutil
from pathlib import Path

import pytest
import torch
from fitted_run import FittedRun

from lit_cnn.choosing.answering import answers_of
from lit_cnn.run_folder.checkpoint import LAST


@pytest.mark.slow
def test_a_candidate_that_has_diverged_is_never_right(fitted: FittedRun, tmp_path: Path) -> None:
    shutil.copytree(fitted.folder, tmp_path / "run")
    path = tmp_path / "run" / "checkpoints" / LAST
    checkpoint = torch.load(path, weights_only=True)
    for values in checkpoint["state_dict"].values():
        if values.is_floating_point():
            values.fill_(float("nan"))
    torch.save(checkpoint, path)
    whole, diverged = (answers_of(run, torch.device("cpu")) for run in (fitted.folder, tmp_path / "run"))
    assert diverged == dict.fromkeys(whole, False)
