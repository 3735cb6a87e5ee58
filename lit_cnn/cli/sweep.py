"""``lit-cnn sweep``: try values of recipe keys, each in a run of its own, and tell which are best.

    lit-cnn sweep --config RECIPE --space search/rand_augment_grid --sweep-dir sweeps/NAME [--key value …]
    lit-cnn sweep --sweep-dir sweeps/NAME             continue it, or join it from another terminal
    lit-cnn sweep --sweep-dir sweeps/NAME --report    print what it has found so far

The folder gets the trials' run folders, trials.csv, heatmap.png, and best.yaml, the winner's recipe for lit-cnn fit.
Exit codes: 0 done, 1 wrong input or no trial succeeded, 130 and 143 stopped by SIGINT and SIGTERM.
"""

import argparse
import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import yaml
from rich.console import Console
from rich.table import Table

from lit_cnn.experiment.files import argument, find_recipe, read_yaml
from lit_cnn.experiment.identity import identity
from lit_cnn.experiment.jsonargparse_internals import keys_of
from lit_cnn.experiment.parser import RecipeCLI, nearest_key, resolve_configs
from lit_cnn.reports.sweep import draw_sweep
from lit_cnn.run_folder.atomic import replacing
from lit_cnn.sweeps.results import TrialResult, write_trials
from lit_cnn.sweeps.space import Space, parse_space
from lit_cnn.sweeps.trials import Fit, StopSignals
from lit_cnn.training.precision import emulation_warning

if TYPE_CHECKING:
    from lit_cnn.sweeps.engine import Sweep

RECIPE = "recipe.yaml"
SPACE = "space.yaml"


def run(arguments: list[str]) -> int:
    options, rest = make_parser().parse_known_args(arguments)
    folder = options.sweep_dir.expanduser()
    space, recipe = find_parts(folder, options.space, rest)
    if options.trials is not None:
        space = parse_space({**space.as_dict(), "trials": options.trials}, "--trials")
    space = dataclasses.replace(space, metric=space.metric or RecipeCLI(recipe).config.monitor)
    if not options.report:
        check_keys(space, recipe, rest)
    from lit_cnn.sweeps.engine import JOURNAL, Sweep

    if (folder / RECIPE).is_file() and not options.storage and not (folder / JOURNAL).is_file():
        raise ValueError(f"the sweep {folder} keeps its trials in a database: pass its --storage URL")
    cli = RecipeCLI(recipe)
    folder.mkdir(parents=True, exist_ok=True)
    sweep = Sweep(folder, space, dict(identity(yaml.safe_load(cli.dump()))), options.storage)
    console = Console(highlight=False, soft_wrap=True, stderr=options.json)
    stopped = 0
    if not options.report:
        console.print(settle_precision(cli, sweep))
        write_text(folder / RECIPE, cli.dump())
        write_text(folder / SPACE, yaml.safe_dump(space.as_dict(), sort_keys=False))
        if options.retry_failed:
            sweep.retry_failed()
        stopped = run_trials(sweep, folder, console)
    rows = sweep.results()
    finish(folder, space, rows)
    if options.json:
        print(json.dumps([dataclasses.asdict(row) for row in rows], indent=2))
    else:
        print_rows(console, folder, space, rows)
    if stopped:
        return 128 + stopped
    return 0 if any(row.value is not None for row in rows) else 1


def make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="lit-cnn sweep",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
        epilog="--config RECIPE (repeatable) and --key value go to every trial, as in lit-cnn fit.",
    )
    parser.add_argument("--sweep-dir", type=Path, required=True, help="folder of the sweep; its name is the study's")
    parser.add_argument("--space", help="YAML file: which keys and values, and how they are chosen")
    parser.add_argument("--trials", type=int, help="number of trials, in place of the space's")
    parser.add_argument("--storage", help="Optuna database URL, with which several machines share a sweep")
    parser.add_argument("--retry-failed", action="store_true", help="try the failed trials again")
    parser.add_argument("--report", action="store_true", help="run nothing, print what there is")
    parser.add_argument("--json", action="store_true", help="print the trials as JSON")
    return parser


def find_parts(folder: Path, space: str | None, rest: Sequence[str]) -> tuple[Space, list[str]]:
    """The space and the recipe's arguments: those given, or those that the folder remembers.

    Raises:
        ValueError: If neither is there, or one of them is wrong.
    """
    known = (folder / SPACE).is_file() and (folder / RECIPE).is_file()
    stated = any(part.startswith(("--config", "-c")) for part in rest)
    if not known and (space is None or not stated):
        raise ValueError(f"{folder} holds no sweep to continue: start one with --config RECIPE --space SPACE")
    path = folder / SPACE if space is None else find_space(space)
    parsed = parse_space(read_yaml(path), str(path))
    return parsed, resolve_configs([*rest] if stated else ["--config", str(folder / RECIPE), *rest])


def find_space(name: str) -> Path:
    try:
        return find_recipe(name)
    except ValueError:
        raise ValueError(f"there is no space file {name}: pass a path, or search/rand_augment_grid") from None


