"""A choice from its first to its last step, each of which is kept in its folder: the same call continues it."""

import dataclasses
import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from lit_cnn.choosing.answering import answers_of
from lit_cnn.choosing.budget import duration
from lit_cnn.choosing.candidates import Candidate
from lit_cnn.choosing.chosen import Chosen, Evidence, conclude
from lit_cnn.choosing.commented import recipe_text
from lit_cnn.choosing.folds import write_folds
from lit_cnn.choosing.images import ImageSet, open_images
from lit_cnn.choosing.preparing import Prepared, prepare
from lit_cnn.choosing.probe import probe
from lit_cnn.choosing.rungs import Reached, RungsPlan, open_rungs, reached
from lit_cnn.choosing.sharing import shared_work
from lit_cnn.choosing.trainings import Trained, recipe_of
from lit_cnn.choosing.wishes import Wishes, remember
from lit_cnn.data.module import ImageData
from lit_cnn.experiment.parser import RecipeCLI
from lit_cnn.experiment.recipe import Recipe
from lit_cnn.profiling.timing import resolve_device
from lit_cnn.run_folder.atomic import write_text
from lit_cnn.sweeps.engine import Sweep
from lit_cnn.sweeps.folder import settle_precision, trainings
from lit_cnn.sweeps.stop_signals import StopSignals
from lit_cnn.sweeps.trials import Fit

Say = Callable[[str], None]
RUNGS, SHARED = "rungs", "shared.yaml"
"""Folder of the trainings, and what all of them have in common."""


@dataclass
class Choosing:
    """A choice in its folder.

    Args:
        folder: Where everything is kept.
        wishes: What is chosen.
        say: Gets one line on each event.
        main: What runs a training in this process: takes the arguments after ``lit-cnn`` and returns the exit code.
    """

    folder: Path
    wishes: Wishes
    say: Say
    main: Callable[[list[str]], int] | None = None

    def run(self) -> tuple[Chosen | None, int]:
        """Do what is left.

        Returns:
            What was chosen, and 0; or None and the number of the signal that stopped it.

        Raises:
            ValueError: If the images, the limits or the budget do not allow a choice, or no training succeeds.
        """
        self.folder = self.folder.resolve()
        images = open_images(self.wishes.data)
        remember(self.folder, dataclasses.replace(self.wishes, data=str(images.path)))
        prepared = prepare(self.folder, self.wishes, images, self.say)
        self.say(spending(prepared))
        folds = write_folds(images, prepared.budget.folds, self.folder / "folds") if prepared.budget.folds > 1 else []
        recipes = self._write_recipes(images, prepared, folds)
        probes = self._probe(prepared, recipes, folds)
        entering = entering_candidates(prepared, probes)
        sweep, stopped = self._train(prepared, {name: recipes[name] for name in entering}, folds)
        if stopped:
            return None, stopped
        stands = reached(sweep)
        answers = self._answers(stands)
        seconds = sum(trial.user_attrs.get("seconds", 0.0) for trial in sweep.queue.standing().values())
        evidence = Evidence(prepared, images, probes, stands, answers, prepared.spent + seconds)
        return conclude(self.folder, self.wishes, evidence), 0

    @property
    def device(self) -> torch.device:
        """Of the trainings."""
        return resolve_device(self.wishes.condition.device)

    def _write_recipes(self, images: ImageSet, prepared: Prepared, folds: Sequence[Path]) -> dict[str, Path]:
        """The recipe of each candidate's training in the rungs."""
        budget = prepared.budget
        data = Trained.of(images)
        if folds:
            data = dataclasses.replace(data, source="list", path=str(folds[0]), train=_in_folds(images, len(folds)))
        folder = self.folder / "candidates"
        folder.mkdir(exist_ok=True)
        found = {}
        for name in (*budget.probed, *budget.scratch):
            keys = recipe_of(
                prepared.candidate(name), data, budget.epochs[-1], compared=True, device=self.wishes.condition.device
            )
            found[name] = folder / f"{name}.yaml"
            text = recipe_text(["How the candidates are compared: at a constant rate, with averaged weights."], keys)
            if not found[name].is_file() or found[name].read_text(encoding="utf-8") != text:
                write_text(found[name], text)
        return found

    def _probe(self, prepared: Prepared, recipes: dict[str, Path], folds: Sequence[Path]) -> dict[str, dict[str, bool]]:
        def work(candidate: Candidate) -> dict[str, bool]:
            assert candidate.weights is not None
            wanted: Sequence[Path | None] = folds or [None]
            parts = [_data_of(recipes[candidate.name], fold) for fold in wanted]
            return probe(candidate.weights, parts, self.device)

        pieces = {name: (lambda name=name: work(prepared.candidate(name))) for name in prepared.budget.probed}
        return shared_work(self.folder / "probes", pieces, lambda name: self.say(f"linear probe of {name}"))

    def _train(self, prepared: Prepared, recipes: dict[str, Path], folds: Sequence[Path]) -> tuple[Sweep, int]:
        """The rungs, and the number of the signal that stopped them, or 0."""
        place = self.folder / RUNGS
        place.mkdir(exist_ok=True)
        sweep = open_rungs(place, RungsPlan(list(recipes), prepared.budget), recipes, folds, self.say)
        cli = RecipeCLI(["--config", str(next(iter(recipes.values())))])
        self.say(settle_precision(cli, sweep))
        shared = self.folder / SHARED
        write_text(shared, f"trainer:\n  precision: {cli.config.trainer.precision}\n")
        fit = dataclasses.replace(trainings(shared, cli), main=self.main)
        with StopSignals() as stop:
            sweep.run(_grouped(fit, self.folder.name), stop)
        return sweep, stop.number or 0

    def _answers(self, stands: Sequence[Reached]) -> dict[str, dict[str, bool]]:
        """Candidate that was trained to the end -> image -> whether it was classified correctly."""
        finished = [each for each in stands if each.finished]
        if not finished:
            errors = [each.error for each in stands if each.error]
            raise ValueError(f"no candidate could be trained to the end: {errors[0] if errors else 'none was trained'}")

        def work(runs: Sequence[str]) -> dict[str, bool]:
            found: dict[str, bool] = {}
            for run in runs:
                found |= answers_of(Path(run), self.device)
            return found

        pieces = {each.name: (lambda runs=each.runs: work(runs)) for each in finished}
        return shared_work(self.folder / "answers", pieces, lambda name: self.say(f"answers of {name}"))


