"""What a run folder holds is read; what it lacks is said."""

import json
import shutil
from pathlib import Path

import pytest
from fitted_run import FittedRun

from lit_cnn.experiment.changes import Change
from lit_cnn.experiment.extending import ORIGIN
from lit_cnn.handover.run_files import StoredImage, run_files


@pytest.fixture
def copied(fitted: FittedRun, tmp_path: Path) -> Path:
    folder = tmp_path / "tiny" / "20261129-1"
    shutil.copytree(fitted.folder, folder, ignore=shutil.ignore_patterns("checkpoints"))
    return folder


def test_a_whole_run_lacks_nothing(fitted: FittedRun) -> None:
    files = run_files(fitted.folder)
    assert files.missing == ()
    assert files.title == "tiny"
    assert files.name == f"tiny/{fitted.folder.name}"
    assert files.environment["python"]
    assert files.data["images"] == {"train": 24, "val": 12, "test": 6}
    assert files.cost.images_per_second is not None


def test_best_and_last_are_rows_of_the_metrics(copied: Path) -> None:
    (copied / "metrics.csv").write_text("epoch,step,val/acc1\n0,1,0.5\n1,3,0.75\n2,5,0.75\n3,7,0.6\n")
    files = run_files(copied)
    assert (files.best["epoch"], files.last["epoch"]) == (1, 3)


def test_of_a_loss_the_smallest_is_best(copied: Path) -> None:
    (copied / "metrics.csv").write_text("epoch,step,val/loss\n0,1,0.5\n1,3,0.25\n2,5,0.75\n")
    config = copied / "config.yaml"
    config.write_text(config.read_text().replace("monitor: val/acc1", "monitor: val/loss"))
    assert run_files(copied).best["epoch"] == 1


def test_what_the_folder_lacks_is_said(copied: Path) -> None:
    for name in ("metrics.csv", "data.json", "environment.json", "worst_images.csv", "timing.csv"):
        (copied / name).unlink()
    files = run_files(copied)
    assert [sentence.split()[5].rstrip(",") for sentence in files.missing] == [
        "metrics.csv", "environment.json", "data.json"
    ]  # fmt: skip
    assert (files.data, files.environment, files.changed, files.worst, files.best) == ({}, {}, {}, (), {})
    assert files.cost.seconds is None


def test_changes_and_the_extended_run_are_known(copied: Path) -> None:
    environment = json.loads((copied / "environment.json").read_text())
    environment["changed"] = {"data.batch_size": [64, 8]}
    (copied / "environment.json").write_text(json.dumps(environment))
    (copied / ORIGIN).write_text(json.dumps({"run": "/a/b", "epochs": 2, "steps": 6}))
    files = run_files(copied)
    assert files.changed == {"data.batch_size": Change(64, 8)}
    assert files.extends == {"run": "/a/b", "epochs": 2, "steps": 6}


def test_names_of_worst_images_keep_their_bytes(copied: Path) -> None:
    row = b'caf\xe9.png,"a, ""b""",c,0.9,1.5,0\n'
    (copied / "worst_images.csv").write_bytes(b"file,true,said,probability,loss,right\n" + row)
    assert run_files(copied).worst == (StoredImage("caf\udce9.png", 'a, "b"', "c", 0.9, 1.5),)
    (copied / "worst_images.csv").write_text("other,columns\n1,2\n")
    assert run_files(copied).worst == ()


def test_a_folder_without_a_recipe_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="cannot be reported"):
        run_files(tmp_path)
