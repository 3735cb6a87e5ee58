"""Training steps of a recipe under different machine settings, for ``lit-cnn tune`` to compare."""

import contextlib
import io
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch

from lit_cnn.benchmarking.contestants import recipe_batches, recipe_parts
from lit_cnn.benchmarking.interleaving import Spread, ratios, take_turns
from lit_cnn.benchmarking.loading import BATCHES, seconds_per_batch
from lit_cnn.benchmarking.payback import Payback, run_steps
from lit_cnn.benchmarking.phases import TimedStep
from lit_cnn.benchmarking.race import Conditions
from lit_cnn.benchmarking.tuning import MARGIN, Settings, Tuned, climb, settle
from lit_cnn.experiment.files import argument
from lit_cnn.experiment.parser import RecipeCLI, resolve_configs
from lit_cnn.experiment.recipe import Recipe
from lit_cnn.experiment.run_trainer import limit_to_images
from lit_cnn.experiment.task import require_classification
from lit_cnn.profiling.timing import PRECISIONS, is_bf16
from lit_cnn.training.optimization.kernels import KERNELS
from lit_cnn.training.precision import missing_bf16

WORKERS, THREADS, COMPILE = "data.workers", "machine.threads", "model.compile"
KEYS = ("trainer.precision", "model.channels_last", "model.optimizer.kernel", THREADS, COMPILE, WORKERS)


