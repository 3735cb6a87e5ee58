"""``lit-cnn fit``: train a recipe in a run folder of its own, or continue a run."""

import argparse
import atexit
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import yaml
from lightning.fabric.utilities.rank_zero import _get_rank
from rich.console import Console
from rich.table import Table

from lit_cnn.cli.recipe import RecipeCLI, nearest_key, recipe_name, resolve_configs
from lit_cnn.cli.run_identity import check_identity, describe_changes
from lit_cnn.cli.trainer_settings import (
    check_strategy,
    end_launched,
    limit_waiting,
    progress_bars,
    quieten_lightning,
    seconds_of,
)
from lit_cnn.reports.curves import draw_curves
from lit_cnn.tracking import TrackingSettings, finish, make_logger, sync_command
from lit_cnn.training.callbacks.checkpoints import Checkpoints, RunInterrupted
from lit_cnn.training.callbacks.pictures import Pictures
from lit_cnn.training.callbacks.throughput import Throughput
from lit_cnn.training.metrics_file import MetricsFile
from lit_cnn.training.precision import emulation_warning
from lit_cnn.training.runs import (
    BEST,
    ENVIRONMENT,
    RUN_DIR_VARIABLE,
    create_run_dir,
    describe_environment,
    export_weights,
    find_run,
    load_checkpoint,
    note_last,
    resumable_checkpoint,
    write_json,
)
from lit_cnn.training.slurm import job_id, requeue, requeued_run

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
    rest = [*(argument for name in known.config or [] for argument in ("--config", name)), *rest]
    resumed = find_run(known.resume, Path(known.runs)) if known.resume else None
    if not resumed and RUN_DIR_VARIABLE not in os.environ:
        resumed = requeued_run(Path(known.runs), ["lit-cnn", *arguments])
        rest = [] if resumed else rest  # the stored recipe holds all that the command said
    if resumed:
        rest = ["--config", str(resumed / "config.yaml"), *rest]
    cli = RecipeCLI(resolve_configs(rest))
    announce_precision(cli, "the run" if resumed else "the recipe")
    if resumed:
        stored, wanted = yaml.safe_load((resumed / "config.yaml").read_text()), yaml.safe_load(cli.dump())
        check_identity(stored, wanted)
        if is_main_process() and (changes := describe_changes(stored, wanted)):
            print(f"the run stays the same, but on other machine settings: {changes}")
    return train(cli, Path(known.runs), recipe_name(rest), resumed, arguments)


def announce_precision(cli: RecipeCLI, stated_by: str) -> None:
    """Settle the recipe's precision for this machine, and say which it is and why."""
    choice = cli.settle_precision(stated_by)
    if is_main_process():
        print(choice)
        if warning := emulation_warning(choice):
            print(warning, file=sys.stderr)


def list_keys(prefix: str) -> int:
    """Print the recipe's keys below ``prefix`` with default and meaning.

    Raises:
        ValueError: If there is none, naming the nearest.
    """
    every = RecipeCLI(["--model.architecture=resnet50", "--data.source=digits"]).parser._actions
    sections = {action.dest for action in every if str(action.help).startswith("Path to a config")}
    actions = [action for action in every if action.dest.startswith(prefix) and action.dest not in sections]
    if not actions:
        near = nearest_key(prefix, [action.dest for action in every])
        raise ValueError(f"no key of a recipe begins with {prefix!r}" + (f"; did you mean {near!r}?" if near else ""))
    table = Table("key", "default", "meaning")
    for action in actions:
        if not action.dest.endswith(("help", "config")) and action.help not in (None, argparse.SUPPRESS):
            default = "" if action.default in (None, argparse.SUPPRESS) else str(action.default)
            table.add_row(action.dest, default, str(action.help))
    Console().print(table)
    return 0


def is_main_process() -> bool:
    """Whether this is the process that makes the run folder and prints: rank 0, known before any group is formed."""
    return not _get_rank()


def make_run_dir(runs: Path, name: str, resumed: Path | None) -> Path:
    """The run's folder: given by the starting process, or made by rank 0 and told to the processes it launches."""
    if resumed:
        folder = resumed
        if is_main_process() and runs.resolve() in folder.resolve().parents:
            note_last(runs.resolve(), folder.resolve())
    elif RUN_DIR_VARIABLE in os.environ:
        folder = Path(os.environ[RUN_DIR_VARIABLE])
    elif is_main_process():
        folder = create_run_dir(runs, name)
        note_last(runs, folder)
    else:
        folder = runs / name / "unused"  # launched from outside: only rank 0 writes
    os.environ[RUN_DIR_VARIABLE] = str(folder)
    return folder


def train(
    cli: RecipeCLI,
    runs: Path,
    name: str,
    resumed: Path | None,
    arguments: list[str],
    watchers: Sequence[pl.Callback] = (),
) -> int:
    """Train a parsed recipe in its folder; ``watchers`` look on beside the recipe's own callbacks."""
    init = cli.parser.instantiate(cli.config)
    init.machine.apply()
    recipe = yaml.safe_load(cli.dump())
    settings = {**init.trainer, "callbacks": [*(init.trainer.callbacks or []), *watchers]}
    if settings.get("gradient_clip_val") is not None:
        raise ValueError("trainer.gradient_clip_val is not used: set model.clipping.kind norm and model.clipping.limit")
    check_strategy(recipe["trainer"]["strategy"])
    init.data.setup("fit")
    if settings.get("fast_dev_run"):
        return try_out(init, settings)
    folder = make_run_dir(runs, name, resumed)
    try:
        return train_in(folder, init, recipe, settings, resumed is not None, arguments)
    finally:
        os.environ.pop(RUN_DIR_VARIABLE, None)


