"""The figures of a run, from its folder."""

import math
from collections.abc import Mapping
from pathlib import Path

from lit_cnn.evaluation.run_costs import cost_of
from lit_cnn.evaluation.run_records import read_run

CURVE = {"accuracy": "val/acc1", "nll": "val/loss", "train_loss": "train/loss", "train_accuracy": "train/acc1"}
"""Figure -> its name in ``metrics.csv``."""


def run_figures(folder: Path) -> dict[str, float]:
    """The figures of a run that has ended, by the names of ``METRICS``, each of the last epoch that has it.

    Raises:
        ValueError: If the run has logged no validation.
    """
    run = read_run(folder)
    last = {
        figure: row[name] for row in run.rows for figure, name in CURVE.items() if name in row
    }  # later rows replace earlier ones
    if "nll" not in last:
        raise ValueError(f"{folder} has logged no val/loss: delete the folder and run the claim again")
    if "train_accuracy" in last:
        last["gap"] = last["train_accuracy"] - last["accuracy"]
    last["steps"] = max(row["step"] for row in run.rows) + 1
    seconds = cost_of(run).seconds
    return last if not seconds else {**last, "seconds": seconds, "log_seconds": math.log(seconds)}


def curve(folder: Path) -> list[dict[str, float]]:
    """One row for each epoch with figures: epoch, counted from 1, and those it has."""
    rows: dict[int, dict[str, float]] = {}
    for row in read_run(folder).rows:
        found = {figure: row[name] for figure, name in CURVE.items() if name in row}
        if found:
            epoch = int(row.get("epoch", 0)) + 1
            rows.setdefault(epoch, {"epoch": epoch}).update(found)
    return list(rows.values())


def guess(classes: int) -> dict[str, float]:
    """The figures of a run whose loss stopped being a finite number: those of an answer without knowledge. It has no
    gap and no time."""
    nll, accuracy = math.log(classes), 1 / classes
    return {"accuracy": accuracy, "nll": nll, "train_loss": nll, "train_accuracy": accuracy}


def rounded(figures: Mapping[str, float]) -> dict[str, float]:
    """Six digits, more than any run repeats on another machine."""
    return {name: float(f"{value:.6g}") for name, value in figures.items()}
