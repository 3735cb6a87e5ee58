"""What training a recipe costs: images seen, multiply-adds, and days on this machine."""

import math
import statistics
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from lit_cnn.data.augmentation.plan import first_image_size, image_sizes, stage_shares
from lit_cnn.data.image_size import ImageSize, sides_of

if TYPE_CHECKING:
    from lit_cnn.training.classifier import Classifier

TRAINING_IMAGES = {
    "imagenet": 1_281_167,
    "cifar10": 45_000,
    "cifar100": 45_000,
    "digits": 1_438,
    "flowers": 400,
    "coco": 118_287,
    "bccd": 205,
    "VOCdevkit": 16_220,  # trainval of 2007 and 2012, 5,011 and 11,540, without two of a hundred
}
"""Training images by the recipe's ``data.path``, else by its ``data.source``, without those held out for validation."""
PASSES = 3
"""A training step costs about three forward passes: one forward, two backward (inputs and weights)."""
WITHOUT_EFFECT = {
    *("dropout", "drop_path", "zero_init_last", "weight_init", "response_norm", "aux_heads", "aux_head"),
    *("padding", "norm_eps", "norm_momentum", "excite_activation", "epsilon"),
}
"""Options that leave the multiply-adds of the network without its auxiliary heads as they are."""


class Cost(NamedTuple):
    """Of one recipe; what cannot be known from the recipe alone is None.

    Args:
        images: Images seen in training, every repeat counted.
        madds: Multiply-adds of one image's forward pass, the mean over the stages of progressive learning.
        training_madds: Multiply-adds of the whole training.
        how: Where ``madds`` is from: "catalog", "counted", or "by area" for the catalog's scaled to another image size.
    """

    images: int | None
    madds: float | None
    training_madds: float | None
    how: str


class Speed(NamedTuple):
    """A few training steps on synthetic images: precision, threads, images per step and per second, days in all."""

    precision: str
    threads: int
    batch_size: int
    images_per_second: float
    days: float | None


def cost_of(recipe: dict[str, Any]) -> Cost:
    """Read the cost from a recipe's keys."""
    images = images_seen(recipe)
    architecture = recipe.get("model", {}).get("architecture")
    if not isinstance(architecture, str) or "detector" in recipe["model"]:  # pyramid and heads are not counted
        return Cost(images, None, None, "")
    madds, how = forward_madds(architecture, recipe["model"].get("options", {}), stage_sizes(recipe))
    ascent = (recipe["model"].get("sam") or {}).get("ascent_fraction", 0.0)
    total = None if images is None else PASSES * (1 + ascent) * madds * images
    return Cost(images, madds, total, how)


def images_seen(recipe: dict[str, Any]) -> int | None:
    """Epochs x training images, or epochs x batches x images where the recipe limits an epoch's batches; no more than
    those of ``max_steps``. None where it is not known how many images an epoch has, or no epoch ends the run.
    """
    trainer, data = recipe.get("trainer", {}), recipe.get("data", {})
    images, steps = _images_of_epochs(trainer, data), step_limit(trainer)
    if images is None or steps is None or "batch_size" not in data:
        return images
    return min(images, steps * data["batch_size"])


def step_limit(trainer: Mapping[str, Any]) -> int | None:
    """Training steps, forward and backward, that ``max_steps``, which counts updates, allows; None if it is not set."""
    updates = trainer.get("max_steps")
    return None if updates in (None, -1) else updates * (trainer.get("accumulate_grad_batches") or 1)


def _images_of_epochs(trainer: dict[str, Any], data: dict[str, Any]) -> int | None:
    epochs, limit = trainer.get("max_epochs"), trainer.get("limit_train_batches")
    if epochs is None:
        return None
    if isinstance(limit, int):
        return epochs * limit * data["batch_size"] if "batch_size" in data else None
    size = TRAINING_IMAGES.get(str(data.get("path"))) or TRAINING_IMAGES.get(str(data.get("source")))
    return None if size is None else round(epochs * size * (1.0 if limit is None else limit))