def choices_of(start: Settings, recipe: Recipe, *, with_compile: bool) -> dict[str, Sequence[Any]]:
    """The values to try of each key, in the order in which they are tried.

    Args:
        start: The recipe's own values.
        recipe: The instantiated recipe.
        with_compile: Whether ``torch.compile`` is tried.
    """
    loader = recipe.data.loader_facts
    choices: dict[str, Sequence[Any]] = {
        "trainer.precision": PRECISIONS if missing_bf16(recipe.trainer["accelerator"]) is None else ("32-true",),
        "model.channels_last": (True, False),
        "model.optimizer.kernel": KERNELS[1:] if recipe.model.optimizer_settings.name in ("sgd", "adamw") else (),
        THREADS: sorted({1, max(1, loader.cores // 2), loader.cores} - {torch.get_num_threads()}),
        COMPILE: (False, True) if with_compile else (),
        WORKERS: sorted({0, 1, loader.cores} - {loader.workers}),
    }
    return {key: values for key, values in choices.items() if any(value != start[key] for value in values)}


def untried(accelerator: object) -> list[str]:
    """What ``choices_of`` leaves out because it cannot be fast on ``trainer.accelerator``, in sentences."""
    missing = missing_bf16(accelerator)
    return [f"trainer.precision bf16-mixed was not tried: {missing}"] if missing else []


def unneeded_workers(share: float) -> str | None:
    """That no number of loader workers can gain ``MARGIN`` where without them loading is this share of a step's time,
    even if other settings make the step twice as fast; None where they might."""
    if share >= MARGIN / 2:
        return None
    return f"{WORKERS} was not tried: without workers loading is {100 * share:.2f} % of a training step"


class Tuner:
    """Builds and compares training steps of one recipe.

    Args:
        arguments: Those of ``lit-cnn fit``.

    Raises:
        ValueError: If the recipe is wrong, or its precision is none of those that are tried.
    """

    def __init__(self, arguments: list[str]) -> None:
        self.arguments = resolve_configs(arguments)
        self.seconds = 10.0
        self.tell: Callable[[str], None] = lambda _: None
        self.recipe, self.config = self._instantiate({})
        require_classification(self.recipe.task)
        self.recipe.machine.apply()
        self.threads = torch.get_num_threads()
        accelerator = str(self.config.trainer.accelerator)
        self.device = torch.device("cuda" if torch.cuda.is_available() and accelerator != "cpu" else "cpu")
        is_bf16(self.config.trainer.precision)  # refuses others
        self.recipe.data.setup()
        limit_to_images(self.recipe.data)
        self._batch = recipe_batches(self.recipe.data, self.device)()
        self.payback: Payback | None = None
        """Of ``torch.compile``, once it was tried."""
        self.notes = untried(self.config.trainer.accelerator)
        """What is not tried, and why."""

    def _instantiate(self, settings: Settings) -> tuple[Recipe, Any]:
        cli = RecipeCLI([*self.arguments, *(argument(key, value) for key, value in settings.items())])
        return Recipe.of(cli), cli.config

    def start(self) -> dict[str, Any]:
        """The recipe's own value of each key."""
        start = {key: self.config[key] for key in KEYS}
        start["trainer.precision"] = PRECISIONS[is_bf16(start["trainer.precision"])]
        return start

    def tune(self, choices: Mapping[str, Sequence[Any]]) -> Tuned:
        """Try the choices of one key after the other, then all winners together against the recipe's own settings."""
        start = self.start()
        without = WORKERS in choices and self.recipe.data.loader_facts.workers == 0
        if without and (note := unneeded_workers(self.share_of_loading(start))):
            self.notes.append(note)
            choices = {key: values for key, values in choices.items() if key != WORKERS}
        best, trials = climb(start, choices, self.compare)
        settings, gain = settle(start, best, self.compare)
        changed = {key: value for key, value in settings.items() if value != start[key]}
        return Tuned(dict(settings), changed, gain, trials, self.payback)

    def compare(self, best: Settings, challengers: Sequence[Settings]) -> list[Spread | str]:
        """Each challenger's training speed over that of ``best``, interleaved; what compiling takes is spread over the
        steps of the recipe's run."""
        changed = {key for each in challengers for key in KEYS if each[key] != best[key]}
        self.tell(f"comparing {', '.join(sorted(changed))}")
        loading = WORKERS in changed
        began = time.perf_counter()
        contestants: dict[str, Callable[[], float]] = {"best": self._step(best, loading)}
        starts = {"best": time.perf_counter() - began}
        failures: dict[int, str] = {}
        for number, settings in enumerate(challengers):
            began = time.perf_counter()
            try:
                step = self._step(settings, loading)
                starts[str(number)] = time.perf_counter() - began
                step()
            except (RuntimeError, ValueError) as error:
                failures[number] = str(error).splitlines()[0]
            else:
                contestants[str(number)] = step
        contestants["best"]()
        seconds = take_turns(contestants, seconds=self.seconds)
        self._use_threads({THREADS: self.threads})
        for number, settings in enumerate(challengers):
            if number not in failures and settings[COMPILE] and not best[COMPILE]:
                compiling = starts[str(number)] - starts["best"]
                seconds[str(number)] = self._pay_for_compiling(compiling, seconds["best"], seconds[str(number)])
        return [
            failures[number] if number in failures else ratios(seconds["best"], seconds[str(number)])
            for number in range(len(challengers))
        ]

    def _pay_for_compiling(self, compiling: float, eager: Sequence[float], compiled: Sequence[float]) -> list[float]:
        """The seconds of compiled steps with their share of ``compiling``."""
        steps = run_steps(self.recipe.trainer, len(self.recipe.data.train_dataloader()))
        self.payback = Payback.measured(compiling, eager, compiled, steps)
        return [seconds + self.payback.seconds_per_step for seconds in compiled]

    def share_of_loading(self, settings: Settings) -> float:
        """Of the time of training steps, that in which they wait for batches."""
        recipe, conditions = self._build(settings)
        parts = self._parts(recipe, conditions, recipe_batches(recipe.data, self.device))
        steps = [parts.run() for _ in range(1 + BATCHES)][1:]
        return sum(data for data, *_ in steps) / sum(map(sum, steps))

    def _build(self, settings: Settings) -> tuple[Recipe, Conditions]:
        """A recipe with these settings, and how its steps are run."""
        recipe, _ = self._instantiate(settings)
        recipe.data.setup()
        recipe.data.batch_size = self.recipe.data.batch_size
        bf16 = settings["trainer.precision"] == "bf16-mixed"
        return recipe, Conditions(self.device, bf16, settings["model.channels_last"])

    def _parts(self, recipe: Recipe, conditions: Conditions, next_batch: Callable[[], Any]) -> TimedStep:
        """A timed step, without what ``fit`` announces of its network, which every trial would repeat."""
        with contextlib.redirect_stdout(io.StringIO()):
            return recipe_parts(recipe, conditions, next_batch)

    def _step(self, settings: Settings, loading: bool) -> Callable[[], float]:
        """A function that returns the seconds of a training step; with ``loading`` on batches of the loader."""
        recipe, conditions = self._build(settings)
        if loading:
            return self._loaded_steps(recipe, conditions, settings)
        parts = self._parts(recipe, conditions, lambda: self._batch)
        for _ in range(2):  # the first step compiles and plans
            parts.run()

        def step() -> float:
            if self._use_threads(settings):
                parts.run()  # the new threads start
            return sum(parts.run())

        return step

    def _loaded_steps(self, recipe: Recipe, conditions: Conditions, settings: Settings) -> Callable[[], float]:
        """A fresh loader per turn; the batches that its workers make in advance do not count."""
        batches: list[Callable[[], Any]] = [lambda: None]
        parts = self._parts(recipe, conditions, lambda: batches[0]())
        workers = recipe.data.loader_facts.workers

        def steps() -> float:
            self._use_threads(settings)
            batches[0] = recipe_batches(recipe.data, self.device)
            taken = seconds_per_batch(parts.run, workers)
            batches[0] = lambda: None  # lets the loader and its workers go
            return taken

        return steps

    def _use_threads(self, settings: Mapping[str, Any]) -> bool:
        """Whether the number of threads had to change."""
        wanted = settings[THREADS] or self.threads
        if wanted == torch.get_num_threads():
            return False
        torch.set_num_threads(wanted)
        return True
