"""A claim's trainings on the engine of sweeps: first the grid of every arm, then the planned seeds of each arm's best.

Both are sweeps in folders of their own, so whatever is killed continues where it was, and several processes share the
work. The grid is chosen on other images than those that judge and with a seed of its own.
"""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lit_cnn.claims.bench import bench_images, write_images
from lit_cnn.claims.claim import Arm, Bench, Claim, Design, Scale, Settings
from lit_cnn.claims.plan import POINT, ClaimPlan, PointChooser
from lit_cnn.experiment.files import argument
from lit_cnn.experiment.parser import RecipeCLI, resolve_configs
from lit_cnn.run_folder.atomic import write_text
from lit_cnn.sweeps.engine import Sweep
from lit_cnn.sweeps.folder import RECIPE, settle_precision, trainings
from lit_cnn.sweeps.jobs import Job, has_failed
from lit_cnn.sweeps.stop_signals import StopSignals
from lit_cnn.training.announce import announce

CHOOSING_SEED = 1000
"""Of the runs by which a grid is chosen; no claim is judged by it."""
UNTRACKED: Settings = {"tracking.mode": "disabled"}
DIVERGED = ("the training loss is not finite", "val/loss was never a finite number")
"""Beginnings of what is said of a run whose loss stopped being a number."""


@dataclass(frozen=True)
class Trained:
    """What a claim's trainings have come to.

    Args:
        runs: Arm -> seed -> run folder; None where the loss stopped being a finite number.
        chosen: Arm -> its point of the grid.
        tried: Arm -> the loss of each point, None where it stopped being a number, in the grid's order.
        seeds: Planned number of seeds.
        images: Digest of the images.
        stopped: Number of the signal that stopped the work, or 0.
        failed: Sentences of runs that failed for another reason.
        rule_changed: Whether the rules are others than at the first call.
    """

    runs: dict[str, dict[int, Path | None]]
    chosen: dict[str, Settings]
    tried: dict[str, list[float | None]]
    seeds: int
    images: str
    stopped: int = 0
    failed: tuple[str, ...] = ()
    rule_changed: bool = False


