"""The folder of a sweep: the recipe and the space that it remembers, and the files that say what it has found."""

import dataclasses
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import torch
import yaml

from lit_cnn.experiment.files import argument, find_recipe, read_yaml
from lit_cnn.experiment.jsonargparse_internals import keys_of
from lit_cnn.experiment.parser import RecipeCLI, resolve_configs
from lit_cnn.experiment.suggestions import nearest_key
from lit_cnn.reports.sweep import draw_sweep
from lit_cnn.run_folder.atomic import write_text
from lit_cnn.sweeps.halving import Pruner
from lit_cnn.sweeps.results import TrialResult, write_trials
from lit_cnn.sweeps.space import Space
from lit_cnn.sweeps.space_file import parse_space
from lit_cnn.sweeps.trials import Fit
from lit_cnn.training.announce import announce
from lit_cnn.training.monitor import metric_text
from lit_cnn.training.precision import emulation_warning

if TYPE_CHECKING:
    from lit_cnn.sweeps.engine import Sweep

RECIPE = "recipe.yaml"
SPACE = "space.yaml"
TRIALS = "trials.csv"
BEST = "best.yaml"
PICTURE = "heatmap.png"
SEED = "seed_everything"
OF_PROCESS = ("machine.", "trainer.accelerator", "trainer.devices", "trainer.num_nodes", "trainer.strategy")
"""Beginnings of keys that a process can take once only."""
LENGTHS = {"epochs": "trainer.max_epochs", "steps": "trainer.max_steps"}
"""Unit of a pruner -> the recipe's key of a run's length."""


def find_parts(
    folder: Path, space: str | None, rest: Sequence[str], trials: int | None = None, seeds: int | None = None
) -> tuple[Space, list[str]]:
    """The space and the recipe's arguments: those given, or those that the folder remembers.

    Args:
        folder: The sweep's.
        space: A space file, if one is given.
        rest: The recipe's arguments, if any are given.
        trials: Number of trials instead of the space's.
        seeds: Number of seeds instead of the space's.

    Returns:
        The space, with the recipe's monitor as its metric where it names none, and the resolved arguments.

    Raises:
        ValueError: If neither is there, or one of them is wrong.
    """
    known = (folder / SPACE).is_file() and (folder / RECIPE).is_file()
    stated = any(part.startswith(("--config", "-c")) for part in rest)
    if not known and (space is None or not stated):
        raise ValueError(f"{folder} holds no sweep to continue: start one with --config RECIPE --space SPACE")
    path = folder / SPACE if space is None else find_space(space)
    parsed = parse_space(read_yaml(path), str(path))
    for name, number in (("trials", trials), ("seeds", seeds)):
        if number is not None:
            parsed = parse_space({**parsed.as_dict(), name: number}, f"--{name}")
    recipe = resolve_configs([*rest] if stated else ["--config", str(folder / RECIPE), *rest])
    return dataclasses.replace(parsed, metric=parsed.metric or RecipeCLI(recipe).config.monitor), recipe


def find_space(name: str) -> Path:
    """The file of a space given as a path or as a name such as ``sweeps/rand_augment_grid``.

    Raises:
        ValueError: If there is none.
    """
    renamed = re.sub(r"^((\./)?recipes/)?search/", "sweeps/", name)  # where the shipped spaces lay before
    for candidate in dict.fromkeys((name, renamed)):
        try:
            found = find_recipe(candidate)
        except ValueError:
            continue
        if candidate != name:
            announce(f"{name} is now {candidate}: search/ holds searches of architectures")
        return found
    raise ValueError(f"there is no space file {name}: pass a path, or sweeps/rand_augment_grid")


def check_keys(space: Space, recipe: list[str], rest: Sequence[str]) -> None:
    """Resolve the recipe once with each value of each key, so that nothing wrong is found after hours.

    Raises:
        ValueError: Naming the key, and the nearest where it is unknown.
    """
    cli = RecipeCLI(recipe)
    known = keys_of(cli.parser)
    if space.seeds and any(part.partition("=")[0] == f"--{SEED}" for part in rest):
        raise ValueError(f"{SEED} is on the command line, and the sweep has seeds: leave out one of them")
    for axis in space.keys:
        if axis.key == SEED and space.seeds:
            raise ValueError(f"{SEED} is in the space, and the sweep has seeds: leave out one of them")
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


def run_length(space: Space, cli: RecipeCLI) -> int | None:
    """Epochs or steps of a whole run, in the unit of the space's pruner; None without one.

    Raises:
        ValueError: If the recipe's runs have no length in this unit, not all the same, or end before the first rung.
    """
    swept = next((axis.key for axis in space.keys if axis.key in LENGTHS.values()), None)
    if space.pruner is not None and swept is not None:
        raise ValueError(f"{swept} is in the space, but a pruner compares runs of one length: leave out one of them")
    return pruned_length(space.pruner, cli)


def pruned_length(pruner: Pruner | None, cli: RecipeCLI) -> int | None:
    """Epochs or steps of a whole run, in the unit of a pruner; None without one.

    Raises:
        ValueError: If the recipe's runs have no length in this unit, or end before the first rung.
    """
    if pruner is None:
        return None
    key, name = LENGTHS[pruner.unit], f"pruner.min_{pruner.unit}"
    length = cli.config[key]
    if length is None or length < 1:
        raise ValueError(f"{name} needs {key}, which the recipe leaves open: state it, or the pruner in the other unit")
    if pruner.first >= length:
        raise ValueError(f"{name} is {pruner.first} but must be below {key}, which is {length}")
    every = cli.config.trainer.check_val_every_n_epoch
    if pruner.unit == "epochs" and every is not None and pruner.first < every:
        raise ValueError(
            f"{name} is {pruner.first}, but the first validation is after epoch {every} "
            f"(trainer.check_val_every_n_epoch): make one of them equal to the other"
        )
    return length


