"""A checkpoint is written whole, and one that was read already is handed over once."""

import os
import threading
from pathlib import Path

import pytest
import torch

from lit_cnn.run_folder.checkpoint import FORMAT
from lit_cnn.run_folder.folder import Resumable
from lit_cnn.training.checkpoint_io import BACKGROUND, DurableCheckpointIO


def test_what_was_read_is_handed_over_for_its_own_path_and_once(tmp_path: Path) -> None:
    path, other = tmp_path / "last.ckpt", tmp_path / "other.ckpt"
    for file in (path, other):
        DurableCheckpointIO().save_checkpoint({"format": FORMAT, "file": file.name}, file)
    read = {"format": FORMAT, "file": "memory"}
    plugin = DurableCheckpointIO(Resumable(path, read))
    assert plugin.load_checkpoint(other)["file"] == "other.ckpt"
    assert plugin.load_checkpoint(str(path)) is read
    assert plugin.load_checkpoint(path)["file"] == "last.ckpt"


def test_what_is_read_from_a_file_is_brought_to_the_present_format(tmp_path: Path) -> None:
    path = tmp_path / "old.ckpt"
    torch.save({"network": {"num_classes": 2}}, path)
    found = DurableCheckpointIO().load_checkpoint(path)
    assert (found["format"], found["class_names"], found["preprocessing"]) == (FORMAT, ["0", "1"], None)


def test_a_save_waits_for_the_disk_unless_that_goes_on_in_the_background(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow, synced = threading.Event(), []
    monkeypatch.setattr(os, "fsync", lambda file: (slow.wait(60), synced.append(file)))
    plugin, path = DurableCheckpointIO(), tmp_path / "last.ckpt"
    plugin.save_checkpoint({"format": FORMAT}, path, BACKGROUND)
    assert torch.load(path) == {"format": FORMAT}
    assert not plugin.on_disk(wait=False)
    slow.set()
    assert plugin.on_disk(wait=True)
    assert plugin.on_disk(wait=False)
    plugin.save_checkpoint({"format": FORMAT}, path)
    assert len(synced) == 2


def test_a_disk_that_cannot_take_it_is_reported_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    plugin, path = DurableCheckpointIO(), tmp_path / "last.ckpt"
    plugin.save_checkpoint({"format": FORMAT}, path, BACKGROUND)
    with pytest.raises(OSError, match="No space"):
        plugin.on_disk(wait=True)
    assert plugin.on_disk(wait=True)
    with pytest.raises(OSError, match="No space"):
        plugin.save_checkpoint({"format": FORMAT}, path)
