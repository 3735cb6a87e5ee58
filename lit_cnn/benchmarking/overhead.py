"""What ``lit-cnn fit`` costs above a plain PyTorch loop that does the same work, on one device.

Both run in one process and take turns: ``fit`` trains with everything it has by default (Lightning, metrics, progress
bar, checkpoints, files), and after every few of its steps a callback holds it and runs as many steps of the plain loop.
"""

import contextlib
import io
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import lightning.pytorch as pl
import numpy as np
import torch
from torch import Tensor

from lit_cnn.benchmarking.contestants import recipe_batches
from lit_cnn.benchmarking.interleaving import Spread, ratios, spread
from lit_cnn.data.batch import Batch
from lit_cnn.experiment.fit import fit
from lit_cnn.experiment.parser import RecipeCLI, resolve_configs
from lit_cnn.experiment.recipe import Recipe
from lit_cnn.profiling.timing import is_bf16
from lit_cnn.training.optimization.clipping import classifier_of, clip_gradients_
from lit_cnn.training.optimization.optimizers import make_optimizer
from lit_cnn.training.optimization.schedules import make_scheduler
from lit_cnn.training.step import TrainingStep
from lit_cnn.training.trainer import quieten_lightning

WARMUP = 3
"""Steps of either side before the first that counts."""
BLOCK = 5
"""Steps of a turn by default."""
ALONE = (
    *("--trainer.limit_val_batches=0", "--trainer.limit_train_batches=1.0", "--trainer.max_time=null"),
    *("--trainer.devices=1", "--trainer.accumulate_grad_batches=1", "--tracking.mode=disabled"),
)
"""Keys that let a step of ``fit`` be a step of one loop over whole batches."""


class Overhead(NamedTuple):
    """Time per step of ``fit`` over that of the plain loop (1.03: 3 % more), and ms per step of each.

    ``extra`` names what ``fit`` does and the plain loop does not.
    """

    ratio: Spread
    fit_ms: Spread
    plain_ms: Spread
    steps: int
    extra: tuple[str, ...] = ()


class Terminal(io.StringIO):
    """Swallows the output and passes for a terminal, so that the progress bar costs what it costs there."""

    def isatty(self) -> bool:
        return True


class Turns(pl.Callback):
    """Times blocks of a trainer's steps, and holds it before each of them for a block of the plain loop's.

    Args:
        plain_step: One step of the plain loop.
        block: Steps of a block.
        rounds: Blocks after which the trainer stops.
        clock: Current time in seconds.
    """

    def __init__(
        self, plain_step: Callable[[], None], block: int, rounds: int, clock: Callable[[], float] = time.perf_counter
    ) -> None:
        self.plain_step, self.block, self.rounds, self.clock = plain_step, block, rounds, clock
        self.fit_seconds: list[float] = []
        self.plain_seconds: list[float] = []
        self._steps = 0
        self._since: float | None = None

    def on_train_batch_end(self, trainer: pl.Trainer, *args: Any) -> None:
        self._steps += 1
        if self._steps < WARMUP or (self._steps - WARMUP) % self.block:
            return
        if self._since is None:
            self._run(WARMUP)
        else:
            _synchronize()
            self.fit_seconds.append(self.clock() - self._since)
        if len(self.fit_seconds) == self.rounds:
            trainer.should_stop = True
            return
        started = self.clock()
        self._run(self.block)
        self._since = self.clock()
        self.plain_seconds.append(self._since - started)

    def _run(self, steps: int) -> None:
        for _ in range(steps):
            self.plain_step()
        _synchronize()


def _synchronize() -> None:
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def measure_overhead(arguments: list[str], *, block: int = BLOCK, rounds: int = 10) -> Overhead:
    """Train what ``lit-cnn fit`` with these arguments trains, in a temporary folder, interleaved with a plain loop.

    Args:
        arguments: Those of ``lit-cnn fit``, such as ["--config", "quickstart"].
        block: Steps of a turn.
        rounds: Turns that count.

    Raises:
        ValueError: If the recipe's epoch has too few steps, since what an epoch's end costs is not meant here, if its
            images grow (the plain loop's would not), or if the training ended early.
    """
    quieten_lightning()
    cli = RecipeCLI([*resolve_configs(arguments), *ALONE])
    recipe = Recipe.of(cli, "overhead")
    check_steps(recipe, WARMUP + block * rounds)
    model, staged = recipe.classifier, recipe.progressive_learning
    if staged is not None and staged.stages > 1:
        raise ValueError(
            "the plain loop has no progressive learning to compare fit with: add --progressive_learning.stages 1"
        )
    turns = Turns(plain_loop(recipe), block, rounds)
    with tempfile.TemporaryDirectory() as runs, contextlib.redirect_stdout(Terminal()):
        fit(Recipe.of(cli, "overhead"), runs=Path(runs), watchers=[turns])
    if len(turns.fit_seconds) < rounds:
        raise ValueError(f"the training ended after {len(turns.fit_seconds)} of {rounds} turns: nothing was measured")
    both = turns.fit_seconds, turns.plain_seconds
    per_step = [spread([1e3 * seconds / block for seconds in side]) for side in both]
    extra = [name for name, on in (("EMA", recipe.ema.decay > 0), ("SAM", model.sam.rho > 0)) if on]
    return Overhead(ratios(*both), per_step[0], per_step[1], block * rounds, tuple(extra))


