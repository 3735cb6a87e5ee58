"""``lit-cnn sweep``: try values of recipe keys, each in a run of its own, and report which are best.

    lit-cnn sweep --config RECIPE --space sweeps/rand_augment_grid --sweep-dir sweeps/NAME [--key value …]
    lit-cnn sweep --sweep-dir sweeps/NAME             continue it, or join it from another terminal
    lit-cnn sweep --sweep-dir sweeps/NAME --report    print what it has found so far
    lit-cnn sweep … --seeds 3                         run each point with the seeds 0, 1 and 2: the best mean wins

A space may hold a pruner, which trains only the best trials to the end (successive halving):
    pruner: {kind: successive_halving, min_epochs: 3, factor: 3}

The folder gets the trials' run folders, trials.csv, heatmap.png, and best.yaml, the winner's recipe for lit-cnn fit.
Exit codes: 0 done, 1 wrong input or no trial succeeded, 130 and 143 stopped by SIGINT and SIGTERM.
"""

from __future__ import annotations

import dataclasses
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from lit_cnn.cli.command_parser import CommandParser, recipes_first
from lit_cnn.cli.console import as_json, line_console
from lit_cnn.cli.tables import Column, Table, add_form_arguments, print_tables

if TYPE_CHECKING:  # a help needs none of it
    from rich.console import Console

    from lit_cnn.sweeps.engine import Sweep
    from lit_cnn.sweeps.results import TrialResult
    from lit_cnn.sweeps.space import Space
    from lit_cnn.sweeps.trials import Fit


def run(arguments: list[str]) -> int:
    options, rest = make_parser().parse_known_args(recipes_first(arguments))
    from lit_cnn.cli.main import main
    from lit_cnn.experiment.identity import identity
    from lit_cnn.experiment.parser import RecipeCLI
    from lit_cnn.sweeps.folder import (
        RECIPE,
        check_keys,
        find_parts,
        needs_processes,
        run_length,
        settle_precision,
        write_parts,
        write_results,
    )

    folder = options.sweep_dir.expanduser()
    space, recipe = find_parts(folder, options.space, rest, options.trials, options.seeds)
    if not options.report:
        check_keys(space, recipe, rest)
    from lit_cnn.sweeps.engine import Sweep
    from lit_cnn.sweeps.journal import JOURNAL

    if (folder / RECIPE).is_file() and not options.storage and not (folder / JOURNAL).is_file():
        raise ValueError(f"the sweep {folder} keeps its trials in a database: pass its --storage URL")
    cli = RecipeCLI(recipe)
    length = run_length(space, cli)
    folder.mkdir(parents=True, exist_ok=True)
    console = line_console(stderr=options.json or options.markdown)
    begun = dict(identity(cli.values()))
    sweep = Sweep(folder, space, begun, options.storage, length, console.print)
    stopped = 0
    if not options.report:
        console.print(settle_precision(cli, sweep))
        fit = write_parts(folder, space, cli)
        if not options.process_per_trial and not needs_processes(cli, [axis.key for axis in space.keys]):
            from lit_cnn.cli.main import main

            fit = dataclasses.replace(fit, main=main)
        if options.retry_failed:
            sweep.queue.retry_failed()
        stopped = run_trials(sweep, fit, folder, console)
    rows = sweep.results()
    write_results(folder, space, rows)
    if options.json:
        print(as_json(rows))
    else:
        print_tables([trials_table(folder, space, rows)], in_markdown=options.markdown)
        print_places(console, folder, rows)
    if stopped:
        return 128 + stopped
    return 0 if any(row.complete for row in rows) else 1


