"""What ``lit-cnn bench`` lets race: networks of the catalog, other libraries' same networks, a recipe's training."""

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from lit_cnn.architectures.catalog import create_model, find_entry
from lit_cnn.architectures.meta import copy_on_meta, on_meta
from lit_cnn.benchmarking.phases import TimedStep
from lit_cnn.benchmarking.race import Conditions, Contestant
from lit_cnn.data.batch import Batch, as_batch
from lit_cnn.data.module import ImageData
from lit_cnn.experiment.recipe import Recipe
from lit_cnn.experiment.run_trainer import limit_to_images
from lit_cnn.pretrained.references import REFERENCES, Reference
from lit_cnn.profiling.counting import count_madds
from lit_cnn.training.classifier import Classifier
from lit_cnn.training.optimization.clipping import classifier_of, clip_gradients_
from lit_cnn.training.optimization.optimizers import make_optimizer
from lit_cnn.training.step import TrainingStep, plain_step

TABLE = (
    *(("alexnet", 227), ("zfnet", 224), ("vgg11_bn", 224), ("vgg16", 224), ("googlenet_bn", 224), ("plain18", 224)),
    *(("resnet18", 224), ("resnet50", 224), ("resnext50_32x4d", 224), ("se_resnet50", 224), ("mobilenet_v1", 224)),
    *(("mobilenet_v2", 224), ("shufflenet_v1_g3_1.0x", 224), ("nasnet_a_mobile", 224), ("efficientnet_b0", 224)),
    *(("efficientnet_lite0", 224), ("efficientnet_v2_b0", 224), ("nfnet_f0", 192), ("resnet_rs_50", 160)),
    *(("cifar_vgg8", 32), ("cifar_resnet20", 32), ("cifar_resnet56", 32), ("amoebanet_a_n6_f36_cifar", 32)),
)
"""A network of each family, at the image size its paper trains it at (EfficientNet-V2-B0: at its test size)."""
_HEAVY = 5e9
"""Multiply-adds of an image from which the default batch is halved."""


def default_batch(name: str, image_size: int) -> int:
    """Images of a step: 128 up to 64 px, 16 above, 8 for networks of more than 5 G multiply-adds."""
    entry = find_entry(name)
    madds = entry.madds * (image_size / entry.image_size) ** 2
    return 128 if image_size <= 64 else 8 if madds > _HEAVY else 16


def references_of(name: str, libraries: Sequence[str]) -> list[list[Reference]]:
    """The same network in other libraries, grouped by the options that ours then needs; empty if they have none.

    Raises:
        ValueError: If there is no such network.
    """
    find_entry(name)
    groups: dict[str, list[Reference]] = {}
    for row in REFERENCES:
        if row.name == name and row.library in libraries:
            groups.setdefault(repr(sorted(row.options.items())), []).append(row)
    return list(groups.values())


def catalog_races(
    names: Sequence[str], libraries: Sequence[str], image_sizes: Sequence[int] = ()
) -> list[tuple[str, int, list[Reference]]]:
    """Network, image size and rivals of each race: those of ``names``, or where there are none those of ``TABLE``, at
    each of ``image_sizes``, or where there are none at its own.

    Raises:
        ValueError: If there is no such network, or a named one has no counterpart in ``libraries``.
    """
    races: list[tuple[str, int, list[Reference]]] = []
    for name, own_size in [(name, find_entry(name).image_size) for name in names] or TABLE:
        groups = references_of(name, libraries) or [[]]
        if libraries and names and not groups[0]:
            raise ValueError(
                f"{name} has no counterpart in {' or '.join(libraries)}: leave --against out, or bench another"
            )
        races += [(name, size, rows) for rows in groups for size in image_sizes or [own_size]]
    return races