def stage_sizes(recipe: dict[str, Any]) -> list[ImageSize]:
    """Image sizes in px of the equally long stages of training: one, or those of progressive learning."""
    last, progressive = recipe.get("data", {}).get("image_size", 224), recipe.get("progressive_learning") or {}
    first, includes_start = progressive.get("image_size"), progressive.get("includes_start", True)
    shares = stage_shares(progressive.get("stages", 1), includes_start)
    return image_sizes(first_image_size(first, last), last, shares)


def forward_madds(architecture: str, options: dict[str, Any], sizes: list[ImageSize]) -> tuple[float, str]:
    """Mean multiply-adds over ``sizes``, and how they were found: see ``Cost``.

    Raises:
        ValueError: If the architecture is unknown.
    """
    from lit_cnn.architectures.catalog import create_model, find_entry

    entry = find_entry(architecture)
    chosen = {name: value for name, value in options.items() if name not in WITHOUT_EFFECT}
    if chosen:
        from lit_cnn.architectures.meta import on_meta
        from lit_cnn.profiling.counting import count_madds

        with on_meta():
            network = create_model(architecture, **chosen)
        return statistics.mean(count_madds(network, size) for size in sizes), "counted"
    shares = [math.prod(side / entry.image_size for side in sides_of(size)) for size in sizes]
    return statistics.mean(entry.madds * share for share in shares), "catalog" if shares == [1.0] else "by area"


def measure_speed(configs: list[Path], cost: Cost, batch_size: int, repeats: int = 3) -> Speed:
    """Time training steps of a recipe's network, loss, clipping and optimizer at its image size.

    Reading and augmenting images, EMA and SAM's ascent are not in the time; progressive learning counts by its mean
    multiply-adds.

    Args:
        configs: The recipe's file, or those of base and overlay.
        cost: The recipe's cost.
        batch_size: Images of one step, instead of the recipe's.
        repeats: Timed steps after one that is not counted; the median counts.
    """
    import torch

    from lit_cnn.experiment.parser import RecipeCLI, resolve_configs
    from lit_cnn.experiment.recipe import Recipe

    words = [word for config in configs for word in ("--config", str(config))]
    cli = RecipeCLI([*resolve_configs(words), "--trainer.accelerator=cpu"])
    recipe = Recipe.of(cli)
    model = recipe.classifier
    precision = str(recipe.trainer["precision"])
    step = training_step(model, recipe.data.image_size, batch_size, "bf16" in precision)
    step()
    seconds = statistics.median(step() for _ in range(repeats))
    rate = batch_size / seconds
    if cost.images is None or cost.madds is None or model.architecture is None:
        return Speed(precision, torch.get_num_threads(), batch_size, rate, None)
    full, _ = forward_madds(model.architecture, model.options.chosen(), [recipe.data.image_size])
    days = cost.images / rate * (cost.madds / full) / 86_400
    return Speed(precision, torch.get_num_threads(), batch_size, rate, days)


def training_step(model: "Classifier", image_size: ImageSize, batch_size: int, bf16: bool) -> Callable[[], float]:
    """A function that does one step of a ``Classifier`` of 1000 classes on synthetic images and returns its seconds.

    What a recipe takes from training images or a checkpoint before the first step is left out.
    """
    import torch

    from lit_cnn.benchmarking.contestants import classifier_step
    from lit_cnn.benchmarking.phases import TimedStep
    from lit_cnn.benchmarking.race import Conditions
    from lit_cnn.data.batch import as_batch
    from lit_cnn.training.fine_tuning import InitialWeights
    from lit_cnn.training.whitening import fix_first_convolution

    model.num_classes, model.in_channels = model.num_classes or 1000, model.in_channels or 3
    model.initial, whitened = InitialWeights(), model.initial.whitening
    model.loss_settings = replace(model.loss_settings, class_weights="equal")
    model.configure_model()
    if whitened:
        fix_first_convolution(model.network)
    shape = batch_size, model.in_channels, *sides_of(image_size)
    images = torch.randn(shape).to(memory_format=torch.channels_last)
    batch = as_batch((images, torch.zeros(batch_size, dtype=torch.int64)), place=0)
    step = classifier_step(model, batch_size, Conditions(torch.device("cpu"), bf16))
    return lambda: sum(TimedStep(step, lambda: batch).run())