def make_parser() -> CommandParser:
    parser = CommandParser(
        prog="lit-cnn sweep",
        description=__doc__,
        example="lit-cnn sweep --config small/resnet50 --space sweeps/learning_rate --sweep-dir my_sweep",
        epilog="--config RECIPE (repeatable) and --key value go to every trial, as in lit-cnn fit.",
    )
    parser.add_argument("--sweep-dir", type=Path, required=True, help="folder of the sweep; its name is the study's")
    parser.add_argument("--space", help="YAML file: which keys and values, and how they are chosen")
    parser.add_argument("--trials", type=int, help="number of trials, instead of the space's")
    parser.add_argument("--seeds", type=int, help="run each point with so many seeds and compare the means")
    parser.add_argument(
        "--storage", metavar="URL", help="database that several machines share: postgresql+psycopg://user@host/name"
    )
    parser.add_argument(
        "--process-per-trial",
        action="store_true",
        help="start a process for each trial, as more than one device does anyway; costs some seconds each",
    )
    parser.add_argument("--retry-failed", action="store_true", help="try the failed trials again")
    parser.add_argument("--report", action="store_true", help="run nothing, print what there is")
    add_form_arguments(parser, "the trials")
    return parser


def run_trials(sweep: Sweep, fit: Fit, folder: Path, console: Console) -> int:
    """Run what is left; returns the number of the signal that stopped it, or 0."""
    from lit_cnn.sweeps.stop_signals import StopSignals

    with StopSignals() as stop:
        sweep.run(fit, stop)
    if stop.number:
        storage = " --storage URL" if sweep.storage_url else ""
        console.print(f"stopped. Continue with: lit-cnn sweep --sweep-dir {shlex.quote(str(folder))}{storage}")
    return stop.number or 0


def trials_table(folder: Path, space: Space, rows: Sequence[TrialResult]) -> Table:
    """The trials, the best first."""
    columns = [
        *(Column("trial"), Column(space.metric or "value")),
        *([Column(space.pruner.unit, rank=3)] if space.pruner else []),
        *[Column(name) for name in short_names([axis.key for axis in space.keys])],
        *(Column("seconds", rank=2), Column("state", "prose", rank=1)),
    ]
    title = f"{folder.resolve().name}: {space.metric}, best first"
    return Table(columns, [cells_of(row, space) for row in rows], title=title)


def print_places(console: Console, folder: Path, rows: Sequence[TrialResult]) -> None:
    """Where the best trial and its recipe are."""
    from lit_cnn.sweeps.folder import BEST, PICTURE

    if rows and rows[0].complete:
        console.print(f"best: {relative(rows[0].run)}\nrecipe: {folder / BEST}\npicture: {folder / PICTURE}")
    if any(row.state == "failed" for row in rows):
        console.print("run the same command with --retry-failed to try the failed trials again")


def cells_of(row: TrialResult, space: Space) -> list[str]:
    """The cells of a trial's row."""
    from lit_cnn.sweeps.folder import value_of

    return [
        str(row.trial),
        value_of(row, space),
        *([f"{row.trained or 0}"] if space.pruner else []),
        *[shown(row.params[axis.key]) if axis.key in row.params else "–" for axis in space.keys],
        "–" if row.seconds is None else f"{row.seconds:,.0f}",
        f"{row.state}: {row.error}" if row.error else row.state,
    ]


def short_names(keys: Sequence[str]) -> list[str]:
    """The last parts of dotted keys, as few as tell them apart.

    >>> short_names(["model.optimizer.learning_rate", "data.mixup.alpha", "data.cutmix.alpha"])
    ['learning_rate', 'mixup.alpha', 'cutmix.alpha']
    """
    parts = [key.split(".") for key in keys]

    def ends(key: list[str], size: int) -> str:
        return ".".join(key[-size:])

    return [
        next(
            ends(key, size)
            for size in range(1, len(key) + 1)
            if size == len(key) or sum(ends(other, size) == ends(key, size) for other in parts) == 1
        )
        for key in parts
    ]


def relative(path: str) -> str:
    """A path from here where it lies below the working directory."""
    here = Path.cwd()
    return str(Path(path).relative_to(here)) if here in Path(path).parents else path


def shown(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