@dataclass
class Trainer:
    """Trains the arms of a claim.

    Args:
        claim: Which.
        scale: At which scale; the claim has a design of it with a bench.
        folder: Holds its sweeps and images.
        main: Runs a command of lit-cnn in this process; None starts a process for each training.
        stop: Noted signals.
        say: Gets one line on each event.
        storage_url: Optuna database URL, or None for a journal file.
        retry_failed: Try runs again that have failed.
    """

    claim: Claim
    scale: Scale
    folder: Path
    main: Callable[[list[str]], int] | None
    stop: StopSignals
    say: Callable[[str], None] = announce
    storage_url: str | None = None
    retry_failed: bool = False

    @property
    def design(self) -> Design:
        """Of the scale."""
        design = self.claim.design(self.scale)
        assert design is not None
        return design

    def train(self, seeds: int | None = None) -> Trained:
        """Train what is left, and say what there is.

        Args:
            seeds: Of how many seeds the runs are made now; None for all that are planned. The first call plans more if
                more are asked for; later ones cannot, since the number of seeds may not depend on what they show.

        Raises:
            ValueError: If runs are shorter than planned, more seeds are asked for than planned, or the folder holds
                trainings of another design.
        """
        bench = self.design.bench
        assert bench is not None
        images = bench_images(bench.images)
        planned, changed = self.planned(seeds), self._rule_changed()
        judged, choosing = write_images(images, self.folder / "images")
        arms = dataclasses.replace(self.design, seeds=planned).trained_arms()
        chosen, tried = self._choose(bench, arms, choosing)
        if self.stop.number:
            return Trained({}, {}, {}, planned, images.digest(), self.stop.number)
        points = {arm.name: _words({**arm.settings, **chosen[arm.name]}) for arm in arms}
        sweep, cli = self._open("runs", bench, points, seeds or planned, judged)
        self._run(sweep, cli)
        folders, failed = _folders(sweep, planned), _failures(sweep)
        return Trained(folders, chosen, tried, planned, images.digest(), self.stop.number or 0, failed, changed)

    def finished_runs(self) -> dict[str, list[Path]]:
        """Arm -> the run folder of each planned seed, of arms whose runs have all ended with a finite loss."""
        folder = self.folder / f"{self.claim.name}.{self.scale}.runs"
        if not (folder / RECIPE).is_file():
            return {}
        planned = self.planned(None)
        plan = ClaimPlan(len(self.design.arms), planned)
        sweep = self._sweep(folder, plan, {})
        found: dict[str, list[Path]] = {}
        for arm, runs in _folders(sweep, planned).items():
            paths = [path for _, path in sorted(runs.items()) if path is not None]
            if len(paths) == planned:
                found[arm] = paths
        return found

    def _identity(self) -> dict[str, Any]:
        return {"claim": self.claim.name, "scale": self.scale, "design": self.design.training_digest()}

    def planned(self, seeds: int | None) -> int:
        """The planned number of seeds, which the first call fixes: the design's, or more if more are asked for.

        Raises:
            ValueError: If a later call asks for more.
        """
        note = self.folder / f"{self.claim.name}.{self.scale}.seeds"
        if not note.is_file():
            self.folder.mkdir(parents=True, exist_ok=True)
            write_text(note, f"{max(seeds or 0, self.design.seeds)}\n")
        planned = int(note.read_text(encoding="utf-8"))
        if (seeds or 0) > planned:
            raise ValueError(
                f"{self.claim.name} has begun with {planned} seeds, and seeds that are added after a look at others "
                "prove nothing: choose another --folder"
            )
        return planned

    def _rule_changed(self) -> bool:
        """Whether rules, margins or seeds are others than at the first call, which notes them."""
        note = self.folder / f"{self.claim.name}.{self.scale}.rule"
        if not note.is_file():
            write_text(note, f"{self.design.digest()}\n")
        return note.read_text(encoding="utf-8").strip() != self.design.digest()

    def _choose(
        self, bench: Bench, arms: Sequence[Arm], images: Path
    ) -> tuple[dict[str, Settings], dict[str, list[float | None]]]:
        """Each arm's point of the grid with the lowest loss, and the losses."""
        grids = {arm.name: self.design.grid_of(arm) for arm in arms}
        if not any(grids.values()):
            return {arm.name: {} for arm in arms}, {}
        points = {
            f"{arm.name} {place + 1}": _words({**arm.settings, **point})
            for arm in arms
            for place, point in enumerate(grids[arm.name])
        }
        sweep, cli = self._open("grid", bench, points, None, images)
        self._run(sweep, cli)
        losses = {trial.user_attrs[POINT]: trial.value for trial in sweep.queue.standing().values()}
        if self.stop.number:
            return {}, {}
        if failures := _failures(sweep):
            raise ValueError(f"{failures[0]}: correct it and pass --retry-failed")
        ended = {point: loss for point, loss in losses.items() if loss is not None} | _diverged(sweep)
        if left := points.keys() - ended.keys():
            raise ValueError(f"{self.claim.name}: {min(left)} of the grid has not ended: run the same command again")
        tried = {name: [losses[f"{name} {place + 1}"] for place in range(len(grid))] for name, grid in grids.items()}
        return {name: best_point(grids[name], own) for name, own in tried.items()}, tried

    def _open(
        self, phase: str, bench: Bench, points: Mapping[str, list[str]], seeds: int | None, images: Path
    ) -> tuple[Sweep, RecipeCLI]:
        """The sweep of a phase and the recipe that its runs share."""
        folder = self.folder / f"{self.claim.name}.{self.scale}.{phase}"
        folder.mkdir(parents=True, exist_ok=True)
        settings: dict[str, Any] = {**bench.settings, **UNTRACKED, "data.source": "npz", "data.path": str(images)}
        seed = {} if seeds else {"seed_everything": CHOOSING_SEED}
        cli = RecipeCLI([*resolve_configs(["--config", bench.recipe]), *_words({**settings, **seed})])
        check_steps(self.claim.name, self.design, cli)
        sweep = self._sweep(folder, ClaimPlan(len(points), seeds), points)  # first: it refuses another design's folder
        write_text(folder / RECIPE, cli.dump())
        return sweep, cli

    def _sweep(self, folder: Path, plan: ClaimPlan, points: Mapping[str, list[str]]) -> Sweep:
        chooser, identity = PointChooser(points), self._identity()
        return Sweep(folder, plan, identity, self.storage_url, say=self.say, chooser=chooser, flag="--folder")

    def _run(self, sweep: Sweep, cli: RecipeCLI) -> None:
        self.say(settle_precision(cli, sweep))
        fit = trainings(sweep.folder / RECIPE, cli)
        if self.retry_failed:
            sweep.queue.retry_failed()
        sweep.run(dataclasses.replace(fit, main=self.main), self.stop)
        sweep.queue.study = sweep.queue.load()


