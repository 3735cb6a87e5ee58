"""A process that draws pictures while the one that asks for them goes on, and at most a tenth of the time.

Matplotlib changes state of the whole process while it draws, such as the filters of warnings, so it cannot run in a
thread of a training. The process is started for the first picture and knows nothing but what it is given: arrays, names
and paths. A plain ``subprocess`` is used because one of ``multiprocessing`` would run the user's script again.
"""

import contextlib
import importlib
import os
import pickle
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any, NamedTuple

START = (
    "import pickle, sys; sys.path[:], name = pickle.load(sys.stdin.buffer); "
    "import importlib; importlib.import_module(name).serve()"
)
"""The program of the process: it takes over this one's module path first."""
REST = 9.0
"""Times as long as a picture took that the next one waits, unless this is the end: curves of many epochs take longer
and longer, and short epochs ask for them all the time."""

CUT_OFF = "the run has ended before"
"""Why a picture was not drawn for which the end did not wait."""


class Drawn(NamedTuple):
    """What became of a picture.

    Args:
        path: Its file.
        problem: Why it could not be drawn; None if it was.
    """

    path: Path
    problem: str | None


class Artist:
    """Draws one picture after the other in a process of its own; a failure is reported, never raised."""

    def __init__(self) -> None:
        self._waiting: dict[Path, tuple[str, Mapping[str, Any]]] = {}
        self._drawn: list[Drawn] = []
        self._changed = threading.Condition()
        self._closing = self._ended = False
        self._rested_at = 0.0  # of time.monotonic(); before, no picture is begun
        self._thread: threading.Thread | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def draw(self, function: str, out_png: Path, **arguments: Any) -> None:
        """Have a picture drawn; one of the same file that still waits is left out.

        Args:
            function: ``module.function`` below ``lit_cnn.reports``, which takes ``out_png``.
            out_png: The picture.
            arguments: The function's other arguments: plain data, which must not change afterwards.
        """
        with self._changed:
            self._waiting[out_png] = (function, arguments)
            self._changed.notify_all()
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="artist", daemon=True)
            self._thread.start()

    def drawn(self) -> list[Drawn]:
        """The pictures that were finished since the last call."""
        with self._changed:
            drawn, self._drawn = self._drawn, []
        return drawn

    def hurry(self) -> None:
        """Draw what waits without rests; nothing more is asked for."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()

    def close(self, seconds: float) -> None:
        """Wait at most this long until all is drawn, and end the process."""
        self.hurry()
        if self._thread is not None:
            self._thread.join(seconds)
        with self._changed:
            self._waiting.clear()
            self._ended = True
            self._end_process()

    def _end_process(self) -> None:
        """End the process, which has nothing to do, or too much."""
        if self._process is None:
            return
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                with contextlib.suppress(OSError):  # what was not yet sent
                    stream.close()
        self._process = None

    def _work(self) -> None:
        """Hand over the pictures in turn; the thread only writes and reads bytes."""
        while True:
            with self._changed:
                while not self._closing and (not self._waiting or time.monotonic() < self._rested_at):
                    self._changed.wait(self._rested_at - time.monotonic() if self._waiting else None)
                if not self._waiting:
                    return
                path = next(iter(self._waiting))
                function, arguments = self._waiting.pop(path)
            began = time.monotonic()
            problem = self._ask(function, {**arguments, "out_png": path})
            ended = time.monotonic()
            self._rested_at = ended + REST * (ended - began)
            with self._changed:
                self._drawn.append(Drawn(path, problem))

    def _ask(self, function: str, arguments: Mapping[str, Any]) -> str | None:
        try:
            with self._changed:
                if self._ended:
                    return CUT_OFF
                process = self._process = self._process or _start()
            assert process.stdin is not None
            assert process.stdout is not None
            _send(process.stdin, (function, arguments))
            return pickle.load(process.stdout)
        except (OSError, ValueError, EOFError, pickle.PickleError) as error:
            return CUT_OFF if self._ended else f"the process that draws has ended ({type(error).__name__})"


def _start() -> "subprocess.Popen[bytes]":
    process = subprocess.Popen(
        [sys.executable, "-c", START],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # Ctrl-C is for the training, which ends this process
    )
    assert process.stdin is not None
    _send(process.stdin, (sys.path, __name__))
    return process


def _send(stream: IO[bytes], content: Any) -> None:
    pickle.dump(content, stream)
    stream.flush()


def serve() -> None:
    """Draw what is asked for on the standard input, and answer each with its problem or None, until it is closed."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # nothing that a library prints is an answer
    with contextlib.suppress(AttributeError, OSError):
        os.nice(5)  # the training goes first
    while True:
        try:
            function, arguments = pickle.load(sys.stdin.buffer)
        except EOFError:
            return
        module, _, name = function.rpartition(".")
        try:
            getattr(importlib.import_module(f"lit_cnn.reports.{module}"), name)(**arguments)
            problem = None
        except Exception as error:
            problem = (str(error).splitlines() or [type(error).__name__])[0]
        _send(answers, problem)
