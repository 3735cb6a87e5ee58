"""``lit-cnn fit``: train a recipe in a run folder of its own, or continue a run."""

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # the help needs none of it
    from rich.console import Console

    from lit_cnn.experiment.fit import Run
    from lit_cnn.experiment.parser import RecipeCLI
    from lit_cnn.experiment.recipe import Recipe

SHOWN = ("train/loss", "train/acc1", "train/acc1_soft", "val/loss", "val/acc1", "val/acc5", "val/acc1_raw")
"""Metrics of the table of results, where they were logged."""

EPILOG = """any key of the recipe: --data.batch_size 64, --model.optimizer.learning_rate 0.1, --trainer.devices 2
  lit-cnn fit --keys data.mixup       lists the keys that begin so, with defaults and meaning
  lit-cnn config show RECIPE          shows a recipe with every default filled in

exit codes: 0 done, 1 bad input, 2 bad command line; stopped with the state saved: 124 time limit, 130 and 143 signal,
138 SIGUSR1 of SLURM, which requeues the job; the same command then continues the run
"""


SHORT = {
    "--epochs": ("trainer.max_epochs", "N", "epochs to train"),
    "--batch-size": ("data.batch_size", "N", "images of one optimizer step over all devices"),
    "--lr": ("model.optimizer.learning_rate", "RATE", "peak learning rate at model.optimizer.base_batch_size"),
    "--workers": ("data.workers", "N", "processes that prepare images"),
    "--seed": ("seed_everything", "N", "seed of every random decision"),
}
"""Short option -> the recipe's key that it sets, its value, its meaning."""


def make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="lit-cnn fit",
        usage="lit-cnn fit RECIPE [--config OVERLAY] [--KEY VALUE ...]\n       lit-cnn fit --resume RUN",
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
    parser.add_argument("--pause-after", type=int, metavar="EPOCHS", help="stop there, to be resumed (exit code 75)")
    parser.add_argument("--pause-after-steps", type=int, metavar="STEPS", help=argparse.SUPPRESS)  # the same in steps
    parser.add_argument("--keys", metavar="PREFIX", help="list the recipe's keys that begin with PREFIX, and stop")
    for option, (key, value, meaning) in SHORT.items():
        parser.add_argument(option, dest=key, metavar=value, help=f"{meaning} ({key})")
    return parser


def run(arguments: list[str]) -> int:
    known, rest = parse(arguments)
    from lit_cnn.training.trainer import quieten_lightning

    quieten_lightning()
    return list_keys(known.keys) if known.keys is not None else train(known, rest, ["lit-cnn", "fit", *arguments])


def parse(arguments: list[str]) -> tuple[argparse.Namespace, list[str]]:
    """Our own options, and the recipe's as its parser takes them: files first, then single keys in their order."""
    first = [arguments[0]] if arguments and not arguments[0].startswith("-") else []
    known, rest = make_parser().parse_known_args(arguments[len(first) :])
    files = [argument for name in [*first, *(known.config or [])] for argument in ("--config", name)]
    keys = [f"--{key}={vars(known)[key]}" for key, _, _ in SHORT.values() if vars(known)[key] is not None]
    return known, [*files, *keys, *rest]


def train(known: argparse.Namespace, rest: list[str], command: list[str]) -> int:
    """Start or continue a run, and print what it brought."""
    from lit_cnn.cli.console import line_console
    from lit_cnn.experiment.fit import fit, is_main_process
    from lit_cnn.experiment.parser import RecipeCLI, recipe_name, resolve_configs
    from lit_cnn.experiment.recipe import Recipe
    from lit_cnn.run_folder.folder import RUN_DIR_VARIABLE, find_run
    from lit_cnn.training.slurm import requeued_run
    from lit_cnn.training.stopping import Pause

    runs, pause = Path(known.runs), Pause(known.pause_after, known.pause_after_steps)
    resumed = find_run(known.resume, runs) if known.resume else None
    if not resumed and RUN_DIR_VARIABLE not in os.environ:
        resumed = requeued_run(runs, command)
        rest = [] if resumed else rest  # the stored recipe holds all that the command said
    if resumed:
        rest = ["--config", str(resumed / "config.yaml"), *rest]
    cli = RecipeCLI(resolve_configs(rest))
    announce_precision(cli, "the run" if resumed else "the recipe")
    recipe = Recipe.of(cli, recipe_name(rest))
    announce_rate(recipe)
    done = fit(recipe, runs=runs, resume=resumed, command=command, pause=pause)
    if is_main_process() and done.folder and done.exit_code == 0:
        print_results(line_console(), done)
    return done.exit_code


def announce_precision(cli: "RecipeCLI", stated_by: str) -> None:
    """Settle the recipe's precision for this machine, and say which it is and why."""
    from lit_cnn.cli.console import say
    from lit_cnn.experiment.fit import is_main_process
    from lit_cnn.training.precision import emulation_warning

    choice = cli.settle_precision(stated_by)
    if is_main_process():
        say(choice)
        if warning := emulation_warning(choice):
            say(warning, stderr=True)


def announce_rate(recipe: "Recipe") -> None:
    """Say the learning rate of this batch where the recipe states it for another one."""
    from lit_cnn.cli.console import say
    from lit_cnn.experiment.fit import is_main_process
    from lit_cnn.training.optimization.optimizers import scaled_learning_rate

    settings, batch = recipe.model.optimizer_settings, recipe.data.batch_size
    if is_main_process() and settings.base_batch_size not in (None, batch):
        rate = scaled_learning_rate(settings, batch)
        say(
            f"learning rate: {rate:g} for batches of {batch}, from {settings.learning_rate:g} for "
            f"{settings.base_batch_size} (model.optimizer.base_batch_size)"
        )


def list_keys(prefix: str) -> int:
    """Print the recipe's keys below ``prefix``, or that hold it in name or meaning, with default and meaning.

    Raises:
        ValueError: If there is none, naming the nearest.
    """
    from lit_cnn.cli.console import console, table
    from lit_cnn.experiment.jsonargparse_internals import described_keys, keys_of
    from lit_cnn.experiment.parser import nearest_key, recipe_parser

    parser = recipe_parser()
    known = described_keys(parser)
    found = [key for key in known if key.name.startswith(prefix)]
    found = found or [key for key in known if prefix.lower() in f"{key.name} {key.meaning}".lower()]
    if not found:
        near = nearest_key(prefix, keys_of(parser))
        raise ValueError(f"no key of a recipe begins with {prefix!r}" + (f"; did you mean {near!r}?" if near else ""))
    console(columns=None).print(table(["key", "default", "meaning"], [list(key) for key in found]))
    return 0


def print_results(out: "Console", run: "Run") -> None:
    """A table of the last epoch's metrics, the best epoch, and where everything is."""
    from lit_cnn.cli.console import table
    from lit_cnn.run_folder.checkpoint import BEST
    from lit_cnn.training.monitor import metric_text

    assert run.folder is not None
    rows = [[name, metric_text(name, run.metrics[name])] for name in SHOWN if name in run.metrics]
    title = f"{run.title}: results after {run.epochs} epochs"
    out.print(table(["metric", "last epoch"], rows, left=["metric"], title=title))
    if run.best_score is not None:
        best = run.folder / "checkpoints" / BEST
        out.print(
            f"best: {run.monitor} {metric_text(run.monitor, run.best_score)} after epoch {run.best_epoch}, {best}"
        )
    out.print(f"run folder: {run.folder}\ncurves: {run.folder / 'curves.png'}")
    for note in run.notes:
        out.print(note)
