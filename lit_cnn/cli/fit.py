"""``lit-cnn fit``: train a recipe in a run folder of its own, or continue a run."""

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

from lit_cnn.cli.console import console, line_console, metric, say, table
from lit_cnn.experiment.fit import Run, fit, is_main_process
from lit_cnn.experiment.jsonargparse_internals import described_keys, keys_of
from lit_cnn.experiment.parser import RecipeCLI, nearest_key, recipe_name, recipe_parser, resolve_configs
from lit_cnn.experiment.recipe import Recipe
from lit_cnn.run_folder.checkpoint import BEST
from lit_cnn.run_folder.folder import RUN_DIR_VARIABLE, find_run
from lit_cnn.training.precision import emulation_warning
from lit_cnn.training.slurm import requeued_run
from lit_cnn.training.trainer import quieten_lightning

if TYPE_CHECKING:
    from rich.console import Console

SHOWN = ("train/loss", "train/acc1", "train/acc1_soft", "val/loss", "val/acc1", "val/acc5", "val/acc1_raw")
"""Metrics of the table of results, where they were logged."""

EPILOG = """any key of the recipe: --data.batch_size 64, --model.optimizer.learning_rate 0.1, --trainer.devices 2
  lit-cnn fit --keys data.mixup       lists the keys that begin so, with defaults and meaning
  lit-cnn config show RECIPE          shows a recipe with every default filled in

exit codes: 0 done, 1 bad input, 2 bad command line; stopped with the state saved: 124 time limit, 130 and 143 signal,
138 SIGUSR1 of SLURM, which requeues the job; the same command then continues the run
"""


def make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="lit-cnn fit",
        usage="lit-cnn fit --config RECIPE [--config OVERLAY] [--KEY VALUE ...]\n       lit-cnn fit --resume RUN",
        description="Train a recipe in a run folder of its own, or continue a run bit-exactly.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("-c", "--config", action="append", metavar="RECIPE", help="name or file; a second lies on top")
    parser.add_argument(
        "--resume", metavar="RUN", help="continue this run folder, or the one started or continued last: last"
    )
    parser.add_argument("--runs", default="runs", metavar="DIR", help="where run folders are made (default: runs)")
    parser.add_argument("--keys", metavar="PREFIX", help="list the recipe's keys that begin with PREFIX, and stop")
    return parser


def run(arguments: list[str]) -> int:
    quieten_lightning()
    known, rest = make_parser().parse_known_args(arguments)
    if known.keys is not None:
        return list_keys(known.keys)
    runs, command = Path(known.runs), ["lit-cnn", "fit", *arguments]
    rest = [*(argument for name in known.config or [] for argument in ("--config", name)), *rest]
    resumed = find_run(known.resume, runs) if known.resume else None
    if not resumed and RUN_DIR_VARIABLE not in os.environ:
        resumed = requeued_run(runs, command)
        rest = [] if resumed else rest  # the stored recipe holds all that the command said
    if resumed:
        rest = ["--config", str(resumed / "config.yaml"), *rest]
    cli = RecipeCLI(resolve_configs(rest))
    announce_precision(cli, "the run" if resumed else "the recipe")
    done = fit(Recipe.of(cli, recipe_name(rest)), runs=runs, resume=resumed, command=command)
    if is_main_process() and done.folder and done.exit_code == 0:
        print_results(line_console(), done)
    return done.exit_code


def announce_precision(cli: RecipeCLI, stated_by: str) -> None:
    """Settle the recipe's precision for this machine, and say which it is and why."""
    choice = cli.settle_precision(stated_by)
    if is_main_process():
        say(choice)
        if warning := emulation_warning(choice):
            say(warning, stderr=True)


def list_keys(prefix: str) -> int:
    """Print the recipe's keys below ``prefix`` with default and meaning.

    Raises:
        ValueError: If there is none, naming the nearest.
    """
    parser = recipe_parser()
    found = [key for key in described_keys(parser) if key.name.startswith(prefix)]
    if not found:
        near = nearest_key(prefix, keys_of(parser))
        raise ValueError(f"no key of a recipe begins with {prefix!r}" + (f"; did you mean {near!r}?" if near else ""))
    console(columns=None).print(table(["key", "default", "meaning"], [list(key) for key in found]))
    return 0


def print_results(out: "Console", run: Run) -> None:
    """A table of the last epoch's metrics, the best epoch, and where everything is."""
    assert run.folder is not None
    rows = [[name, metric(name, run.metrics[name])] for name in SHOWN if name in run.metrics]
    title = f"{run.title}: results after {run.epochs} epochs"
    out.print(table(["metric", "last epoch"], rows, left=["metric"], title=title))
    if run.best_score is not None:
        best = run.folder / "checkpoints" / BEST
        out.print(f"best: {run.best_score:.2%} after epoch {run.best_epoch}, {best}")
    out.print(f"run folder: {run.folder}\ncurves: {run.folder / 'curves.png'}")
    for note in run.notes:
        out.print(note)
