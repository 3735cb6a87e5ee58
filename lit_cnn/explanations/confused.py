"""The pairs of classes that a network confuses most, with the images of which it is surest and wrong."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch

from lit_cnn.evaluation.images import EvaluationImages
from lit_cnn.evaluation.logits import Advance, collect
from lit_cnn.evaluation.test_time_augmentation import make_views
from lit_cnn.evaluation.trained import Trained
from lit_cnn.explanations.explaining import ExplainedImage, Explainer, explain_images, image_names
from lit_cnn.reports.confusion import most_confused


@dataclass(frozen=True)
class ConfusedPair:
    """Images of one class that are taken for another.

    Attributes:
        true: Name of their class.
        predicted: Name of the class that they are taken for.
        count: How many they are.
        share: Of the images of their class.
        images: The ones of which the network is surest, explained.
    """

    true: str
    predicted: str
    count: int
    share: float
    images: Sequence[ExplainedImage]


@dataclass(frozen=True)
class Confusion:
    """The most confused ``pairs`` among ``images`` of which ``wrong`` are taken for another class."""

    images: int
    wrong: int
    pairs: Sequence[ConfusedPair]


def confused_pairs(
    trained: Trained,
    images: EvaluationImages,
    explainer: Explainer,
    pairs: int,
    each: int,
    advance: Advance | None = None,
) -> Confusion:
    """The most frequent mistakes on labeled images.

    Args:
        trained: The network.
        images: Labeled.
        explainer: How the images are explained.
        pairs: Largest number of pairs.
        each: Largest number of images of a pair.
        advance: Called as images are predicted.
    """
    outcome = collect(trained, images, make_views("center", trained.preprocessing), advance=advance)
    names, count = trained.class_names, len(trained.class_names)
    sureness, predicted = outcome.probabilities.max(dim=1)
    matrix = torch.bincount(outcome.labels * count + predicted, minlength=count * count).view(count, count)
    found = []
    for true, said, number, share in most_confused(matrix.numpy(), names, pairs):
        of_pair = (outcome.labels == names.index(true)) & (predicted == names.index(said))
        places = of_pair.nonzero().flatten()
        surest = places[sureness[places].argsort(descending=True, stable=True)[:each]]
        shown = _explained(trained, images, explainer, outcome.rows[surest].tolist())
        found.append(ConfusedPair(true, said, number, share, shown))
    wrong = int((predicted != outcome.labels).sum())
    return Confusion(len(outcome.labels), wrong, found)


def _explained(
    trained: Trained, images: EvaluationImages, explainer: Explainer, rows: list[int]
) -> list[ExplainedImage]:
    """Some rows of the images, explained under their own names."""
    chosen = replace(images, split=images.split.take(torch.tensor(rows)), workers=0)
    names, labels = image_names(images), images.labels[rows].tolist()
    shown = explain_images(trained, chosen, explainer, labels)
    return [replace(image, name=names[row]) for image, row in zip(shown, rows, strict=True)]