def best_point(grid: Sequence[Settings], losses: Sequence[float | None]) -> Settings:
    """The point with the lowest loss; the first where none has one.

    >>> best_point([{"rate": 0.1}, {"rate": 0.3}, {"rate": 1}], [1.2, 1.1, None])
    {'rate': 0.3}
    """
    known = [(loss, place) for place, loss in enumerate(losses) if loss is not None]
    return grid[min(known)[1]] if known else grid[0] if grid else {}


def check_steps(name: str, design: Design, cli: RecipeCLI) -> None:
    """Refuse runs that are shorter than a claim's design says.

    Raises:
        ValueError: Naming both numbers.
    """
    assert design.bench is not None
    steps = design.bench.images.train // cli.config.data.batch_size * (cli.config.trainer.max_epochs or 0)
    if steps < design.minimum_steps:
        raise ValueError(
            f"the runs of {name} take {steps} steps, but its design says that {design.minimum_steps} are the fewest "
            "that can show anything"
        )


def _words(settings: Settings) -> list[str]:
    return [argument(key, list(value) if isinstance(value, tuple) else value) for key, value in settings.items()]


def _folders(sweep: Sweep, seeds: int) -> dict[str, dict[int, Path | None]]:
    """Arm -> seed -> run folder of those that have ended; None of one that diverged."""
    found: dict[str, dict[int, Path | None]] = {}
    errors = _errors(sweep)
    for job, trial in sweep.queue.standing().items():
        diverged = errors.get(job, "").startswith(DIVERGED)
        if job.seed < seeds and (diverged or trial.value is not None):
            found.setdefault(trial.user_attrs[POINT], {})[job.seed] = (
                None if diverged else Path(trial.user_attrs["run"])
            )
    return found


def _errors(sweep: Sweep) -> dict[Job, str]:
    """What the runs say that failed."""
    return {job: trial.user_attrs["error"] for job, trial in sweep.queue.standing().items() if has_failed(trial)}


def _diverged(sweep: Sweep) -> dict[str, None]:
    """The points whose loss was not finite."""
    standing = sweep.queue.standing()
    return {
        standing[job].user_attrs[POINT]: None for job, error in _errors(sweep).items() if error.startswith(DIVERGED)
    }


def _failures(sweep: Sweep) -> tuple[str, ...]:
    """What runs say that failed for another reason than a loss that is not finite."""
    points = {job: trial.user_attrs[POINT] for job, trial in sweep.queue.standing().items()}
    return tuple(
        f"{points[job]}, seed {job.seed}, failed: {error}"
        for job, error in _errors(sweep).items()
        if not error.startswith(DIVERGED)
    )
