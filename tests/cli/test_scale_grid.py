"""``lit-cnn scale --grid``: candidates trained by the engine of sweeps, ranked, and continued."""

import json
from pathlib import Path

import pytest

from lit_cnn.cli.main import main

GRID = ["scale", "cifar_resnet8", "--grid", "--step", "0.4", "--tolerance", "0.06", "--metric", "val/loss"]
SHORT = ["--trainer.max_epochs=1", "--trainer.limit_train_batches=2"]


def ranked(capsys: pytest.CaptureFixture[str], folder: Path, *words: str) -> list[dict[str, object]]:
    capsys.readouterr()
    assert main([*GRID, "--sweep-dir", str(folder), "--json", *words, *SHORT]) == 0
    return json.loads(capsys.readouterr().out)


@pytest.mark.slow
def test_candidates_are_trained_once_and_ranked(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    folder = tmp_path / "grid"
    waiting = ranked(capsys, folder, "--report")
    assert {row["state"] for row in waiting} == {"waiting"}
    rows = ranked(capsys, folder)
    assert [row["state"] for row in rows] == ["complete"] * len(waiting)
    losses = [row["value"] for row in rows]
    assert losses == sorted(losses, key=lambda loss: float(str(loss)))
    assert {row["image_size"] for row in rows} == {16, 22}
    assert ranked(capsys, folder) == rows  # nothing is trained again
    assert len([run for run in folder.iterdir() if run.is_dir()]) == len(rows)
    assert "width_multiplier" in (folder / "best.yaml").read_text()


@pytest.mark.slow
def test_another_grid_in_the_same_folder_is_refused(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    folder = tmp_path / "grid"
    ranked(capsys, folder, "--report")
    other = [*GRID, "--sweep-dir", str(folder), "--report", "--depth-rounding", "nearest", *SHORT]
    assert main(other) == 1
    assert "has begun as another one" in capsys.readouterr().err
