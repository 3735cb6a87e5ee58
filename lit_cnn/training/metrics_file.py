"""``metrics.csv`` of a run: one row per logged step, the same bytes for the same run.

Lightning's CSVLogger drops the rows before a resume; this one continues the file, so that an interrupted and continued
run leaves what the uninterrupted one leaves. Timings differ from run to run and go to ``timing.csv``.
"""

import csv
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lightning.pytorch.loggers import Logger
from lightning.pytorch.utilities.rank_zero import rank_zero_only

from lit_cnn.run_folder.atomic import replacing
from lit_cnn.run_folder.metrics_csv import read_header, read_metrics

METRICS = "metrics.csv"
TIMING = "timing.csv"
TIMING_PREFIX = "timing/"


class MetricsFile(Logger):
    """Write ``metrics.csv`` and ``timing.csv`` of a run folder, on rank zero.

    Columns are ``epoch,step`` and then the metrics in the order in which they were first logged; values logged in
    several calls at one step share a row, and rows are sorted by step. A reader may find the last row cut off. Without
    ``truncate_after`` the first write replaces a file of an earlier run.

    Args:
        run_dir: The run folder; made at the first write.
    """

    def __init__(self, run_dir: Path) -> None:
        super().__init__()
        self.run_dir = Path(run_dir)
        self._metrics = _Table(self.run_dir / METRICS)
        self._timing = _Table(self.run_dir / TIMING)

    @property
    def name(self) -> str:
        return "metrics"

    @property
    def version(self) -> str:
        return self.run_dir.name

    @property
    def save_dir(self) -> str:
        return str(self.run_dir)

    @rank_zero_only
    def log_hyperparams(self, params: Any, *args: Any, **kwargs: Any) -> None:
        """Nothing: the run folder keeps the resolved recipe."""

    @rank_zero_only
    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        """Add values to the row of a step.

        Args:
            metrics: Values by name; ``epoch`` counts from 0.
            step: Optimizer step, from 0; the last logged one if left out.
        """
        values = {name: float(value) for name, value in metrics.items()}
        epoch = values.pop("epoch", None)
        timing = {name: value for name, value in values.items() if name.startswith(TIMING_PREFIX)}
        others = {name: value for name, value in values.items() if name not in timing}
        self._metrics.add(step, epoch, others)
        self._timing.add(step, epoch, timing)

    @rank_zero_only
    def save(self) -> None:
        """Write what has changed. Lightning calls this after every logging."""
        self._metrics.write()
        self._timing.write()

    @rank_zero_only
    def finalize(self, status: str) -> None:
        self.save()

    @rank_zero_only
    def truncate_after(self, step: int) -> None:
        """Continue the existing files from a checkpoint: keep the rows up to ``step`` and forget the later ones.

        Args:
            step: The last logged step that the checkpoint covers. Lightning logs the n-th optimizer step as n - 1, so
                this is ``global_step - 1``.

        Raises:
            ValueError: If an existing file is not one of ours.
        """
        self._metrics.read(step)
        self._timing.read(step)
        self.save()


class _Table:
    """A wide CSV in memory and in its file, to which a new row is appended.

    A row changes until the next one begins, so the file's last row is written again where it has gained values; only a
    new column, or a value of an earlier row, writes the whole file again.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.columns: list[str] = []
        self.rows: dict[int, dict[str, float]] = {}
        self._changed: set[int] = set()
        self._whole = True
        self._last_written: int | None = None
        self._last_begins = 0

    def add(self, step: int | None, epoch: float | None, values: Mapping[str, float]) -> None:
        if not values:
            return
        step = max(self.rows, default=0) if step is None else step
        if self.rows and step not in self.rows and step < next(reversed(self.rows)):
            self.rows = dict(sorted([*self.rows.items(), (step, {})]))
        row = self.rows.setdefault(step, {})
        row.update(values)
        if epoch is not None:
            row["epoch"] = epoch
        new = [name for name in values if name not in self.columns]
        self.columns += new
        self._whole |= bool(new) or self._last_written is None or step < self._last_written
        self._changed.add(step)

    def write(self) -> None:
        if not self._changed:
            return
        try:
            if self._whole or not self.path.exists():
                self._write_whole()
            else:
                self._append()
        except OSError as error:
            raise ValueError(
                f"cannot write {self.path} ({error.strerror}): make room or make the folder writable, then continue "
                "with --resume"
            ) from None
        self._changed.clear()
        self._whole, self._last_written = False, next(reversed(self.rows))

    def _write_whole(self) -> None:
        header = io.StringIO()
        csv.writer(header, lineterminator="\n").writerow(["epoch", "step", *self.columns])
        lines = [header.getvalue(), *(self._line(step) for step in self.rows)]
        content = [line.encode() for line in lines]
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(self.path) as partial:
            partial.write_bytes(b"".join(content))
        self._last_begins = sum(map(len, content[:-1]))

    def _append(self) -> None:
        """Write the file's last row again, where it has changed, and those after it."""
        assert self._last_written is not None
        steps = sorted(self._changed | {self._last_written})
        lines = [self._line(step).encode() for step in steps]
        with self.path.open("r+b") as file:
            file.seek(self._last_begins)
            file.write(b"".join(lines))
            file.truncate()
        self._last_begins += sum(map(len, lines[:-1]))

    def _line(self, step: int) -> str:
        row = self.rows[step]
        epoch = f"{row['epoch']:.0f}" if "epoch" in row else ""
        return ",".join([epoch, str(step), *(repr(row[c]) if c in row else "" for c in self.columns)]) + "\n"

    def read(self, last: int) -> None:
        """Replace the content by the file's rows with step <= last; a missing file is an empty one."""
        if not self.path.exists():
            return
        self.rows, self.columns = {}, []
        for values in read_metrics(self.path):
            step = int(values.pop("step"))
            if step <= last:
                self.rows[step] = values
        kept = {name for values in self.rows.values() for name in values}
        self.columns = [name for name in read_header(self.path)[2:] if name in kept]
        self._changed, self._whole = set(self.rows), True
        if not self.rows:
            self._write_whole()
