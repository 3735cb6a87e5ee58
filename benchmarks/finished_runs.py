"""Runs of a benchmark in a CSV file, a line for each that has ended; runs that are there are not done again."""

import argparse
import csv
import json
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from filelock import FileLock

from lit_cnn import Recipe, fit
from lit_cnn.experiment.fit import Run

WAIT = 10.0
"""Seconds after which a process looks again whether what it needs has ended in another one."""


class Key(NamedTuple):
    """Which run: what is compared, with which seed, and what was done."""

    arm: str
    seed: int
    what: str


Figures = Mapping[str, float]
Finished = Mapping[Key, Figures]


@dataclass(frozen=True)
class Job:
    """A run to do.

    Args:
        key: Its name.
        run: Does it, given the runs that have ended, and returns its figures.
        needs: Runs that must have ended before.
    """

    key: Key
    run: Callable[[Finished], Figures]
    needs: tuple[Key, ...] = ()


def read_runs(path: Path) -> dict[Key, dict[str, float]]:
    if not path.is_file():
        return {}
    with path.open(newline="") as file:
        return {
            Key(row["arm"], int(row["seed"]), row["what"]): json.loads(row["figures"]) for row in csv.DictReader(file)
        }


def append_run(path: Path, key: Key, figures: Figures) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(Path(tempfile.gettempdir()) / f"{path.name}.lock")
    with lock, path.open("a", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        if file.tell() == 0:
            writer.writerow([*Key._fields, "figures"])
        writer.writerow([*key, json.dumps({name: round(value, 6) for name, value in figures.items()})])


def do_jobs(path: Path, jobs: Sequence[Job], shard: str) -> None:
    """Do every N-th of the jobs, from the K-th on, of a shard "K/N"; what has ended before is left out."""
    first, step = (int(number) for number in shard.split("/"))
    own = list(jobs[first::step])
    while own:
        finished = read_runs(path)
        own = [job for job in own if job.key not in finished]
        ready = next((job for job in own if all(key in finished for key in job.needs)), None)
        if ready is not None:
            figures = ready.run(finished)
            append_run(path, ready.key, figures)
            shown = ", ".join(f"{name} {value:.4g}" for name, value in figures.items())
            print(f"{ready.key.arm} seed {ready.key.seed} {ready.key.what}: {shown}", flush=True)
        elif own:
            print(f"{own[0].key} waits for a run of another process", flush=True)
            time.sleep(WAIT)


def timed_fit(recipe: Recipe, runs: Path) -> tuple[Run, float]:
    """A finished training and its seconds of processor time, validations among them."""
    began = time.process_time()
    run = fit(recipe, runs=runs)
    seconds = time.process_time() - began
    if run.exit_code or run.folder is None:
        raise SystemExit(run.exit_code)  # by a signal: this training is done again
    return run, seconds


def options_of_runs(description: str | None, results: Path, folder: str, seeds: int) -> argparse.ArgumentParser:
    """The options that all such benchmarks have.

    Args:
        description: Of the benchmark.
        results: Its CSV file, by default.
        folder: Name of the folder of its trainings, below that for temporary files, by default.
        seeds: Their planned number.
    """
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=Path, default=Path(tempfile.gettempdir()) / folder)
    parser.add_argument("--results", type=Path, default=results)
    parser.add_argument("--seeds", type=int, default=seeds)
    parser.add_argument("--shard", default="0/1", metavar="K/N", help="do every N-th of the runs, from the K-th on")
    parser.add_argument("--report", action="store_true", help="write the page of what is there")
    return parser
