"""``lit-cnn tune``: the fastest machine settings for a recipe on this machine, as an overlay for ``lit-cnn fit``."""

import argparse
import contextlib
import datetime
import shlex
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from lit_cnn.cli.command_parser import CommandParser, recipes_first, require_recipe
from lit_cnn.cli.console import as_json, phases, say
from lit_cnn.cli.tables import Column, Table, add_form_arguments, print_tables

if TYPE_CHECKING:
    from lit_cnn.benchmarking.interleaving import Spread
    from lit_cnn.benchmarking.tuning import Trial, Tuned


def run(arguments: list[str]) -> int:
    options = parse(arguments)
    from lit_cnn.benchmarking.overlay import overlay_text
    from lit_cnn.benchmarking.tuner import Tuner, choices_of

    with contextlib.redirect_stdout(sys.stderr):  # keep messages printed while building the recipe out of stdout
        tuner = Tuner([*(word for name in options.config for word in ("--config", name)), *options.overrides])
        choices = choices_of(tuner.start(), tuner.recipe, with_compile=options.compile)
        tuner.seconds = options.seconds / (len(choices) + 1)
        with phases(len(choices) + 1) as tuner.tell:
            tuned = tuner.tune(choices)
    overlay = overlay_text(tuned, options.config, options.overrides, options.output) if tuned.changed else None
    if overlay and options.output:
        options.output.parent.mkdir(parents=True, exist_ok=True)
        options.output.write_text(overlay, encoding="utf-8")
    if options.json:
        print(as_json({"date": datetime.date.today().isoformat(), **asdict(tuned)}))
        return 0
    notes = [*tuner.notes, *summary(tuned, options)]
    print_tables([trials_table(tuned.trials, notes)], in_markdown=options.markdown)
    if overlay and not options.output:
        say(f"\n{overlay}", stderr=options.markdown)
    return 0


def make_parser() -> CommandParser:
    parser = CommandParser(
        prog="lit-cnn tune",
        usage="lit-cnn tune RECIPE [OVERLAY ...] [--output FILE] [options] [--KEY VALUE …]",
        description="Measure precision, memory layout, optimizer kernel, threads and workers for a recipe's training "
        "step, interleaved, and write the settings whose gain is above the noise as an overlay for lit-cnn fit.",
        example="lit-cnn tune folder --data.path my_images --output tuned.yaml",
    )  # fmt: skip
    parser.add_argument("-c", "--config", action="append", default=[], metavar="RECIPE", help="name or file")
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", help="where the overlay goes (default: printed)")
    parser.add_argument(
        "--seconds",
        type=float,
        default=120.0,
        help="time to measure in, but at least 6 rounds of each comparison (default 120)",
    )
    parser.add_argument("--compile", action="store_true", help="try torch.compile too, which takes minutes")
    add_form_arguments(parser, "all trials")
    return parser


def parse(arguments: list[str]) -> argparse.Namespace:
    """The options; ``overrides`` holds the recipe keys among the arguments."""
    options, rest = make_parser().parse_known_args(recipes_first(arguments))
    options.overrides = rest
    require_recipe([word for name in options.config for word in ("--config", name)], "lit-cnn tune")
    if options.seconds < 0:
        raise ValueError(f"--seconds must be at least 0, got {options.seconds}")
    if options.output and options.output.is_dir():
        raise ValueError(f"--output {options.output} is a folder: name a file")
    return options


def trials_table(trials: "list[Trial]", notes: list[str]) -> Table:
    """What was tried, in its order; below it what came of it."""
    from lit_cnn.benchmarking.overlay import value_text

    rows = [
        [trial.key, value_text(trial.value), value_text(trial.before), str(trial.speed), trial.verdict]
        for trial in trials
    ]
    columns = (
        *(Column("key", "name"), Column("tried", "name"), Column("against", "name", rank=2)),
        *(Column("speed [95 % interval]", "prose"), Column("verdict", "prose", rank=1)),
    )
    return Table(columns, rows, title="training speed, interleaved", notes=notes)


def summary(tuned: "Tuned", options: argparse.Namespace) -> list[str]:
    from lit_cnn.benchmarking.overlay import notes, value_text

    if not tuned.changed:
        line = "nothing is faster than the recipe's own settings by more than the noise: no overlay is needed"
        return [line if tuned.gain is None else refuted(tuned.gain), *notes(tuned)]
    keys = ", ".join(f"{key} {value_text(value)}" for key, value in tuned.changed.items())
    lines = [f"best: {keys}; all together {tuned.gain} times the recipe's own speed", *notes(tuned)]
    if options.output:
        configs = " ".join(f"--config {shlex.quote(str(name))}" for name in [*options.config, options.output])
        lines.append(f"written: {options.output}; lit-cnn fit {configs}")
    return lines


def refuted(gain: "Spread | str") -> str:
    """That what was chosen key by key gains nothing together, so that no overlay is written."""
    found = f"could not run ({gain})" if isinstance(gain, str) else f"is {gain} times the recipe's own speed"
    return (
        f"all that was chosen, together, {found}, which is not above the noise: no overlay is written; measure again "
        "with more --seconds, while no other program runs"
    )
