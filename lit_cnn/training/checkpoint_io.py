"""How checkpoints of a run get to the disk and back: Lightning's plugin for it."""

import os
from pathlib import Path
from typing import Any

import torch
from lightning.fabric.plugins import TorchCheckpointIO

from lit_cnn.run_folder.checkpoint import migrate
from lit_cnn.run_folder.folder import Resumable


class DurableCheckpointIO(TorchCheckpointIO):
    """Write a checkpoint straight into its file and wait until the disk has it; read those of older versions too.

    Lightning's own first writes another file below TMPDIR, which needs the room there and outlives a kill.

    Args:
        read: A checkpoint that was read already: it is handed over, once, when Lightning asks for its file.
    """

    def __init__(self, read: Resumable | None = None) -> None:
        self._read = read

    def load_checkpoint(self, path: Any, *arguments: Any, **options: Any) -> dict[str, Any]:
        if self._read is not None and Path(path) == self._read.path:
            checkpoint, self._read = (
                self._read.checkpoint,
                None,
            )  # what is held here would take memory for the whole run
            return checkpoint
        return migrate(super().load_checkpoint(path, *arguments, **options), str(path))

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any | None = None) -> None:
        Path(path).parent.mkdir(parents=True, exist_ok=True)  # of another callback's checkpoint
        with open(path, "wb") as file:
            torch.save(checkpoint, file)
            file.flush()
            os.fsync(file.fileno())