def check_keys(space: Space, recipe: list[str], rest: Sequence[str]) -> None:
    """Resolve the recipe once with each value of each key, so that nothing wrong is found after hours.

    Raises:
        ValueError: Naming the key, and the nearest where it is unknown.
    """
    cli = RecipeCLI(recipe)
    known = keys_of(cli.parser)
    for axis in space.keys:
        if axis.key not in known:
            near = nearest_key(axis.key, known)
            hint = f"; did you mean {near!r}?" if near else ""
            raise ValueError(f"the space names {axis.key!r}, but the recipe has no such key{hint}")
        if any(part.partition("=")[0] == f"--{axis.key}" for part in rest):
            raise ValueError(f"{axis.key} is in the space and on the command line: leave out one of them")
        for value in axis.probes():
            try:
                tried = RecipeCLI([*recipe, argument(axis.key, value)])
                tried.parser.instantiate(tried.config)
            except ValueError as error:
                raise ValueError(f"the recipe does not take {axis.key} = {value!r} of the space: {error}") from None


def settle_precision(cli: RecipeCLI, sweep: "Sweep") -> str:
    """Give all trials one precision, that of the machine which began the sweep, and say which and what it costs here.

    Raises:
        ValueError: If the recipe states another than the sweep has begun with.
    """
    stated = cli.config.trainer.precision
    choice = cli.settle_precision()
    begun = sweep.settled("trainer.precision", choice.precision)
    if stated not in ("auto", begun):
        raise ValueError(
            f"the sweep {sweep.folder} has begun with trainer.precision {begun}, not {stated}: leave it out, or choose "
            "another --sweep-dir"
        )
    if begun != choice.precision:
        cli.config.trainer.precision = begun
        choice = cli.settle_precision("the sweep")
    return "\n".join([str(choice), *filter(None, [emulation_warning(choice)])])


def run_trials(sweep: "Sweep", folder: Path, console: Console) -> int:
    """Run what is left; returns the number of the signal that stopped it, or 0."""
    arguments = ["--trainer.enable_progress_bar=false"]
    if RecipeCLI(["--config", str(folder / RECIPE)]).config.tracking.group is None:
        arguments.append(f"--tracking.group={folder.resolve().name}")
    with StopSignals() as stop:
        sweep.run(Fit((folder / RECIPE).resolve(), arguments), stop, console.print)
    if stop.number:
        console.print(f"stopped. Continue with: lit-cnn sweep --sweep-dir {folder}" + storage_hint(sweep))
    return stop.number or 0


def storage_hint(sweep: "Sweep") -> str:
    return " --storage URL" if sweep.storage_url else ""


def finish(folder: Path, space: Space, rows: Sequence[TrialResult]) -> None:
    """Write ``trials.csv`` and, once a trial is complete, ``heatmap.png`` and ``best.yaml``."""
    write_trials(rows, [axis.key for axis in space.keys], folder / "trials.csv")
    done = [row for row in rows if row.value is not None]
    if not done:
        return
    draw_sweep(
        {axis.key: axis.values() if len(axis.values() or ()) <= 20 else None for axis in space.keys},
        [row.params for row in done],
        [row.value for row in done if row.value is not None],
        folder / "heatmap.png",
        title=f"{folder.resolve().name}: {space.metric} of the {space.value} epoch, {len(done)} trials",
        maximize=space.direction == "maximize",
        logarithmic=[axis.key for axis in space.keys if axis.log],
    )
    best = done[0]
    settings = [argument(key, value) for key, value in best.params.items()]
    header = (
        f"# Trial {best.trial} of the sweep {folder.resolve().name}: {space.metric} {best.value:.6g} of its "
        f"{space.value} epoch, the best of {len(done)} complete trials of {space.size} ({space.sampler}).\n"
        f"# {' '.join(settings)}\n# Run folder: {best.run}\n#   lit-cnn fit --config {folder / 'best.yaml'}\n"
    )
    write_text(folder / "best.yaml", header + RecipeCLI(["--config", str(folder / RECIPE), *settings]).dump())


def print_rows(console: Console, folder: Path, space: Space, rows: Sequence[TrialResult]) -> None:
    table = Table(title=f"{folder.resolve().name}: {space.metric}, best first")
    keys = [".".join(axis.key.split(".")[-2:]) for axis in space.keys]
    for name in ("trial", space.metric, *keys, "seconds", "state"):
        table.add_column(name, justify="left" if name == "state" else "right", overflow="fold")
    for row in rows:
        value = "–" if row.value is None else f"{row.value:.4f}"
        params = [shown(row.params[axis.key]) if axis.key in row.params else "–" for axis in space.keys]
        seconds = "–" if row.seconds is None else f"{row.seconds:,.0f}"
        table.add_row(str(row.trial), value, *params, seconds, f"{row.state}: {row.error}" if row.error else row.state)
    console.print(table)
    if any(row.value is not None for row in rows):
        console.print(f"best: {rows[0].run}\nrecipe: {folder / 'best.yaml'}\npicture: {folder / 'heatmap.png'}")
    if any(row.state == "failed" for row in rows):
        console.print("run the same command with --retry-failed to try the failed trials again")


def shown(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def write_text(path: Path, text: str) -> None:
    with replacing(path) as partial:
        partial.write_text(text, encoding="utf-8")
