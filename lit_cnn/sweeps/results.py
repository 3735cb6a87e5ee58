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
    """One trial.

    Args:
        trial: Its number, from 1.
        state: complete, failed, running, stopped or waiting.
        value: The metric; None unless complete.
        params: Recipe key -> value; empty before a sampler has drawn them.
        seconds: Duration of its last attempt, start-up included.
        run: The run folder.
        error: Why it failed.
    """

    trial: int
    state: str
    value: float | None
    params: dict[str, Value]
    seconds: float | None = None
    run: str = ""
    error: str = ""


def write_trials(rows: Sequence[TrialResult], keys: Sequence[str], path: Path) -> Path:
    """Write one line per trial: ``trial,state,value,<keys>,seconds,run,error``; returns ``path``.

    Args:
        rows: The trials.
        keys: The swept recipe keys, in the order of their columns.
        path: The file, which is replaced whole.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["trial", "state", "value", *keys, "seconds", "run", "error"])
    for row in rows:
        params = [row.params.get(key, "") for key in keys]
        writer.writerow([row.trial, row.state, row.value, *params, row.seconds, row.run, row.error])
    with replacing(path) as partial:
        partial.write_text(text.getvalue(), encoding="utf-8", newline="")
    return path
