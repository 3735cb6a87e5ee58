"""Peak memory while something runs."""

import ctypes
import gc
import os
import sys
import threading
from pathlib import Path
from types import TracebackType

import torch

_INTERVAL = 0.002
"""Seconds between two readings of the process's memory."""


class PeakMemory:
    """The most memory in use inside ``with``, above what was in use when this object was made.

    On a GPU it is exact: ``torch.cuda.max_memory_allocated``. On the CPU a thread reads the resident size of the
    process every 2 ms, so it is what the system gave, including buffers of the kernels; memory freed by an earlier
    network is returned to the system first, but what the allocator keeps makes a second network look smaller.

    ``peak`` is in bytes, None before use and where the system does not report the resident size (only Linux does here).
    """

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self.peak: int | None = None
        self._stop = threading.Event()
        _release()
        self._before = self._now()

    @property
    def how(self) -> str:
        if self.device.type == "cuda":
            return "torch.cuda.max_memory_allocated above the start"
        return "resident memory above the start, read every 2 ms" if self._before is not None else "not measurable here"

    def __enter__(self) -> "PeakMemory":
        self.peak = None
        self._stop.clear()
        _release()
        if self.device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(self.device)
        elif self._before is not None:
            self._thread = threading.Thread(target=self._watch, daemon=True)
            self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._before is None:
            return
        if self.device.type == "cuda":
            self.peak = torch.cuda.max_memory_allocated(self.device) - self._before
        else:
            self._stop.set()
            self._thread.join()

    def _watch(self) -> None:
        while True:
            now, stop = self._now(), self._stop.is_set()
            if now is not None and self._before is not None:
                self.peak = max(self.peak or 0, now - self._before)
            if stop:
                return
            self._stop.wait(_INTERVAL)

    def _now(self) -> int | None:
        if self.device.type == "cuda":
            return torch.cuda.memory_allocated(self.device)
        statm = Path("/proc/self/statm")
        if not statm.exists():
            return None
        return int(statm.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def _release() -> None:
    """Give freed memory back to the system, where the C library can."""
    gc.collect()
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:
            trim(0)
