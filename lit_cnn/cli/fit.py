"""``lit-cnn fit``: train a recipe in a run folder of its own, or continue a run."""

import argparse
import itertools
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from lit_cnn.cli.command_parser import CommandParser, recipes_first, require_recipe
from lit_cnn.cli.tables import Column, Table, add_form_arguments, print_tables

if TYPE_CHECKING:  # the help needs none of it
    from rich.console import Console

    from lit_cnn.experiment.fit import Run
    from lit_cnn.experiment.parser import RecipeCLI
    from lit_cnn.experiment.recipe import Recipe

SHOWN = (
    *("train/loss", "train/acc1", "train/acc1_soft", "val/loss", "val/acc1", "val/acc5", "val/acc1_raw"),
    *("val/map", "val/map50", "val/map75", "val/map_raw"),
)
"""Metrics of the table of results, where they were logged."""

EPILOG = """any key of the recipe: --data.batch_size 64, --model.optimizer.learning_rate 0.1, --trainer.devices 2
  lit-cnn fit --keys data.mixup       lists the keys that begin so, with defaults and meaning
  lit-cnn config show RECIPE          shows a recipe with every default filled in
exit codes: 0 done, 1 bad input, 2 bad command line; stopped with the state saved: 75 --pause-after, 124 time limit,
130 and 143 signal, 138 SIGUSR1 of SLURM, which requeues the job; the same command then continues the run
"""


SHORT = {
    "--epochs": ("trainer.max_epochs", "N", "epochs to train"),
    "--batch-size": ("data.batch_size", "N", "images of one optimizer step over all devices"),
    "--lr": ("model.optimizer.learning_rate", "RATE", "peak learning rate at model.optimizer.base_batch_size"),
    "--workers": ("data.workers", "N", "processes that prepare images"),
    "--seed": ("seed_everything", "N", "seed of every random decision"),
}
"""Short option -> the recipe's key that it sets, its value, its meaning."""


def make_parser() -> CommandParser:
    parser = CommandParser(
        prog="lit-cnn fit",
        usage="lit-cnn fit RECIPE [OVERLAY ...] [--KEY VALUE ...]\n       lit-cnn fit --resume|--extend RUN",
        description="Train a recipe in a run folder of its own, or continue a run bit-exactly or with more epochs.",
        example="lit-cnn fit folder --data.path my_images --epochs 20",
        epilog=EPILOG,
    )
    parser.add_argument("-c", "--config", action="append", metavar="RECIPE", help="name or file; a second lies on top")
    parser.add_argument(
        "--resume", metavar="RUN", help="continue this run folder, or the one started or continued last: last"
    )
    parser.add_argument(
        "--extend", metavar="RUN", help="a new run that goes on from this finished one; needs a longer --epochs"
    )
    parser.add_argument("--pretrained", metavar="WEIGHTS", help="start from a checkpoint, a run or timm:NAME.TAG")
    parser.add_argument(
        "--find-lr",
        nargs="?",
        const="learning_rate.png",
        metavar="PNG",
        help="draw the loss over growing rates; no run",
    )
    parser.add_argument("--runs", default="runs", metavar="DIR", help="where run folders are made (default: runs)")
    parser.add_argument("--pause-after", type=int, metavar="EPOCHS", help="stop there, to be resumed (exit code 75)")
    parser.add_argument("--pause-after-steps", type=int, metavar="STEPS", help=argparse.SUPPRESS)  # the same in steps
    parser.add_argument("--keys", metavar="WORD", help="list the recipe's keys that begin with WORD, or have it")
    add_form_arguments(parser, "the keys of --keys")
    for option, (key, value, meaning) in SHORT.items():
        parser.add_argument(option, dest=key, metavar=value, help=f"{meaning} ({key})")
    return parser


def run(arguments: list[str]) -> int:
    known, rest = parse(arguments)
    if known.keys is None and known.resume is None and known.extend is None:
        require_recipe(rest, "lit-cnn fit")
    from lit_cnn.torchmetrics_internals import import_lightly

    import_lightly()
    from lit_cnn.training.trainer import quieten_lightning

    quieten_lightning()
    if known.keys is not None:
        return list_keys(known.keys, known, rest)
    if known.json or known.markdown:
        form = "json" if known.json else "markdown"
        raise ValueError(f"--{form} is a form of --keys PREFIX: add that, or leave --{form} out")
    return train(known, rest, ["lit-cnn", "fit", *arguments])


def parse(arguments: list[str]) -> tuple[argparse.Namespace, list[str]]:
    """Our own options, and the recipe's as its parser takes them: files first, then single keys in their order."""
    known, rest = make_parser().parse_known_args(recipes_first(spelled_out(arguments)))
    files = [argument for name in known.config or [] for argument in ("--config", name)]
    return known, [*files, *rest]


def spelled_out(arguments: list[str]) -> list[str]:
    """The arguments with each short option as ``--key=value`` in its place, so that the last value of a key counts; one
    without a value stays, for argparse to refuse."""
    words, found = list(arguments), []
    while words:
        option, given, value = words.pop(0).partition("=")
        if option in SHORT and not given and words and not words[0].startswith("--"):
            given, value = "=", words.pop(0)
        found.append((f"--{SHORT[option][0]}" if option in SHORT and given else option) + given + value)
    return found


