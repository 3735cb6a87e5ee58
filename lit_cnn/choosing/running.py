"""A choice from its first to its last step, each of which is kept in its folder: the same call continues it."""

import dataclasses
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from lit_cnn.choosing.answering import answers_of
from lit_cnn.choosing.budget import BudgetPlan, duration, plan_rungs
from lit_cnn.choosing.chosen import Chosen, conclude, full_recipe
from lit_cnn.choosing.commented import recipe_text
from lit_cnn.choosing.evidence import Evidence
from lit_cnn.choosing.folds import write_folds
from lit_cnn.choosing.head_starts import HeadStart
from lit_cnn.choosing.images import ImageSet, open_images
from lit_cnn.choosing.preparing import Prepared, prepare
from lit_cnn.choosing.probing import Probing
from lit_cnn.choosing.rungs import CandidateChooser, Reached, RungsPlan, open_rungs, reached
from lit_cnn.choosing.sharing import seconds_of, shared_work
from lit_cnn.choosing.ties import Answers, ranked, standings
from lit_cnn.choosing.trainings import Trained, recipe_of
from lit_cnn.choosing.wishes import Wishes
from lit_cnn.experiment.parser import RecipeCLI
from lit_cnn.profiling.timing import resolve_device
from lit_cnn.run_folder.atomic import write_text
from lit_cnn.sweeps.engine import Sweep
from lit_cnn.sweeps.folder import settle_precision, trainings
from lit_cnn.sweeps.stop_signals import StopSignals
from lit_cnn.sweeps.trials import Fit

Say = Callable[[str], None]
RUNGS, ANSWERS, SHARED = "rungs", "answers", "shared.yaml"
"""Folders of the trainings and of their answers, and what all trainings have in common."""
PROBED, CANDIDATES = "probed", "candidates"
"""Folders of the candidates' recipes: by which probes prepare images, and by which candidates are trained."""


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
        self.wishes = dataclasses.replace(self.wishes, data=str(images.path), images=images.digest())
        prepared = prepare(self.folder, self.wishes, images, self.say)
        self.say(spending(prepared))
        folds = write_folds(images, prepared.budget.folds, self.folder / "folds") if prepared.budget.folds > 1 else []
        recipes = self._write_recipes(PROBED, images, prepared, folds)
        probing = Probing(self.folder, recipes, folds, self.device, self.say)
        probes, failed = probing.answers([prepared.candidate(name) for name in prepared.budget.probed])
        names = entering_candidates(prepared, probes)
        if not names:
            probing.forget(failed)
            raise ValueError(f"no candidate can be probed: {next(iter(failed.values()))}")
        prepared = self._plan_again(dataclasses.replace(prepared, untried={**prepared.untried, **failed}), names)
        entering = [prepared.candidate(name) for name in names]
        starts = probing.starts([each for each in entering if each.weights is not None])
        recipes = self._write_recipes(CANDIDATES, images, prepared, folds)
        chooser = CandidateChooser({each.name: recipes[each.name] for each in entering}, folds, starts)
        sweep, stopped = self._train(prepared, chooser)
        if stopped:
            return None, stopped
        stands = reached(sweep)
        evidence = Evidence(prepared, images, probes, stands, self._answers(stands))
        start = self._recipe_start(probing, evidence)
        spent = prepared.spent + probing.seconds() + seconds_of(self.folder / ANSWERS) + trained_seconds(sweep)
        return conclude(self.folder, self.wishes, evidence, spent, start), 0

    @property
    def device(self) -> torch.device:
        """Of the trainings."""
        return resolve_device(self.wishes.condition.device)

    def _plan_again(self, prepared: Prepared, entering: Sequence[str]) -> Prepared:
        """The rungs planned for those that the probes have let through, from what is kept on disk alone."""
        prices = [price for price in prepared.prices if price.name in entering]
        left = self.wishes.budget - prepared.spent - prepared.budget.probe_seconds
        budget = plan_rungs(prepared.budget, prices, left)
        if budget != prepared.budget:
            self.say(f"planned again after the probes: {rungs_words(budget)}")
        return dataclasses.replace(prepared, budget=budget)

    def _write_recipes(
        self, place: str, images: ImageSet, prepared: Prepared, folds: Sequence[Path]
    ) -> dict[str, Path]:
        """The recipe of each candidate's training in the rungs. Before the rungs are planned again they have a place of
        their own, where a process that comes late changes nothing for one that trains already."""
        budget = prepared.budget
        data = Trained.of(images)
        if folds:
            data = dataclasses.replace(data, source="list", path=str(folds[0]), train=_in_folds(images, len(folds)))
        folder = self.folder / place
        folder.mkdir(exist_ok=True)
        found = {}
        for name in (*budget.probed, *budget.scratch):
            device = self.wishes.condition.device
            candidate, epochs = prepared.candidate(name), budget.epochs[-1]
            keys = recipe_of(candidate, data, epochs, compared=True, head="fitted", device=device)
            found[name] = folder / f"{name}.yaml"
            text = recipe_text(["How the candidates are compared: at a constant rate, with averaged weights."], keys)
            if not found[name].is_file() or found[name].read_text(encoding="utf-8") != text:
                write_text(found[name], text)
        return found

    def _train(self, prepared: Prepared, chooser: CandidateChooser) -> tuple[Sweep, int]:
        """The rungs, and the number of the signal that stopped them, or 0."""
        place, recipes = self.folder / RUNGS, chooser.recipes
        place.mkdir(exist_ok=True)
        sweep = open_rungs(place, RungsPlan(list(recipes), prepared.budget), chooser, self.say)
        cli = RecipeCLI(["--config", str(next(iter(recipes.values())))])
        self.say(settle_precision(cli, sweep))
        shared = self.folder / SHARED
        write_text(shared, f"trainer:\n  precision: {cli.config.trainer.precision}\n")
        fit = dataclasses.replace(trainings(shared, cli), main=self.main)
        sweep.queue.retry_failed()
        with StopSignals() as stop:
            sweep.run(_grouped(fit, self.folder.name), stop)
        return sweep, stop.number or 0

    def _recipe_start(self, probing: Probing, evidence: Evidence) -> HeadStart | None:
        """What the recommended recipe starts from; None from random weights."""
        candidate = evidence.prepared.candidate(evidence.verdict.name)
        if candidate.weights is None:
            return None
        return probing.recipe_start(candidate, full_recipe(evidence, self.wishes, None))

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
        return shared_work(self.folder / ANSWERS, pieces, lambda name: self.say(f"answers of {name}"))


