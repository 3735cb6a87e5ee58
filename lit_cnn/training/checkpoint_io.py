"""How checkpoints of a run get to the disk and back: Lightning's plugin for it."""

import os
import threading
from pathlib import Path
from typing import Any

import torch
from lightning.fabric.plugins import TorchCheckpointIO

from lit_cnn.run_folder.checkpoint import migrate
from lit_cnn.run_folder.folder import Resumable

BACKGROUND = {"background": True}
"""Storage options of ``save_checkpoint``."""


class Flushing:
    """A written file that the system brings to the disk while the program goes on.

    Args:
        descriptor: Of the file; it is closed at the end.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._problem: OSError | None = None
        self._thread = threading.Thread(target=self._flush, name="flushing", daemon=True)
        self._thread.start()

    def _flush(self) -> None:
        try:
            os.fsync(self._descriptor)
        except OSError as problem:
            self._problem = problem
        finally:
            os.close(self._descriptor)

    def done(self, wait: bool) -> bool:
        """Whether the disk has it, after a wait if that is asked for.

        Raises:
            OSError: If the disk could not take it.
        """
        if wait:
            self._thread.join()
        if self._thread.is_alive():
            return False
        if self._problem is not None:
            raise self._problem
        return True


class DurableCheckpointIO(TorchCheckpointIO):
    """Write a checkpoint straight into its file and wait until the disk has it, or leave that to ``on_disk`` where the
    storage options are ``BACKGROUND``; read those of older versions too.

    Lightning's own first writes another file below TMPDIR, which needs the room there and outlives a kill.

    Args:
        read: A checkpoint that was read already: it is handed over, once, when Lightning asks for its file.
    """

    def __init__(self, read: Resumable | None = None) -> None:
        self._read = read
        self._flushing: Flushing | None = None

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
        self.on_disk(wait=True)  # the one before
        with open(path, "wb") as file:
            torch.save(checkpoint, file)
            file.flush()
            descriptor = os.dup(file.fileno())
        self._flushing = Flushing(descriptor)
        if storage_options != BACKGROUND:
            self.on_disk(wait=True)

    def on_disk(self, wait: bool) -> bool:
        """Whether the disk has what was saved last, after a wait if that is asked for.

        Raises:
            OSError: If the disk could not take it.
        """
        flushing = self._flushing
        if flushing is None:
            return True
        try:
            done = flushing.done(wait)
        except OSError:
            self._flushing = None
            raise
        self._flushing = None if done else flushing
        return done
