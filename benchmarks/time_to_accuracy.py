"""Time to about 91 % on CIFAR-10 with ResNet-20: the paper's recipe in a usual loop against lit-cnn's short schedule.

    LIT_CNN_DATA=... python benchmarks/time_to_accuracy.py [--rounds 8] [--block 8] [--workers 0]

Usual: torchvision's pad-crop, flip and normalization image by image in a DataLoader, float32, NCHW, SGD, for the
paper's 64,000 steps. lit-cnn: the step of recipes/overlays/cifar10_short.yaml (batches augmented as a whole, bf16,
channels_last, averaged weights) for its 40 epochs. Both steps are timed in turns in one process; whole trainings are
not run here: the time is the median step times the recipe's steps. Accuracy: the paper states 91.25 % for its 64,000
steps; the overlay's ``about.measured`` says what its 40 epochs reached.
"""

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from interleaved import timed
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset
from torchvision.transforms import v2

from lit_cnn import create_model
from lit_cnn.benchmarking.contestants import endless
from lit_cnn.benchmarking.interleaving import ratios, spread, take_turns
from lit_cnn.benchmarking.overhead import plain_loop
from lit_cnn.benchmarking.payback import run_steps
from lit_cnn.data.sources.load import resolve_data_path
from lit_cnn.experiment.parser import RecipeCLI, resolve_configs
from lit_cnn.experiment.recipe import Recipe

PAPER_STEPS, BATCH = 64_000, 128
MEAN, STD = (0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)


class Images(Dataset[tuple[Tensor, int]]):
    """CIFAR-10 as torchvision's own data set gives it: one transformed image at a time."""

    def __init__(self, path: Path) -> None:
        with np.load(path) as arrays:
            self.images, self.labels = arrays["train_images"], arrays["train_labels"].ravel()
        self.transform = v2.Compose(
            [
                v2.ToImage(),
                v2.RandomCrop(32, padding=4),
                v2.RandomHorizontalFlip(),
                v2.ToDtype(torch.float32, scale=True),
                v2.Normalize(MEAN, STD),
            ]
        )

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        return self.transform(self.images[index]), int(self.labels[index])


def usual_step(path: Path, workers: int) -> Callable[[], None]:
    """One step of the paper's recipe as a script would write it."""
    network = create_model("cifar_resnet20").train()
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1, momentum=0.9, weight_decay=1e-4)
    loader = DataLoader(Images(path), BATCH, shuffle=True, drop_last=True, num_workers=workers)
    batches = endless(loader)

    def step() -> None:
        images, targets = next(batches)
        optimizer.zero_grad()
        nn.functional.cross_entropy(network(images), targets).backward()
        optimizer.step()

    return step


class RecipeStep(NamedTuple):
    """Args: one step; the steps of the whole training; images of a step."""

    step: Callable[[], None]
    steps: int
    batch_size: int


def recipe_step(names: Sequence[str], path: Path, *overrides: str) -> RecipeStep:
    """One step of a recipe of these files, with its average of the weights."""
    names = [word for name in names for word in ("--config", name)]
    keys = ["--trainer.accelerator=cpu", "--data.source=npz", f"--data.path={path.resolve()}", *overrides]
    cli = RecipeCLI([*resolve_configs([*names, *keys]), "--tracking.mode=disabled"])
    recipe = Recipe.of(cli)
    recipe.data.setup()
    train = plain_loop(recipe)
    network = recipe.model.net
    average = torch.optim.swa_utils.AveragedModel(
        network, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(recipe.ema.decay)
    )

    def step() -> None:
        train()
        average.update_parameters(network)

    steps = run_steps(recipe.trainer, recipe.data.steps_per_epoch)
    assert steps is not None
    return RecipeStep(step, steps, recipe.data.batch_size)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--block", type=int, default=8, help="steps of a turn")
    parser.add_argument("--workers", type=int, default=0, help="of the usual loop's DataLoader")
    options = parser.parse_args()
    path = resolve_data_path("cifar10.npz")
    usual = usual_step(path, options.workers)
    short, short_steps, _ = recipe_step(["cifar10_resnet20", "overlays/cifar10_short"], path)
    turns = {"usual": timed(usual, times=options.block), "short": timed(short, times=options.block)}
    for turn in turns.values():
        turn()
    seconds = take_turns(turns, rounds=options.rounds).values()
    each = ratios(*seconds)
    times = [spread([1e3 * value for value in side]) for side in seconds]
    print(f"{torch.get_num_threads()} threads, {options.workers} workers of the usual loop, {options.rounds} turns")
    for name, time_of, steps in (("usual", times[0], PAPER_STEPS), ("short", times[1], short_steps)):
        minutes = time_of.median * steps / 60_000
        print(f"{name}: {time_of.median:.1f} ms a step x {steps:,} steps = {minutes:.0f} min")
    factor = PAPER_STEPS / short_steps
    print(
        f"a step {each.median:.2f} times as fast [{each.low:.2f}, {each.high:.2f}], {factor:.2f} times fewer steps: "
        f"{factor * each.median:.2f} times less time [{factor * each.low:.2f}, {factor * each.high:.2f}]"
    )


if __name__ == "__main__":
    main()