def try_out(init: Any, settings: dict[str, Any]) -> int:
    """Run ``trainer.fast_dev_run``, with no more images in the batch than the training set has."""
    console = Console(quiet=not is_main_process(), highlight=False, soft_wrap=True)
    callbacks = [*settings.pop("callbacks"), *recipe_callbacks(init)]
    trainer = pl.Trainer(**settings, callbacks=callbacks)
    parts = trainer.world_size * trainer.accumulate_grad_batches
    most = init.data.train_size // parts * parts
    if init.data.batch_size > most > 0:
        console.print(
            f"fast_dev_run: data.batch_size is {most} instead of {init.data.batch_size}, to fit the training set"
        )
        init.data.batch_size = most
    trainer.fit(init.model, init.data)
    console.print("fast_dev_run finished: one training and one validation batch ran")
    return 0


def recipe_callbacks(init: Any) -> list[pl.Callback]:
    """The callbacks that are fields of a recipe."""
    return [init.ema, init.stochastic_depth, init.progressive_learning, init.early_stopping, init.loss_guard]


def make_trainer(
    settings: dict[str, Any],
    init: Any,
    recipe: dict[str, Any],
    folder: Path,
    metrics_file: MetricsFile,
    wandb_logger: Any,
    max_seconds: float | None,
) -> pl.Trainer:
    """The recipe's trainer with all that watches a run, writing into ``folder``."""
    record = {
        "recipe": recipe,
        "class_names": list(init.data.class_names),
        "preprocessing": init.data.preprocessing.as_dict(),
    }
    minutes = recipe["checkpoint_minutes"]
    return pl.Trainer(
        **{
            **settings,
            "default_root_dir": folder,
            "logger": [metrics_file, *([wandb_logger] if wandb_logger else [])],
            "callbacks": [
                *settings["callbacks"],
                *progress_bars(settings),
                *recipe_callbacks(init),
                Throughput(),
                Pictures(folder, wandb_logger),
                Checkpoints(folder / "checkpoints", recipe["monitor"], record, 60.0 * minutes, max_seconds),
            ],
        }
    )


def train_in(
    folder: Path,
    init: Any,
    recipe: dict[str, Any],
    settings: dict[str, Any],
    resuming: bool,
    arguments: list[str],
) -> int:
    console = Console(quiet=not is_main_process(), highlight=False, soft_wrap=True)
    checkpoint_path, problem = resumable_checkpoint(folder) if resuming else (None, None)
    if problem:
        console.print(problem)
    metrics_file = MetricsFile(folder)
    if checkpoint_path:
        metrics_file.truncate_after(load_checkpoint(checkpoint_path)["global_step"] - 1)
        console.print(f"continuing {folder}")
    elif is_main_process():
        (folder / "config.yaml").write_text(yaml.safe_dump(recipe, sort_keys=False))
        write_json(folder / ENVIRONMENT, describe_environment(arguments, job_id()))
    max_seconds = seconds_of(settings.pop("max_time", None))
    title = recipe["about"]["title"] or folder.parent.name
    tracking = TrackingSettings(**recipe["tracking"])
    wandb_logger = make_logger(tracking, folder, folder.name, f"{folder.parent.name}/{folder.name}", recipe, resuming)
    trainer = make_trainer(settings, init, recipe, folder, metrics_file, wandb_logger, max_seconds)
    if not isinstance(recipe["trainer"]["strategy"], dict):
        limit_waiting(trainer, recipe["process_timeout_minutes"])
    try:
        trainer.fit(init.model, init.data, ckpt_path=checkpoint_path, weights_only=True)
    except RunInterrupted as stop:
        console.print(f"{stop}. Continue with: lit-cnn fit --resume {folder}")
        finish(1)
        if stop.requeue and trainer.is_global_zero:
            console.print(requeue())
        return stop.exit_code
    except Exception:
        atexit.register(end_launched, trainer)  # once the reason is printed
        raise
    if trainer.is_global_zero:
        metrics_file.save()
        report(console, trainer, folder, title)
        finish(0)
        if wandb_logger and (command := sync_command(folder)):
            console.print(f"W&B recorded offline; upload with: {command}")
    return 0


def report(console: Console, trainer: pl.Trainer, folder: Path, title: str) -> None:
    """Curves, the weights alone, and a table of the results."""
    curves = draw_curves(folder / "metrics.csv", folder / "curves.png", title)
    best = folder / "checkpoints" / BEST
    table = Table(title=f"{title}: results after {trainer.current_epoch} epochs")
    table.add_column("metric")
    table.add_column("last epoch", justify="right")
    shown = ("train/loss", "train/acc1", "train/acc1_soft", "val/loss", "val/acc1", "val/acc5", "val/acc1_raw")
    for name in shown:
        if name in trainer.callback_metrics:
            value = float(trainer.callback_metrics[name])
            table.add_row(name, f"{value:.4f}" if "loss" in name else f"{value:.2%}")
    console.print(table)
    if best.is_file():
        checkpoint = load_checkpoint(best)
        export_weights(checkpoint, folder / "checkpoints" / "weights.safetensors")
        console.print(f"best: {checkpoint['best_score']:.2%} after epoch {checkpoint['epoch'] + 1}, {best}")
    console.print(f"run folder: {folder}\ncurves: {curves}")