def train(known: argparse.Namespace, rest: list[str], command: list[str]) -> int:
    """Start or continue a run, and print what it brought."""
    from lit_cnn.cli.console import line_console
    from lit_cnn.experiment.fit import fit, is_main_process
    from lit_cnn.experiment.parser import RecipeCLI, recipe_name, resolve_configs
    from lit_cnn.experiment.recipe import Recipe
    from lit_cnn.run_folder.folder import RUN_DIR_VARIABLE, find_run
    from lit_cnn.training.slurm import requeued_run
    from lit_cnn.training.stopping import Pause

    runs, pause = Path(known.runs).expanduser(), Pause(known.pause_after, known.pause_after_steps)
    resumed = find_run(known.resume, runs) if known.resume else None
    extended = find_run(known.extend, runs) if known.extend else None
    if not resumed and RUN_DIR_VARIABLE not in os.environ:
        resumed = requeued_run(runs, command)
        rest = [] if resumed else rest  # the stored recipe holds all that the command said
        extended = None if resumed else extended
    if stored := resumed or extended:
        rest = ["--config", str(stored / "config.yaml"), *rest]
    if known.pretrained and (known.resume or known.extend):
        raise ValueError(f"{stored} goes on from its own weights: leave --pretrained out, or start a new run")
    cli = RecipeCLI(resolve_configs(rest), None if stored else known.pretrained)
    announce_precision(cli, "the run" if resumed else "the recipe")
    recipe = Recipe.of(cli, recipe_name(rest))
    if known.find_lr:
        return suggest_rate(recipe, Path(known.find_lr))
    done = fit(recipe, runs=runs, resume=resumed, extend=extended, command=command, pause=pause)
    if is_main_process() and done.folder and done.exit_code == 0:
        print_results(line_console(), done)
    return done.exit_code


def suggest_rate(recipe: "Recipe", picture: Path) -> int:
    """Run a range test, draw it, and print the rate that it suggests."""
    from lit_cnn.cli.console import say
    from lit_cnn.experiment.find_rate import find_rate
    from lit_cnn.experiment.fit import is_main_process
    from lit_cnn.reports.learning_rate import draw_range

    found = find_rate(recipe)
    if not is_main_process():
        return 0
    title = recipe.about.title or recipe.name
    draw_range(found.rates, found.losses, found.smoothed, found.suggestion, title, picture)
    if found.key_value is None:
        say(f"the loss does not fall at any rate up to {found.rates[-1]:.1e}: see {picture}")
    else:
        say(
            f"the loss falls fastest at a rate of {found.suggestion:.2g} for batches of {recipe.data.batch_size}: "
            f"--model.optimizer.learning_rate {found.key_value:.2g} (drawn in {picture})"
        )
    return 0


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


def list_keys(prefix: str, form: argparse.Namespace, words: list[str]) -> int:
    """Print the recipe's keys below ``prefix``, or that it means or whose name or meaning has a word that begins so; of
    a detector's recipe where ``words`` name one or say --task detection.

    Raises:
        ValueError: If there is none, naming the nearest.
    """
    from lit_cnn.cli.console import as_json
    from lit_cnn.experiment.files import find_recipe, read_yaml
    from lit_cnn.experiment.jsonargparse_internals import described_keys, keys_of
    from lit_cnn.experiment.parser import recipe_parser
    from lit_cnn.experiment.suggestions import MEANT, nearest_key
    from lit_cnn.experiment.task import task_of

    names = [value for flag, value in itertools.pairwise(words) if flag == "--config"]
    parser = recipe_parser(task_of({name: read_yaml(find_recipe(name)) for name in names}, words))
    known = described_keys(parser)
    found = [key for key in known if key.name.startswith(prefix)]
    if not found:
        word = re.compile(rf"(?<![a-z]){re.escape(prefix)}", re.IGNORECASE)  # or its part behind an underscore
        meant = MEANT.get(prefix.lower().replace("-", "_"))
        found = [key for key in known if key.name == meant]
        found += [key for key in known if key.name != meant and word.search(f"{key.name} {key.meaning}")]
    if not found:
        near = nearest_key(prefix, keys_of(parser))
        raise ValueError(f"no key of a recipe begins with {prefix!r}" + (f"; did you mean {near!r}?" if near else ""))
    if form.json:
        print(as_json([key._asdict() for key in found]))
        return 0
    columns = (Column("key", "name"), Column("default", "name", rank=1), Column("meaning", "prose"))
    print_tables([Table(columns, [list(key) for key in found])], in_markdown=form.markdown)
    return 0


def print_results(out: "Console", run: "Run") -> None:
    """A table of the last epoch's metrics, the best epoch, and where everything is."""
    from lit_cnn.data.sources.wording import counted
    from lit_cnn.run_folder.checkpoint import BEST
    from lit_cnn.training.monitor import metric_text

    assert run.folder is not None
    rows = [[name, metric_text(name, run.metrics[name])] for name in SHOWN if name in run.metrics]
    title = f"{run.title}: results after {counted(run.epochs, 'epoch')}"
    print_tables([Table((Column("metric", "name"), Column("last epoch")), rows, title=title)], out=out)
    if run.best_score is not None:
        best = run.folder / "checkpoints" / BEST
        out.print(
            f"best: {run.monitor} {metric_text(run.monitor, run.best_score)} after epoch {run.best_epoch}, {best}"
        )
    out.print(f"run folder: {run.folder}\ncurves: {run.folder / 'curves.png'}")
    for note in run.notes:
        out.print(note)
