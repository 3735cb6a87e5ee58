"""The table that grows while a search runs: the best networks, the front, the pace and the time left."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from lit_cnn.cli.console import copied_terminal
from lit_cnn.printable import printable

if TYPE_CHECKING:
    from rich.console import Group

    from lit_cnn.sweeps.engine import Sweep

ROWS = 5
"""Best networks that are shown."""


@contextlib.contextmanager
def shown_board(sweep: Sweep) -> Iterator[None]:
    """Show the board within the block instead of lines, where the standard error is a terminal.

    A training in this process writes to its log file, so the board writes to a copy of the terminal's descriptor.
    """
    if not sys.stderr.isatty():
        yield
        return
    from rich.live import Live

    with copied_terminal() as console:
        board = Board(sweep)
        with Live(console=console, get_renderable=board.drawn, refresh_per_second=1, transient=True):
            before, sweep.say = sweep.say, board.hear
            board.hear("starting")
            try:
                yield
            finally:
                sweep.say = before


class Board:
    """What is known of a search now; looks at its storage only when something has happened."""

    def __init__(self, sweep: Sweep) -> None:
        from lit_cnn.search.findings import ended, found_networks

        self.sweep, self.line = sweep, ""
        self.begun, self.ended_before = time.monotonic(), len(ended(found_networks(sweep)))
        self._rows: list[list[str]] = []
        self._facts = ""

    def hear(self, line: str) -> None:
        """Note an event, and what it has changed."""
        from lit_cnn.cli.search import cost_text, measured_text
        from lit_cnn.search.findings import best_first, ended, found_networks, front

        self.line = printable(line)
        found = found_networks(self.sweep)
        metric = self.sweep.plan.metric
        self._rows = [
            [one.name, measured_text(metric, one.accuracy), cost_text("params", one.costs["params"]), str(one.slot + 1)]
            for one in best_first(found)[:ROWS]
        ]
        done = len(ended(found))
        here = done - self.ended_before
        pace = here / max(time.monotonic() - self.begun, 1e-9)
        left = self.sweep.plan.size - done
        time_left = f", {duration(left / pace)} left" if here else ""
        on_front = ", ".join(
            one.name for one in front(found, "params", sign=1 if self.sweep.plan.metric_goal == "maximize" else -1)
        )
        self._facts = (
            f"{done} of {self.sweep.plan.size} evaluated, {3600 * pace:.0f} an hour{time_left}\n"
            f"front of accuracy and parameters: {on_front or '–'}"
        )

    def drawn(self) -> Group:
        """The board for the terminal."""
        from rich.console import Group
        from rich.table import Table
        from rich.text import Text

        table = Table(box=None, title=self.sweep.folder.name, title_justify="left")
        for name in ("network", self.sweep.plan.metric, "parameters (M)", "trial"):
            table.add_column(name, justify="left" if name == "network" else "right")
        for row in self._rows:
            table.add_row(*row)
        return Group(table, Text(self._facts), Text(self.line))


def duration(seconds: float) -> str:
    """``2 h 05 min`` or ``40 s``."""
    minutes = round(seconds / 60)
    if minutes < 2:
        return f"{seconds:.0f} s"
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"
