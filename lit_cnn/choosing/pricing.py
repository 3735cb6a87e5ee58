"""What comparing a candidate costs in seconds, from what was measured of it."""

import os
import time
from collections.abc import Mapping, Sequence

from lit_cnn.choosing.budget import MOST_EPOCHS, WANTED_EPOCHS, Price
from lit_cnn.choosing.candidates import Candidate
from lit_cnn.choosing.folds import fold_numbers
from lit_cnn.choosing.images import ImageSet
from lit_cnn.choosing.probe import FITTED
from lit_cnn.choosing.trainings import Trained
from lit_cnn.choosing.wishes import Wishes
from lit_cnn.data.sources.folders import FolderSplit

EPOCH_SECONDS = 0.25
"""Of an epoch besides its steps: metrics and checkpoints written."""
PROBE_SECONDS = 2.0
"""Of a probe besides its pass over the images and its heads: the checkpoints written."""
FIT_SECONDS = 1e-8
"""Of a head for each image, feature and class: several times what an easy one takes."""
WANTED_STEPS = 300
"""Of a training from random weights: after 50, MobileNetV2 was right in 20 % of five classes of photographs."""
DECODED = 16
"""Image files that are decoded to know what reading costs."""


def prices_of(
    candidates: Sequence[Candidate], images: ImageSet, costs: Mapping[str, Mapping[str, float]], wishes: Wishes
) -> list[Price]:
    """Seconds of an epoch and of a probe of each candidate; a fold trains on the most images that it may.

    Args:
        candidates: All measured.
        images: What they are trained on.
        costs: Candidate -> its figures.
        wishes: On which device, and in how many folds.
    """
    folds, read = fold_numbers(images, wishes.folds)[0], seconds_to_read(images)
    total, batch = images.labeled, Trained.of(images).batch_size
    val = total // folds if folds > 1 else images.count("val")
    train, cores = total - val, os.cpu_count() or 1
    fitted = train if folds > 1 else min(FITTED, train)
    found = []
    for each in candidates:
        own = costs[each.name]
        compute = 1e-3 * (own["step_ms"] * train / batch + own["image_ms"] * val)
        reading = read * total
        on_gpu = wishes.condition.device != "cpu"
        epoch = EPOCH_SECONDS + (max(compute, reading / cores) if on_gpu else compute + reading)
        judged = total if folds > 1 else val
        answers = judged * (1e-3 * own["image_ms"] + read) + 1.0
        heads = folds * fitted * own["features"] * len(images.class_names) * FIT_SECONDS
        more = 0.0 if folds > 1 else fitted * (1e-3 * own["image_ms"] + read)
        probe = None if each.weights is None else answers + more + heads + PROBE_SECONDS
        wanted = wanted_epochs(train // batch) if each.weights is None else WANTED_EPOCHS
        found.append(Price(each.name, epoch, probe, answers, wanted))
    return found


def wanted_epochs(steps: int) -> int:
    """Epochs of so many steps from which on candidates from random weights can be compared well.

    >>> wanted_epochs(10), wanted_epochs(20), wanted_epochs(400)
    (30, 15, 5)
    """
    return min(MOST_EPOCHS, max(WANTED_EPOCHS, -(-WANTED_STEPS // max(steps, 1))))


def seconds_to_read(images: ImageSet) -> float:
    """Of an image: decoding its file; nothing for images in memory."""
    split = images.splits["train"]
    if not isinstance(split, FolderSplit):
        return 0.0
    rows = range(0, len(split), max(1, len(split) // DECODED))
    began = time.perf_counter()
    for row in rows:
        split.read(row).pixels()
    return (time.perf_counter() - began) / len(rows)
