"""How a candidate is trained, as keys of a recipe with their reasons: for the comparison, and in full."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from lit_cnn.architectures.catalog import find_entry
from lit_cnn.choosing.candidates import SMALL, Candidate
from lit_cnn.choosing.commented import Stated
from lit_cnn.choosing.images import ImageSet
from lit_cnn.data.sources.load import SourceName

FEW = 5000
"""Images up to which batches are small and trainings from random weights long."""
FINE_TUNING_EPOCHS = 8
FITTED_RATE = 1e-4
"""Of AdamW, from a classifier that is fitted already."""
SCRATCH_EPOCHS = {True: 60, False: 30}
"""Of a full training from random weights: of few images, of many."""

IMBALANCE = 3
"""Largest class / smallest class from which on losses are weighted."""

Head = Literal["fresh", "fitted", "alone"]
"""The classifier of trained weights: untrained; fitted to these classes (by ``head_starts.py``, or by the training that
the weights are of), with all layers trained from there; or fitted and trained alone."""


@dataclass(frozen=True)
class Trained:
    """What is trained on.

    Args:
        source: Of the recipe's data.
        path: Of the recipe's data.
        train: Images to train on.
        side: Shorter side of the images in pixels.
        channels: Of the images.
        class_counts: Training images of each class, among them those that are held out.
    """

    source: SourceName
    path: str
    train: int
    side: int
    channels: int
    class_counts: tuple[int, ...] = ()

    @classmethod
    def of(cls, images: ImageSet) -> "Trained":
        """All of a set."""
        counts = tuple(images.class_counts())
        return cls(images.source, str(images.path), images.count("train"), images.side, images.channels, counts)

    @property
    def few(self) -> bool:
        """Whether the images are few."""
        return self.train < FEW

    @property
    def batch_size(self) -> int:
        """Images of a step, of which an epoch has one at least."""
        return max(1, min(32 if self.few else 128, self.train))


def full_epochs(candidate: Candidate, data: Trained, compared: int) -> int:
    """Epochs of a full training, no fewer than of the comparison."""
    usual = SCRATCH_EPOCHS[data.few] if candidate.weights is None else FINE_TUNING_EPOCHS
    return max(usual, compared)


def recipe_of(
    candidate: Candidate, data: Trained, epochs: int, *, compared: bool, head: Head = "fresh", device: str = "auto"
) -> list[Stated]:
    """The keys of a candidate's training.

    Args:
        candidate: The network, its image size and weights.
        data: What is trained on.
        epochs: Of the whole training.
        compared: Train at a constant rate with averaged weights, so that the training can be judged at any epoch and be
            continued; else the rate falls to the end.
        head: Of a candidate with weights.
        device: Of the training: auto, cpu, cuda or cuda:N.
    """
    frozen = candidate.weights is not None and head == "fresh" and epochs > 1
    alone = candidate.weights is not None and head == "alone"
    title = f"{candidate.architecture} at {candidate.image_size} px"
    warmup = 1.0 if candidate.weights is None else 0.5
    schedule = ("constant", "any epoch can be compared and continued") if compared else ("cosine", "falls to the end")
    return [
        Stated("about.title", title),
        Stated("seed_everything", 0),
        Stated("trainer.max_epochs", epochs, "" if compared else _why_epochs(candidate, data)),
        *_device(device),
        *_network(candidate, head),
        *([Stated("model.initial.freeze_epochs", 1, "of the classifier alone")] if frozen else []),
        *([Stated("model.initial.freeze_epochs", "all", "training all layers made it no better")] if alone else []),
        Stated("model.loss.label_smoothing", 0.1),
        *balance(data.class_counts),
        *_optimizer(candidate, head),
        Stated("model.schedule.name", *schedule),
        Stated("model.schedule.warmup_epochs", min(warmup, epochs / 2)),
        *_data(candidate, data),
        Stated("ema.decay", _decay(data), "averages about an epoch"),
    ]


def _device(device: str) -> list[Stated]:
    kind, _, number = device.partition(":")
    accelerator = [] if kind == "auto" else [Stated("trainer.accelerator", "cpu" if kind == "cpu" else "gpu")]
    return [*accelerator, Stated("trainer.devices", [int(number)] if number else 1)]


def _network(candidate: Candidate, head: Head) -> list[Stated]:
    if candidate.weights is None:
        slow = "norm_momentum" in find_entry(candidate.architecture).options()
        why = "batch norm's statistics follow in 20 steps; the paper's 0.01 needs 300"
        momentum = [Stated("model.options.norm_momentum", 0.1, why)] if slow else []
        return [Stated("model.architecture", candidate.architecture), *momentum]
    rows = "trained rows of some classes would outweigh the untrained ones of the others"
    return [
        Stated("model.architecture", candidate.architecture),
        Stated("model.initial.checkpoint", candidate.weights, "trained on more images than these"),
        *([Stated("model.initial.head", "fresh", rows)] if head == "fresh" else []),
        Stated("model.initial.batch_norm", "frozen", "the statistics of few images are noisier than the weights'"),
    ]


def _optimizer(candidate: Candidate, head: Head) -> list[Stated]:
    """Rates; a fresh classifier is trained alone for an epoch (fastai's fine_tune), and at a higher rate than the rest,
    while one that was fitted needs small steps, or the first of them would lose what it knows."""
    if candidate.weights is None:
        values: dict[str, Any] = {
            "name": "sgd",
            "learning_rate": 0.1,
            "base_batch_size": 128 if candidate.image_size <= SMALL else 256,
            "weight_decay": 5e-4,
        }
    else:
        values = {
            "name": "adamw",
            "learning_rate": 1e-3 if head == "fresh" else FITTED_RATE,
            "base_batch_size": None,
            "weight_decay": 0.05,
            "layer_decay": 0.8,
            **({"head_factor": 5} if head == "fresh" else {}),
        }
    why = {"layer_decay": "layers near the image change less", "head_factor": "the fresh classifier learns faster"}
    if head != "fresh":
        why["learning_rate"] = "small: the classifier is fitted already"
    return [Stated(f"model.optimizer.{key}", value, why.get(key, "")) for key, value in values.items()]


def imbalanced(counts: Sequence[int]) -> bool:
    """Whether classes with so many images differ so much in size that losses are weighted."""
    return bool(counts) and min(counts) > 0 and max(counts) > IMBALANCE * min(counts)


def balance(counts: Sequence[int]) -> list[Stated]:
    """The key that weights losses, where the classes ask for it."""
    if not imbalanced(counts):
        return []
    why = f"the largest class has {max(counts) / min(counts):.0f} times the images of the smallest"
    return [Stated("model.loss.class_weights", "balanced", why)]


def _data(candidate: Candidate, data: Trained) -> list[Stated]:
    stated = [
        Stated("data.source", data.source),
        Stated("data.path", data.path),
        Stated("data.image_size", candidate.image_size, _why_size(candidate, data)),
        Stated("data.batch_size", data.batch_size, "few images in many steps" if data.few else ""),
    ]
    if candidate.weights is not None and data.channels != 3:
        stated.append(Stated("data.in_channels", 3, "as the weights expect"))
    if candidate.image_size == data.side <= SMALL:
        return [
            *stated,
            Stated("data.crop", {"kind": "pad", "padding": max(1, data.side // 8)}, "shifts: the images are small"),
            Stated("data.evaluation.crop_ratio", 1.0, "nothing of a small image is cut away"),
        ]
    scale = [0.35, 1.0] if candidate.weights else [0.25, 1.0]
    return [*stated, Stated("data.crop", {"kind": "random_resized", "scale": scale})]


def _why_size(candidate: Candidate, data: Trained) -> str:
    if candidate.image_size == data.side:
        return "as the images are"
    if candidate.image_size > data.side:
        return f"enlarged: half of the images have a shorter side of {data.side} px at most"
    return f"half of the images have a shorter side of {data.side} px or more"


def _why_epochs(candidate: Candidate, data: Trained) -> str:
    start = "from trained weights" if candidate.weights else "from random weights"
    return f"{start}, on {data.train:,} images"


def _decay(data: Trained) -> float:
    """Of averaged weights: over about an epoch of steps, ten at least."""
    steps = max(data.train // data.batch_size, 10)
    return round(min(1 - 1 / steps, 0.9998), 4)
