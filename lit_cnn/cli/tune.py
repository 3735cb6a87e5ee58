"""``lit-cnn tune``: the fastest machine settings for a recipe on this machine, as an overlay for ``lit-cnn fit``."""

import argparse
import contextlib
import datetime
import json
import os
import sys
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

from lit_cnn.experiment.identity import nested

if TYPE_CHECKING:
    from lit_cnn.benchmarking.interleaving import Spread
    from lit_cnn.benchmarking.tuning import Trial

BF16_NOTE = (
    "bf16-mixed computes in bfloat16, so it changes the numbers of a run and not only its speed: compare the accuracy "
    "of a run with and without it before you rely on it"
)


def run(arguments: list[str]) -> int:
    options = parse(arguments)
    from lit_cnn.benchmarking.tuner import Tuner, choices_of
    from lit_cnn.benchmarking.tuning import climb
    from lit_cnn.cli.console import phases

    with contextlib.redirect_stdout(sys.stderr):  # what a recipe announces while it is built is no figure
        tuner = Tuner([*(word for name in options.config for word in ("--config", name)), *options.overrides])
        start = tuner.start()
        choices = choices_of(start, tuner.recipe, with_compile=options.compile)
        tuner.seconds = options.seconds / (len(choices) + 1)
        with phases(len(choices) + 1) as tell:
            tuner.tell = tell
            best, trials = climb(start, choices, tuner.compare)
            changed = {key: value for key, value in best.items() if value != start[key]}
            gain = tuner.compare(start, [best])[0] if changed else None
    overlay = overlay_text(options, changed, gain, trials) if changed else None
    if overlay and options.output:
        options.output.parent.mkdir(parents=True, exist_ok=True)
        options.output.write_text(overlay, encoding="utf-8")
    if options.json:
        print(json.dumps(as_object(best, changed, gain, trials), indent=2))
        return 0
    console = Console(width=None if sys.stdout.isatty() else 150, highlight=False)
    console.print(table(trials))
    for line in [*untried(tuner.recipe.trainer["accelerator"]), *summary(options, changed, gain)]:
        console.print(line)
    if overlay and not options.output:
        console.print(f"\n{overlay}", soft_wrap=True)
    return 0


def parse(arguments: list[str]) -> argparse.Namespace:
    """The options; ``overrides`` holds the recipe keys among the arguments."""
    parser = argparse.ArgumentParser(
        prog="lit-cnn tune",
        usage="lit-cnn tune --config RECIPE [--config OVERLAY] [--output FILE] [options] [--KEY VALUE …]",
        description="Measure precision, memory layout, optimizer kernel, threads and workers for a recipe's training "
        "step in turns, and write the settings whose gain is above the noise as an overlay for lit-cnn fit.",
        allow_abbrev=False,
    )  # fmt: skip
    parser.add_argument("-c", "--config", action="append", required=True, metavar="RECIPE", help="name or file")
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", help="where the overlay goes (default: printed)")
    parser.add_argument(
        "--seconds",
        type=float,
        default=120.0,
        help="time to measure in, but at least 6 rounds of each comparison (default 120)",
    )
    parser.add_argument("--compile", action="store_true", help="try torch.compile too, which takes minutes")
    parser.add_argument("--json", action="store_true", help="an object with all trials")
    options, rest = parser.parse_known_args(arguments)
    options.overrides = rest
    if options.seconds < 0:
        raise ValueError(f"--seconds must be at least 0, got {options.seconds}")
    if options.output and options.output.is_dir():
        raise ValueError(f"--output {options.output} is a folder: name a file")
    return options


def table(trials: "Sequence[Trial]") -> Table:
    shown = Table("key", "tried", "against", "speed [95 % interval]", "", title="training speed, compared in turns")
    for trial in trials:
        verdict = (
            "chosen" if trial.chosen else "could not run" if isinstance(trial.speed, str) else "not above the noise"
        )
        if not trial.chosen and not isinstance(trial.speed, str) and trial.speed.high < 1:
            verdict = "slower"
        shown.add_row(trial.key, text(trial.value), text(trial.before), str(trial.speed), verdict)
    return shown


def text(value: Any) -> str:
    """A value as a recipe writes it."""
    return "null" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def summary(options: argparse.Namespace, changed: Mapping[str, Any], gain: "Spread | str | None") -> list[str]:
    if not changed:
        return ["nothing is faster than the recipe's own settings by more than the noise: no overlay is needed"]
    keys = ", ".join(f"{key} {text(value)}" for key, value in changed.items())
    lines = [f"best: {keys}; all together {gain} times the recipe's own speed"]
    if changed.get("trainer.precision") == "bf16-mixed":
        lines.append(BF16_NOTE)
    if options.output:
        lines.append(f"written: {options.output}; lit-cnn fit {configs(options)} --config {options.output}")
    return lines


def untried(accelerator: object) -> list[str]:
    """What was left out of the comparison because it cannot be fast on ``trainer.accelerator``."""
    from lit_cnn.training.precision import missing_bf16

    missing = missing_bf16(accelerator)
    return [f"trainer.precision bf16-mixed was not tried: {missing}"] if missing else []


def configs(options: argparse.Namespace) -> str:
    return " ".join(f"--config {name}" for name in options.config)


def overlay_text(
    options: argparse.Namespace, changed: Mapping[str, Any], gain: "Spread | str | None", trials: "Sequence[Trial]"
) -> str:
    """The overlay: what was measured, where and when, and the winning keys alone."""
    import yaml

    from lit_cnn.profiling.timing import device_name, resolve_device

    machine = f"{device_name(resolve_device('auto'))}, {os.cpu_count()} cores"
    overrides = f" with {' '.join(options.overrides)}" if options.overrides else ""
    lines = [
        *textwrap.wrap(
            f"Machine settings for {' + '.join(options.config)}{overrides}, measured by lit-cnn tune on "
            f"{datetime.date.today().isoformat()}: {machine}.",
            118,
        ),
        f"  lit-cnn fit {configs(options)} --config {options.output or 'OVERLAY'}",
        f"All together: {gain} times the speed of a training step with the recipe's own settings",
        "(brackets: 95 % interval of the median). One by one, each over the settings before it:",
        *(f"  {trial.key} {text(trial.value)}: {trial.speed}" for trial in trials if trial.chosen),
    ]
    if changed.get("trainer.precision") == "bf16-mixed":
        lines += textwrap.wrap(f"Note: {BF16_NOTE}.", 118)
    comment = "\n".join(f"# {line}" for line in lines)
    return f"{comment}\n{yaml.safe_dump(nested(changed), sort_keys=False)}"


def as_object(
    best: Mapping[str, Any], changed: Mapping[str, Any], gain: "Spread | str | None", trials: "Sequence[Trial]"
) -> dict[str, Any]:
    return {
        "date": datetime.date.today().isoformat(),
        "settings": dict(best),
        "changed": dict(changed),
        "gain": gain if gain is None or isinstance(gain, str) else asdict(gain),
        "trials": [asdict(trial) for trial in trials],
    }