def _grouped(fit: Fit, group: str) -> Fit:
    """Trainings grouped under the choice's name in W&B."""
    kept = [word for word in fit.arguments if not word.startswith("--tracking.group=")]
    return dataclasses.replace(fit, arguments=[*kept, f"--tracking.group={group}"])


def _in_folds(images: ImageSet, folds: int) -> int:
    """Images that a fold trains on, at least."""
    return images.labeled - -(-images.labeled // folds)


def _data_of(recipe: Path, fold: Path | None) -> ImageData:
    """The images as a candidate sees them, with those of a fold to validate on."""
    keys = {} if fold is None else {"data.source": "list", "data.path": str(fold)}
    return Recipe.load(recipe, overrides=keys).data


def entering_candidates(prepared: Prepared, probes: dict[str, dict[str, bool]]) -> list[str]:
    """The candidates of the first rung: the best of the probes, of equal ones the first, and those without weights."""
    budget = prepared.budget
    best = sorted(budget.probed, key=lambda name: -sum(probes[name].values()))[: budget.kept]
    return [*best, *budget.scratch]


def spending(prepared: Prepared) -> str:
    """How the budget is going to be spent, in a sentence."""
    budget = prepared.budget
    parts = [f"{duration(prepared.spent)} measuring"]
    if budget.probed:
        parts.append(f"{duration(budget.probe_seconds)} for linear probes of {len(budget.probed)} candidates")
    for size, epochs, seconds in zip(budget.sizes, budget.epochs, budget.rung_seconds, strict=True):
        parts.append(f"{duration(seconds)} for {size} candidates up to epoch {epochs}")
    folds = f" in each of {budget.folds} folds" if budget.folds > 1 else ""
    left_out = f"; {len(budget.left_out)} candidates have no time" if budget.left_out else ""
    return f"planned{folds}: {', '.join(parts)}{left_out}"


def again(folder: Path) -> str:
    """How a choice that was stopped goes on."""
    return f"run the same command again, with --out {shlex.quote(str(folder))}"