def check_steps(recipe: Recipe, steps: int) -> None:
    """Refuse a recipe whose first epoch, or whose whole run, has fewer than ``steps`` steps."""
    recipe.data.setup()
    available = recipe.data.steps_per_epoch
    if recipe.trainer["max_steps"] > 0:
        available = min(available, recipe.trainer["max_steps"])
    if available < steps:
        raise ValueError(
            f"the overhead is measured inside one epoch over {steps} steps, but the recipe's epoch has {available}: "
            "choose a smaller --data.batch_size or fewer rounds"
        )


def measure_noise(name: str, image_size: int, batch_size: int, keys: list[str], *, block: int, rounds: int) -> Overhead:
    """The overhead of training a network of the catalog on ten classes of noise held in memory.

    Args:
        name: Network.
        image_size: Height and width in px.
        batch_size: Images of a step.
        keys: Further keys of the recipe, such as ["--trainer.precision=bf16-mixed"].
        block: Steps of a turn.
        rounds: Turns that count.
    """
    random = np.random.default_rng(0)
    arrays: dict[str, Any] = {}
    for part, count in (("train", (WARMUP + block * rounds) * batch_size), ("val", batch_size)):
        arrays[f"{part}_images"] = random.integers(0, 256, (count, image_size, image_size, 3), dtype=np.uint8)
        arrays[f"{part}_labels"] = np.arange(count) % 10
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "noise.npz"
        np.savez(path, **arrays)
        data = [f"--data.path={path}", f"--data.image_size={image_size}", f"--data.batch_size={batch_size}"]
        arguments = [f"--model.architecture={name}", "--data.source=npz", *data, "--data.crop.kind=none"]
        arguments += ["--trainer.max_epochs=1", *keys]
        return measure_overhead(arguments, block=block, rounds=rounds)


def plain_loop(recipe: Recipe) -> Callable[[], None]:
    """One step of a loop as anyone would write it, on an instantiated recipe's network, batches and optimizer.

    The batches, their augmentation, the precision, the loss, the clipping, the optimizer and the schedule are those of
    ``fit``. Averaging of the weights, SAM and accumulation are left out, and so is what such a loop would not have: the
    random keys of dropout and stochastic depth, and the mask of rows that do not count.
    """
    model, data, trainer = recipe.classifier, recipe.data, recipe.trainer
    recipe.machine.apply()
    device = torch.device("cuda" if torch.cuda.is_available() and trainer["accelerator"] != "cpu" else "cpu")
    model.configure_model(data)
    network = model.to(device).network.train()
    recipe.stochastic_depth.set_gates(network)
    optimizer = make_optimizer(network, model.optimizer_settings, data.batch_size)
    per_epoch = data.steps_per_epoch
    total_steps = trainer["max_steps"] if trainer["max_steps"] > 0 else per_epoch * (trainer["max_epochs"] or 1000)
    scheduler = make_scheduler(optimizer, model.schedule_settings, total_steps=total_steps, steps_per_epoch=per_epoch)
    classifier, next_batch = classifier_of(network), recipe_batches(data, device)

    def loss_of(batch: Batch) -> Tensor:
        return model.loss_of_output(network(batch.images), batch.targets, valid=None)

    def clip() -> None:
        clip_gradients_(network, classifier, model.clipping_settings)

    step = TrainingStep(network, loss_of, optimizer, clip, is_bf16(trainer["precision"]))

    def run() -> None:
        step.run(next_batch())
        scheduler.step()

    return run


def percent(overhead: Overhead) -> str:
    """The share that ``fit`` takes above the plain loop, such as "+1.2 % [+0.8, +1.7]"."""
    ratio = overhead.ratio
    median, low, high = (100 * (value - 1) for value in (ratio.median, ratio.low, ratio.high))
    return f"{median:+.1f} % [{low:+.1f}, {high:+.1f}]"