def needs_processes(cli: RecipeCLI, keys: Sequence[str] = ()) -> bool:
    """Whether each trial needs a process of its own: on more than one device, or where the process is what is swept."""
    trainer = cli.config.trainer
    if any(key.startswith(OF_PROCESS) for key in keys):
        return True
    if trainer.num_nodes > 1 or trainer.strategy != "auto":
        return True
    if isinstance(trainer.devices, list):
        return len(trainer.devices) > 1
    if str(trainer.devices) in ("auto", "-1"):
        return trainer.accelerator != "cpu" and torch.cuda.device_count() > 1
    return str(trainer.devices) != "1"


def settle_precision(cli: RecipeCLI, sweep: "Sweep") -> str:
    """Give all trials one precision, that of the machine which began the sweep; returns which and what it costs here.

    Raises:
        ValueError: If the recipe states another than the sweep has begun with.
    """
    stated = cli.config.trainer.precision
    choice = cli.settle_precision()
    begun = sweep.settled("trainer.precision", choice.precision)
    if stated not in ("auto", begun):
        raise ValueError(
            f"the {sweep.kind} {sweep.folder} has begun with trainer.precision {begun}, not {stated}: leave it out, or "
            f"choose another {sweep.flag}"
        )
    if begun != choice.precision:
        cli.config.trainer.precision = begun
        choice = cli.settle_precision(f"the {sweep.kind}")
    return "\n".join([str(choice), *filter(None, [emulation_warning(choice)])])


def write_parts(folder: Path, space: Space, cli: RecipeCLI) -> Fit:
    """Let the folder remember the space and the resolved recipe; returns what starts its trials."""
    write_text(folder / RECIPE, cli.dump())
    write_text(folder / SPACE, yaml.safe_dump(space.as_dict(), sort_keys=False))
    return trainings(folder / RECIPE, cli)


def trainings(recipe: Path, cli: RecipeCLI) -> Fit:
    """What starts trainings by a stored recipe, grouped under the name of its folder."""
    arguments = ["--trainer.enable_progress_bar=false"]
    if cli.config.tracking.group is None:
        arguments.append(f"--tracking.group={recipe.resolve().parent.name}")
    return Fit(recipe.resolve(), arguments)


DRAWN_VALUES = 20
"""Most values of a key that have a place each in the picture."""


def write_results(folder: Path, space: Space, rows: Sequence[TrialResult]) -> None:
    """Write ``trials.csv`` and, once a trial is complete, ``heatmap.png`` and ``best.yaml``.

    Args:
        folder: The sweep's, with its recipe.
        space: What was tried.
        rows: The trials, the best first.
    """
    write_trials(rows, [axis.key for axis in space.keys], folder / TRIALS)
    done = [row for row in rows if row.complete]
    if not done:
        return
    draw_sweep(
        {axis.key: axis.values() if (axis.count() or 0) <= DRAWN_VALUES else None for axis in space.keys},
        [row.params for row in done],
        [row.value for row in done if row.value is not None],
        folder / PICTURE,
        title=f"{folder.resolve().name}: {space.metric} of the {space.value} epoch, {len(done)} trials"
        + (f", means of {space.seeds} seeds" if space.seeds else ""),
        maximize=space.goal == "maximize",
        logarithmic=[axis.key for axis in space.keys if axis.log],
    )
    _write_best(folder, space, done)


def _write_best(folder: Path, space: Space, done: Sequence[TrialResult]) -> None:
    """``best.yaml``: the recipe with the winner's values, and how it won."""
    best = done[0]
    settings = [argument(key, value) for key, value in best.params.items()]
    path = f'"{folder / BEST}"' if " " in str(folder) else folder / BEST
    header = (
        f"# Trial {best.trial} of the sweep {folder.resolve().name}: {space.metric} {value_of(best, space)} of its "
        f"{space.value} epoch, the best of {len(done)} complete trials of {space.size} ({space.sampler}).\n"
        f"# {' '.join(settings)}\n"
    )
    if space.seeds:
        header += f"# Mean ± standard deviation over the seeds 0 to {space.seeds - 1}; no single seed decides.\n"
    if space.pruner:
        header += (
            f"# Successive halving from {space.pruner.first} {space.pruner.unit} on, factor {space.pruner.factor}: the "
            "other trials were paused before the end.\n"
        )
    runs = best.runs or (best.run,)
    header += "".join(f"# Run folder: {run}\n" for run in runs) + f"#   lit-cnn fit --config {path}\n"
    write_text(folder / BEST, header + RecipeCLI(["--config", str(folder / RECIPE), *settings]).dump())


def value_of(row: TrialResult, space: Space) -> str:
    """The metric of a point, with its spread over the seeds: ``82.73 % ± 0.41 % (n=3)``."""
    if row.value is None:
        return "–"
    text = metric_text(space.metric, row.value)
    if row.sd is not None:
        text += f" ± {metric_text(space.metric, row.sd)}"
    return text if row.n is None else f"{text} (n={row.n})"
