"""What a sweep found: its rows and ``trials.csv``."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lit_cnn.run_folder.atomic import replacing
from lit_cnn.sweeps.space import Value


@dataclass(frozen=True)
class TrialResult:
    """One point of the space, which is one run, or one for each seed.

    Args:
        trial: Its number, from 1.
        state: complete, pruned, failed, running, stopped or waiting.
        value: The metric, the mean over its runs that have one; None where none has.
        params: Recipe key -> value; empty before a sampler has drawn them.
        seconds: Duration of its last attempt, start-up included; of several runs the sum.
        run: The run folder, of several the first seed's.
        error: Why it failed.
        sd: Standard deviation of the metric over the runs; None with fewer than two.
        n: Number of runs that have a value; None where the sweep has no seeds.
        trained: Epochs or steps after which its value was measured; None without a pruner.
        runs: The run folders in the order of their seeds.
    """

    trial: int
    state: str
    value: float | None
    params: dict[str, Value]
    seconds: float | None = None
    run: str = ""
    error: str = ""
    sd: float | None = None
    n: int | None = None
    trained: int | None = None
    runs: tuple[str, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether all its runs have ended: such a point may win."""
        return self.state == "complete"


def write_trials(rows: Sequence[TrialResult], keys: Sequence[str], path: Path) -> Path:
    """Write one line per point: ``trial,state,value,<keys>,seconds,run,error``; returns ``path``.

    After ``value`` follow ``sd`` and ``n`` in a sweep with seeds, and ``trained`` in one with a pruner.

    Args:
        rows: The points.
        keys: The swept recipe keys, in the order of their columns.
        path: The file, which is replaced whole.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    extra = [name for name in ("sd", "n", "trained") if any(getattr(row, name) is not None for row in rows)]
    writer.writerow(["trial", "state", "value", *extra, *keys, "seconds", "run", "error"])
    for row in rows:
        more = [getattr(row, name) for name in extra]
        params = [row.params.get(key, "") for key in keys]
        writer.writerow([row.trial, row.state, row.value, *more, *params, row.seconds, row.run, row.error])
    with replacing(path) as partial:
        partial.write_text(text.getvalue(), encoding="utf-8", newline="")
    return path
