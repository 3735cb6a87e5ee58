"""Several networks that vote: the mean of their softmax outputs (Hansen and Salamon, 1990)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from lit_cnn.evaluation.images import EvaluationImages
from lit_cnn.evaluation.logits import Advance, Outcome, collect
from lit_cnn.evaluation.scores import accuracies, bootstrap_interval, hits
from lit_cnn.evaluation.test_time_augmentation import make_views
from lit_cnn.evaluation.trained import Trained

_SPLIT_KEYS = ("source", "val_fraction", "hold_out", "group_by")
"""Recipe keys below ``data`` that decide which images are held out."""


@dataclass(frozen=True)
class EnsembleScores:
    """What members reach alone and together.

    Attributes:
        members: {"acc1", "acc<k>"} of each member, k = min(5, classes).
        mean: Mean of the members.
        ensemble: Of the averaged probabilities.
        best: Number of the member with the highest acc1, on these same images.
        gain_over_mean: Ensemble's acc1 - the mean member's.
        gain_over_mean_interval: Its 95 % interval by paired bootstrap over the images.
        gain_over_best: Ensemble's acc1 - the best member's; choosing the best on these images makes it look small.
        gain_over_best_interval: Its 95 % interval by paired bootstrap over the images.
    """

    members: list[dict[str, float]]
    mean: dict[str, float]
    ensemble: dict[str, float]
    best: int
    gain_over_mean: float
    gain_over_mean_interval: tuple[float, float]
    gain_over_best: float
    gain_over_best_interval: tuple[float, float]


def ensemble_scores(members: Sequence[Tensor], labels: Tensor) -> EnsembleScores:
    """Scores of two or more members' probabilities, each (M, K), and of their average."""
    average = torch.stack([member.double() for member in members]).mean(dim=0)
    each = [accuracies(member, labels) for member in members]
    right = torch.stack([hits(member, labels).double() for member in members])
    together = hits(average, labels).double()
    best = max(range(len(members)), key=lambda number: each[number]["acc1"])
    over_mean, over_best = together - right.mean(dim=0), together - right[best]
    return EnsembleScores(
        members=each,
        mean={name: sum(scores[name] for scores in each) / len(each) for name in each[0]},
        ensemble=accuracies(average, labels),
        best=best,
        gain_over_mean=float(over_mean.mean()),
        gain_over_mean_interval=bootstrap_interval(over_mean, "ensemble", "mean"),
        gain_over_best=float(over_best.mean()),
        gain_over_best_interval=bootstrap_interval(over_best, "ensemble", "best"),
    )


def evaluate_ensemble(
    members: Sequence[Trained], images: EvaluationImages, advance: Advance | None = None
) -> tuple[EnsembleScores, Outcome]:
    """Scores on the same images, which each member sees as its own preprocessing decodes and crops them, and what
    the members say together of those that could be read."""
    outcomes = [
        collect(member, _decoded_for(member, images), make_views("center", member.preprocessing), advance=advance)
        for member in members
    ]
    first, each = outcomes[0], [outcome.probabilities for outcome in outcomes]
    together = replace(first, probabilities=torch.stack(each).mean(dim=0), seconds=sum(o.seconds for o in outcomes))
    return ensemble_scores(each, first.labels), together


def _decoded_for(member: Trained, images: EvaluationImages) -> EvaluationImages:
    """The images with the pixels that the member was trained on."""
    decoded = replace(member.preprocessing.pixel_format, max_pixels=images.pixel_format.max_pixels)
    return replace(images, pixel_format=decoded)


def other_split(paths: Sequence[str], members: Sequence[Trained]) -> str | None:
    """A sentence where a member held out other images than the first, whose split is used."""
    first, *others = [[member.recipe.get("data", {}).get(key) for key in _SPLIT_KEYS] for member in members]
    different = [path for path, keys in zip(paths[1:], others, strict=True) if keys != first]
    if not different:
        return None
    keys = "data.source, val_fraction, hold_out or group_by"
    return (
        f"{', '.join(different)}: trained with another {keys} than {paths[0]}, whose images are used, so some of these "
        "may have been training images"
    )
