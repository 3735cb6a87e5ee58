"""Labeled images decide between networks that a file of weights fits, and show whether its pairing can be right."""

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from lit_cnn.evaluation.images import EvaluationImages
from lit_cnn.evaluation.logits import collect
from lit_cnn.evaluation.scores import hits
from lit_cnn.evaluation.test_time_augmentation import make_views
from lit_cnn.evaluation.trained import Trained
from lit_cnn.pretrained.fitting import Fit
from lit_cnn.pretrained.proving import UNPROVEN, Proof

MOST_IMAGES = 500
"""Images that are asked; more would not decide otherwise."""
ERRORS = 3.0
"""Standard errors above which a difference counts."""


def decide_by_images(
    found: Sequence[Fit], trained_of: Callable[[Fit], Trained], images: EvaluationImages
) -> tuple[Fit, Proof]:
    """The network that knows the images best.

    Where so few images can all be right by chance, one network is unproven, and nothing decides between several.

    Args:
        found: Networks that the weights fit; of those that the images cannot tell apart, the first is taken.
        trained_of: Makes each ready to be asked.
        images: Labeled ones.

    Raises:
        ValueError: If none recognizes them above chance, or they are too few to decide between several.
    """
    sample = images.sample(MOST_IMAGES)
    losses, counts = [], []
    for fit in found:
        trained = trained_of(fit)
        outcome = collect(trained, sample, make_views("center", trained.preprocessing))
        losses.append(_losses(outcome.probabilities, outcome.labels))
        counts.append(int(hits(outcome.probabilities, outcome.labels).sum()))
    number, classes = len(losses[0]), found[0].network.num_classes
    chance = 1 / classes
    order = sorted(range(len(found)), key=lambda index: float(losses[index].mean()))
    best = min([order[0], *(each for each in order[1:] if not _differ(losses[each] - losses[order[0]]))])
    enough = number * chance + ERRORS * math.sqrt(number * chance * (1 - chance)) + 1
    if enough > number:
        few = f"{number} images of {classes} classes are too few to tell a right pairing from chance"
        return _undecided(found, f"{few} ({counts[best]} are recognized)")
    if counts[best] < enough:
        ways = "the way" if len(found) == 1 else f"none of the {len(found)} ways"
        verb = "does not recognize" if len(found) == 1 else "recognizes"
        raise ValueError(
            f"the weights fit, but {ways} in which they do {verb} the images: {counts[best]} of {number} are right "
            f"with {found[best].label}, where chance gives {number * chance:.0f}: the pairing, preprocessing or "
            "order of the classes is wrong"
        )
    sentence = f"{counts[best]} of {number} images are recognized with {found[best].label}"
    for other in order:
        if other == best:
            continue
        decided = _differ(losses[other] - losses[best])
        verdict = "" if decided else ", which these images cannot tell from it"
        sentence += f"; {counts[other]} with {found[other].label}{verdict}"
    return found[best], Proof("images", f"confirmed by images: {sentence}", None, found[best].method)


def _undecided(found: Sequence[Fit], reason: str) -> tuple[Fit, Proof]:
    """The only network, unproven.

    Raises:
        ValueError: If there are several.
    """
    if len(found) > 1:
        choices = "; ".join(fit.label for fit in found)
        raise ValueError(
            f"the weights fit in {len(found)} ways that compute different things ({choices}), and {reason}: give more "
            "images, or choose by --option KEY=VALUE"
        )
    return found[0], Proof("unproven", f"{UNPROVEN}{reason}", None, found[0].method)


def _losses(probabilities: Tensor, labels: Tensor) -> Tensor:
    """Negative log-likelihood of each image in nats, at most 20 so that no single image decides."""
    return -probabilities.gather(1, labels[:, None]).flatten().clamp(min=math.exp(-20)).log()


def _differ(differences: Tensor) -> bool:
    """Whether the mean of paired differences is ERRORS standard errors above 0."""
    error = float(differences.std()) / math.sqrt(len(differences)) if len(differences) > 1 else math.inf
    return float(differences.mean()) > ERRORS * error if error > 0 else bool(torch.any(differences > 0))
