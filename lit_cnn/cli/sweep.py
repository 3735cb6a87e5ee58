"""``lit-cnn sweep``: try values of recipe keys, each in a run of its own, and report which are best.

    lit-cnn sweep --config RECIPE --space sweeps/rand_augment_grid --sweep-dir sweeps/NAME [--key value …]
    lit-cnn sweep --sweep-dir sweeps/NAME             continue it, or join it from another terminal
    lit-cnn sweep --sweep-dir sweeps/NAME --report    print what it has found so far

The folder gets the trials' run folders, trials.csv, heatmap.png, and best.yaml, the winner's recipe for lit-cnn fit.
Exit codes: 0 done, 1 wrong input or no trial succeeded, 130 and 143 stopped by SIGINT and SIGTERM.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from lit_cnn.cli.command_parser import CommandParser, recipes_first
from lit_cnn.cli.console import as_json, line_console, table

if TYPE_CHECKING:  # a help needs none of it
    from rich.console import Console

    from lit_cnn.sweeps.engine import Sweep
    from lit_cnn.sweeps.results import TrialResult
    from lit_cnn.sweeps.space import Space
    from lit_cnn.sweeps.trials import Fit


def run(arguments: list[str]) -> int:
    options, rest = make_parser().parse_known_args(recipes_first(arguments))
    import yaml

    from lit_cnn.experiment.identity import identity
    from lit_cnn.experiment.parser import RecipeCLI
    from lit_cnn.sweeps.folder import RECIPE, check_keys, find_parts, settle_precision, write_parts, write_results

    folder = options.sweep_dir.expanduser()
    space, recipe = find_parts(folder, options.space, rest, options.trials)
    if not options.report:
        check_keys(space, recipe, rest)
    from lit_cnn.sweeps.engine import JOURNAL, Sweep

    if (folder / RECIPE).is_file() and not options.storage and not (folder / JOURNAL).is_file():
        raise ValueError(f"the sweep {folder} keeps its trials in a database: pass its --storage URL")
    cli = RecipeCLI(recipe)
    folder.mkdir(parents=True, exist_ok=True)
    sweep = Sweep(folder, space, dict(identity(yaml.safe_load(cli.dump()))), options.storage)
    console = line_console(stderr=options.json)
    stopped = 0
    if not options.report:
        console.print(settle_precision(cli, sweep))
        fit = write_parts(folder, space, cli)
        if options.retry_failed:
            sweep.retry_failed()
        stopped = run_trials(sweep, fit, folder, console)
    rows = sweep.results()
    write_results(folder, space, rows)
    print(as_json(rows)) if options.json else print_rows(console, folder, space, rows)
    if stopped:
        return 128 + stopped
    return 0 if any(row.value is not None for row in rows) else 1


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
    parser.add_argument("--storage", help="Optuna database URL, with which several machines share a sweep")
    parser.add_argument("--retry-failed", action="store_true", help="try the failed trials again")
    parser.add_argument("--report", action="store_true", help="run nothing, print what there is")
    parser.add_argument("--json", action="store_true", help="print the trials as JSON")
    return parser


def run_trials(sweep: Sweep, fit: Fit, folder: Path, console: Console) -> int:
    """Run what is left; returns the number of the signal that stopped it, or 0."""
    from lit_cnn.sweeps.trials import StopSignals

    with StopSignals() as stop:
        sweep.run(fit, stop, console.print)
    if stop.number:
        storage = " --storage URL" if sweep.storage_url else ""
        console.print(f"stopped. Continue with: lit-cnn sweep --sweep-dir {shlex.quote(str(folder))}{storage}")
    return stop.number or 0


def print_rows(console: Console, folder: Path, space: Space, rows: Sequence[TrialResult]) -> None:
    """The trials, the best first, and where its recipe is."""
    from lit_cnn.sweeps.folder import BEST, PICTURE

    header = ["trial", space.metric, *[".".join(axis.key.split(".")[-2:]) for axis in space.keys], "seconds", "state"]
    lines = [
        [
            str(row.trial),
            "–" if row.value is None else f"{row.value:.4f}",
            *[shown(row.params[axis.key]) if axis.key in row.params else "–" for axis in space.keys],
            "–" if row.seconds is None else f"{row.seconds:,.0f}",
            f"{row.state}: {row.error}" if row.error else row.state,
        ]
        for row in rows
    ]
    title = f"{folder.resolve().name}: {space.metric}, best first"
    console.print(table(header, lines, left=["state"], title=title))
    if any(row.value is not None for row in rows):
        console.print(f"best: {rows[0].run}\nrecipe: {folder / BEST}\npicture: {folder / PICTURE}")
    if any(row.state == "failed" for row in rows):
        console.print("run the same command with --retry-failed to try the failed trials again")


def shown(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
