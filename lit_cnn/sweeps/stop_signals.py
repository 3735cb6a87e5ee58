"""Signals that stop a sweep."""

import contextlib
import functools
import os
import signal
from collections.abc import Iterator
from types import FrameType, TracebackType
from typing import Any, NoReturn

NUMBERS = (signal.SIGINT, signal.SIGTERM)
_pipes: set[int] = set()
"""Writing ends of the pipes in which signals are noted now."""


class StopSignals:
    """Notes SIGINT and SIGTERM within a block instead of raising; ``number`` is the first one."""

    def __init__(self) -> None:
        self.number: int | None = None
        self._previous: dict[int, Any] = {}

    def __enter__(self) -> "StopSignals":
        for number in NUMBERS:
            self._previous[number] = signal.signal(number, self.note)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)

    def note(self, number: int, frame: FrameType | None = None) -> None:
        """A signal has come."""
        self.number = self.number or number

    @contextlib.contextmanager
    def interrupting(self) -> Iterator[None]:
        """Within the block signals also end what runs, by KeyboardInterrupt, unless that takes them over itself.

        What it takes over is noted as well, once the block ends: Python writes the number of every signal into a pipe,
        whoever handles it. So a training that obeys a signal in its own way, or ends before it could, stops the sweep.
        """
        _forget_pipes_in_children()
        reading, writing = os.pipe()
        _pipes.add(writing)
        os.set_blocking(reading, False)
        os.set_blocking(writing, False)
        handlers = {number: signal.signal(number, self._interrupt) for number in NUMBERS}
        wakeup = signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
        try:
            yield
        finally:
            for number, handler in handlers.items():
                signal.signal(number, handler)
            signal.set_wakeup_fd(wakeup)
            _pipes.remove(writing)
            os.close(writing)
            with contextlib.suppress(BlockingIOError):
                for came in os.read(reading, 1 << 16):
                    if came in NUMBERS:
                        self.note(came)
            os.close(reading)

    def _interrupt(self, number: int, frame: FrameType | None) -> NoReturn:
        self.note(number)
        raise KeyboardInterrupt(f"stopped by {signal.Signals(number).name} before training began")


@functools.cache
def _forget_pipes_in_children() -> None:
    """Let no forked process, such as a loader's worker that is told to end, note its signals as this one's."""

    def forget() -> None:
        if _pipes:
            signal.set_wakeup_fd(-1)

    os.register_at_fork(after_in_child=forget)