def trained_seconds(sweep: Sweep) -> float:
    """What the trainings took, in all processes and attempts but those that were killed."""
    return sum(trial.user_attrs.get("seconds", 0.0) for trial in sweep.study.get_trials(deepcopy=False))


def _grouped(fit: Fit, group: str) -> Fit:
    """Trainings grouped under the choice's name in W&B."""
    kept = [word for word in fit.arguments if not word.startswith("--tracking.group=")]
    return dataclasses.replace(fit, arguments=[*kept, f"--tracking.group={group}"])


def _in_folds(images: ImageSet, folds: int) -> int:
    """Images that a fold trains on, at least."""
    return images.labeled - -(-images.labeled // folds)


def entering_candidates(prepared: Prepared, probes: Mapping[str, Answers]) -> list[str]:
    """The candidates of the first rung, the fastest first, since of equal scores a rung promotes the first: those
    without weights, and of the probed ones the most accurate, then the fastest of those that tie with it; none
    whose probe has failed."""
    budget = prepared.budget
    price = {name: prepared.price(name) for name in budget.probed}
    best = ranked(standings({name: probes[name] for name in budget.probed if name in probes}), price)[: budget.kept]
    return sorted([*best, *budget.scratch], key=prepared.price)


def spending(prepared: Prepared) -> str:
    """How the budget is going to be spent, in a sentence."""
    budget = prepared.budget
    parts = [f"{duration(prepared.spent)} measuring"]
    if budget.probed:
        parts.append(f"{duration(budget.probe_seconds)} for linear probes of {len(budget.probed)} candidates")
    parts.append(rungs_words(budget))
    folds = f" in each of {budget.folds} folds" if budget.folds > 1 else ""
    left_out = f"; {len(budget.left_out)} candidates have no time" if budget.left_out else ""
    parts.append(f"{duration(budget.answer_seconds)} for the finalists' answers")
    return f"planned{folds}: {', '.join(parts)}{left_out}"


def rungs_words(budget: BudgetPlan) -> str:
    """What the rungs can take."""
    rungs = zip(budget.sizes, budget.epochs, budget.rung_seconds, strict=True)
    return ", ".join(
        f"{duration(seconds)} for {size} candidates up to epoch {epochs}" for size, epochs, seconds in rungs
    )


def again(folder: Path) -> str:
    """How a choice that was stopped goes on."""
    return f"run the same command again, with --out {shlex.quote(str(folder))}"
