"""Accuracy of a network on corrupted images."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from lit_cnn.evaluation.corruptions import CORRUPTIONS, CorruptedViews
from lit_cnn.evaluation.images import EvaluationImages
from lit_cnn.evaluation.logits import Advance, stream
from lit_cnn.evaluation.trained import Trained
from lit_cnn.reports.contact_sheet import draw_contact_sheet


def default_kinds(in_channels: int) -> tuple[str, ...]:
    """All kinds; on gray images without saturate, which changes nothing there.

    Raises:
        ValueError: If the images are neither gray nor RGB.
    """
    if in_channels not in (1, 3):
        raise ValueError(f"corruptions are made for gray and RGB images, but the network takes {in_channels} channels")
    return tuple(kind for kind in CORRUPTIONS if in_channels == 3 or kind != "saturate")


@dataclass(frozen=True)
class CorruptionScores:
    """Top-1 accuracies, as shares.

    Attributes:
        clean: On the images as they are.
        accuracy: float64 (kinds, severities).
        images: How many could be read.
    """

    clean: float
    accuracy: Tensor
    images: int

    @property
    def mean_error(self) -> float:
        """Mean over kinds of the mean error over severities: the paper's mCE without its division by AlexNet's."""
        return 1 - float(self.accuracy.mean())

    @property
    def added_error(self) -> float:
        """Mean error - error on clean images."""
        return self.mean_error - (1 - self.clean)


def corruption_scores(
    trained: Trained,
    images: EvaluationImages,
    views: CorruptedViews,
    *,
    batch_size: int = 64,
    advance: Advance | None = None,
) -> CorruptionScores:
    """Run every image clean and under each of ``views.kinds`` at each of ``views.severities``; each is read once."""
    kinds, severities = len(views.kinds), len(views.severities)
    right, seen = torch.zeros(2, 1 + kinds * severities, dtype=torch.float64)
    for block in stream(trained, images, views, batch_size, advance):
        right.index_add_(0, block.views, (block.logits.argmax(dim=1) == images.labels[block.rows]).double())
        seen += torch.bincount(block.views, minlength=len(seen))
    shares = right / seen
    return CorruptionScores(float(shares[0]), shares[1:].view(kinds, severities), int(seen[0]))


def heat_map_rows(scores: CorruptionScores, kinds: Sequence[str]) -> dict[str, list[float]]:
    """Row name -> accuracies, that on clean images first."""
    return {
        kind.replace("_", " "): [scores.clean, *row] for kind, row in zip(kinds, scores.accuracy.tolist(), strict=True)
    }


def scores_report(scores: CorruptionScores, views: CorruptedViews) -> dict[str, Any]:
    """Everything as built-in types."""
    return {
        "images": scores.images,
        "seed": views.seed,
        "clean": scores.clean,
        "mean_corruption_error": scores.mean_error,
        "added_error": scores.added_error,
        "accuracy": {
            kind: dict(zip(map(str, views.severities), row, strict=True))
            for kind, row in zip(views.kinds, scores.accuracy.tolist(), strict=True)
        },
    }


def draw_corruptions(
    images: EvaluationImages, row: int, class_names: Sequence[str], views: CorruptedViews, out_png: Path
) -> Path:
    """Draw one image clean and under each kind and severity of ``views``; returns ``out_png``."""
    pixels = views(images.image(row)[None], torch.tensor([row]))[0][0]
    names = [f"{kind.replace('_', ' ')} {severity}" for kind in views.kinds for severity in views.severities]
    title = f"{class_names[int(images.labels[row])]}: corruptions and their severity"
    return draw_contact_sheet(pixels, ["clean", *names], out_png, columns=5, title=title)
