"""What the commands print: lines, JSON, bars on stderr, figures. Rich is imported where something is drawn.

Everything printed is plain text: names of files and classes are shown as they are, whatever brackets, colons or control
characters they have (see ``printable.py``).
"""

import contextlib
import functools
import io
import json
import os
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, is_dataclass
from typing import TYPE_CHECKING, Any

from lit_cnn.printable import printable, printable_lines

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress, ProgressColumn
    from rich.text import Text


def line_console(*, stderr: bool = False) -> "Console":
    """The standard output for lines that are not wrapped, so that paths in them can be copied."""
    return _console_class()(soft_wrap=True, stderr=stderr, highlight=False, markup=False, emoji=False)


@contextlib.contextmanager
def copied_terminal() -> Iterator["Console"]:
    """A console on a copy of the standard error's descriptor, which stays when the original is diverted."""
    with os.fdopen(os.dup(sys.stderr.fileno()), "w", encoding="utf-8", errors="backslashreplace") as terminal:
        yield _console_class()(file=terminal, highlight=False, markup=False, emoji=False)


def say(text: object, *, stderr: bool = False) -> None:
    """Print lines as they are, without acting on the terminal."""
    print(printable_lines(str(text)), file=sys.stderr if stderr else sys.stdout, flush=True)


@functools.cache
def _console_class() -> type["Console"]:
    from rich.console import Console

    class PlainConsole(Console):
        def render_str(self, text: str, **options: Any) -> "Text":
            return super().render_str(printable_lines(text), **options)

        def on_broken_pipe(self) -> None:
            """Rich would exit with 1; ``main`` knows that a reader that has gone is not a mistake."""
            raise BrokenPipeError

    return PlainConsole


def open_streams_to_all_text() -> None:
    """Let the standard streams write escapes for what their encoding lacks, such as bytes that are not UTF-8."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def show_own_warnings_plainly() -> None:
    """Show this package's warnings as their sentence alone, without a line of its source; others as Python does."""
    others, package = warnings.formatwarning, os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep

    def formatted(
        message: Warning | str, category: type[Warning], filename: str, lineno: int, line: str | None = None
    ) -> str:
        if category is UserWarning and filename.startswith(package):
            return f"{printable_lines(str(message))}\n"
        return others(message, category, filename, lineno, line)

    warnings.formatwarning = formatted


def as_json(value: Any) -> str:
    """JSON of built-in types and dataclasses; nan, which JSON lacks, is null."""
    return json.dumps(_plain(value), indent=2)


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        value = asdict(value)
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return None if value != value else value


@contextlib.contextmanager
def progress(text: str, total: int | None) -> Iterator[Callable[[int], None]]:
    """A bar on stderr, where that is a terminal, that disappears when done; yields the function that advances it."""
    with _bar(disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task(text, total=total)
        yield lambda number: bar.advance(task, number)


@contextlib.contextmanager
def counted(text: str) -> Iterator[Callable[[int, int], None]]:
    """``progress`` where the total comes with the steps: yields a function of what is done and how much there is."""
    with _bar(disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task(text, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _bar(*columns: "ProgressColumn", disable: bool = False) -> "Progress":
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    columns = columns or (BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    description = TextColumn("{task.description}", markup=False)
    out = _console_class()(stderr=True, highlight=False, markup=False, emoji=False)
    return Progress(description, *columns, console=out, transient=True, disable=disable)


@contextlib.contextmanager
def phases(total: int) -> Iterator[Callable[[str], None]]:
    """A function called with each of ``total`` phases as it begins; shown on stderr."""
    if not sys.stderr.isatty():
        yield lambda text: say(text, stderr=True)
        return
    from rich.progress import BarColumn, TimeElapsedColumn

    with _bar(BarColumn(), TimeElapsedColumn()) as bar:
        task, begun = bar.add_task("", total=total), [0]

        def tell(text: str) -> None:
            bar.update(task, description=printable(text), completed=begun[0])
            begun[0] += 1

        yield tell


def percent(value: float) -> str:
    """``91.25 %``; a dash for nan."""
    return f"{100 * value:.2f} %" if value == value else "–"


def points(value: float, interval: tuple[float, float] | None = None) -> str:
    """``+0.40`` percentage points, with the interval where there is one."""
    text = f"{100 * value:+.2f}"
    return text if interval is None else f"{text} [{100 * interval[0]:+.2f}, {100 * interval[1]:+.2f}]"


def number(value: float | None, unit: float = 1.0) -> str:
    """Three significant digits without an exponent, or a dash."""
    if value is None:
        return "–"
    scaled = value / unit
    return f"{scaled:,.0f}" if scaled >= 100 else f"{scaled:.3g}"


def span(numbers: Sequence[int]) -> str:
    """``7``, or ``7 to 9`` where they differ."""
    low, high = min(numbers), max(numbers)
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"


def busy_warning(load: float | None) -> str:
    """A second line where the load average before a measurement was above half of the cores, else nothing."""
    cores = os.cpu_count() or 1
    if load is None or load <= cores / 2:
        return ""
    return f"\nthe machine was busy (load average {load:.1f} on {cores} cores), so times are too long"
