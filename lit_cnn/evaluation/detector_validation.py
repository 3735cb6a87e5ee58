"""The figures of a trained detector on annotated images, as its run reports them, and how long an image takes."""

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import torch

from lit_cnn.data.settings import Normalize
from lit_cnn.detection.boxes import AnnotatedSplit, BoxBatch
from lit_cnn.detection.data import DetectionData
from lit_cnn.detection.detector import Detector, found_in_files
from lit_cnn.detection.metrics import DetectionMetrics
from lit_cnn.evaluation.given_boxes import given_boxes
from lit_cnn.evaluation.given_data import other_classes
from lit_cnn.evaluation.recorded_data import recipe_arguments
from lit_cnn.experiment.parser import RecipeCLI
from lit_cnn.experiment.recipe import Recipe
from lit_cnn.training.precision import PrecisionChoice, autocast, evaluation_precision

SplitName = Literal["val", "test"]


@dataclass(frozen=True)
class Validation:
    """What was found in a split.

    Args:
        metrics: Its figures.
        milliseconds: Of one image in the network, its decoding and its suppression, without reading the file.
    """

    metrics: DetectionMetrics
    milliseconds: float


def detection_data(
    checkpoint: Mapping[str, Any],
    detector: Detector,
    path: str,
    data_path: str | None,
    skip_broken: bool,
    split: SplitName = "val",
) -> DetectionData:
    """The annotated images of the checkpoint's recipe, as it trains on them, or those of ``data_path`` that
    ``given_boxes`` chooses for ``split``, prepared in the same way.

    Raises:
        ValueError: If they are of other classes, or nothing says where they are.
    """
    recipe = checkpoint.get("recipe")
    if recipe:
        data: DetectionData = Recipe.of(RecipeCLI(recipe_arguments(recipe, data_path))).data
    elif data_path is None:
        raise ValueError(f"{path} records no recipe, so its data is not known: pass --data with annotated images")
    else:
        made = detector.preprocessing
        known = {key: getattr(made, key) for key in ("canvas", "levels", "background", "color_profile")}
        data = DetectionData(os.path.expanduser(data_path), normalize=Normalize(made.mean, made.std), **known)
    data.on_error = "skip" if skip_broken else data.on_error
    if data_path is not None:
        data.use(given_boxes(data.path, split, data.layout, detector, path))
    elif data.class_names != detector.class_names:
        assert detector.class_names is not None
        raise ValueError(other_classes(data.class_names, path, detector.class_names))
    return data


def run_precision(checkpoint: Mapping[str, Any]) -> tuple[PrecisionChoice, bool]:
    """The precision of the checkpoint's run, or what this machine computes in instead, and whether it is that one."""
    stated = checkpoint.get("recipe", {}).get("trainer", {}).get("precision")
    choice = evaluation_precision(stated)
    return choice, choice.precision == stated or stated is None


@torch.inference_mode()
def validate_detector(
    detector: Detector,
    data: DetectionData,
    split: SplitName,
    *,
    bf16: bool = False,
    advance: Callable[[int], object] = lambda _: None,
) -> Validation:
    """Find the objects in a split.

    Args:
        detector: In evaluation mode.
        data: Its images.
        split: Which of them.
        bf16: Whether convolutions are computed in bfloat16.
        advance: Called with the images of each batch that is done.
    """
    loader = data.val_dataloader() if split == "val" else data.test_dataloader()
    chosen = split_of(data, split)
    metrics, device, seconds, images = DetectionMetrics(chosen), detector.device, 0.0, 0
    for loaded in loader:
        moved = BoxBatch(*(part.to(device) for part in loaded))
        batch = data.prepare(moved, training=False, step=0, epoch=0)
        begun = _now(device)
        with autocast(device, bf16):
            found = detector(batch.images)
        seconds += _now(device) - begun
        metrics.update(batch.index, found_in_files(found, batch, chosen))
        images += len(batch.index)
        advance(len(batch.index))
    return Validation(metrics, 1000 * seconds / max(images, 1))


def split_of(data: DetectionData, split: SplitName) -> AnnotatedSplit:
    """A split that is there.

    Raises:
        ValueError: If there is no test split.
    """
    found = data.loaded.val if split == "val" else data.loaded.test
    if found is None:
        raise ValueError(f"{data.loaded.origin} has no test split; validate instead")
    return found


def evaluated_summary(data: DetectionData, split: SplitName) -> Any:
    """What the data turned out to be, with the split that is evaluated."""
    return replace(data.summary, evaluated=split)


def _now(device: torch.device) -> float:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter()