def catalog_contestants(
    name: str, image_size: int, batch_size: int, conditions: Conditions, rows: Sequence[Reference] = ()
) -> list[Contestant]:
    """Ours, and the network of each of ``rows``, all with SGD with momentum on one batch of noise."""
    images = torch.randn(batch_size, 3, image_size, image_size, device=conditions.device)
    images = images.to(memory_format=layout(conditions))
    batch = as_batch((images, torch.zeros(batch_size, dtype=torch.int64, device=conditions.device)), place=0)
    options = rows[0].options if rows else {}
    with on_meta():
        madds = count_madds(create_model(name, **options), image_size)

    def contestant(label: str, network: Callable[[], nn.Module]) -> Contestant:
        return Contestant(label, lambda: plain_parts(network(), batch, conditions), images, madds)

    ours = (lambda: rows[0].build()[0]) if rows else (lambda: create_model(name))
    others = [contestant(f"{row.library} {row.other}", lambda row=row: row.build()[1]) for row in rows]  # type: ignore[misc]
    return [contestant("ours", ours), *others]


def layout(conditions: Conditions) -> torch.memory_format:
    return torch.channels_last if conditions.channels_last else torch.contiguous_format


def plain_parts(network: nn.Module, batch: Batch, conditions: Conditions) -> TimedStep:
    """A plain step on the same batch every time."""
    network = network.to(conditions.device).to(memory_format=layout(conditions))
    return TimedStep(plain_step(network, conditions.bf16), lambda: batch)


def recipe_parts(recipe: Recipe, conditions: Conditions, next_batch: Callable[[], Batch] | None = None) -> TimedStep:
    """A step of an instantiated recipe: its network, loss, clipping and optimizer, on its own batches by default.

    Averaging of the weights, SAM and accumulation are left out; the learning rate stays at its peak.
    """
    model, data = recipe.classifier, recipe.data
    model.configure_model(data)
    recipe.stochastic_depth.set_gates(model.network)
    batches = next_batch or recipe_batches(data, conditions.device)
    return TimedStep(classifier_step(model, data.batch_size, conditions), batches)


def classifier_step(model: Classifier, batch_size: int, conditions: Conditions) -> TrainingStep:
    """A step of a ``Classifier``, with the loss and the random keys of the steps that Lightning would run.

    Args:
        model: The classifier, whose network is built.
        batch_size: Images of a step, from which the learning rate follows.
        conditions: Device and precision.
    """
    network = model.to(conditions.device).network
    optimizer = make_optimizer(network, model.optimizer_settings, batch_size)
    classifier, steps = classifier_of(network), itertools.count()

    def loss_of(batch: Batch) -> Tensor:
        number = next(steps)
        return model.loss_of(batch, step=number, batch_idx=number)[1] * batch.weight

    def clip() -> None:
        clip_gradients_(network, classifier, model.clipping_settings)

    return TrainingStep(network, loss_of, optimizer, clip, conditions.bf16)


def recipe_batches(data: ImageData, device: torch.device) -> Callable[[], Batch]:
    """A function that waits for the next batch of the recipe's loader and prepares it on the device, mixed as the
    steps of a run are."""
    batches, steps = endless(data.train_dataloader()), itertools.count()

    def next_batch() -> Batch:
        batch = Batch(*(part.to(device, non_blocking=True) for part in next(batches)))
        return data.prepare(batch, training=True, step=next(steps), epoch=0)

    return next_batch


def endless(loader: Iterable[Any]) -> Iterator[Any]:
    """The batches of a loader again and again."""
    while True:
        yield from loader


def recipe_contestant(recipe: Recipe, conditions: Conditions) -> Contestant:
    """The recipe's own training step."""
    model, data = recipe.classifier, recipe.data
    data.setup()
    limit_to_images(data)
    images = recipe_batches(data, conditions.device)().images
    with on_meta():
        network: nn.Module
        if isinstance(model.architecture, str):
            options = model.options.chosen()
            network = create_model(
                model.architecture, num_classes=data.num_classes, in_channels=data.loaded.in_channels, **options
            )
        else:
            network = copy_on_meta(model.network)
    madds = count_madds(network, data.image_size, in_channels=data.loaded.in_channels)
    return Contestant("ours", lambda: recipe_parts(recipe, conditions), images, madds)
