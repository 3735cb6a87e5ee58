"""A first recipe for a folder of images, with the reason of each value in a comment."""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lit_cnn.choosing.candidates import SMALL, Candidate, Start
from lit_cnn.choosing.commented import Stated, recipe_text
from lit_cnn.choosing.images import HELD_OUT, ImageSet
from lit_cnn.choosing.trainings import SCRATCH_EPOCHS, Head, Trained, full_epochs, recipe_of
from lit_cnn.experiment.initial_weights import KnownWeights
from lit_cnn.training.class_rows import class_rows

ENOUGH_TO_START_FRESH = 5000
"""Training images from which on a network from random weights gets mixed images and RandAugment."""
SIDES = (224, 192, 160, 128, 96, 64)
"""Image sizes that are written, in pixels."""
SMALL_NETWORK, LARGE_NETWORK = "cifar_resnet20", "resnet18"
"""From random weights: for small images, and for others."""


@dataclass(frozen=True)
class FirstRecipe:
    """What ``lit-cnn init`` writes.

    Args:
        facts: Sentences on the images.
        candidate: Network, image size and weights.
        text: The recipe.
    """

    facts: tuple[str, ...]
    candidate: Candidate
    text: str


def first_recipe(images: ImageSet, start: Start | None, file: Path) -> FirstRecipe:
    """A recipe for a set of images.

    Args:
        images: The set.
        start: Weights; None starts from random ones.
        file: Where the recipe is going to be.
    """
    side = image_size_for(images, start)
    architecture = start.architecture if start else SMALL_NETWORK if images.side <= SMALL else LARGE_NETWORK
    weights, options = (start.spec, start.options) if start else (None, ())
    candidate = Candidate(architecture, architecture, side, weights, options)
    data, said = Trained.of(images), facts(images)
    keys = recipe_of(candidate, data, full_epochs(candidate, data, 1), compared=False, head=_head(images, start))
    added = [
        *_size(images, side),
        *_batch(data),
        *_weights(images, start),
        *_more(images, start),
    ]
    header = [
        f"A first recipe for {images.path}, written by lit-cnn init.",
        *(f"{sentence}." for sentence in said),
        f"  lit-cnn fit --config {shlex.quote(str(file))}",
    ]
    return FirstRecipe(said, candidate, recipe_text(header, [*keys, *added]))


def facts(images: ImageSet) -> tuple[str, ...]:
    """What the images are, in sentences without their stop."""
    counts = images.class_counts()
    names, smallest, largest = images.class_names, counts.index(min(counts)), counts.index(max(counts))
    given = "val" in images.splits
    val = f"{images.count('val'):,} to validate on"
    if not given:
        val = f"{images.count('val'):,} of them held out to validate on"
    test = f", {images.count('test'):,} to test on" if images.count("test") else ""
    train = images.count("train") if given else images.labeled
    balance = (
        f"every class has {counts[0]:,}"
        if counts[smallest] == counts[largest]
        else f"{names[smallest]} has {counts[smallest]:,}, {names[largest]} {counts[largest]:,}"
    )
    sides = f"{images.side} px" if images.smallest == images.largest else f"{images.smallest} to {images.largest} px"
    return (
        f"{train:,} training images of {len(names)} classes ({balance}), {val}{test}",
        f"shorter sides of {sides}, half of them {images.side} px or more",
    )


def image_size_for(images: ImageSet, start: Start | None) -> int:
    """The side of the network's images in pixels: about that of the files, 224 at most; with weights 96 at least."""
    if images.side <= SMALL and start is None:
        return images.side
    fitting = next((side for side in SIDES if side <= images.side), SIDES[-1])
    return max(fitting, 96) if start else fitting


def _head(images: ImageSet, start: Start | None) -> Head:
    """Fitted if the weights know every class; their rows of only some of the classes are left out."""
    if start is None or class_rows(KnownWeights.of(start.spec).class_names, images.class_names) is None:
        return "fresh"
    return "fitted"


def _size(images: ImageSet, side: int) -> list[Stated]:
    if side == images.side:
        why = "as the images are"
    elif side > images.side:
        why = f"the images have {images.side} px: enlarged, since the weights have seen no smaller objects"
    else:
        why = f"half of the images have {images.side} px or more; a smaller size is faster, a larger one rarely better"
    return [Stated("data.image_size", side, why)]


def _batch(data: Trained) -> list[Stated]:
    steps = max(data.train // data.batch_size, 1)
    why = f"{steps} {'step' if steps == 1 else 'steps'} an epoch" + (
        "; few images need small batches to be seen in many steps" if data.few else ""
    )
    return [Stated("data.batch_size", data.batch_size, why)]


def _weights(images: ImageSet, start: Start | None) -> list[Stated]:
    if start is not None:
        why = (
            f"{images.labeled:,} images are few: trained weights gain most"
            if images.labeled < 5000
            else ("trained weights are ahead for many epochs")
        )
        return [Stated("model.initial.checkpoint", start.spec, why)]
    return [
        Stated(
            "trainer.max_epochs",
            SCRATCH_EPOCHS[Trained.of(images).few],
            "random weights learn slowly: init --pretrained timm:NAME starts from trained ones",
        )
    ]


def _more(images: ImageSet, start: Start | None) -> list[Stated]:
    """Augmentation beyond crops and flips, for trainings that are long enough to gain by it."""
    keys: list[Stated] = []
    if "val" not in images.splits:
        files = images.source == "imagefolder"
        why = "no val folder: held out by a hash of each file's name" if files else "no images for validation: held out"
        keys.append(Stated("data.val_fraction", HELD_OUT, why))
    if start is None and images.side > SMALL and images.labeled >= ENOUGH_TO_START_FRESH:
        keys.append(
            Stated(
                "data.rand_augment", {"layers": 2, "magnitude": 5, "scale": "paper"}, "a long training gains by variety"
            )
        )
        keys.append(Stated("data.cutmix.alpha", 1.0, "mixed images keep a long training from learning them by heart"))
    if images.source == "imagefolder":
        keys.append(Stated("data.flip.horizontal", 0.5, "0 where left and right differ, as in letters and signs"))
    return keys


def next_commands(file: Path, images: ImageSet) -> Sequence[str]:
    """What to do with the recipe."""
    name, data = shlex.quote(str(file)), shlex.quote(str(images.path))
    return (
        f"lit-cnn check {data}",
        f"lit-cnn data show --config {name} --out batch.png",
        f"lit-cnn fit {name}",
    )
