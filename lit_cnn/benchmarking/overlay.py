"""What tuning has found as an overlay for ``lit-cnn fit``."""

import datetime
import os
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from lit_cnn.benchmarking.tuning import Tuned
from lit_cnn.experiment.identity import nested
from lit_cnn.profiling.timing import device_name, resolve_device

BF16_NOTE = (
    "bf16-mixed computes in bfloat16, so it changes the numbers of a run and not only its speed: compare the accuracy "
    "of a run with and without it before you rely on it"
)


def value_text(value: Any) -> str:
    """A value as a recipe writes it."""
    return "null" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def notes(tuned: Tuned) -> list[str]:
    """What has to be said of the settings that were chosen, and of compiling if that was tried."""
    lines = [BF16_NOTE] if tuned.changed.get("trainer.precision") == "bf16-mixed" else []
    return [*lines, *([] if tuned.payback is None else [str(tuned.payback)])]


def overlay_text(tuned: Tuned, configs: Sequence[str], overrides: Sequence[str], path: Path | None) -> str:
    """What was measured, where and when, and the winning keys alone.

    Args:
        tuned: What was found, with at least one changed key.
        configs: The recipe as it was named, and its overlays.
        overrides: Further arguments of the recipe.
        path: Where the overlay is going to lie, if that is known.
    """
    machine = f"{device_name(resolve_device('auto'))}, {os.cpu_count()} cores"
    with_overrides = f" with {' '.join(overrides)}" if overrides else ""
    lines = [
        *textwrap.wrap(
            f"Machine settings for {' + '.join(configs)}{with_overrides}, measured by lit-cnn tune on "
            f"{datetime.date.today().isoformat()}: {machine}.",
            118,
        ),
        f"  lit-cnn fit {' '.join(f'--config {name}' for name in configs)} --config {path or 'OVERLAY'}",
        f"All together: {tuned.gain} times the speed of a training step with the recipe's own settings",
        "(brackets: 95 % interval of the median). One by one, each over the settings before it:",
        *(f"  {trial.key} {value_text(trial.value)}: {trial.speed}" for trial in tuned.trials if trial.chosen),
    ]
    for note in notes(tuned):
        lines += textwrap.wrap(f"Note: {note}.", 118)
    comment = "\n".join(f"# {line}" for line in lines)
    return f"{comment}\n{yaml.safe_dump(nested(tuned.changed), sort_keys=False)}"
