"""What asks a run to stop: a signal, the scheduler, the time limit, or the end of the part that was asked for."""

import signal
import threading
import time
from dataclasses import dataclass
from types import FrameType
from typing import Any

TIMED_OUT = 124
"""Exit code of a run that its time limit stopped, as of the command ``timeout``."""
PAUSED = 75
"""Exit code of a run that ``--pause-after`` stopped: "try again later" (EX_TEMPFAIL of sysexits.h)."""


@dataclass(frozen=True)
class Pause:
    """Where a run is paused, counted from its first step: the schedule stays that of the whole run.

    Args:
        epochs: Complete epochs; None for no such limit.
        steps: Optimizer steps; None for no such limit.
    """

    epochs: int | None = None
    steps: int | None = None

    def __post_init__(self) -> None:
        for option, value in (("--pause-after", self.epochs), ("--pause-after-steps", self.steps)):
            if value is not None and value < 1:
                raise ValueError(f"{option} is {value} but must be at least 1")

    def __str__(self) -> str:
        return f"epoch {self.epochs}" if self.epochs is not None else f"step {self.steps}"

    def is_reached(self, epochs: int, steps: int) -> bool:
        """Whether so many complete epochs or steps are the end of the part."""
        return (self.epochs is not None and epochs >= self.epochs) or (self.steps is not None and steps >= self.steps)


class RunInterrupted(Exception):
    """A signal, the time limit or a pause stopped the run; a checkpoint continues it.

    Args:
        signal_number: The signal; None for the time limit or a pause.
        saved_step: Optimizer steps done at the newest checkpoint; None where training had not begun.
        requeue: Whether the scheduler is to start the run again.
        pause: The pause that was reached.
    """

    def __init__(
        self, signal_number: int | None, saved_step: int | None, requeue: bool = False, pause: Pause | None = None
    ) -> None:
        cause = "the time limit" if signal_number is None else signal.Signals(signal_number).name
        verb = f"paused after {pause}" if pause else f"stopped by {cause}"
        kept = f"; the state after step {saved_step} is saved" if saved_step else "; nothing was saved yet"
        super().__init__(f"{verb}{kept if saved_step is not None else ' before training began'}")
        self.began, self.requeue, self.paused = saved_step is not None, requeue, pause is not None
        self.exit_code = PAUSED if pause else TIMED_OUT if signal_number is None else 128 + signal_number


class StopRequest:
    """Notes the signals of a run, which the run obeys between two steps.

    Before training begins there is nothing to save: a signal then raises ``RunInterrupted`` at once.

    Args:
        max_seconds: Time after which the run stops with its state saved; None trains to the end.
        requeue_signal: The signal at which the run stops so that the scheduler starts it again; None for no such.
        pause: Where the run stops with its state saved; None trains to the end.
    """

    def __init__(
        self, max_seconds: float | None = None, requeue_signal: int | None = None, pause: Pause | None = None
    ) -> None:
        self.requeue_signal = requeue_signal
        self.pause = pause
        self.signal: int | None = None
        self.signaled_at = 0.0
        self.hurried = False
        self._waits = False
        self._ends_at = None if max_seconds is None else time.monotonic() + max_seconds
        self._previous_handlers: dict[int, Any] = {}

    def listen(self) -> None:
        """Take over the signals, also from a library that has taken them since; without effect in another thread than
        the main one, where Python does not allow it."""
        if threading.current_thread() is not threading.main_thread():
            return
        for number in (signal.SIGINT, signal.SIGTERM, *([self.requeue_signal] if self.requeue_signal else [])):
            before = signal.signal(number, self.note)
            self._previous_handlers.setdefault(number, before)

    def wait_for_step(self) -> None:
        """From now on a signal is only noted, and training stops where its state can be saved."""
        self._waits = True

    def release(self) -> None:
        """Give the signals back."""
        self._waits = False
        for number, handler in self._previous_handlers.items():  # kept: Lightning may put ours back at its end
            signal.signal(number, handler)

    def note(self, number: int, frame: FrameType | None = None) -> None:
        """A signal has come; a second one gives up what the first still waited for."""
        self.hurried = self.signal is not None
        self.signal, self.signaled_at = number, time.monotonic()
        if not self._waits:
            raise RunInterrupted(number, None, number == self.requeue_signal)

    @property
    def timed_out(self) -> bool:
        """Whether the time limit is over."""
        return self._ends_at is not None and time.monotonic() > self._ends_at

    @property
    def asked(self) -> bool:
        """Whether this process is to stop."""
        return self.signal is not None or self.timed_out

    def pauses(self, epochs: int, steps: int) -> bool:
        """Whether the run pauses after so many complete epochs, or so many steps."""
        return self.pause is not None and self.pause.is_reached(epochs, steps)

    def waited(self, seconds: float) -> bool:
        """Whether the run was asked to stop so long ago, or twice."""
        since = self._ends_at if self.signal is None else self.signaled_at
        return self.asked and since is not None and (self.hurried or time.monotonic() >= since + seconds)

    def interruption(self, saved_step: int) -> RunInterrupted:
        """Another rank's signal is not known here; it is SIGTERM unless the time is over."""
        number = self.signal or (None if self.timed_out else signal.SIGTERM)
        return RunInterrupted(number, saved_step, number is not None and number == self.requeue_signal)
