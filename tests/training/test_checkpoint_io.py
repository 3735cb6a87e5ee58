"""A checkpoint is written whole, and one that was read already is handed over once."""

from pathlib import Path

import torch

from lit_cnn.run_folder.checkpoint import FORMAT
from lit_cnn.run_folder.folder import Resumable
from lit_cnn.training.checkpoint_io import DurableCheckpointIO


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
