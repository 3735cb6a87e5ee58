"""A device without data: a run on it shows what a GPU would be waited for.

torch's meta device knows shapes and computes nothing. What reads a value back (``.item()``, ``.cpu()``, a mask as an
index, ``nonzero``) fails on it, in a step as on a GPU it would wait; what only queues work goes on. ``Uploads`` notes
what else waits on a GPU: copies to the device that are not asked to be asynchronous, such as ``torch.tensor(1.0,
device=…)``.
"""

import traceback
from typing import Any

import lightning.pytorch as pl
import torch
from lightning.pytorch.accelerators import CPUAccelerator
from lightning.pytorch.strategies import SingleDeviceStrategy
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

DEVICE = torch.device("meta")


class DatalessAccelerator(CPUAccelerator):
    """Lets Lightning take the meta device for an accelerator."""

    def setup_device(self, device: torch.device) -> None:
        assert device == DEVICE

    @staticmethod
    def get_parallel_devices(devices: Any) -> list[torch.device]:
        del devices
        return [DEVICE]


class DatalessStrategy(SingleDeviceStrategy):
    """Puts network and batches on the meta device."""

    def __init__(self) -> None:
        super().__init__(device=DEVICE, accelerator=DatalessAccelerator())

    def reduce(self, tensor: Any, *args: Any, **kwargs: Any) -> Tensor:
        """Lightning asks before the first step whether the loader has batches."""
        return torch.ones(())

    def teardown(self) -> None:
        """Lightning's brings the weights back to the CPU, where there would be none."""


class Uploads:
    """Notes every copy from the CPU to the device that waits for its end, by the line that asked for it.

    It is a context; ``waiting`` grows within.
    """

    def __init__(self) -> None:
        self.waiting: list[str] = []
        self._modes = _Made(self), _Copied(self)

    def __enter__(self) -> None:
        for mode in self._modes:
            mode.__enter__()

    def __exit__(self, *raised: Any) -> None:
        for mode in reversed(self._modes):
            mode.__exit__(*raised)

    def note(self, what: str) -> None:
        """The innermost line outside torch and Lightning asked for it."""
        frames = [frame for frame in traceback.extract_stack() if frame.filename != __file__]
        inner = [frame for frame in frames if "/torch/" not in frame.filename and "/lightning/" not in frame.filename]
        self.waiting.append(f"{what} in {inner[-1].filename}:{inner[-1].lineno}: {inner[-1].line}")


class _Made(TorchFunctionMode):
    """Tensors that are made of Python's numbers on the device."""

    def __init__(self, uploads: Uploads) -> None:
        super().__init__()
        self.uploads = uploads

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        if func in (torch.tensor, torch.as_tensor) and not isinstance(args[0], Tensor) and result.device == DEVICE:
            self.uploads.note("a tensor made of numbers")
        return result


class _Copied(TorchDispatchMode):
    """Copies of tensors that lie on the CPU."""

    def __init__(self, uploads: Uploads) -> None:
        super().__init__()
        self.uploads = uploads

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        if func in (torch.ops.aten._to_copy.default, torch.ops.aten.copy_.default) and result.device == DEVICE:
            asynchronous = (kwargs or {}).get("non_blocking", False) or args[2:3] == (True,)
            if any(isinstance(part, Tensor) and part.device.type == "cpu" for part in args) and not asynchronous:
                self.uploads.note("a blocking copy")
        return result


class EndAfter(pl.Callback):
    """Ends the training after some steps; only uploads of later steps than the first are kept."""

    def __init__(self, uploads: Uploads, steps: int) -> None:
        self.uploads, self.steps, self.done = uploads, steps, 0

    def on_train_batch_end(self, trainer: pl.Trainer, *args: Any) -> None:
        self.done += 1
        if self.done == 1:
            self.uploads.waiting.clear()
        if self.done == self.steps:
            raise StopTraining


class StopTraining(Exception):
    """The steps that were to be watched are over."""
