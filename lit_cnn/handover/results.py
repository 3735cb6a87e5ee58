"""What a run's network says of its images: accuracy with its interval, confusion, calibration, the worst images."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from lit_cnn.data.sources.folders import FolderSplit
from lit_cnn.evaluation.calibration import (
    CalibrationFigures,
    ConfidenceBins,
    calibration_figures,
    confidence_bins,
)
from lit_cnn.evaluation.images import EvaluationImages, Problem, SplitName
from lit_cnn.evaluation.logits import Block
from lit_cnn.evaluation.recorded_data import evaluation_batch_size, load_images
from lit_cnn.evaluation.scores import ClassScore, class_scores, confusion_matrix, hits, wilson_interval
from lit_cnn.evaluation.trained import Trained
from lit_cnn.evaluation.trained_on import judged
from lit_cnn.evaluation.validation import in_run_precision, validate
from lit_cnn.reports.confusion import most_confused
from lit_cnn.reports.thumbnails import thumbnail

WORST = 24
"""Images that are shown."""
PAIRS = 20
"""Pairs of classes that are named."""
FILES = 3
"""Files that a pair of classes names."""


@dataclass(frozen=True)
class Share:
    """A share of images with its 95 % interval.

    Args:
        right: Images that count.
        total: All images.
    """

    right: int
    total: int

    @property
    def value(self) -> float:
        return self.right / self.total

    @property
    def interval(self) -> tuple[float, float]:
        return wilson_interval(self.right, self.total)


@dataclass(frozen=True)
class JudgedImage:
    """One image, what it is and what was said.

    Args:
        row: Its number among the images.
        place: Path of its file, or its row.
        true: Class of its label.
        said: The most probable class.
        probability: Of that class.
        loss: Cross-entropy in nats.
        pixels: uint8 (3, h, w) for showing; None where images are left out.
    """

    row: int
    place: str
    true: str
    said: str
    probability: float
    loss: float
    pixels: np.ndarray | None = None


@dataclass(frozen=True)
class ConfusedPair:
    """Images of one class that were called another.

    Args:
        true: Class of the labels.
        said: Class that was said.
        images: How many.
        share: Of the images of the true class.
        places: Files or rows of the first of them.
    """

    true: str
    said: str
    images: int
    share: float
    places: tuple[str, ...]


@dataclass(frozen=True)
class Results:
    """Figures of the images of one split.

    Args:
        split: Its name, or what else the images are.
        line: What the images are, in words.
        accuracies: k -> share of images whose label is among the k most probable classes.
        loss: Mean cross-entropy in nats.
        matrix: int64 (K, K); entry (i, j) counts images of class i that were called j.
        classes: A row for each class, the lowest recall first.
        calibration: Of all images, as trained.
        bins: The same by confidence.
        worst: Images with the highest loss, falling.
        pairs: The most frequent mistakes.
        notes: Sentences on how the images were chosen.
        warnings: Sentences on what makes the figures doubtful.
    """

    split: str
    line: str
    accuracies: dict[int, Share]
    loss: float
    matrix: np.ndarray
    classes: list[ClassScore]
    calibration: CalibrationFigures
    bins: ConfidenceBins
    worst: list[JudgedImage]
    pairs: list[ConfusedPair]
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def images(self) -> int:
        return int(self.matrix.sum())


def evaluate(
    trained: Trained,
    data_path: str | None,
    split: SplitName,
    *,
    with_pixels: bool = True,
    advance: Callable[[int], object] | None = None,
) -> tuple[Results, EvaluationImages]:
    """Ask the network about every image of a split, in the precision of its run; broken files are left out and said.

    Args:
        trained: The network.
        data_path: Other images than those of its recipe.
        split: Which of them.
        with_pixels: Keep small copies of the worst images.
        advance: Called as images are done.

    Raises:
        FileNotFoundError: If the images are not where they were.
        ValueError: If the images do not fit the network.
    """
    images = load_images(trained, data_path, split)
    broken: dict[int, Problem] = {}
    summary, warnings = judged(images, [trained])
    images = replace(images, on_error="skip", on_broken=broken.__setitem__, summary=summary)
    computing, instead = in_run_precision(trained)
    blocks: list[Block] = []
    batch = evaluation_batch_size(trained)
    loss = validate(computing, images, batch_size=batch, advance=advance, on_block=blocks.append)["loss"]
    rows = torch.cat([block.rows for block in blocks])
    probabilities = torch.cat([block.logits for block in blocks]).double().softmax(dim=1)
    if broken:
        first = next(iter(broken.values()))
        warnings.append(f"{len(broken)} of {len(images)} images cannot be read and are left out: {first}")
    warnings += [text for text in (trained.doubt, str(instead) if instead else None) if text is not None]
    judgement = _Judgement(images, trained.class_names, rows, probabilities)
    found = judgement.results(summary.evaluated or "", summary.line(), loss, with_pixels)
    return replace(found, notes=tuple(images.notes), warnings=tuple(warnings)), images


@dataclass(frozen=True)
class _Judgement:
    """Probabilities (n, K) of the images of ``rows`` int64 (n,)."""

    images: EvaluationImages
    class_names: Sequence[str]
    rows: Tensor
    probabilities: Tensor

    @property
    def labels(self) -> Tensor:
        return self.images.labels[self.rows]

    def results(self, split: str, line: str, loss: float, with_pixels: bool) -> Results:
        labels, total = self.labels, len(self.rows)
        tops = {k: int(hits(self.probabilities, labels, k).sum()) for k in (1, min(5, len(self.class_names)))}
        matrix = confusion_matrix(self.probabilities.argmax(dim=1), labels, len(self.class_names)).numpy()
        return Results(
            split,
            line,
            {k: Share(right, total) for k, right in tops.items()},
            loss,
            matrix,
            class_scores(self.probabilities, labels, self.class_names),
            calibration_figures(self.probabilities, labels),
            confidence_bins(self.probabilities, labels),
            self.worst(with_pixels),
            self.pairs(matrix),
        )

    def worst(self, with_pixels: bool) -> list[JudgedImage]:
        smallest = torch.finfo(self.probabilities.dtype).tiny
        losses = -self.probabilities.gather(1, self.labels[:, None])[:, 0].clamp(min=smallest).log()
        return [
            self.judged(number, float(losses[number]), with_pixels)
            for number in losses.topk(min(WORST, len(losses))).indices.tolist()
        ]

    def judged(self, number: int, loss: float, with_pixels: bool) -> JudgedImage:
        """Image ``number`` of those that were asked about."""
        row, (probability, said) = int(self.rows[number]), self.probabilities[number].max(dim=0)
        pixels = thumbnail(self.images.image(row).numpy()) if with_pixels else None
        names = self.class_names[int(self.labels[number])], self.class_names[int(said)]
        return JudgedImage(row, self.place(row), *names, float(probability), loss, pixels)

    def place(self, row: int) -> str:
        split = self.images.split
        return str(split.paths[row]) if isinstance(split, FolderSplit) else f"row {row}"

    def pairs(self, matrix: np.ndarray) -> list[ConfusedPair]:
        predicted, labels, found = self.probabilities.argmax(dim=1), self.labels, []
        for true, said, count, share in most_confused(matrix, self.class_names, PAIRS):
            pair = (labels == self.class_names.index(true)) & (predicted == self.class_names.index(said))
            rows = self.rows[pair][:FILES].tolist()
            found.append(ConfusedPair(true, said, count, share, tuple(self.place(row) for row in rows)))
        return found
