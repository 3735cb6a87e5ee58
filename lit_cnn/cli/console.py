"""What the commands print alike: bars on stderr, percentages and points."""

import contextlib
import sys
from collections.abc import Callable, Iterator

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn


@contextlib.contextmanager
def progress(text: str, total: int) -> Iterator[Callable[[int], None]]:
    """A bar on stderr that disappears when done; yields the function that advances it."""
    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(text, total=total)
        yield lambda images: bar.advance(task, images)


def percent(value: float) -> str:
    """``91.25 %``."""
    return f"{100 * value:.2f} %"


def points(value: float, interval: tuple[float, float] | None = None) -> str:
    """``+0.40`` percentage points, with the interval where there is one."""
    text = f"{100 * value:+.2f}"
    return text if interval is None else f"{text} [{100 * interval[0]:+.2f}, {100 * interval[1]:+.2f}]"


@contextlib.contextmanager
def phases(total: int) -> Iterator[Callable[[str], None]]:
    """A function that is told each of ``total`` phases as it begins; shown on stderr."""
    if not sys.stderr.isatty():
        yield lambda text: print(text, file=sys.stderr, flush=True)
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task, begun = bar.add_task("", total=total), [0]

        def tell(text: str) -> None:
            bar.update(task, description=text, completed=begun[0])
            begun[0] += 1

        yield tell
